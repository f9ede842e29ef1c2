"""Epochs: of a day or of a hold, told once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domain.custody.epochs import EndedEpochs, epochs_of
from domain.custody.sealing import Epoch, EpochEnded, Tombstone

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEPLOYMENT, HOLD = UUID("d1" * 16), UUID("40" * 16)
OF_A_DAY = Epoch(DEPLOYMENT, "footage", date(2026, 11, 23))
OF_A_HOLD = Epoch(DEPLOYMENT, "footage", None, HOLD)


@pytest.mark.parametrize(
    ("epoch", "which"), [(OF_A_DAY, "2026-11-23"), (OF_A_HOLD, f"hold-{'40' * 16}")]
)
def test_a_name_tells_the_epoch(epoch: Epoch, which: str) -> None:
    """Both ways, and the record gets its last part."""
    assert epoch.name == f"{'d1' * 16}/footage/{which}"
    assert Epoch.from_name(epoch.name) == epoch
    told = EndedEpochs(epochs_of(DEPLOYMENT))
    for _ in range(2):
        told.tell(EpochEnded(epoch, "pkcs11", Tombstone(1, "ab" * 32)), at=AT)
    (event,) = told.collect_events()
    assert (event.day, event.kept_in) == (which, "pkcs11")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["", "footage", "x/footage/2026-11-23", f"{'d1' * 16}/footage/x"])
def test_another_name_is_none(name: str) -> None:
    """It is not guessed at."""
    with pytest.raises(ValueError, match=r".+"):
        Epoch.from_name(name)


@pytest.mark.parametrize(("day", "hold"), [(None, None), (date(2026, 11, 23), HOLD)])
def test_an_epoch_is_of_a_day_or_of_a_hold(day: date | None, hold: UUID | None) -> None:
    """And not of both or neither."""
    with pytest.raises(ValueError, match="of a day or of a hold"):
        Epoch(DEPLOYMENT, "footage", day, hold)
