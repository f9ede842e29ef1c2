"""Codes: the only text of a person's choosing that may stand in an event.

Free text goes to the vault (domain specification, 3.1 NEVER 5). A code is short, lower case and
has no spaces, so that a sentence or a name with its surname cannot pass for one.
"""

import re

_CODE = re.compile(r"[a-z0-9][a-z0-9._/-]{0,63}")


def code_of(error: Exception) -> str:
    """The kind of an error as a code: ``TruncatedVideoError`` is ``truncated_video``."""
    words = re.findall("[A-Z][a-z]+", type(error).__name__.removesuffix("Error"))
    return "_".join(words).lower()


def is_code(text: str) -> bool:
    """Whether the text is a code: lower-case letters, digits and ``._/-``, at most 64."""
    return _CODE.fullmatch(text) is not None
