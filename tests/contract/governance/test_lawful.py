"""Lists that change, authority, notice, rights and publication over both stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.deployments.aggregate import Deployment
from domain.figures.deployment_record import counted
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from domain.publication.commands import PublishRecord
from domain.rights import commands as asked
from domain.services import alerts, deployments, notice, publication, rights, watchlists
from domain.services.simulation import Proposal, simulate
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.events import EntryRemoved
from tests.support import builders as a
from tests.support.scenarios import Scene, agreed
from tests.support.stores import Store

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(store: Store) -> Scene:
    """A force of stand-ins on a real record."""
    return Scene().on(store)


def test_a_list_that_changes_is_read_back_as_it_is(scene: Scene, store: Store) -> None:
    """Also by another reader, who has not kept what was read before."""
    scene.applied().list_opened().entry_proposed().entry_accepted()
    child = a.why(age_band="13-to-17")
    scene.entry_proposed(a.OTHER_ENTRY, necessity=child).entry_accepted(a.OTHER_ENTRY)
    first = watchlists.seal(scene.outside, a.to_seal(**scene.by))
    assert isinstance(first, Refused) and first.codes == ["extra_authority_missing"]
    allowed = a.to_decide_extra_authority(entries=[a.OTHER_ENTRY], **scene.by)
    agreed(watchlists.decide_extra_authority(scene.outside, allowed))
    scene.list_approved().authorised()
    gone = a.to_remove(entry=a.OTHER_ENTRY, reason="found-safe", **scene.by)
    agreed(watchlists.remove_entry(scene.outside, gone))
    agreed(watchlists.reopen(scene.outside, a.to_reopen(**scene.by)))
    third = UUID(int=0xE3)
    scene.entry_proposed(third).entry_accepted(third).list_approved().started(gallery_size=2)
    kept, anew = scene.watchlist(), store.open().load(Watchlist, a.WATCHLIST)
    assert kept.accepted == anew.accepted == [a.ENTRY, third]
    assert vars(kept) == vars(anew), "what was kept and taken on is what is read from the start"
    scene.alerted()
    removed = agreed(watchlists.remove_entry(scene.outside, a.to_remove(**scene.by)))
    assert removed.accepted == [third]
    again = a.to_raise(alert=UUID(int=0xA7), ordinal=2, **scene.by)
    refused = alerts.raise_alert(scene.outside, again)
    assert isinstance(refused, Refused) and refused.codes == ["entry_not_listed"]
    record = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    assert [one["entries"] for one in record.facts["watchlist_sizes"]] == [2, 1, 1, 2, 1]


def test_two_removals_at_once_remove_two_and_the_same_one_is_removed_once(
    scene: Scene, store: Store
) -> None:
    """One reader is behind the other: what it decides is decided anew."""
    scene.applied().list_opened().entry_proposed().entry_accepted()
    scene.entry_proposed(a.OTHER_ENTRY).entry_accepted(a.OTHER_ENTRY).list_approved()
    other = Scene().on(store)
    other.outside = other.outside.__class__(
        other.record, scene.outside.vault, scene.clock, scene.identities, scene.outside.rechecker
    )
    assert other.watchlist().accepted == scene.watchlist().accepted
    agreed(watchlists.remove_entry(scene.outside, a.to_remove(**scene.by)))
    behind = watchlists.remove_entry(other.outside, a.to_remove(**scene.by))
    assert isinstance(behind, Refused) and behind.codes == ["entries_not_listed"]
    agreed(watchlists.remove_entry(other.outside, a.to_remove(entry=a.OTHER_ENTRY, **scene.by)))
    assert scene.watchlist().accepted == [] and len(scene.events(EntryRemoved)) == 2


def test_an_urgent_authorisation_lives_until_it_would_lapse(scene: Scene) -> None:
    until = a.AT + 60 * HOUR
    scene.applied(requested_until=until).listed().in_force()
    agreed(
        deployments.authorise(scene.outside, a.to_authorise_urgently(valid_until=until, **scene.by))
    )
    scene.announced().started().later(23 * HOUR)
    scene.alerted()
    scene.later(2 * HOUR)
    late = a.to_raise(alert=UUID(int=0xA8), ordinal=2, **scene.by)
    refused = alerts.raise_alert(scene.outside, late)
    assert isinstance(refused, Refused) and refused.codes == ["outside_the_authorised_window"]
    lapsed = deployments.ratify(scene.outside, a.to_ratify(**scene.by))
    assert isinstance(lapsed, Refused) and lapsed.codes == ["ratification_lapsed"]


def test_a_ratified_one_lives_on_and_one_that_is_declined_ends(scene: Scene) -> None:
    scene.applied().listed().in_force()
    agreed(deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by)))
    scene.announced().started()
    agreed(deployments.ratify(scene.outside, a.to_ratify(ratified=False, **scene.by)))
    found = scene.outside.record.load(Deployment, a.DEPLOYMENT)
    assert (found.run, found.authorised) == (None, None)
    again = deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by))
    assert isinstance(again, Refused) and again.codes == ["urgent_before"]
    agreed(deployments.authorise(scene.reported().outside, a.to_authorise(**scene.by)))


def test_what_the_public_is_told_and_what_people_ask(scene: Scene) -> None:
    scene.applied().listed().in_force().reported()
    agreed(deployments.authorise(scene.outside, a.to_authorise(**scene.by)))
    early = deployments.start(scene.outside, a.to_start(**scene.by))
    assert isinstance(early, Refused)
    assert early.codes == ["notice_missing", "signage_missing", "route_missing"]
    scene.announced().started().stopped()
    agreed(notice.remove_signage(scene.outside, a.to_remove_the_signs(**scene.by)))
    by: dict[str, Any] = scene.by | {"scope": "force", "actor": "staff:dpo", "role": Role.DPO}
    request: dict[str, Any] = {"right": "access", "asker": "passer-by", "received_at": a.AT}
    received = asked.ReceiveRequest(**by, request=a.REQUEST, **request)
    agreed(rights.receive_request(scene.outside, received))
    span: dict[str, Any] = {"since": a.AT - HOUR, "until": a.AT}
    by_face = asked.SearchForRequest(
        **by, request=a.REQUEST, where=a.DEPLOYMENT, how="face", **span
    )
    refused = rights.search(scene.outside, by_face)
    assert isinstance(refused, Refused) and refused.codes == ["no_search_by_face"]
    breach = asked.ReportBreach(**by, breach=a.BREACH, kind="list-lost", aware_at=a.AT)
    agreed(rights.report_breach(scene.outside, breach))
    publish = PublishRecord(
        **(by | {"scope": a.DEPLOYMENT.hex, "mode": Mode.REHEARSAL, "role": Role.SPONSOR}),
        deployment=a.DEPLOYMENT,
        page="https://force.example/record",
        digest="a1" * 32,
        correction="",
    )
    unfit = publication.publish(scene.outside, publish)
    assert isinstance(unfit, Refused) and unfit.codes == ["not_fit_for_publication"]
    proposal = Proposal.parse('version = "p-1"\n[entries]\ncategories = ["none"]', "p.toml")
    assert {one.what for one in simulate(scene.record.history(), proposal)} == {"entry"}
    same = Proposal.parse('version = "p-1"', "p.toml")
    assert list(simulate(scene.record.history(), same)) == []
