"""Who may decide on a deployment: rank, extra authority, ratification, variation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.ranks import officer_has_the_rank
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written

NOT_A_SECTION = frozenset({"threat"})
EVERY_CODE = frozenset({"rights"})
"""Sections that must say every one of their codes."""
NOTHING_SENSITIVE = "none"


def report_codes() -> ClosedLists:
    """The sections of the applicant's report and their codes."""
    return closed_lists("domain.deployments", "report.toml")


def sections() -> list[str]:
    """The sections that a report must have."""
    known = report_codes().codes
    return [*known["open"], *(one for one in known if one != "open" and one not in NOT_A_SECTION)]


# -- the applicant's report --------------------------------------------------------------------


@dataclass(frozen=True)
class ReportFacts:
    """What a report is judged by."""

    actor: str
    role: Role
    applicant: str
    submitted: bool
    over: bool
    sections: Mapping[str, Sequence[str]]


@refuses("not_an_applicant")
def applicant_reports(facts: ReportFacts) -> Refusal | None:
    """Who applied reports. Source: domain specification, section 2."""
    if facts.role is Role.APPLICANT and facts.actor == facts.applicant:
        return None
    return Refusal("not_an_applicant", "the applicant reports", {"role": facts.role.value})


@refuses("already_submitted", "deployment_over")
def report_is_submitted_once(facts: ReportFacts) -> Refusal | None:
    """Nothing is altered after submission. Source: domain specification, section 2."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    if facts.submitted:
        return Refusal("already_submitted", "apply anew; a submitted report is not altered")
    return None


@refuses("report_incomplete")
def report_is_complete(facts: ReportFacts) -> Refusal | None:
    """Every section, so that none is decided by silence. Source: source document L34."""
    missing = [one for one in sections() if not facts.sections.get(one)]
    missing += [
        f"{name} {code}"
        for name in sorted(EVERY_CODE)
        for code in report_codes().codes[name]
        if facts.sections.get(name) and code not in facts.sections[name]
    ]
    if not missing:
        return None
    return Refusal(
        "report_incomplete", "say something in every section", {"missing": ", ".join(missing)}
    )


@refuses("report_not_in_codes", "report_contradicts_itself")
def report_is_in_codes(facts: ReportFacts) -> Refusal | None:
    """Known sections, with codes that they list or references that are codes. Source: NEVER 5."""
    codes = report_codes().codes
    unknown = sorted(set(facts.sections) - set(sections()))
    unfit = [
        name
        for name, given in facts.sections.items()
        if name not in unknown
        and not all(is_code(one) and (name in codes["open"] or one in codes[name]) for one in given)
    ]
    if unknown or unfit:
        return Refusal(
            "report_not_in_codes",
            "use the sections and codes of the report's catalogue",
            {"sections": ", ".join([*(one for one in unknown if is_code(one)), *sorted(unfit)])},
        )
    sensitive = facts.sections.get("sensitive-place", ())
    if NOTHING_SENSITIVE in sensitive and len(sensitive) > 1:
        return Refusal("report_contradicts_itself", "a place is sensitive or it is not")
    return None


REPORT_POLICIES: tuple[Policy[ReportFacts], ...] = (
    applicant_reports,
    report_is_submitted_once,
    report_is_complete,
    report_is_in_codes,
)


# -- sensitive places --------------------------------------------------------------------------


@dataclass(frozen=True)
class PlaceFacts:
    """What the second authority's decision on a sensitive place is judged by."""

    officer: str
    role: Role
    rank: str
    rank_evidence: str
    applicant: str
    makers: Sequence[str]
    sensitive: Collection[str]
    authorised: bool
    over: bool
    reason: str


@refuses("not_an_extra_authoriser")
def extra_authoriser_decides_on_the_place(facts: PlaceFacts) -> Refusal | None:
    """Schools, hospitals, worship, protests, polling, courts need a second, higher authority.

    Source: domain specification, section 2 and 3.3.
    """
    if facts.role is Role.EXTRA_AUTHORISER:
        return None
    return Refusal(
        "not_an_extra_authoriser", "an extra authoriser decides this", {"role": facts.role.value}
    )


@refuses("officer_is_not_independent")
def place_is_decided_by_another(facts: PlaceFacts) -> Refusal | None:
    """Not who applied or compiled. Source: domain specification, section 2; SOD-1, SOD-2."""
    if facts.officer not in {facts.applicant, *facts.makers}:
        return None
    return Refusal(
        "officer_is_not_independent",
        "someone who neither applied nor made the list must decide",
        {"officer": facts.officer},
    )


@refuses("nothing_sensitive", "already_authorised", "deployment_over")
def there_is_a_sensitive_place(facts: PlaceFacts) -> Refusal | None:
    """It is decided on what the report says, before the authorisation."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    if facts.authorised:
        return Refusal("already_authorised", "withdraw the authorisation instead")
    if facts.sensitive:
        return None
    return Refusal("nothing_sensitive", "the report names no sensitive place")


@refuses("reason_missing")
def decision_has_a_reason(facts: PlaceFacts | RatificationFacts | VariationFacts) -> Refusal | None:
    """Why, as a code. Source: NEVER 5."""
    return None if is_code(facts.reason) else Refusal("reason_missing", "give a reason by a code")


PLACE_POLICIES: tuple[Policy[PlaceFacts], ...] = (
    extra_authoriser_decides_on_the_place,
    officer_has_the_rank,
    place_is_decided_by_another,
    there_is_a_sensitive_place,
    decision_has_a_reason,
)


# -- ratification ------------------------------------------------------------------------------


@dataclass(frozen=True)
class RatificationFacts:
    """What the ratification of an urgent authorisation is judged by."""

    officer: str
    role: Role
    rank: str
    rank_evidence: str
    at: datetime
    urgent_officer: str
    """Who authorised urgently; empty where nobody did, or it was ratified already."""
    applicant: str
    makers: Sequence[str]
    ratify_by: datetime | None
    over: bool
    reason: str


@refuses("not_an_authorising_officer")
def superintendent_ratifies(facts: RatificationFacts) -> Refusal | None:
    """An Authorising Officer ratifies or stops. Source: domain specification, section 2."""
    if facts.role is Role.AUTHORISING_OFFICER:
        return None
    return Refusal(
        "not_an_authorising_officer",
        "an Authorising Officer ratifies",
        {"role": facts.role.value},
    )


@refuses("nothing_to_ratify", "deployment_over")
def there_is_something_to_ratify(facts: RatificationFacts) -> Refusal | None:
    """Only an urgent authorisation is ratified, once."""
    if facts.over:
        return Refusal("deployment_over", "the deployment is over")
    if facts.urgent_officer:
        return None
    return Refusal("nothing_to_ratify", "there is no urgent authorisation, or it was ratified")


@refuses("officer_is_not_independent")
def ratifier_is_another(facts: RatificationFacts) -> Refusal | None:
    """Nobody ratifies themselves, nor what they applied for or compiled. Source: SOD-1, -2, -4."""
    if facts.officer not in {facts.urgent_officer, facts.applicant, *facts.makers}:
        return None
    return Refusal(
        "officer_is_not_independent",
        "someone with no hand in it must ratify",
        {"officer": facts.officer},
    )


@refuses("ratification_lapsed")
def ratification_is_in_time(facts: RatificationFacts) -> Refusal | None:
    """Later than the force's limit it has lapsed. Source: domain specification, 3.3, 3.11."""
    if facts.ratify_by is None or facts.at < facts.ratify_by:
        return None
    return Refusal(
        "ratification_lapsed",
        "the urgent authorisation has lapsed; apply for a new deployment",
        {"at": written(facts.at), "by": written(facts.ratify_by)},
    )


RATIFICATION_POLICIES: tuple[Policy[RatificationFacts], ...] = (
    superintendent_ratifies,
    officer_has_the_rank,
    there_is_something_to_ratify,
    ratifier_is_another,
    ratification_is_in_time,
    decision_has_a_reason,
)


# -- variation ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class VariationFacts:
    """What a variation of the authorisation is judged by."""

    officer: str
    role: Role
    rank: str
    rank_evidence: str
    applicant: str
    makers: Sequence[str]
    authorised: bool
    over: bool
    was_from: datetime | None
    was_until: datetime | None
    was_cameras: Collection[str]
    valid_from: datetime
    valid_until: datetime
    cameras: Collection[str]
    requested_from: datetime | None
    requested_until: datetime | None
    configured: Collection[str]
    longest: timedelta
    reason: str

    @property
    def widens(self) -> bool:
        """Whether anything is allowed that was not."""
        if self.was_from is None or self.was_until is None:
            return True
        return (
            self.valid_from < self.was_from
            or self.valid_until > self.was_until
            or not set(self.cameras) <= set(self.was_cameras)
        )


@refuses("role_may_not_vary")
def role_may_vary(facts: VariationFacts) -> Refusal | None:
    """Who commands may narrow; only the Authorising Officer may widen. Source: 3.3; section 2."""
    narrowing = facts.role is Role.OPERATOR and not facts.widens
    if facts.role is Role.AUTHORISING_OFFICER or narrowing:
        return None
    return Refusal(
        "role_may_not_vary",
        "an operator narrows, only an Authorising Officer widens",
        {"role": facts.role.value},
    )


@refuses("officer_is_not_independent")
def who_widens_is_independent(facts: VariationFacts) -> Refusal | None:
    """Nobody widens what they applied for or compiled. Source: SOD-1, SOD-2."""
    if not facts.widens or facts.officer not in {facts.applicant, *facts.makers}:
        return None
    return Refusal(
        "officer_is_not_independent",
        "someone who neither applied nor made the list must widen it",
        {"officer": facts.officer},
    )


@refuses("not_authorised", "deployment_over")
def there_is_something_to_vary(facts: VariationFacts) -> Refusal | None:
    """Only what was given can be varied."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    return None if facts.authorised else Refusal("not_authorised", "authorise the deployment first")


@refuses("not_time_bound")
def variation_is_time_bound(facts: VariationFacts) -> Refusal | None:
    """An end, inside what was applied for and what the force allows. Source: seed L34."""
    inside = (
        facts.requested_from is not None
        and facts.requested_until is not None
        and facts.requested_from <= facts.valid_from < facts.valid_until <= facts.requested_until
    )
    if inside and facts.valid_until - facts.valid_from <= facts.longest:
        return None
    return Refusal(
        "not_time_bound",
        "the window must end after it begins, inside the requested one and the force's limit",
        {"from": written(facts.valid_from), "until": written(facts.valid_until)},
    )


@refuses("not_geographically_limited")
def variation_is_geographically_limited(facts: VariationFacts) -> Refusal | None:
    """Named cameras with a zone each, and no others. Source: seed L34."""
    if facts.cameras and set(facts.cameras) <= set(facts.configured):
        return None
    return Refusal(
        "not_geographically_limited",
        "name cameras that have a zone of recognition",
        {"cameras": ", ".join(sorted(one for one in facts.cameras if is_code(one)))},
    )


VARIATION_POLICIES: tuple[Policy[VariationFacts], ...] = (
    role_may_vary,
    officer_has_the_rank,
    who_widens_is_independent,
    there_is_something_to_vary,
    variation_is_time_bound,
    variation_is_geographically_limited,
    decision_has_a_reason,
)
