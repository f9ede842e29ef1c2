"""A command that comes again: the same one gets its first answer, another under its key is refused.

The key is the command's id. Whether it is the same command is seen by an HMAC of its content under
a key that dies with the deployment: a plain digest of what may hold free text would let whoever
guesses the text confirm it for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.kernel.commands import Command
from domain.kernel.events import recorded_as
from domain.kernel.refusals import Refusal, Refused, WasRefused, refusals, refuses


class Sameness(StrEnum):
    """Whether a command that came again is the one that was answered."""

    SAME = "same"
    ANOTHER = "another"
    FORGOTTEN = "forgotten"
    """The key to compare them with was erased."""


@recorded_as("command.repeat_refused")
@dataclass(frozen=True, kw_only=True)
class RepeatRefused(WasRefused):
    """A command came under a key that another command had used, or too late to compare them."""


def repeat_refused(command: Command, sameness: Sameness) -> Refused | None:
    """Why a command that came again gets no answer, if it gets none."""
    reasons = refusals(REPEAT_POLICIES, sameness)
    return Refused(RepeatRefused, reasons, command) if reasons else None


@refuses("key_used_for_another_command")
def content_is_the_same(sameness: Sameness) -> Refusal | None:
    """One key stands for one command.

    Source: the Idempotency-Key header (IETF HTTP API draft), section 2.2.
    """
    if sameness is Sameness.ANOTHER:
        return Refusal(
            "key_used_for_another_command",
            "give this command a key of its own: another was answered under this one",
        )
    return None


@refuses("command_no_longer_comparable")
def content_can_be_compared(sameness: Sameness) -> Refusal | None:
    """A repeat is answered only while it can be shown to be one.

    Source: domain specification, 3.1 NEVER 5: what a command said in free text is not kept.
    """
    if sameness is Sameness.FORGOTTEN:
        return Refusal(
            "command_no_longer_comparable",
            "the deployment is over and what this command said was erased: ask anew, under a new "
            "key",
        )
    return None


REPEAT_POLICIES: tuple[Callable[[Sameness], Refusal | None], ...] = (
    content_is_the_same,
    content_can_be_compared,
)
