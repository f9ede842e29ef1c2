"""When a copy of a watchlist may be registered, and when it counts as gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Policy, Refusal, refuses

_KEEPERS = frozenset({Role.WATCHLIST_MANAGER, Role.OPERATOR})
_VERIFIERS = frozenset(
    {Role.INFORMATION_ASSET_OWNER, Role.WATCHLIST_MANAGER, Role.OPERATOR, Role.AUDITOR}
)
_EXPOSED = frozenset({"others-may-read", "others-may-write"})
_BACKUP, _KEY_DESTROYED = "backup", "key-destroyed"

Lists = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class RegistrationFacts:
    """What a new copy is judged by."""

    role: Role
    mode: Mode
    registered: bool
    lists_deployment: bool
    """Whether the list is that deployment's."""
    kind: str
    location: str
    holder: str
    exposure: str
    closed: Lists


@refuses("role_may_not_keep_copies")
def keeper_registers(facts: RegistrationFacts) -> Refusal | None:
    """Copies are told of by who makes and has them. Source: domain specification, section 2."""
    if facts.role not in _KEEPERS:
        return Refusal(
            "role_may_not_keep_copies",
            "a watchlist manager or operator registers copies",
            {"role": facts.role.value},
        )
    return None


@refuses("list_of_another_deployment")
def list_is_the_deployments(facts: RegistrationFacts) -> Refusal | None:
    """A list is made for one deployment and no other. Source: seed L30."""
    if not facts.lists_deployment:
        return Refusal("list_of_another_deployment", "register it in the list's own deployment")
    return None


@refuses("copy_already_registered")
def registered_once(facts: RegistrationFacts) -> Refusal | None:
    """One reference, one copy."""
    if facts.registered:
        return Refusal("copy_already_registered", "another copy has a reference of its own")
    return None


@refuses("kind_unknown")
def kind_is_on_the_list(facts: RegistrationFacts) -> Refusal | None:
    """The kinds are closed. Source: C-07, RT-08."""
    if facts.kind not in facts.closed["kind"]:
        # A word that is on no list may be anything, so it is not repeated; so below.
        return Refusal("kind_unknown", f"give one of {', '.join(facts.closed['kind'])}")
    return None


@refuses("location_unknown")
def location_is_on_the_list(facts: RegistrationFacts) -> Refusal | None:
    """What kind of place, never a path. Source: domain specification, 3.12."""
    if facts.location not in facts.closed["location"]:
        return Refusal("location_unknown", f"give one of {', '.join(facts.closed['location'])}")
    return None


@refuses("holder_unknown")
def holder_is_on_the_list(facts: RegistrationFacts) -> Refusal | None:
    """Whoever has it, by role. Source: domain specification, 3.8."""
    if facts.holder not in facts.closed["holder"]:
        return Refusal("holder_unknown", f"give one of {', '.join(facts.closed['holder'])}")
    return None


@refuses("exposure_unknown")
def exposure_is_on_the_list(facts: RegistrationFacts) -> Refusal | None:
    """Who could read or change it, or that nobody looked."""
    if facts.exposure not in facts.closed["exposure"]:
        return Refusal("exposure_unknown", f"give one of {', '.join(facts.closed['exposure'])}")
    return None


@refuses("copy_exposed")
def copy_is_private(facts: RegistrationFacts) -> Refusal | None:
    """A list lies in a secure folder. In a rehearsal, on folders of one's own, it is told only.

    Source: seed L99 ("a secure folder"), C-07.
    """
    if facts.mode is Mode.OPERATIONAL and facts.exposure in _EXPOSED:
        return Refusal(
            "copy_exposed",
            "take its permissions from everyone but its owner",
            {"exposure": facts.exposure},
        )
    return None


REGISTRATION_POLICIES: tuple[Policy[RegistrationFacts], ...] = (
    keeper_registers,
    list_is_the_deployments,
    registered_once,
    kind_is_on_the_list,
    location_is_on_the_list,
    holder_is_on_the_list,
    exposure_is_on_the_list,
    copy_is_private,
)


@dataclass(frozen=True)
class EndFacts:
    """What a copy's destruction, or a look at whether it is gone, is judged by."""

    role: Role
    actor: str
    kind: str | None
    """None where nobody registered it."""
    destroyed_by: str | None
    verified: bool
    method: str
    """Empty for a look."""
    probe: str
    """Empty for a destruction."""
    closed: Lists


@refuses("role_may_not_destroy")
def keeper_destroys(facts: EndFacts) -> Refusal | None:
    """Copies are destroyed by who makes and has them. Source: domain specification, section 2."""
    if facts.role not in _KEEPERS:
        return Refusal(
            "role_may_not_destroy",
            "a watchlist manager or operator destroys copies",
            {"role": facts.role.value},
        )
    return None


@refuses("copy_not_registered")
def copy_is_registered(facts: EndFacts) -> Refusal | None:
    """Only what is known of can be said to be gone."""
    if facts.kind is None:
        return Refusal("copy_not_registered", "register the copy first")
    return None


@refuses("copy_already_destroyed")
def destroyed_once(facts: EndFacts) -> Refusal | None:
    """It is gone already, unless somebody finds it still there."""
    if facts.destroyed_by is not None:
        return Refusal("copy_already_destroyed", "its destruction is on the record")
    return None


@refuses("method_unknown")
def method_is_on_the_list(facts: EndFacts) -> Refusal | None:
    """How, in a code that says what was done and no more."""
    if facts.method not in facts.closed["method"]:
        return Refusal("method_unknown", f"give one of {', '.join(facts.closed['method'])}")
    return None


@refuses("method_does_not_fit")
def keys_end_backups_only(facts: EndFacts) -> Refusal | None:
    """A backup may end with its key; anything else that can be reached is itself destroyed.

    Source: RT-08 (backups: exclude, or destroy key).
    """
    if facts.method == _KEY_DESTROYED and facts.kind not in (None, _BACKUP):
        return Refusal(
            "method_does_not_fit",
            "destroy the copy itself: only a backup may end with its key",
            {"kind": str(facts.kind), "method": facts.method},
        )
    return None


DESTRUCTION_POLICIES: tuple[Policy[EndFacts], ...] = (
    keeper_destroys,
    copy_is_registered,
    destroyed_once,
    method_is_on_the_list,
    keys_end_backups_only,
)


@refuses("role_may_not_verify")
def verifier_looks(facts: EndFacts) -> Refusal | None:
    """Whoever signs deletion, or a second person of those who have copies, looks for it."""
    if facts.role not in _VERIFIERS:
        return Refusal(
            "role_may_not_verify",
            "the Information Asset Owner, an auditor or a second keeper looks",
            {"role": facts.role.value},
        )
    return None


@refuses("copy_not_destroyed")
def destroyed_before_looked_for(facts: EndFacts) -> Refusal | None:
    """Absence is verified of what somebody says is gone."""
    if facts.kind is not None and facts.destroyed_by is None:
        return Refusal("copy_not_destroyed", "nobody has destroyed it yet")
    return None


@refuses("already_verified")
def verified_once(facts: EndFacts) -> Refusal | None:
    """It is known to be gone; what turns up now is another copy, and is registered."""
    if facts.verified:
        return Refusal("already_verified", "its absence was verified")
    return None


@refuses("same_person")
def another_person_looks(facts: EndFacts) -> Refusal | None:
    """Nobody verifies what they destroyed themselves. Source: specification, section 2, 3.8."""
    if facts.destroyed_by is not None and facts.actor == facts.destroyed_by:
        return Refusal(
            "same_person", "another person than the destroyer looks", {"person": facts.actor}
        )
    return None


@refuses("probe_unknown")
def probe_is_on_the_list(facts: EndFacts) -> Refusal | None:
    """How they looked, in a code."""
    if facts.probe not in facts.closed["probe"]:
        return Refusal("probe_unknown", f"give one of {', '.join(facts.closed['probe'])}")
    return None


VERIFICATION_POLICIES: tuple[Policy[EndFacts], ...] = (
    verifier_looks,
    copy_is_registered,
    destroyed_before_looked_for,
    verified_once,
    another_person_looks,
    probe_is_on_the_list,
)
