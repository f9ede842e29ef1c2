"""Copies of a list: each destroyed by one and looked for by another; then the list is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.copies.events import (
    AbsenceVerified,
    CopyDestroyed,
    CopyRegistered,
    RegistrationRefused,
    StillThere,
    WatchlistDestroyed,
)
from domain.custody.events import ItemDestroyed, ItemRegistered
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.services.copies import lists_outside
from domain.services.recovery import finish_what_was_begun
from tests.support import builders as a
from tests.support.keeping import COPY, MANAGER, destroyed, registered, verified
from tests.support.memory import Crash
from tests.support.scenarios import Scene, agreed

OTHER = UUID(int=2)
KINDS = ("csv", "image_folder", "file_share", "application", "laptop", "backup")


@pytest.fixture
def scene() -> Scene:
    """A run that is on."""
    return Scene().running()


def codes(answer: object) -> list[str]:
    """Why it was refused."""
    assert isinstance(answer, Refused), answer
    return answer.codes


def over(scene: Scene) -> Scene:
    """The deployment is over; everything in the vault is destroyed."""
    return scene.stopped().ended()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_copy_has_its_destruction_and_its_check(scene: Scene, kind: str) -> None:
    """Registered by one, looked for by another; then nothing is left of the list."""
    agreed(registered(scene, kind=kind))
    over(scene)
    assert not scene.events(WatchlistDestroyed)
    agreed(destroyed(scene, method="medium-destroyed"))
    assert not scene.events(WatchlistDestroyed)
    agreed(verified(scene))
    (gone,) = scene.events(WatchlistDestroyed)
    assert (gone.watchlist, gone.copies) == (a.WATCHLIST, 1)
    assert gone.items == sum(
        one.item_class in ("reference_image", "reference_template", "callers_reference")
        for one in scene.events(ItemRegistered)
    )


def test_a_list_is_destroyed_when_the_last_of_its_copies_is(scene: Scene) -> None:
    """Whichever that is."""
    agreed(registered(scene))
    agreed(registered(scene, copy=OTHER, kind="backup"))
    over(scene)
    for copy in (OTHER, COPY):
        assert not scene.events(WatchlistDestroyed)
        agreed(destroyed(scene, copy=copy))
        agreed(verified(scene, copy=copy))
    assert len(scene.events(WatchlistDestroyed)) == 1


def test_copies_that_went_before_the_end_wait_for_the_vault(scene: Scene) -> None:
    """What the vault holds is a copy too."""
    agreed(registered(scene))
    agreed(destroyed(scene))
    agreed(verified(scene))
    assert not scene.events(WatchlistDestroyed)
    over(scene)
    assert len(scene.events(WatchlistDestroyed)) == 1


def test_receipts_name_the_copies_that_are_open(scene: Scene) -> None:
    """So that "destroyed" is not read as "gone everywhere"."""
    agreed(registered(scene, kind="csv"))
    agreed(registered(scene, copy=OTHER, kind="laptop"))
    over(scene)
    of_class = {one.originator_id: one.item_class for one in scene.events(ItemRegistered)}
    known = {
        of_class[one.originator_id]: one.known_copies_outside for one in scene.events(ItemDestroyed)
    }
    assert known["callers_reference"] == ["csv", "laptop"]
    assert known["reference_image"] == ["laptop"]


def test_a_copy_that_was_found_still_there_is_open_again(scene: Scene) -> None:
    """And can be destroyed again."""
    agreed(registered(scene))
    over(scene)
    agreed(destroyed(scene))
    agreed(verified(scene, still_there=True))
    assert [one.copy for one in scene.events(StillThere)] == [COPY]
    assert codes(verified(scene)) == ["copy_not_destroyed"]
    agreed(destroyed(scene))
    agreed(verified(scene))
    assert len(scene.events(CopyDestroyed)) == 2
    assert len(scene.events(AbsenceVerified)) == len(scene.events(WatchlistDestroyed)) == 1


def test_a_copy_that_turns_up_afterwards_is_another_finding(scene: Scene) -> None:
    """And the list is said to be destroyed again, in its time."""
    over(scene)
    agreed(registered(scene))
    agreed(destroyed(scene))
    agreed(verified(scene))
    scene.later(timedelta(days=3))
    agreed(registered(scene, copy=OTHER, kind="backup"))
    (outside,) = lists_outside(scene.survey())
    assert (len(outside.open), outside.destroyed) == (1, False)
    assert outside.overdue(scene.clock.now())
    agreed(destroyed(scene, copy=OTHER, method="key-destroyed"))
    agreed(verified(scene, copy=OTHER, probe="restore-attempted"))
    assert [one.copies for one in scene.events(WatchlistDestroyed)] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.AUDITOR}, "role_may_not_keep_copies"),
        ({"kind": "usb stick of PC Smith"}, "kind_unknown"),
        ({"location": "drive of smith"}, "location_unknown"),
        ({"holder": "smith"}, "holder_unknown"),
        ({"exposure": "fine"}, "exposure_unknown"),
    ],
)
def test_a_registration_is_refused(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """Without what was typed."""
    assert codes(registered(scene, **changes)) == [code]
    (told,) = scene.events(RegistrationRefused)
    assert "smith" not in str(told).lower()
    assert not scene.events(CopyRegistered)


def test_one_reference_one_copy(scene: Scene) -> None:
    """Another has its own."""
    agreed(registered(scene))
    assert codes(registered(scene)) == ["copy_already_registered"]


@pytest.mark.parametrize("exposure", ["others-may-read", "others-may-write"])
def test_an_exposed_copy_is_refused_where_it_counts(exposure: str) -> None:
    """In a rehearsal it is told; in an operation it is not imported from."""
    agreed(registered(Scene().running(), exposure=exposure))
    operational = Scene(mode=Mode.OPERATIONAL).applied().list_opened()
    assert codes(registered(operational, exposure=exposure)) == ["copy_exposed"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.AUDITOR}, "role_may_not_destroy"),
        ({"copy": OTHER}, "copy_not_registered"),
        ({"method": "thrown away"}, "method_unknown"),
        ({"method": "key-destroyed"}, "method_does_not_fit"),
    ],
)
def test_a_destruction_is_refused(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """A laptop does not end with a key."""
    agreed(registered(scene))
    assert code in codes(destroyed(scene, **changes))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"actor": MANAGER}, "same_person"),
        ({"role": Role.ENGAGEMENT_OFFICER}, "role_may_not_verify"),
        ({"copy": OTHER}, "copy_not_registered"),
        ({"probe": "asked him"}, "probe_unknown"),
    ],
)
def test_a_look_is_refused(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """Nobody verifies what they destroyed themselves."""
    agreed(registered(scene))
    agreed(destroyed(scene))
    assert code in codes(verified(scene, **changes))
    assert not scene.events(AbsenceVerified)


def test_what_nobody_destroyed_is_not_looked_for(scene: Scene) -> None:
    """Nor twice destroyed, nor twice verified."""
    agreed(registered(scene))
    assert codes(verified(scene)) == ["copy_not_destroyed"]
    agreed(destroyed(scene))
    assert codes(destroyed(scene)) == ["copy_already_destroyed"]
    agreed(verified(scene))
    assert codes(verified(scene)) == ["already_verified"]


def test_there_is_no_copy_of_no_list(scene: Scene) -> None:
    """Neither of one that never was nor of something else."""
    for watchlist in (UUID(int=999), a.DEPLOYMENT):
        with pytest.raises(NotFoundError):
            registered(scene, watchlist=watchlist)


def test_a_crash_before_it_is_told_that_the_list_is_gone_is_made_good(scene: Scene) -> None:
    """By the next start, once."""
    agreed(registered(scene))
    over(scene)
    agreed(destroyed(scene))
    scene.fuse.after = scene.fuse.steps + 1
    with pytest.raises(Crash):
        agreed(verified(scene))
    assert not scene.events(WatchlistDestroyed)
    finish_what_was_begun(scene.outside)
    finish_what_was_begun(scene.outside)
    assert len(scene.events(WatchlistDestroyed)) == 1
