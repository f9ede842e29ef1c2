"""When an arrest may be recorded: only with a decision on the material, by a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.arrests.commands import RetentionDecision
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses

_DECISIONS = frozenset(one.value for one in RetentionDecision)


@dataclass(frozen=True)
class ArrestFacts:
    """What an arrest's record is judged by."""

    role: Role
    alert_decision: str | None
    """How the possible match was adjudicated; None where nobody did."""
    recorded: bool
    decision: str
    basis: str
    bases: Mapping[str, str]
    """Those of the decision that was taken."""
    item_classes: Sequence[str]
    movable: Mapping[str, str]
    """Classes that may move at all."""
    there: Collection[str]
    """Classes of which the possible match still has an item."""
    destination: str
    destinations: Mapping[str, str]

    @property
    def moves(self) -> bool:
        """Whether something is to move."""
        return self.decision == RetentionDecision.MOVED_TO_CASE_FILE


@refuses("not_an_engagement_officer")
def engagement_officer_records(facts: ArrestFacts) -> Refusal | None:
    """Outcomes are recorded by engagement officers. Source: domain specification, section 2."""
    if facts.role is not Role.ENGAGEMENT_OFFICER:
        return Refusal(
            "not_an_engagement_officer",
            "an engagement officer records arrests",
            {"role": facts.role.value},
        )
    return None


@refuses("alert_not_viable")
def match_was_viable(facts: ArrestFacts) -> Refusal | None:
    """Nobody is arrested on a possible match that no officer found viable. Source: seed L29."""
    if facts.alert_decision != "viable":
        return Refusal(
            "alert_not_viable",
            "the possible match was never adjudicated viable",
            {"adjudicated": facts.alert_decision or "never"},
        )
    return None


@refuses("arrest_already_recorded")
def recorded_once(facts: ArrestFacts) -> Refusal | None:
    """One possible match, one decision on its material."""
    if facts.recorded:
        return Refusal("arrest_already_recorded", "what becomes of this material was decided")
    return None


@refuses("retention_not_decided")
def material_is_decided_on(facts: ArrestFacts) -> Refusal | None:
    """No arrest without a decision on the material. Source: domain specification, C-03."""
    if facts.decision not in _DECISIONS:
        return Refusal("retention_not_decided", f"decide {' or '.join(sorted(_DECISIONS))}")
    return None


@refuses("basis_unknown")
def basis_is_on_the_list(facts: ArrestFacts) -> Refusal | None:
    """On what basis, in a code of the closed list for that decision. Source: C-03."""
    if facts.decision in _DECISIONS and facts.basis not in facts.bases:
        # A word that is no basis may be a sentence: it is not repeated.
        return Refusal("basis_unknown", f"give one of {', '.join(facts.bases)}")
    return None


@refuses("nothing_named")
def what_moves_is_named(facts: ArrestFacts) -> Refusal | None:
    """What moves is said class by class."""
    if facts.moves and not facts.item_classes:
        return Refusal("nothing_named", "name the classes of items that move")
    return None


@refuses("moved_and_not_moved")
def nothing_moves_without_being_moved(facts: ArrestFacts) -> Refusal | None:
    """Where nothing moves, nothing is named."""
    if facts.decision == RetentionDecision.NOTHING_MOVED and (
        facts.item_classes or facts.destination
    ):
        return Refusal("moved_and_not_moved", "nothing moves: name no items and no destination")
    return None


@refuses("class_never_moves")
def classes_may_move(facts: ArrestFacts) -> Refusal | None:
    """Templates never move, and only what is known to. Source: C-02; seed L89, L101."""
    if facts.moves and (wrong := [one for one in facts.item_classes if one not in facts.movable]):
        return Refusal(
            "class_never_moves",
            f"of a possible match can move: {', '.join(facts.movable)}",
            {"named": str(len(facts.item_classes)), "never_moving": str(len(wrong))},
        )
    return None


@refuses("item_not_there")
def items_are_there(facts: ArrestFacts) -> Refusal | None:
    """What was destroyed, or never kept, cannot move: its clock waits for no decision."""
    named = [one for one in facts.item_classes if one in facts.movable]
    if facts.moves and (gone := [one for one in named if one not in facts.there]):
        return Refusal("item_not_there", "it is not there (any more)", {"classes": ", ".join(gone)})
    return None


@refuses("destination_unknown")
def destination_is_on_the_list(facts: ArrestFacts) -> Refusal | None:
    """What kind of place, never which case. Source: domain specification, 3.12."""
    if facts.moves and facts.destination not in facts.destinations:
        return Refusal("destination_unknown", f"give one of {', '.join(facts.destinations)}")
    return None


ARREST_POLICIES: tuple[Policy[ArrestFacts], ...] = (
    engagement_officer_records,
    match_was_viable,
    recorded_once,
    material_is_decided_on,
    basis_is_on_the_list,
    what_moves_is_named,
    nothing_moves_without_being_moved,
    classes_may_move,
    items_are_there,
    destination_is_on_the_list,
)
