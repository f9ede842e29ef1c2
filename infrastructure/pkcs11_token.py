"""A PKCS#11 token: which one, how to get in, and one session of this process on it.

It is named by a URI (RFC 7512) in a setting; the PIN stands in a file of its own that only we can
read.

Source: PKCS#11 3.0; RFC 7512.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import unquote

import pkcs11
from pkcs11.exceptions import PKCS11Error

from domain.kernel.errors import DomainError

_ONE_AT_A_TIME = threading.Lock()
"""A login is the whole process's, not a session's, and a session does one thing at a time."""


@dataclass
class _Kept:
    """A session that stays open for those who said that they will need it again."""

    holders: int = 0
    session: pkcs11.Session | None = None


_KEPT: dict[tuple[Path, str], _Kept] = {}
"""By driver and label. A second login of this process on a token would be refused."""


@dataclass(frozen=True)
class TokenPlace:
    """Where keys are kept, and how to get in."""

    OBJECT: ClassVar[str]
    """The label of our objects where the setting gives none."""
    FAULT: ClassVar[type[DomainError]]
    """What is raised where the token cannot be used."""

    module: Path
    """The driver, a shared library."""
    label: str
    """The token's label."""
    object: str
    """The label that our keys get on it."""
    pin_file: Path = field(repr=False)

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """The token that a setting names.

        Args:
            uri: ``pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE``.

        Raises:
            DomainError: it is not one, or it holds a PIN.
        """
        scheme, _, rest = uri.partition(":")
        path, _, query = rest.partition("?")
        parts = _attributes(path, ";") | _attributes(query, "&")
        if "pin-value" in parts:
            raise DomainError("a PIN stands in a file of its own (pin-source), never in a setting")
        missing = {"token", "module-path", "pin-source"} - parts.keys()
        unknown = parts.keys() - {"token", "object", "module-path", "pin-source"}
        if scheme != "pkcs11" or missing or unknown:
            raise DomainError(
                "expected pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE, "
                f"missing {', '.join(sorted(missing)) or 'nothing'}, "
                f"unknown {', '.join(sorted(unknown)) or 'nothing'}"
            )
        return cls(
            module=Path(parts["module-path"]),
            label=parts["token"],
            object=parts.get("object", cls.OBJECT),
            pin_file=Path(parts["pin-source"].removeprefix("file:")),
        )

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Leave the next session open for those after it, while anybody is in here."""
        with _ONE_AT_A_TIME:
            kept = _KEPT.setdefault(self._place, _Kept())
            kept.holders += 1
        try:
            yield
        finally:
            with _ONE_AT_A_TIME:
                kept.holders -= 1
                if not kept.holders:
                    del _KEPT[self._place]
                    _close(kept.session)

    @contextmanager
    def session(self) -> Iterator[pkcs11.Session]:
        """The session of this process, logged in; others wait. Not to be entered twice.

        Raises:
            FAULT: the token cannot be used, in words that hold nothing that it was given.
        """
        with _ONE_AT_A_TIME:
            kept = _KEPT.get(self._place) or _Kept()
            try:
                if kept.session is None:
                    kept.session = self._opened()
                yield kept.session
            except (PKCS11Error, RuntimeError, OSError) as error:
                # it may be the session that is broken: the next one is a new one
                _close(kept.session)
                kept.session = None
                # the library's words may name what it was given; its class says enough
                raise self.FAULT(
                    f"the token {self.label} behind {self.module} cannot be used: "
                    f"{type(error).__name__}"
                ) from error
            finally:
                if not kept.holders:
                    _close(kept.session)

    @property
    def _place(self) -> tuple[Path, str]:
        return self.module, self.label

    def _opened(self) -> pkcs11.Session:
        pin = self._pin()
        token = pkcs11.lib(str(self.module)).get_token(token_label=self.label)
        return token.open(rw=True, user_pin=pin)

    def _pin(self) -> str:
        try:
            if stat.S_IMODE(self.pin_file.stat().st_mode) & 0o077:
                raise self.FAULT(
                    f"{self.pin_file} can be read by others: run chmod 600 {self.pin_file}"
                )
            return self.pin_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self.FAULT(f"expected a PIN in {self.pin_file}: {error}") from error


def _close(session: pkcs11.Session | None) -> None:
    if session is not None:
        with suppress(PKCS11Error):
            session.close()


def _attributes(text: str, between: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(between) if one)
    return {name: unquote(value) for name, _, value in pairs}
