"""How the public is told: before, at the place, and by which way people can stay out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written

CRITICAL_THREATS = frozenset({"threat-to-life", "terrorism", "serious-harm"})
"""What lets notice be left out. Source: domain specification, 3.5; requirement 208."""
TELLERS = frozenset({Role.OPERATOR, Role.APPLICANT, Role.SPONSOR})
THOSE_WHO_OMIT = frozenset({Role.AUTHORISING_OFFICER, Role.URGENT_AUTHORISING_OFFICER})


@dataclass(frozen=True)
class NoticeFacts:
    """What any of it is judged by."""

    role: Role
    may: Collection[Role]
    over: bool


@refuses("role_may_not_tell")
def role_may_tell(facts: NoticeFacts) -> Refusal | None:
    """Who prepares or works the deployment tells of it; who authorises it may leave notice out.

    Source: domain specification, section 2 and 3.5.
    """
    if facts.role in facts.may:
        return None
    return Refusal(
        "role_may_not_tell",
        f"this is for {' or '.join(sorted(one.value for one in facts.may))}",
        {"role": facts.role.value},
    )


@refuses("deployment_over")
def deployment_goes_on(facts: NoticeFacts) -> Refusal | None:
    """Nothing is announced of what is over."""
    return Refusal("deployment_over", "the deployment is over") if facts.over else None


@dataclass(frozen=True)
class PublicationFacts(NoticeFacts):
    """What a public notice is judged by."""

    at: datetime
    published_at: datetime
    channel: str
    page: str


@refuses("channel_unnamed", "page_unreadable")
def notice_can_be_found(facts: PublicationFacts) -> Refusal | None:
    """A channel by its code, and where it has a page, one that anybody can open."""
    if not is_code(facts.channel):
        return Refusal("channel_unnamed", "name the channel by a code such as force-website")
    found = urlsplit(facts.page)
    if facts.page and not (found.scheme == "https" and found.hostname and not found.username):
        return Refusal("page_unreadable", "expected an https address without a user name")
    return None


@refuses("published_later")
def notice_was_published(facts: PublicationFacts) -> Refusal | None:
    """What will be published later was not published."""
    if facts.published_at <= facts.at:
        return None
    return Refusal(
        "published_later",
        "say so once it is published",
        {"at": written(facts.at), "published_at": written(facts.published_at)},
    )


PUBLICATION_POLICIES: tuple[Policy[PublicationFacts], ...] = (
    role_may_tell,
    deployment_goes_on,
    notice_can_be_found,
    notice_was_published,
)


@dataclass(frozen=True)
class OmissionFacts(NoticeFacts):
    """What leaving the notice out is judged by."""

    ground: str


@refuses("no_critical_threat")
def threat_is_critical(facts: OmissionFacts) -> Refusal | None:
    """Notice is left out for a critical threat and for nothing else. Source: requirement 208."""
    if facts.ground in CRITICAL_THREATS:
        return None
    return Refusal("no_critical_threat", f"expected one of {', '.join(sorted(CRITICAL_THREATS))}")


OMISSION_POLICIES: tuple[Policy[OmissionFacts], ...] = (
    role_may_tell,
    deployment_goes_on,
    threat_is_critical,
)


@dataclass(frozen=True)
class PlaceFacts(NoticeFacts):
    """What signs and ways are judged by."""

    cameras: Sequence[str]
    configured: Collection[str]


@dataclass(frozen=True)
class SignageFacts(PlaceFacts):
    """What signs are judged by."""

    signs: int
    nearest_m: int


@dataclass(frozen=True)
class RouteFacts(PlaceFacts):
    """What a way is judged by."""

    route: str


@refuses("camera_unknown")
def cameras_are_known(facts: PlaceFacts) -> Refusal | None:
    """Signs and ways are about cameras that there are."""
    if facts.cameras and set(facts.cameras) <= set(facts.configured):
        return None
    return Refusal("camera_unknown", "name cameras that have a zone of recognition")


@refuses("signs_inside_the_zone")
def signs_leave_a_choice(facts: SignageFacts) -> Refusal | None:
    """Signs stand where people can still turn away. Source: seed L65, L129; requirement 68."""
    if facts.signs >= 1 and facts.nearest_m >= 1:
        return None
    return Refusal(
        "signs_inside_the_zone",
        "put at least one sign, and each of them outside the zone of recognition",
        {"signs": str(facts.signs), "nearest_m": str(facts.nearest_m)},
    )


@refuses("way_unnamed")
def way_is_a_code(facts: RouteFacts) -> Refusal | None:
    """The way is named by a code. Source: NEVER 5."""
    return None if is_code(facts.route) else Refusal("way_unnamed", "name the way by a code")


SIGNAGE_POLICIES: tuple[Policy[SignageFacts], ...] = (
    role_may_tell,
    deployment_goes_on,
    cameras_are_known,
    signs_leave_a_choice,
)
ROUTE_POLICIES: tuple[Policy[RouteFacts], ...] = (
    role_may_tell,
    deployment_goes_on,
    cameras_are_known,
    way_is_a_code,
)


@dataclass(frozen=True)
class RemovalFacts(NoticeFacts):
    """What the removal of signs is judged by."""

    standing: bool
    running: bool


@refuses("no_signs", "recognition_is_on")
def signs_come_down_afterwards(facts: RemovalFacts) -> Refusal | None:
    """Signs that stand come down, once recognition is off. Source: domain specification, 3.5."""
    if facts.running:
        return Refusal("recognition_is_on", "switch recognition off first")
    return None if facts.standing else Refusal("no_signs", "no signs are known to stand")


REMOVAL_POLICIES: tuple[Policy[RemovalFacts], ...] = (role_may_tell, signs_come_down_afterwards)
