"""Ciphertexts in an S3 bucket: what every vault promises, and that a deletion there deletes."""

from __future__ import annotations

import secrets
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import boto3
import pytest

from api.bootstrap import open_node, rechecked, verify_premises
from domain.assurance.verification import Kind
from domain.custody.events import ItemDestroyed
from domain.kernel.commands import Mode
from domain.kernel.errors import RecordBrokenError
from domain.kernel.references import new_reference
from domain.ports import ContentAlteredError, Vault
from infrastructure.custody.separate_rechecker import RecheckerError, SeparateRechecker
from infrastructure.vault.bucket import Bucket
from infrastructure.vault.ciphertexts import Ciphertexts, MediaStoreError
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.sealed_vault import SealedVault
from tests.contract.vault import test_promises
from tests.contract.vault.examples import CONTENT, SALT, item, label
from tests.faults.a_whole_day import steps
from tests.support.buckets import SERVICES, Service, running, surrounded_by
from tests.support.builders import AT

MIB = 1 << 20

# Every promise of a vault, once more over a bucket.
globals().update(
    {name: one for name, one in vars(test_promises).items() if name.startswith("test_")}
)


@pytest.fixture(scope="module", params=SERVICES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Each service in turn; everything here speaks to it."""
    with running(request.param) as found, surrounded_by(found):
        yield found


@pytest.fixture(scope="module")
def name(service: Service) -> str:
    """A bucket of the tests below; each has a prefix of its own there."""
    return service.bucket()


@pytest.fixture
def place(name: str) -> str:
    """A place of its own."""
    return f"s3://{name}/{new_reference().hex}"


@pytest.fixture
def store(place: str) -> Bucket:
    """The store there."""
    return Bucket(place)


@pytest.fixture
def vault(store: Bucket, tmp_path: Path) -> Iterator[Vault]:
    """A vault over it."""
    found = SealedVault(Keystore(tmp_path / "keystore"), store)
    try:
        yield found
    finally:
        found.close()


def parts_of(place: str) -> tuple[str, str]:
    """Bucket and prefix."""
    _, _, name, prefix = place.split("/")
    return name, f"{prefix}/"


def where(place: str, key: str) -> dict[str, str]:
    """An object below a place, as a client names it."""
    name, prefix = parts_of(place)
    return {"Bucket": name, "Key": f"{prefix}{key}"}


def content_of(store: Ciphertexts, one: UUID) -> bytes | None:
    """The ciphertext of an item, whole."""
    file = store.open(one)
    if file is None:
        return None
    with closing(file):
        return b"".join(iter(lambda: file.read(1 << 16), b""))


def there(service: Service, place: str) -> list[str]:
    """What lies at the place, finished or not, as the service tells."""
    client, (name, prefix) = service.client(), parts_of(place)
    asked = {"Bucket": name, "Prefix": prefix}
    objects = client.list_objects_v2(**asked).get("Contents", [])
    uploads = client.list_multipart_uploads(**asked).get("Uploads", [])
    return [one["Key"].removeprefix(prefix) for one in (*objects, *uploads)]


# -- storing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 8 * MIB + 1, 17 * MIB])
def test_what_is_written_is_read(store: Bucket, size: int) -> None:
    """In one request, in parts, and where a part is just full."""
    content = secrets.token_bytes(size)
    store.write_stream(item(), [content[:100], memoryview(content)[100:]])
    assert content_of(store, item()) == content
    assert (store.items(), store.strays()) == ({item()}, [])
    store.remove(item())
    assert content_of(store, item()) is None
    assert not store.holds(item())


def test_a_stream_needs_the_memory_of_some_parts(vault: Vault, service: Service) -> None:
    """48 MiB. What a service keeps that is in this very process is not ours."""
    tracemalloc.start()
    try:
        pieces = (bytes([number]) * MIB for number in range(48))
        vault.seal_stream(label(), salt=SALT, chunks=pieces)
        read = sum(len(frame) for frame in vault.open_stream(label()))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == 48 * MIB
    assert most < 32 * MIB or service.in_this_process


@pytest.mark.parametrize("size", [3, 20 * MIB])
def test_what_stops_coming_leaves_nothing(
    store: Bucket, service: Service, place: str, size: int
) -> None:
    """Neither an object nor parts of one."""

    def broken() -> Iterator[bytes]:
        yield bytes(size)
        raise OSError("the camera is gone")

    with pytest.raises(OSError, match="the camera is gone"):
        store.write_stream(item(), broken())
    assert there(service, place) == []


def test_parts_that_a_dead_process_left_are_seen_and_removed(
    store: Bucket, service: Service, place: str
) -> None:
    """They are the item's, finished or not."""
    client = service.client()
    client.create_multipart_upload(**where(place, item().hex))
    assert store.holds(item())
    assert store.items() == {item()}
    assert content_of(store, item()) is None
    store.remove(item())
    assert not store.holds(item())
    assert there(service, place) == []


def test_many_are_removed_at_once_and_nothing_else_is(
    store: Bucket, service: Service, place: str
) -> None:
    """What is not ours is told of and left alone."""
    client, beside = service.client(), f"{place}-beside"
    for number in (1, 2, 3):
        store.write_stream(item(number), [CONTENT])
    client.put_object(**where(place, "notes.txt"), Body=b"a name")
    client.put_object(**where(beside, "elsewhere"), Body=b"of others")
    assert store.remove_all([item(1), item(2), item(9)]) == {}
    assert store.items() == {item(3)}
    assert [one.rpartition("/")[2] for one in store.strays()] == ["notes.txt"]
    assert sorted(there(service, place)) == sorted(["notes.txt", item(3).hex])
    assert there(service, beside) == ["elsewhere"]


def test_a_changed_object_does_not_open(vault: Vault, service: Service, place: str) -> None:
    """Whoever owns the bucket cannot slip anything in."""
    vault.seal(label(), salt=SALT, content=CONTENT)
    client, stored_at = service.client(), where(place, item().hex)
    stored = bytearray(client.get_object(**stored_at)["Body"].read())
    assert CONTENT not in stored
    stored[-1] ^= 1
    client.put_object(**stored_at, Body=bytes(stored))
    with pytest.raises(ContentAlteredError, match="frame 0 of its ciphertext"):
        vault.open(label())


# -- where a deletion deletes nothing ------------------------------------------------------------


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_that_keeps_versions_is_refused(service: Service, status: str) -> None:
    """Also where it has stopped: older versions may be there."""
    versioned = service.bucket()
    for one in ("Enabled", status):
        service.client().put_bucket_versioning(
            Bucket=versioned, VersioningConfiguration={"Status": one}
        )
    with pytest.raises(MediaStoreError, match=f"versioning is {status.lower()}.*nothing can be"):
        Bucket(f"s3://{versioned}/p")
    Bucket(f"s3://{versioned}/p", only_reading=True)


def test_a_bucket_that_locks_its_objects_is_refused(service: Service) -> None:
    """What is locked outlives its deadline."""
    locked = service.bucket(ObjectLockEnabledForBucket=True)
    with pytest.raises(MediaStoreError, match=r"(versioning|locks its objects).*nothing can be"):
        Bucket(f"s3://{locked}")


def test_a_bucket_that_keeps_versions_later_lets_nothing_be_called_gone(
    service: Service, tmp_path: Path
) -> None:
    """It was opened before. Neither who removes nor who looks again is deceived."""
    versioned = service.bucket()
    place, keystore = f"s3://{versioned}/p", tmp_path / "keystore"
    vault = SealedVault(Keystore(keystore), Bucket(place))
    rechecker = SeparateRechecker(
        tmp_path / "recheck.key", keystore, place, enrol=lambda name, key: None
    )
    with closing(vault), closing(rechecker):
        vault.seal(label(), salt=SALT, content=CONTENT)
        service.client().put_bucket_versioning(
            Bucket=versioned, VersioningConfiguration={"Status": "Enabled"}
        )
        vault.destroy_keys([item()], at=AT)
        (kept,) = vault.remove_ciphertexts([item()]).values()
        assert "keeps versions by now" in str(kept)
        with pytest.raises(RecheckerError, match="versioning is enabled"):
            rechecker.recheck([label()], at=AT)


class Answering:
    """A client that answers a question as a service would."""

    def __init__(self, question: str, answer: object) -> None:
        self._question, self._answer = question, answer

    def __getattr__(self, name: str) -> object:
        answer = self._answer if name == self._question else {}
        return lambda **asked: answer


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("get_bucket_versioning", {"Status": "Enabled"}, "keeps or kept older versions"),
        (
            "get_object_lock_configuration",
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
            "locks its objects",
        ),
        (
            "get_bucket_replication",
            {"ReplicationConfiguration": {"Rules": [{"Status": "Enabled"}]}},
            "copies its objects elsewhere",
        ),
    ],
)
def test_each_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, question: str, answer: object, why: str
) -> None:
    """Whatever a service knows of."""
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Answering(question, answer))
    with pytest.raises(MediaStoreError, match=why):
        Bucket("s3://bucket")
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Answering("none", {}))
    Bucket("s3://bucket")


# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    ["s3://", "s3:///p", "s3://user:secret@bucket", "s3://bucket:9000", "s3://bucket/p?key=secret"],
)
def test_a_place_says_where_and_never_who(wrong: str) -> None:
    """And what was typed is not repeated."""
    with pytest.raises(MediaStoreError, match="expected s3://bucket/prefix") as raised:
        Bucket(wrong)
    assert "secret" not in str(raised.value)


def test_a_bucket_that_is_not_there_is_told(service: Service) -> None:
    """By its name; one that is away must not look like one that is empty."""
    for only_reading in (True, False):
        with pytest.raises(MediaStoreError, match=r"cannot use s3://plumbline-never-was/p: .*404"):
            Bucket("s3://plumbline-never-was/p", only_reading=only_reading)


def test_a_service_that_is_away_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, in some seconds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(MediaStoreError, match="cannot use s3://bucket: Could not connect"):
        Bucket("s3://bucket")


# -- the whole way -------------------------------------------------------------------------------


def test_premises_with_a_bucket_live_and_end_as_any(
    service: Service, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment from application to end; another process looks again; a stray key is found."""
    monkeypatch.setenv("PLUMBLINE_MEDIA", place)
    data = tmp_path / "data"
    with open_node(data, Mode.REHEARSAL) as node:
        for step in steps(node).values():
            step()
        receipts = [
            entry.event for entry in node.record.history() if isinstance(entry.event, ItemDestroyed)
        ]
        assert receipts
        assert all("media store (S3 bucket)" in one.boundary for one in receipts)
    assert not (data / "media").exists()
    (segment,) = there(service, place)
    found = rechecked(data, deployment=None, credential=None, actor=None)
    assert (found.inventory.ciphertexts, found.inventory.clean) == (1, True)
    service.client().put_object(**where(place, "stray"), Body=b"x")
    found = rechecked(data, deployment=None, credential=None, actor=None)
    assert (found.inventory.orphans, found.inventory.clean) == (1, False)
    key = (data / "seal" / "log.vkey").read_text("utf-8")
    verdict = verify_premises(data, key_text=key, outside_checkpoint=None)
    assert verdict.kind is Kind.INCOMPLETE
    service.client().delete_object(**where(place, segment))
    with (
        pytest.raises(RecordBrokenError, match="1 items are not there"),
        open_node(data, Mode.REHEARSAL),
    ):
        pass
