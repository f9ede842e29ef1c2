"""Witnesses cosign what continues what they saw; nothing that they do keeps a log from going on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from domain.assurance import witnessing
from domain.assurance.checkpoints import open_checkpoint
from domain.assurance.cosignatures import WitnessKey, WitnessSignerKey, cosign, cosigned_at
from domain.assurance.witnessing import AddCheckpoint
from domain.kernel.errors import RecordBrokenError
from infrastructure.seal import witness_office
from infrastructure.seal.sealer import ClockBehindError
from infrastructure.seal.witness_client import WitnessUnreachableError, ask
from infrastructure.seal.witness_office import WitnessError, WitnessOffice, WitnessStateError
from infrastructure.seal.witness_server import MOST_REQUEST_BYTES
from infrastructure.seal.witnesses import WitnessAnswerError, WitnessesError
from tests.contract.seal.sealed import (
    TIMEOUT_S,
    Sealed,
    an_office,
    forked,
    served,
    someone_who_says,
)
from tests.support.processes import another_process
from tests.support.stores import HALF_PAST_NINE, SetClock, SQLiteStore

Judge = Callable[[WitnessOffice, bytes], tuple[int, bytes]]


def in_a_file(office: WitnessOffice, request: bytes) -> tuple[int, bytes]:
    """As ``witness sign`` does."""
    answer = office.add_checkpoint(request)
    return answer.status, answer.body


def over_http(office: WitnessOffice, request: bytes) -> tuple[int, bytes]:
    """As ``witness serve`` does."""
    with served(office) as line:
        answer = ask(line.split()[1], request)
    return answer.status, answer.body


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    """On one store: a witness sees of a record its hashes only."""
    store = SQLiteStore.fresh(tmp_path)
    yield Sealed(store, tmp_path / "seal")
    store.close()


@pytest.fixture
def office(sealed: Sealed, tmp_path: Path) -> WitnessOffice:
    """A witness that knows the log."""
    return an_office(tmp_path / "w1", sealed)


def key_of(office: WitnessOffice) -> WitnessKey:
    """The key that whoever asks it must know."""
    return WitnessKey.from_text(office.verifier_key)


# -- what a witness signs ------------------------------------------------------------------------


def test_two_witnesses_cosign_and_go_on_as_the_log_grows(sealed: Sealed, tmp_path: Path) -> None:
    """Each time from what they saw; the checkpoint carries all three signatures."""
    offices = [an_office(tmp_path / name, sealed, name=f"{name}.example") for name in ("w1", "w2")]
    with served(offices[0]) as first, served(offices[1]) as second:
        sealed.witnessed_by("# two of them", first, second)
        for size in (3, 1, 700):
            sealed.grow(size)
            checkpoint = sealed.sealing.seal()
            for office, words in zip(offices, sealed.witnesses.ask_all(), strict=True):
                name = key_of(office).name
                assert f"the witness {name} cosigned {checkpoint.size} entries" in words
                assert cosigned_at(sealed.note(), key_of(office)) == HALF_PAST_NINE.timestamp()
            open_checkpoint(sealed.note(), sealed.verifier_key(), sealed.record.origin)
    assert [one.size for one in sealed.witnesses.held()] == [checkpoint.size] * 2
    assert {one.root for one in sealed.witnesses.held()} == {checkpoint.root}
    assert sealed.sealing.seal() == checkpoint, "cosignatures do not ask for a new checkpoint"


@pytest.mark.parametrize("judge", [in_a_file, over_http])
@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_fork_signed_with_the_real_key_is_refused(
    sealed: Sealed, office: WitnessOffice, judge: Judge, size: int
) -> None:
    """Smaller, as large, larger: with whatever proof a forger can make."""
    sealed.grow(3)
    sealed.sealing.seal()
    good = AddCheckpoint(0, (), sealed.note()).body().encode()
    assert judge(office, good)[0] == 200
    held = office.held(sealed.record.origin)
    assert held.size == 5
    fork = forked(sealed, size)
    for old in (0, 3, 5, 9):
        for proof in ((), (bytes(32),), tuple(sealed.leaves()[:3])):
            status, body = judge(office, AddCheckpoint(old, proof, fork).body().encode())
            assert status in (400, 409, 422), body
            assert b"\xe2\x80\x94" not in body
    same_size = AddCheckpoint(5, (), forked(sealed, 5)).body().encode()
    assert judge(office, same_size) == (409, b"5\n"), "as C2SP tlog-witness has it"
    assert office.held(sealed.record.origin) == held
    elsewhere = an_office(office.directory.parent / "fresh", sealed)
    first_seen = AddCheckpoint(0, (), fork).body().encode()
    assert judge(elsewhere, first_seen)[0] == 200, "the fork itself is well made"


@pytest.mark.parametrize("judge", [in_a_file, over_http])
def test_a_rollback_is_refused_with_the_size_that_the_witness_has(
    sealed: Sealed, office: WitnessOffice, judge: Judge
) -> None:
    """Also of what it once signed itself."""
    sealed.grow(3)
    sealed.sealing.seal()
    early = sealed.note()
    assert judge(office, AddCheckpoint(0, (), early).body().encode())[0] == 200
    sealed.grow(4, first=10)
    last = sealed.sealing.seal()
    sealed.witnessed_by(f"{office.verifier_key} offline")
    witness = sealed.witnesses.named(None)
    assert judge(office, sealed.witnesses.request(witness, old=5))[0] == 200
    assert judge(office, AddCheckpoint(0, (), early).body().encode()) == (409, b"10\n")
    assert judge(office, AddCheckpoint(5, (), early).body().encode()) == (409, b"10\n")
    assert judge(office, AddCheckpoint(10, (), early).body().encode())[0] == 400
    assert office.held(sealed.record.origin).size == last.size == 10


def test_a_log_that_it_does_not_know_and_a_key_that_it_does_not_know(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """404 and 403; what is no request is 400."""
    sealed.sealing.seal()
    note = sealed.note()
    strange = note.replace(sealed.record.origin, "example.org/strange")
    assert in_a_file(office, AddCheckpoint(0, (), strange).body().encode())[0] == 404
    unsigned = note.rpartition("\n\u2014")[0] + "\n\u2014 example.org/x AAAAAAAA\n"
    assert in_a_file(office, AddCheckpoint(0, (), unsigned).body().encode())[0] == 403
    for body in (b"", b"old\n\n", b"\xff", note.encode()):
        assert in_a_file(office, body)[0] == 400


def test_the_server_reads_no_more_than_a_request_can_be(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """And answers at one address only."""
    with served(office) as line:
        where = line.split()[1]
        assert ask(where, b"x" * (MOST_REQUEST_BYTES + 1)).status == 413
        assert ask(f"{where}/elsewhere", b"old 0\n\n").status == 404
        assert ask(where, b"old 0\n\n").status == 400


def test_a_witness_whose_memory_is_gone_signs_nothing_and_says_so(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """It cosigned that log before; as a new log's, its fork would be signed."""
    sealed.grow(3)
    sealed.sealing.seal()
    request = AddCheckpoint(0, (), sealed.sealer.last_note() or "").body().encode()
    assert office.add_checkpoint(request).status == 200
    (file,) = (office.directory / "held").iterdir()
    kept = file.read_bytes()
    file.unlink()
    with pytest.raises(WitnessStateError, match="is gone, and this witness cosigned that log"):
        office.add_checkpoint(request)
    file.write_bytes(kept)
    assert office.add_checkpoint(request).status == 409


def test_a_witness_whose_memory_is_damaged_signs_nothing_and_says_so(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """It could be made to sign a rollback otherwise. Another byte anywhere is damage."""
    sealed.grow(3)
    sealed.sealing.seal()
    request = AddCheckpoint(0, (), sealed.note()).body().encode()
    assert in_a_file(office, request)[0] == 200
    (file,) = (office.directory / "held").iterdir()
    whole = file.read_bytes()
    size_changed = whole.replace(b"\n5\n", b"\n3\n", 1)
    assert size_changed != whole
    for damaged in (b"", b"\xff", whole[:-9], whole[: len(whole) // 2], size_changed):
        file.write_bytes(damaged)
        with pytest.raises(WitnessStateError, match=f"{file}: expected a checkpoint that this"):
            office.add_checkpoint(request)
        with served(office) as line:
            assert ask(line.split()[1], request).status == 500
        assert file.read_bytes() == damaged
    file.write_bytes(whole)
    assert office.held(sealed.record.origin).size == 5


def test_a_witness_keeps_its_key_or_stops(sealed: Sealed, office: WitnessOffice) -> None:
    """A new key over what the old one signed would be another witness."""
    sealed.sealing.seal()
    in_a_file(office, AddCheckpoint(0, (), sealed.note()).body().encode())
    key = office.directory / "witness.key"
    assert key.stat().st_mode & 0o777 == 0o600
    again = WitnessOffice(office.directory, clock=SetClock())
    assert again.verifier_key == office.verifier_key
    with pytest.raises(WitnessError, match=r"is of the witness w1\.example, not of w2"):
        WitnessOffice(office.directory, clock=SetClock(), name="w2")
    key.chmod(0o640)
    with pytest.raises(WitnessError, match="run chmod 600"):
        WitnessOffice(office.directory, clock=SetClock())
    key.unlink()
    with pytest.raises(WitnessError, match="bring it back"):
        WitnessOffice(office.directory, clock=SetClock())


def die_between_state_and_answer(telling: Connection, directory: Path, request: bytes) -> None:
    """A witness that is killed once its state is on the disk."""
    office = WitnessOffice(directory, clock=SetClock())
    remember = office._remember

    def remember_and_wait(origin: str, note: str) -> None:
        remember(origin, note)
        telling.send("written")
        telling.recv()

    office._remember = remember_and_wait  # type: ignore[method-assign]
    office.add_checkpoint(request)


def test_a_witness_killed_before_it_answered_gives_the_cosignature_when_asked_again(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """kill -9 between state and answer: the log finds out, and asks from there."""
    sealed.grow(3)
    checkpoint = sealed.sealing.seal()
    request = AddCheckpoint(0, (), sealed.note()).body().encode()
    where = (office.directory, request)
    with another_process(die_between_state_and_answer, *where) as (process, telling):
        assert telling.recv() == "written"
        process.kill()
        process.join()
    assert office.held(sealed.record.origin).size == checkpoint.size
    with served(office) as line:
        sealed.witnessed_by(line)
        (words,) = sealed.witnesses.ask_all()
    assert f"cosigned {checkpoint.size} entries" in words
    assert cosigned_at(sealed.note(), key_of(office))


def test_of_two_requests_at_once_the_later_state_is_never_rolled_back(
    sealed: Sealed, office: WitnessOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is judged no other is: the check and the new state are one step."""
    inside: list[str] = []
    judge = witnessing.answer

    def judge_alone(*args: object, **kwargs: object) -> object:
        inside.append("in")
        time.sleep(0.001)  # leave another thread the time to come in, if it can
        assert inside.count("in") - inside.count("out") == 1
        inside.append("out")
        return judge(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(witness_office, "answer", judge_alone)
    sealed.sealing.seal()
    requests = []
    sealed.witnessed_by(f"{office.verifier_key} offline")
    witness = sealed.witnesses.named(None)
    for number in range(4):
        sealed.grow(1, first=number)
        sealed.sealing.seal()
        requests.append(sealed.witnesses.request(witness, old=0))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(office.add_checkpoint, requests))
    assert sorted(one.status for one in answers) == [200, 409, 409, 409]
    assert len(inside) == 8


# -- what a log makes of an answer ---------------------------------------------------------------


def test_a_witness_that_is_slow_or_dead_costs_its_time_and_nothing_else(sealed: Sealed) -> None:
    """Also one that goes on sending a byte now and then. It is told in words."""
    key = WitnessSignerKey.generate("slow.example").verifier().text()
    sealed.grow(2)
    sealed.sealing.seal()
    with (
        someone_who_says(200, b"x" * 200, slowly=True) as slow,
        someone_who_says(200, b"x" * 20_000) as endless,
    ):
        sealed.witnessed_by(f"{key} {slow}", f"{key} {endless}", f"{key} http://127.0.0.1:9")
        before = time.monotonic()
        told = sealed.witnesses.ask_all()
        assert time.monotonic() - before < 4 * TIMEOUT_S
    assert all("the witness slow.example did not cosign" in words for words in told)
    assert "no answer in 0.5 s" in told[0]
    assert "more than 16384 bytes" in told[1] and "refused" in told[2]
    assert sealed.witnesses.held() == []
    sealed.grow(1, first=9)
    assert sealed.sealing.seal().size == sealed.record.size()


def lies(sealed: Sealed) -> dict[str, tuple[int, bytes, str]]:
    """What a witness may say instead of a cosignature, and what is made of it."""
    key = WitnessSignerKey("w.example", bytes(range(32)))
    other = WitnessSignerKey("w.example", bytes(32))
    now = int(HALF_PAST_NINE.timestamp())
    note = sealed.note()
    over = note.replace("\n4\n", "\n3\n", 1)
    return {
        "another key": (200, cosign(note, other, at=now).encode(), "no signature by its key"),
        "another text": (200, cosign(over, key, at=now).encode(), "does not fit"),
        "no signature": (200, b"yes\n", "no signature by its key"),
        "nothing": (200, b"", "no signature by its key"),
        "the future": (200, cosign(note, key, at=now + 301).encode(), "one of them is wrong"),
        "a far time": (200, cosign(note, key, at=2**62).encode(), "does not fit"),
        "an error": (500, b"", "answered 500"),
        "no such log": (404, b"", "does not know this log"),
        "no such key": (403, b"", "does not know the key"),
        "the same size": (409, b"4\n", "ALARM.*another history of 4 entries"),
        "a smaller size": (409, b"2\n", "says another size each time"),
        "a larger size": (409, b"99\n", "ALARM.*says that it holds 99 entries"),
        "a size that is none": (409, b"many\n", "answered 409"),
        "another history": (422, b"no\n", "ALARM.*does not see this log grow"),
        "a moved address": (302, b"", "answered 302"),
    }


def test_an_answer_is_checked_before_it_is_kept(sealed: Sealed) -> None:
    """A lie is told in words and leaves the checkpoint as it was; the truth is kept."""
    sealed.grow(2)
    sealed.sealing.seal()
    key = WitnessSignerKey("w.example", bytes(range(32)))
    before = sealed.note()
    for what, (status, body, words) in lies(sealed).items():
        with someone_who_says(status, body) as where:
            sealed.witnessed_by(f"{key.verifier().text()} {where}")
            (told,) = sealed.witnesses.ask_all()
        assert re.search(words, told), (what, told)
        assert (sealed.note(), sealed.witnesses.held()) == (before, []), what
    good = cosign(before, key, at=int(HALF_PAST_NINE.timestamp()) + 300)
    with someone_who_says(200, f"nonsense\n{good}".encode()) as where:
        sealed.witnessed_by(f"{key.verifier().text()} {where}")
        (told,) = sealed.witnesses.ask_all()
    assert "cosigned 4 entries" in told and sealed.note() == before + good
    assert [one.size for one in sealed.witnesses.held()] == [4]


def test_a_witness_ahead_of_us_does_not_keep_us_from_sealing(sealed: Sealed) -> None:
    """Its time counts, but not later than when we got it; a clock set back does not sign."""
    sealed.grow(2)
    sealed.sealing.seal()
    key = WitnessSignerKey("w.example", bytes(range(32)))
    sealed.witnessed_by(f"{key.verifier().text()} offline")
    sealed.witnesses.accept(cosign(sealed.note(), key, at=int(HALF_PAST_NINE.timestamp()) + 200))
    sealed.grow(1, first=5)
    sealed.sealing.seal()
    sealed.clock.at -= timedelta(milliseconds=1)
    sealed.grow(1, first=6)
    size, note = sealed.record.size(), sealed.note()
    with pytest.raises(ClockBehindError):
        sealed.sealing.seal()
    assert (sealed.record.size(), sealed.note()) == (size, note)


# -- at the start --------------------------------------------------------------------------------


def test_a_log_that_is_shorter_than_a_witness_knows_is_not_written_to(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """What was kept of its cosignature is enough, with no network."""
    sealed.grow(3)
    sealed.sealing.seal()
    with served(office) as line:
        sealed.witnessed_by(line)
        sealed.witnesses.ask_all()
    sealed.witnessed_by()
    sealed.sealer.checkpoint_file.unlink()
    with pytest.raises(RecordBrokenError, match=r"cosigned 5 entries, and .*checkpoint is gone"):
        sealed.witnesses.require_not_behind(5)
    with pytest.raises(
        RecordBrokenError,
        match=r"the log has 4 entries, but the witness w1.example cosigned 5 at 2026-11-23T09:30",
    ):
        sealed.witnesses.require_not_behind(4)


def test_a_witness_that_can_be_reached_is_asked_at_the_start(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """All that is here was brought back from an older copy, checkpoint and all."""
    sealed.grow(3)
    sealed.sealing.seal()
    older = sealed.note()
    with served(office) as line:
        sealed.witnessed_by(line)
        sealed.witnesses.ask_all()
        sealed.grow(4, first=10)
        sealed.sealing.seal()
        sealed.witnesses.ask_all()
        assert sealed.witnesses.require_not_behind(sealed.record.size()) == []
        sealed.sealer.checkpoint_file.write_text(older, "utf-8")
        for file in (sealed.keys.directory / "witnessed").iterdir():
            file.unlink()
        with pytest.raises(
            RecordBrokenError, match=r"has 7 entries, but the witness w1.example says .* holds 10"
        ):
            sealed.witnesses.require_not_behind(7)
    (words,) = sealed.witnesses.require_not_behind(7)
    assert "the witness w1.example was not reached" in words


def test_a_log_that_is_longer_than_its_witness_knows_but_another_is_noticed(
    sealed: Sealed, office: WitnessOffice
) -> None:
    """A thief of the key made another history and signed it."""
    sealed.grow(3)
    sealed.sealing.seal()
    with served(office) as line:
        sealed.witnessed_by(line)
        sealed.witnesses.ask_all()
    (file,) = (sealed.keys.directory / "witnessed").iterdir()
    kept = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(kept | {"root": "ab" * 32}), "utf-8")
    with pytest.raises(RecordBrokenError, match="this log has another history"):
        sealed.witnesses.require_not_behind(sealed.record.size())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"witness": "x", "size": 1}'])
def test_what_was_kept_of_a_witness_is_not_guessed_at(sealed: Sealed, content: bytes) -> None:
    """Damage is named, with what can be done."""
    folder = sealed.keys.directory / "witnessed"
    folder.mkdir()
    (folder / "01020304.json").write_bytes(content)
    with pytest.raises(WitnessesError, match=r"01020304.json is damaged .*bring it back, or"):
        sealed.witnesses.require_not_behind(9)


@pytest.mark.parametrize(
    "line", ["x", "x y", "a+b+c http://h", "KEY ftp://h", "KEY http://u:p@h", "KEY http://h x"]
)
def test_a_line_that_names_no_witness_is_pointed_out(sealed: Sealed, line: str) -> None:
    """By its number; an address holds no password."""
    key = WitnessSignerKey.generate("w.example").verifier().text()
    sealed.witnessed_by("# first", line.replace("KEY", key))
    with pytest.raises(WitnessesError, match="witnesses, line 2"):
        sealed.witnesses.configured()


# -- on a stick ----------------------------------------------------------------------------------


def test_a_request_and_its_answer_travel_on_a_stick(sealed: Sealed, office: WitnessOffice) -> None:
    """From what that witness is known to hold; the answer is kept if it fits."""
    sealed.witnessed_by(f"{office.verifier_key} offline")
    witness = sealed.witnesses.named("w1.example")
    answers = []
    for round_ in range(3):
        sealed.grow(3, first=10 * round_)
        sealed.sealing.seal()
        status, answer = in_a_file(office, sealed.witnesses.request(witness))
        assert status == 200
        answers.append(answer.decode())
        (words,) = sealed.witnesses.accept(answers[-1])
        assert f"cosigned {sealed.record.size()} entries" in words
        assert cosigned_at(sealed.note(), key_of(office)) == HALF_PAST_NINE.timestamp()
    before = sealed.note()
    for old in (answers[0], "nonsense", ""):
        with pytest.raises(WitnessAnswerError):
            sealed.witnesses.accept(old)
    assert sealed.note() == before


def test_an_address_that_answers_nothing_of_http_is_not_reached() -> None:
    """Whatever it says."""
    with pytest.raises(WitnessUnreachableError):
        ask("http://127.0.0.1:9", b"")
