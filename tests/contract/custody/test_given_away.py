"""A regulator with nothing but a deployment's pack, the log's key and the verifier.

Each thing that is searched for was really recorded, by a log that signs whatever it is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.reports.custody import certificate_page
from domain.assurance.certificates import CERTIFICATE, PAGE, certificate, to_bytes
from domain.assurance.checkpoints import Checkpoint
from domain.assurance.custody import Custody
from domain.assurance.examined import followed
from domain.assurance.notes import open_note
from domain.assurance.packs import verify_pack
from domain.assurance.verification import Kind, Verdict
from domain.custody import events as item_events
from domain.custody.classes import ItemClass
from domain.custody.schedule import BUILT_IN
from domain.services.custody import destroy_for
from domain.services.inventory import take_stock
from domain.services.rechecking import enrol
from infrastructure.custody.separate_rechecker import SeparateRechecker
from infrastructure.packs.writer import Certifying, NotCertifiedError, write_pack
from tests.contract.custody.test_recomputed import (
    A_MOMENT,
    ITEMS,
    appended,
    by,
    kept,
    raised_again,
    recheck,
    registered,
    true_receipt,
)
from tests.contract.packs.packed import contents, digests_made_anew, signed, written
from tests.contract.seal.sealed import Sealed
from tests.contract.vault.examples import on_disk
from tests.support.builders import AT, DAY, DEPLOYMENT
from tests.support.scenarios import Scene
from tests.support.stores import Store


class Force:
    """A deployment over real stores with a re-checker of its own, and what it gives away."""

    def __init__(
        self, path: Path, sealed: Sealed, scene: Scene, rechecker: SeparateRechecker
    ) -> None:
        self.path, self.scene, self.rechecker = path, scene, rechecker
        self.sealed = sealed

    def pack(self, name: str = "pack", *, certified: bool = False) -> Path:
        """The deployment's pack, of the log as it is now."""
        self.sealed.clock.at = self.scene.clock.now()
        self.sealed.sealing.seal()
        target = self.path / name
        certifying = Certifying(as_of=self.scene.clock.now(), page=certificate_page)
        write_pack(
            target,
            DEPLOYMENT.hex,
            signed(self.sealed),
            certifying=certifying if certified else None,
        )
        return target

    def found(self, pack: Path, **more: Any) -> Verdict:
        """What the regulator finds."""
        return verify_pack(pack, key=self.sealed.verifier_key(), **more)

    def codes(self, **more: Any) -> list[str]:
        """What is wrong with custody, in a pack of now."""
        verdict = self.found(self.pack(), **more)
        assert verdict.custody is not None, verdict.sentence
        return [one.code for one in verdict.custody.faults]

    def stock(self) -> None:
        """An inventory, signed and recorded."""
        take_stock(self.scene.outside, self.rechecker)


@pytest.fixture
def force(tmp_path: Path, store: Store) -> Iterator[Force]:
    """With one running deployment and one possible match."""
    with on_disk(tmp_path) as disk:
        sealed = Sealed(store, tmp_path / "seal")
        scene = Scene().on(store)
        rechecker = SeparateRechecker(
            tmp_path / "recheck" / "recheck.key",
            disk.keystore.directory,
            disk.media.directory,
            enrol=lambda name, key: enrol(scene.outside, name, key),
        )
        scene.over(disk.vault, rechecker).running().alerted()
        yield Force(tmp_path, sealed, scene, rechecker)
        rechecker.close()


# -- what is found -------------------------------------------------------------------------------


def test_a_deployment_in_order_is_found_in_order(force: Force) -> None:
    """Emptied in time, re-checked and listed by another principal, whose key is in the pack."""
    force.scene.viewed().decided(note="a note").stopped().ended()
    force.stock()
    verdict = force.found(force.pack())
    custody = verdict.custody
    assert (verdict.kind, verdict.kind.exit_code) == (Kind.SOUND, 0)
    assert custody is not None
    assert custody.in_process == 0
    assert sum(one.destroyed_in_time for one in custody.holdings) == ITEMS + 1
    assert sum(one.levels["L3"] for one in custody.holdings) == ITEMS + 1
    assert custody.inventory is not None
    assert custody.inventory.signed


def test_a_late_item_is_found(force: Force) -> None:
    """Destroyed a moment after its day; nobody said so."""
    force.scene.later(DAY + A_MOMENT).stopped().ended()
    verdict = force.found(force.pack())
    assert (verdict.kind, verdict.kind.exit_code) == (Kind.OVERDUE, 11)
    assert verdict.custody is not None
    assert [one.code for one in verdict.custody.faults] == ["late"] * 4


def test_an_undeleted_item_is_found_at_the_regulators_own_time(force: Force) -> None:
    """The log is silent from then on; whoever verifies has a clock too."""
    pack = force.pack()
    assert force.found(pack).kind is Kind.SOUND
    assert force.found(pack, as_of=AT + DAY).kind is Kind.SOUND
    verdict = force.found(pack, as_of=AT + DAY + A_MOMENT)
    assert (verdict.kind, "has no receipt" in verdict.sentence) == (Kind.OVERDUE, True)
    assert force.found(pack, as_of=AT - DAY).kind is Kind.SOUND


def test_a_forged_receipt_is_found(force: Force) -> None:
    """It names a deadline that the registration did not."""
    receipt = replace(true_receipt(force.scene), due_at=AT + 9 * DAY)
    appended(force.scene, recheck(force.scene, receipt), receipt)
    assert force.codes() == ["receipt_differs"]


def test_a_forged_recheck_is_found(force: Force) -> None:
    """Whoever destroyed says that another principal looked, and cannot sign for it."""
    receipt = replace(true_receipt(force.scene), recheck="separate-process")
    looked = recheck(
        force.scene, receipt, kind="separate-process", rechecker="5e" * 8, signature="00" * 64
    )
    appended(force.scene, looked, receipt)
    verdict = force.found(force.pack())
    assert (verdict.kind, verdict.kind.exit_code) == (Kind.INCOMPLETE, 12)
    assert "not signed by an enrolled re-checker" in verdict.sentence


def test_a_missing_registration_is_found(force: Force) -> None:
    """An alert names a face that nobody registered."""
    missing = raised_again(force.scene, UUID(int=0xAA), {"face_crop": UUID(int=0xAB)})
    appended(force.scene, missing)
    assert force.codes() == ["item_not_registered"]


def test_a_face_that_was_kept_without_an_alert_is_found(force: Force) -> None:
    """Sealed for something that no entry tells of."""
    item = kept(force.scene)
    other = registered(force.scene)
    sealed = force.scene.events(item_events.ItemSealed)[-1]
    appended(force.scene, other)
    appended(force.scene, replace(sealed, originator_id=other.id, originator_version=2))
    assert item.id != other.id
    assert force.codes() == ["nothing_refers_to_it"]


def test_a_schedule_that_is_not_shown_is_found(force: Force) -> None:
    """A registration under limits that no entry of the pack adopted."""
    appended(force.scene, registered(force.scene, schedule="longer-2"))
    assert force.codes() == ["schedule_not_in_force"]


def test_a_limit_that_was_stretched_is_found(force: Force) -> None:
    """A registration that promises a day and a moment."""
    due = force.scene.clock.now() + DAY + A_MOMENT
    appended(force.scene, registered(force.scene, due_at=due))
    assert force.codes() == ["due_too_late"]


# -- certificates --------------------------------------------------------------------------------


def test_a_deployment_of_which_nothing_is_left_is_certified(force: Force) -> None:
    """And the verifier says yes, with the sentence recomputed."""
    force.scene.stopped().ended()
    force.stock()
    pack = force.pack(certified=True)
    verdict = force.found(pack)
    assert verdict.kind is Kind.SOUND, verdict.sentence
    assert verdict.remarks[0].startswith("CERTIFICATE as of ")
    assert verdict.remarks[0].endswith(
        "7 items of personal data were registered, 7 of them are destroyed. Nothing is left in the "
        "stores."
    )
    told = json.loads((pack / CERTIFICATE).read_bytes())
    assert told["deployment"] == DEPLOYMENT.hex
    assert {one["class"]: one["levels"]["L3"] for one in told["classes"]}["face_crop"] == 1
    page = (pack / PAGE).read_text("utf-8")
    assert told["statement"] in page
    assert "REHEARSAL" in page
    assert not re.search(r"<script|<link|<img|<iframe|href=|src=|@import|url\(|https?:", page)


def test_lateness_is_certified_as_what_it_is(force: Force) -> None:
    """Nothing is left; that it took too long stands in the statement, and in the exit code."""
    force.scene.later(DAY + A_MOMENT).stopped().ended()
    pack = force.pack(certified=True)
    verdict = force.found(pack)
    assert verdict.kind is Kind.OVERDUE
    assert "4 were destroyed LATE" in json.loads((pack / CERTIFICATE).read_bytes())["statement"]


def still_running(force: Force) -> None:
    """Nothing was ended."""


def one_left(force: Force) -> None:
    """The deployment is over, and one face came to be kept afterwards."""
    force.scene.stopped().ended()
    kept(force.scene)


def one_contradiction(force: Force) -> None:
    """Everything is gone, and one receipt is none."""
    receipt = true_receipt(force.scene)
    appended(force.scene, recheck(force.scene, items=[receipt.originator_id]))
    appended(force.scene, replace(receipt, commitment="b" * 64))
    force.scene.stopped().ended()


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (still_running, "the deployment is not over; 1 of class alert_detail are left"),
        (one_left, "1 of class face_crop are left"),
        (one_contradiction, "says another commitment than its registration"),
    ],
)
def test_what_is_left_or_wrong_is_not_certified(
    force: Force, happens: Callable[[Force], None], reason: str
) -> None:
    """It is said what, and nothing is left behind."""
    happens(force)
    with pytest.raises(NotCertifiedError, match=re.escape(reason)):
        force.pack(certified=True)
    assert not (force.path / "pack").exists()
    assert force.pack().is_dir()


def test_entries_that_are_not_sealed_are_not_certified(force: Force) -> None:
    """What is behind the checkpoint may be anything."""
    force.scene.stopped().ended()
    pack = force.pack(certified=True)
    assert pack.is_dir()
    appended(force.scene, registered(force.scene))
    with pytest.raises(NotCertifiedError, match="not sealed yet"):
        write_pack(
            force.path / "other",
            DEPLOYMENT.hex,
            signed(force.sealed),
            certifying=Certifying(as_of=force.scene.clock.now(), page=certificate_page),
        )


def footage(force: Force) -> None:
    """A segment of footage that outlives its deployment, as it may."""
    now = force.scene.clock.now()
    item = registered(
        force.scene,
        item_class=ItemClass.FOOTAGE_SEGMENT,
        rule=BUILT_IN.rule(ItemClass.FOOTAGE_SEGMENT),
        due_at=now + 31 * DAY,
        commitment="",
    )
    appended(force.scene, item)
    force.scene.stopped().ended()


def test_footage_that_may_still_be_is_stated(force: Force) -> None:
    """Until when, and not a moment longer."""
    footage(force)
    pack = force.pack(certified=True)
    statement = json.loads((pack / CERTIFICATE).read_bytes())["statement"]
    assert "1 of class footage_segment remain, as they may, 0 of them on a hold" in statement
    assert "Nothing is left" not in statement
    assert force.found(pack, as_of=AT + 31 * DAY).kind is Kind.SOUND
    assert force.found(pack, as_of=AT + 31 * DAY + A_MOMENT).kind is Kind.OVERDUE


def test_overdue_footage_is_not_certified(force: Force) -> None:
    """By the clock of who certifies, although the log is silent."""
    footage(force)
    force.scene.later(31 * DAY + timedelta(minutes=1))
    with pytest.raises(NotCertifiedError, match="left although they had to be gone"):
        force.pack(certified=True)


def test_a_certificate_that_says_something_else_is_refused(force: Force) -> None:
    """Though every digest of the bag was made anew."""
    force.scene.stopped().ended()
    files = contents(force.pack(certified=True))
    for word, instead in (
        (b'"registered":1', b'"registered":2'),
        (b"Nothing is left in the stores.", b"All is well now."),
        (b" No inventory of the stores was taken.", b""),
        (b'"destroyed_late":0', b'"destroyed_late": 0'),
        (b'"as_of":"2026-11-23T09:30', b'"as_of":"2026-11-23T09:29'),
        (b'"statement"', b'"Statement"'),
        (b"{", b"["),
    ):
        assert word in files[CERTIFICATE]
        changed = {CERTIFICATE: files[CERTIFICATE].replace(word, instead, 1)}
        forged = written(force.path / "forged", digests_made_anew(files | changed))
        verdict = force.found(forged)
        assert verdict.kind in (Kind.ALTERED, Kind.UNREADABLE), word
        assert CERTIFICATE in verdict.sentence


def test_a_certificate_that_could_not_be_given_is_refused(force: Force) -> None:
    """Figures that add up, over a deployment that still runs."""
    force.scene.stopped()
    pack = force.pack()
    files = contents(pack) | {CERTIFICATE: forged_certificate(force, pack)}
    forged = written(force.path / "forged", digests_made_anew(files))
    found = force.found(forged)
    assert found.kind is Kind.INCOMPLETE
    assert "could not be given: the deployment is not over" in found.sentence


def forged_certificate(force: Force, pack: Path) -> bytes:
    """A certificate whose figures are right, made by whoever leaves the question out."""
    note = (pack / "data/checkpoint").read_text()
    lines = [
        line
        for name in ("entries", "force")
        for line in (pack / f"data/{name}.jsonl").read_bytes().splitlines()
    ]
    named = [
        (one["name"], line)
        for one, line in sorted(
            ((json.loads(line), line) for line in lines), key=lambda both: int(both[0]["pos"])
        )
    ]
    custody = followed(named, Custody(DEPLOYMENT.hex, positions=True)).verdict()
    checkpoint = Checkpoint.parse(open_note(note, force.sealed.verifier_key()))
    return to_bytes(
        certificate(custody, scope=DEPLOYMENT.hex, mode="rehearsal", checkpoint=checkpoint)
    )


def test_what_is_destroyed_later_makes_no_certificate_wrong(force: Force) -> None:
    """It says as of when."""
    force.scene.stopped().ended()
    pack = force.pack(certified=True)
    force.scene.later(DAY)
    appended(force.scene, registered(force.scene))
    destroy_for(
        force.scene.outside,
        by(force.scene),
        [one.item for one in force.scene.survey().live()],
        cause="due",
    )
    assert force.found(pack).kind is Kind.SOUND
    assert force.found(force.pack("again", certified=True)).kind is Kind.SOUND
