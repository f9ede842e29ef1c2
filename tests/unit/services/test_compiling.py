"""Compiling a list: what is kept for an entry, what a rejection destroys, what is loaded."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.custody.events import GalleryLoaded, ItemDestroyed, ItemRegistered
from domain.custody.sealing import ItemLabel, SealedContent
from domain.deployments.events import DeploymentAuthorised
from domain.governance.commands import AdoptRequirements
from domain.governance.requirements import SHIPPED
from domain.kernel.errors import ConflictError, NotFoundError
from domain.kernel.refusals import Refused, WasRefused
from domain.ports import VaultError
from domain.services import alerts, deployments, governance, watchlists
from domain.services.custody import destroy_for
from domain.watchlists.events import EntryRejected, SealRequested, WatchlistSealed
from tests.support import builders as a
from tests.support import governed
from tests.support.builders import (
    AT,
    CAMERA,
    DEPLOYMENT,
    ENTRY,
    FIRST_MANAGER,
    MODEL,
    OTHER_ENTRY,
    SECOND_MANAGER,
    WATCHLIST,
)
from tests.support.memory import MemoryVault, RecordFullError
from tests.support.scenarios import Scene, agreed

HOUR = timedelta(hours=1)

# -- entries -----------------------------------------------------------------------------------


def test_the_callers_reference_is_in_the_vault_and_nowhere_in_the_record() -> None:
    """It could be followed from one deployment to the next."""
    scene = Scene().applied().list_opened()
    agreed(
        watchlists.propose_entry(
            scene.outside, a.to_propose_an_entry(), image=b"an image", callers_reference="PX-4711"
        )
    )
    _, reference = scene.items_of(ENTRY)
    label = ItemLabel(reference, "callers_reference", DEPLOYMENT, "text/plain", AT.date())
    assert scene.vault.open(label) == bytearray(b"PX-4711")
    assert not any("PX-4711" in repr(one) for one in scene.record.history())


def test_a_rejected_entry_keeps_nothing() -> None:
    """Image and reference are destroyed at once, for that reason."""
    scene = Scene().applied().list_opened().entry_proposed().entry_proposed(OTHER_ENTRY)
    scene.entry_rejected(OTHER_ENTRY)
    assert [one.reasons for one in scene.events(EntryRejected)] == [["no_face"]]
    assert {one.concerning for one in scene.events(ItemDestroyed)} == {OTHER_ENTRY}
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"entry_rejected"}
    assert scene.live_items() == scene.vault.keys() == set(scene.items_of(ENTRY))


def test_two_entries_proposed_at_once_are_both_on_the_list() -> None:
    """The one that came second is tried again, with what was kept for it the first time."""
    scene = Scene().applied().list_opened()
    others: list[object] = []

    def once(label: object) -> None:
        if not others:
            others.append(label)
            scene.entry_proposed(OTHER_ENTRY)

    scene.vault.after_seal = once
    scene.entry_proposed()
    assert set(scene.watchlist().entries) == {ENTRY, OTHER_ENTRY}
    assert len(scene.events(ItemRegistered)) == 4
    assert scene.events(ItemDestroyed) == []


def test_an_entry_rests_on_the_version_of_its_deployment() -> None:
    """Whether it is over is compared again under the log's lock."""
    scene = Scene().applied().list_opened().entry_proposed()
    assert scene.record.transactions[-1].given == {DEPLOYMENT: scene.record.version(DEPLOYMENT)}
    scene.entry_accepted()
    assert scene.record.transactions[-1].given == {DEPLOYMENT: scene.record.version(DEPLOYMENT)}


def test_nothing_refers_to_an_item_that_was_destroyed_meanwhile() -> None:
    """The custodian took the image before the entry was stored: the entry is given up."""
    scene = Scene().applied().list_opened()

    def take(label: ItemLabel) -> None:
        destroy_for(scene.outside, a.a_command(), [label.item], cause="due")

    scene.vault.after_seal = take
    with pytest.raises(ConflictError):
        scene.entry_proposed()
    assert scene.watchlist().entries == {}
    assert scene.live_items() == scene.vault.keys() == set()


def test_an_entry_for_a_list_that_does_not_exist_is_not_found_and_keeps_nothing() -> None:
    """There is nothing to put it on."""
    scene = Scene().applied()
    with pytest.raises(NotFoundError, match=f"there is no watchlist {WATCHLIST.hex}"):
        watchlists.propose_entry(
            scene.outside, a.to_propose_an_entry(), image=b"an image", callers_reference="row-1"
        )
    assert scene.vault.keys() == set()


def test_a_record_that_cannot_store_keeps_no_image() -> None:
    """No store, no effect."""
    scene = Scene().applied().list_opened()
    scene.record.full = True
    with pytest.raises(RecordFullError):
        watchlists.propose_entry(
            scene.outside, a.to_propose_an_entry(), image=b"an image", callers_reference="row-1"
        )
    assert scene.vault.keys() == set()


def test_criteria_proposed_by_two_at_once_are_settled_once() -> None:
    """The second is refused, and the refusal kept."""
    scene = Scene().applied()
    scene.record.meanwhile = [
        lambda: watchlists.propose_criteria(
            scene.outside, a.to_propose_criteria(actor=SECOND_MANAGER)
        )
    ]
    answer = watchlists.propose_criteria(scene.outside, a.to_propose_criteria())
    assert isinstance(answer, Refused)
    assert answer.codes == ["criteria_decided"]
    assert scene.watchlist().proposer == SECOND_MANAGER


def test_both_managers_sealed_the_same_list() -> None:
    """Nobody is added between the first person's seal and the second's."""
    scene = Scene().applied().list_opened().entry_proposed().entry_accepted()
    agreed(watchlists.seal(scene.outside, a.to_seal(actor=FIRST_MANAGER)))
    slipped_in = watchlists.propose_entry(
        scene.outside,
        a.to_propose_an_entry(entry=OTHER_ENTRY),
        image=b"an image",
        callers_reference="row-2",
    )
    if not isinstance(slipped_in, Refused):
        scene.entry_accepted(OTHER_ENTRY)
    watchlists.seal(scene.outside, a.to_seal(actor=SECOND_MANAGER))
    assert [one.entries for one in scene.events(SealRequested)] == [1]
    assert {one.entries for one in scene.events(WatchlistSealed)} <= {1}


# -- what authorisation and start rest on ------------------------------------------------------


def test_an_authorisation_rests_on_the_version_of_the_list() -> None:
    """It is compared again under the log's lock."""
    scene = Scene().applied().listed().authorised()
    (decided,) = [
        one for one in scene.record.transactions if one.names == [DeploymentAuthorised.NAME]
    ]
    assert decided.given[WATCHLIST] == scene.record.version(WATCHLIST)


def test_a_start_rests_on_the_version_of_the_list() -> None:
    """It is compared again under the log's lock."""
    scene = Scene().running()
    assert scene.record.transactions[-1].given[WATCHLIST] == scene.record.version(WATCHLIST)


def test_an_authorisation_is_decided_anew_when_the_list_moved() -> None:
    """Something harmless came between: it is authorised, on the version that it now has."""
    scene = Scene().applied().listed().in_force().reported()
    moved = a.entry_rejected(entry=OTHER_ENTRY)
    scene.record.meanwhile = [
        lambda: scene.record.append(
            moved.placed(WATCHLIST, scene.record.version(WATCHLIST) + 1), by=a.a_command()
        )
    ]
    agreed(deployments.authorise(scene.outside, a.to_authorise()))
    assert scene.record.transactions[-1].given[WATCHLIST] == scene.record.version(WATCHLIST)


def test_another_deployments_list_is_not_a_deployments_own() -> None:
    """A list is made for one deployment and no other."""
    scene = Scene().applied().listed().in_force()
    other = UUID(int=0xD2)
    scope = {"deployment": other, "scope": other.hex}
    agreed(deployments.apply_for(scene.outside, a.to_apply(**scope)))
    agreed(deployments.configure_camera(scene.outside, a.to_configure_a_camera(**scope)))
    agreed(deployments.submit_report(scene.outside, a.to_report(**scope)))
    answer = deployments.authorise(scene.outside, a.to_authorise(**scope))
    assert isinstance(answer, Refused)
    assert answer.codes == ["watchlist_not_approved"]


def test_who_put_someone_on_the_list_does_not_authorise_its_use() -> None:
    """SOD-2, for those who compiled it as for those who sealed it."""
    scene = Scene().applied().list_opened().in_force()
    compiler = "staff:manager-3"
    scene.entry_proposed(actor=compiler).entry_accepted().list_approved().reported()
    answer = deployments.authorise(scene.outside, a.to_authorise(actor=compiler))
    assert isinstance(answer, Refused)
    assert answer.codes == ["officer_made_the_list"]


# -- gallery -----------------------------------------------------------------------------------


def test_a_gallery_holds_the_templates_of_the_accepted_entries() -> None:
    """And nobody who was rejected."""
    scene = Scene().applied().list_opened()
    scene.entry_proposed().entry_proposed(OTHER_ENTRY).entry_accepted().entry_rejected(OTHER_ENTRY)
    scene.list_approved()
    gallery = watchlists.load_gallery(scene.outside, a.to_load_the_gallery())
    assert gallery == [(ENTRY, bytearray(b"a reference template"))]


def test_a_loaded_gallery_is_one_consultation_with_a_count() -> None:
    """On the record, with the camera, before a template is given out."""
    scene = Scene().applied().listed()
    watchlists.load_gallery(scene.outside, a.to_load_the_gallery())
    (loaded,) = scene.events(GalleryLoaded)
    assert (loaded.count, loaded.camera, loaded.model_digest) == (1, CAMERA, MODEL)
    assert (loaded.deployment, loaded.watchlist) == (DEPLOYMENT, WATCHLIST)
    assert scene.record.transactions[-1].given == {
        one: scene.record.version(one) for one in (WATCHLIST, DEPLOYMENT)
    }


def test_a_record_that_cannot_store_gives_out_no_gallery() -> None:
    """No store, no effect."""
    scene = Scene().applied().listed()
    scene.record.full = True
    with pytest.raises(RecordFullError):
        watchlists.load_gallery(scene.outside, a.to_load_the_gallery())


def test_a_refused_gallery_gives_out_nothing_and_says_nothing_of_a_loading() -> None:
    """Sealed is not approved."""
    scene = Scene().applied().list_opened().entry_proposed().entry_accepted()
    answer = watchlists.load_gallery(scene.outside, a.to_load_the_gallery())
    assert isinstance(answer, Refused)
    assert scene.events(GalleryLoaded) == []
    assert len(scene.events(WasRefused)) == 1


def test_a_gallery_is_not_loaded_once_the_deployment_is_over() -> None:
    """Its templates are gone; the record must not say that they were given out."""
    scene = Scene().running().stopped().ended()
    answer = watchlists.load_gallery(scene.outside, a.to_load_the_gallery())
    assert isinstance(answer, Refused)
    assert scene.events(GalleryLoaded) == []


def test_a_gallery_that_is_overtaken_by_the_end_is_refused() -> None:
    """The deployment was closed just before the consultation was stored."""
    scene = Scene().running().stopped()
    scene.record.meanwhile = [scene.ended]
    answer = watchlists.load_gallery(scene.outside, a.to_load_the_gallery())
    assert isinstance(answer, Refused)
    assert scene.events(GalleryLoaded) == []


class BrokenVault(MemoryVault):
    """A vault that makes the first item of all durable and fails at the second."""

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Seal one item only."""
        if self.keys():
            raise VaultError("the media store is full")
        return super().seal(label, salt=salt, content=content)


def test_a_vault_that_fails_keeps_nothing_of_the_entry() -> None:
    """What was registered for it is destroyed, and what was durable too."""
    scene = Scene(vault=BrokenVault()).applied().list_opened()
    with pytest.raises(VaultError, match="full"):
        scene.entry_proposed()
    assert scene.live_items() == scene.vault.keys() == scene.vault.ciphertexts() == set()
    assert scene.watchlist().entries == {}


# -- removals ----------------------------------------------------------------------------------


def test_a_removed_entry_keeps_nothing_and_raises_nothing() -> None:
    """Image, reference and template are destroyed at once; an alert for it is refused."""
    scene = Scene().running()
    agreed(watchlists.remove_entry(scene.outside, a.to_remove(**scene.by)))
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"entry_removed"}
    assert scene.live_items() == scene.vault.keys() == set()
    assert isinstance(alerts.raise_alert(scene.outside, a.to_raise(**scene.by)), Refused)
    assert scene.refusals() == [["entry_not_listed"]]


def test_a_start_after_a_removal_takes_the_smaller_list() -> None:
    scene = Scene().applied().list_opened().entry_proposed().entry_accepted()
    scene.entry_proposed(OTHER_ENTRY).entry_accepted(OTHER_ENTRY).list_approved().authorised()
    agreed(watchlists.remove_entry(scene.outside, a.to_remove(**scene.by)))
    loaded = watchlists.load_gallery(scene.outside, a.to_load_the_gallery(**scene.by))
    assert [entry for entry, _ in agreed(loaded)] == [OTHER_ENTRY]
    stale = deployments.start(scene.outside, a.to_start(gallery_size=2, **scene.by))
    assert isinstance(stale, Refused) and stale.codes == ["gallery_differs_from_the_list"]
    scene.started(gallery_size=1)


def test_a_start_without_a_fresh_look_at_every_entry_is_refused() -> None:
    scene = Scene().applied(requested_until=AT + 40 * HOUR).listed().later(25 * HOUR)
    scene.authorised(valid_from=scene.clock.now(), valid_until=AT + 40 * HOUR)
    stale = deployments.start(scene.outside, a.to_start(**scene.by))
    assert isinstance(stale, Refused) and stale.codes == ["entries_not_reviewed"]
    scene.reviewed().started()


def test_nobody_is_added_while_recognition_is_on_and_a_variation_stops_every_start() -> None:
    scene = Scene().running()
    running = watchlists.reopen(scene.outside, a.to_reopen(**scene.by))
    assert isinstance(running, Refused) and running.codes == ["recognition_is_on"]
    agreed(watchlists.reopen(scene.stopped().outside, a.to_reopen(**scene.by)))
    again = deployments.start(scene.outside, a.to_start(run=UUID(int=9), **scene.by))
    assert isinstance(again, Refused) and again.codes == ["watchlist_not_approved"]


def test_a_force_may_allow_smaller_lists_than_what_ships() -> None:
    scene = Scene().applied()
    stricter = SHIPPED.as_adopted() | {"version": "2027-1", "at_most": {"list_entries": 50}}
    agreed(
        governance.adopt_requirements(
            scene.outside, governed.to(AdoptRequirements, **stricter, **scene.by)
        )
    )
    asked = a.to_propose_criteria(most_entries=51, **scene.by)
    too_many = watchlists.propose_criteria(scene.outside, asked)
    assert isinstance(too_many, Refused) and too_many.codes == ["list_too_large"]
