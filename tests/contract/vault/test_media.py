"""The media store: a file is whole or absent, and what is not ours is told of and left alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from infrastructure.vault.ciphertexts import MediaStoreError
from infrastructure.vault.media import MediaStore
from tests.contract.vault.examples import item

CIPHERTEXT = b"nobody can read this"


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    """An empty media store."""
    return MediaStore(tmp_path / "media")


def path_of(media: MediaStore, number: int = 1) -> Path:
    """Where the ciphertext of an item lies."""
    return media.directory / item(number).hex[:2] / item(number).hex


def content_of(media: MediaStore, one: UUID) -> bytes | None:
    """The ciphertext of an item, whole."""
    file = media.open(one)
    if file is None:
        return None
    with closing(file):
        return b"".join(iter(lambda: file.read(7), b""))


def leave_half_written(media: MediaStore, number: int = 1) -> Path:
    """What a crash in the middle of writing leaves."""
    half = path_of(media, number).with_name(item(number).hex + ".new")
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(CIPHERTEXT[:5])
    return half


def test_a_ciphertext_lies_in_a_file_of_its_own(media: MediaStore) -> None:
    """Below the first two digits of its item, and nothing else is left there."""
    media.write_stream(item(1), [CIPHERTEXT])
    media.write_stream(item(2), [b"another"])
    found = sorted(path for path in media.directory.rglob("*") if path.is_file())
    assert found == [path_of(media, 1), path_of(media, 2)]
    assert content_of(media, item(1)) == path_of(media, 1).read_bytes() == CIPHERTEXT
    assert content_of(media, item(3)) is None


def test_directories_and_files_are_closed_to_others_whatever_the_umask(media: MediaStore) -> None:
    """0700 and 0600, also where an unfinished file of another mode was left."""
    before = os.umask(0)
    try:
        leave_half_written(media, 2).chmod(0o644)
        for number in (1, 2):
            media.write_stream(item(number), [CIPHERTEXT])
    finally:
        os.umask(before)
    for path, mode in {
        media.directory: 0o700,
        path_of(media, 1).parent: 0o700,
        path_of(media, 1): 0o600,
        path_of(media, 2): 0o600,
    }.items():
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_a_file_is_synced_before_it_is_named_and_its_directory_afterwards(
    media: MediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power cut could leave a name without its bytes, or no name at all."""
    steps = _listen(monkeypatch)
    media.write_stream(item(), [CIPHERTEXT])
    folder = path_of(media).parent
    assert steps == [
        f"mkdir {folder}",
        f"fsync {media.directory}",
        f"fsync {path_of(media)}.new",
        f"rename {path_of(media)}.new",
        f"fsync {folder}",
    ]


def test_a_removal_is_synced(media: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, what was left unfinished, and then the directory: also when repeated."""
    media.write_stream(item(), [CIPHERTEXT])
    leave_half_written(media)
    steps = _listen(monkeypatch)
    removal = [
        f"unlink {path_of(media)}",
        f"unlink {path_of(media)}.new",
        f"fsync {path_of(media).parent}",
    ]
    media.remove(item())
    assert steps == removal
    assert not media.holds(item())
    media.remove(item())
    assert steps == removal * 2


def test_a_half_written_file_is_held_listed_and_removed_but_never_read(media: MediaStore) -> None:
    """Its item is to be destroyed like any other."""
    half = leave_half_written(media)
    media.write_stream(item(2), [CIPHERTEXT])
    assert media.holds(item(1))
    assert media.items() == {item(1), item(2)}
    assert media.strays() == []
    assert content_of(media, item(1)) is None

    media.remove(item(1))
    assert not half.exists()
    assert not media.holds(item(1))
    assert media.items() == {item(2)}


def test_writing_replaces_what_was_there_half_or_whole(media: MediaStore) -> None:
    """And leaves nothing of it."""
    leave_half_written(media)
    for ciphertext in (CIPHERTEXT, b"a second one", b""):
        media.write_stream(item(), [ciphertext])
        assert content_of(media, item()) == ciphertext
        assert [path.name for path in path_of(media).parent.iterdir()] == [item().hex]


def test_removing_what_never_was_does_no_harm(media: MediaStore) -> None:
    """Not even its directory is made."""
    media.remove(item())
    assert list(media.directory.iterdir()) == []


@pytest.mark.parametrize(
    "place",
    [
        "notes.txt",
        item().hex,
        f"{item().hex}.new",
        f"02/{item(1).hex}",
        f"01/{item(1).hex}.new.new",
        f"01/{item(1).hex}.bak",
        f"01/.{item(1).hex}",
        f"01/deeper/{item(1).hex}",
        f"01/01/{item(1).hex}",
        f"ab/{item(0xAB).hex.upper()}",
        f"AB/{item(0xAB).hex}",
        f"01/{item(1)}",
        f"01/{item(1).hex[:-1]}",
        "0x/0x" + "1" * 30,
        "1_/1_" + "1" * 30,
    ],
)
def test_a_stray_file_is_told_of_and_left_alone(media: MediaStore, place: str) -> None:
    """It is no item's, so no removal of an item reaches it."""
    stray = media.directory / place
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"not ours")
    media.write_stream(item(7), [CIPHERTEXT])
    assert media.strays() == [stray]
    assert media.items() == {item(7)}
    for number in (1, 7, 0xAB):
        media.remove(item(number))
    assert stray.read_bytes() == b"not ours"
    assert media.strays() == [stray]


def test_a_link_is_told_of_and_not_followed(media: MediaStore, tmp_path: Path) -> None:
    """Neither to a directory nor to nothing."""
    elsewhere = tmp_path / "elsewhere" / "01"
    elsewhere.mkdir(parents=True)
    (elsewhere / item(1).hex).write_bytes(CIPHERTEXT)
    links = [media.directory / "01", media.directory / "nowhere"]
    links[0].symlink_to(elsewhere)
    links[1].symlink_to(tmp_path / "nothing")
    assert media.strays() == links
    assert media.items() == set()


def test_a_link_in_the_place_of_a_ciphertext_is_held_until_it_is_removed(
    media: MediaStore, tmp_path: Path
) -> None:
    """Also one that leads nowhere: what is listed, held and removed is the same. What it leads to
    is left alone."""
    path_of(media).parent.mkdir()
    for target in (tmp_path / "nothing", tmp_path / "something"):
        path_of(media).symlink_to(target)
        assert media.holds(item())
        assert media.items() == {item()}
        media.remove(item())
        assert not media.holds(item())
        assert media.items() == set()
        (tmp_path / "something").touch()
    assert (tmp_path / "something").exists()


def test_what_cannot_be_looked_for_is_not_said_to_be_gone(media: MediaStore) -> None:
    """A file where the directory should be, here; a disk that fails, elsewhere."""
    path_of(media).parent.write_bytes(b"in the way")
    with pytest.raises(MediaStoreError, match=f"^item {item().hex}: cannot look for its"):
        media.holds(item())


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda media: media.write_stream(item(), [CIPHERTEXT]), "write"),
        (lambda media: content_of(media, item()), "read"),
        (lambda media: media.remove(item()), "remove"),
    ],
)
def test_what_the_disk_refuses_is_told_plainly(
    media: MediaStore, act: Callable[[MediaStore], object], told: str
) -> None:
    """Which item, what was to be done, and what the system said."""
    path_of(media).mkdir(parents=True)
    assert media.holds(item())
    with pytest.raises(MediaStoreError, match=f"^item {item().hex}: cannot {told} its ciphertext:"):
        act(media)


def test_a_list_that_cannot_be_complete_is_no_list(media: MediaStore) -> None:
    """A directory that is gone is not the same as one that is empty."""
    media.directory.rmdir()
    for listing in (media.items, media.strays):
        with pytest.raises(MediaStoreError, match=f"cannot list {media.directory}"):
            listing()


def _listen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system is asked to do from now on, by the path it is done to."""
    steps: list[str] = []
    for name in ("fsync", "mkdir", "rename", "unlink"):
        monkeypatch.setattr(os, name, _heard(name, getattr(os, name), steps))
    return steps


def _heard(name: str, call: Callable[..., None], steps: list[str]) -> Callable[..., None]:
    def heard(what: int | Path, *rest: object) -> None:
        path = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else what
        steps.append(f"{name} {path}")
        call(what, *rest)

    return heard
