"""Rules that a rehearsal's command line cannot break, tried on the real stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from api.bootstrap import Node, open_node, verify_premises
from api.demo.watchlist import Listing
from api.rehearsal.script import Listener, Play, SumsDoNotBalanceError, rehearse
from domain.assurance.verification import Kind
from domain.deployments.commands import (
    ApplyForDeployment,
    AuthoriseDeployment,
    ConfigureCamera,
    StartDeployment,
)
from domain.kernel.commands import Mode, Role
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refused, WasRefused
from domain.services import deployments, sightings
from domain.sightings.commands import RecordFaces
from domain.watchlists.accepted import accepted_values
from recognition.engine import Engine
from recognition.pipeline import RecogniserSettings


class EverybodyAuthenticated:
    """A test identity provider: operational mode has no other until persons can log in."""

    def authenticated(self, actor: str) -> bool:
        """Always."""
        return True


@pytest.fixture
def operational(tmp_path: Path) -> Iterator[Node]:
    """A node in operational mode."""
    with open_node(
        tmp_path / "data", Mode.OPERATIONAL, identities=EverybodyAuthenticated()
    ) as node:
        yield node


def _application(node: Node, applicant: str = "officer-1") -> ApplyForDeployment:
    now, deployment = node.outside.clock.now(), new_reference()
    return ApplyForDeployment(
        scope=deployment.hex,
        mode=Mode.OPERATIONAL,
        actor=applicant,
        role=Role.APPLICANT,
        at=now,
        deployment=deployment,
        watchlist=new_reference(),
        use_case="hotspot",
        objective="locate-wanted",
        location="square-1",
        requested_from=now,
        requested_until=now + timedelta(hours=4),
    )


def _last_refusal(node: Node) -> list[str]:
    refusals = [one.event for one in node.record.history() if isinstance(one.event, WasRefused)]
    return [reason.code for reason in refusals[-1].reasons]


def _is_sound(node: Node) -> bool:
    node.seal()
    key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
    verdict = verify_premises(node.premises.path, key_text=key, outside_checkpoint=None)
    return verdict.kind is Kind.SOUND


def test_operational_mode_is_refused_until_persons_are_authenticated(tmp_path: Path) -> None:
    """And the refusal is on the record."""
    with open_node(tmp_path / "data", Mode.OPERATIONAL) as node:
        answer = deployments.apply_for(node.outside, _application(node))
        assert isinstance(answer, Refused)
        assert _last_refusal(node) == ["officers_not_authenticated"]
        assert _is_sound(node)


def test_a_file_in_operational_mode_is_refused(operational: Node) -> None:
    """A recorded file would be retrospective recognition."""
    application = _application(operational)
    deployments.apply_for(operational.outside, application)
    deployments.configure_camera(
        operational.outside,
        ConfigureCamera(
            scope=application.scope,
            mode=Mode.OPERATIONAL,
            actor="operator-1",
            role=Role.OPERATOR,
            at=application.at,
            deployment=application.deployment,
            camera="camera-1",
            source_kind="file",
            zone=[[0, 0], [1000, 0], [0, 1000]],
            footage_recorded=True,
        ),
    )
    assert _last_refusal(operational) == ["source_does_not_fit_the_mode"]
    assert _is_sound(operational)


def test_an_officer_cannot_authorise_what_they_applied_for(operational: Node) -> None:
    """With every other reason in the same answer."""
    application = _application(operational, applicant="officer-7")
    deployments.apply_for(operational.outside, application)
    deployments.authorise(
        operational.outside,
        AuthoriseDeployment(
            scope=application.scope,
            mode=Mode.OPERATIONAL,
            actor="officer-7",
            role=Role.AUTHORISING_OFFICER,
            at=application.at,
            deployment=application.deployment,
            targeted="listed",
            intelligence_led="case-1",
            valid_from=application.requested_from,
            valid_until=application.requested_until,
            cameras=["camera-1"],
            threshold=Decimal("NaN"),
            threshold_justification="tested",
            model_digest="0" * 64,
            rank="inspector",
            rank_evidence="substantive",
        ),
    )
    assert _last_refusal(operational) == [
        "rank_too_low",
        "report_missing",
        "officer_is_the_applicant",
        "not_geographically_limited",
        "threshold_out_of_range",
        "watchlist_not_approved",
        "model_differs_from_the_list",
        "documents_not_in_force",
        "screening_unanswered",
        "evidence_missing",
    ]
    assert _is_sound(operational)


def test_a_start_outside_the_authorised_window_is_refused(
    engine: Engine, clip: Path, listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else holds, and recognition stays off."""
    start = deployments.start

    def late(outside: object, command: StartDeployment) -> object:
        return start(outside, replace(command, at=command.at + timedelta(hours=12)))  # type: ignore[arg-type]

    monkeypatch.setattr(deployments, "start", late)
    with open_node(tmp_path / "data", Mode.REHEARSAL) as node:
        with pytest.raises(Exception, match="outside_the_authorised_window"):
            rehearse(node, _play(listing, clip), engine, Listener())
        assert _last_refusal(node) == ["outside_the_authorised_window"]
        names = [entry.event.NAME for entry in node.record.history()]
        assert "deployment.started" not in names and "deployment.cancelled" in names
        assert node.outside.vault.keys() == set()
        assert _is_sound(node)


def test_an_entry_whose_category_is_off_is_rejected_and_the_rest_goes_on(
    engine: Engine, clip: Path, own_listing: Listing, tmp_path: Path
) -> None:
    """W6 is off by default; what was kept for the entry is destroyed at once."""
    own_listing.csv.write_bytes(own_listing.csv.read_bytes().replace(b",W2,", b",W6,"))
    with open_node(tmp_path / "data", Mode.REHEARSAL) as node:
        summary = rehearse(node, _play(own_listing, clip), engine, Listener())
        events = {entry.event.NAME: entry.event for entry in node.record.history()}
        causes = [
            getattr(entry.event, "cause", None)
            for entry in node.record.history()
            if entry.event.NAME == "item.destruction_started"
        ]
    assert getattr(events["watchlist.entry_rejected"], "reasons", None) == [
        "category_not_in_the_criteria"
    ]
    assert causes.count("entry_rejected") == 2
    assert len(summary.alerts) == 1 and summary.items_remaining == 0


def test_an_outcome_that_is_lost_makes_the_reconciliation_fail(
    engine: Engine, clip: Path, listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation that the sums are for: one face without an outcome, and the run says so."""
    lost: list[int] = []
    record_faces = sightings.record_faces

    def forgetful(outside: object, command: RecordFaces) -> None:
        if command.faces and not lost:
            lost.append(command.faces[0].ordinal)
            command = replace(command, faces=command.faces[1:])
        record_faces(outside, command)  # type: ignore[arg-type]

    monkeypatch.setattr("domain.services.sink.record_faces", forgetful)
    with open_node(tmp_path / "data", Mode.REHEARSAL) as node:
        with pytest.raises(SumsDoNotBalanceError):
            rehearse(node, _play(listing, clip), engine, Listener())
        failed = [
            entry.event
            for entry in node.record.history()
            if entry.event.NAME == "run.reconciliation_failed"
        ]
        assert [getattr(one, "missing", None) for one in failed] == [[f"camera-1/{lost[0]}"]]
        assert node.outside.vault.keys() == set(), "destruction never waits for anyone"
        assert _is_sound(node)


def _play(listing: Listing, clip: Path) -> Play:
    return Play(
        watchlist=listing.csv,
        images=listing.images,
        video=str(clip),
        threshold=Decimal("0.42"),
        accepted=accepted_values(),
        settings=RecogniserSettings(),
    )
