"""What whoever installs Plumbline may set, built once from the environment and passed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from domain.kernel.errors import DomainError

_PREFIX = "PLUMBLINE_"
_KNOWN = frozenset(
    {
        "PLUMBLINE_CACHE",
        "PLUMBLINE_COMMAND",
        "PLUMBLINE_DATA",
        "PLUMBLINE_DATABASE",
        "PLUMBLINE_HERE",
        "PLUMBLINE_REQUIRE",  # of the tests alone: what must not be skipped
        "PLUMBLINE_LOG_KEY",
        "PLUMBLINE_MEDIA",
        "PLUMBLINE_EPOCH_KEYS",
        "PLUMBLINE_RECHECK",
    }
)


class SettingsError(DomainError):
    """A setting is unknown or cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Where things are."""

    cache: Path
    """Models, photographs and rendered videos: can be thrown away and made again."""
    premises: Path
    """Where rehearsals keep record, keystore and media unless told otherwise."""
    database: str | None = field(default=None, repr=False)
    """A PostgreSQL database that holds the record; None for a file among the premises."""
    log_key: str | None = None
    """A PKCS#11 token (RFC 7512) on which new keys of logs are made; None for files."""
    media: str | None = None
    """A bucket that holds the ciphertexts, ``s3://bucket/prefix``; None for a directory."""
    epoch_keys: str | None = None
    """A PKCS#11 token (RFC 7512) that holds the keystore's keys of epochs; None for its file."""
    recheck: Path | None = None
    """The directory of the re-checker's key; None for one among the premises."""
    command: str = "plumbline"
    """How this person calls the program, for what it tells them to type next."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """The settings that this environment gives.

        Raises:
            SettingsError: a variable begins with PLUMBLINE_ and is not one of ours (a misspelt
                setting must not be silently ignored).
        """
        unknown = sorted(
            name for name in environment if name.startswith(_PREFIX) and name not in _KNOWN
        )
        if unknown:
            raise SettingsError(
                f"unknown settings {', '.join(unknown)}; known are PLUMBLINE_CACHE (directory of "
                "models and media), PLUMBLINE_DATA (directory of the record), PLUMBLINE_DATABASE "
                "(postgresql://user@host/name, for a record on a server), PLUMBLINE_LOG_KEY "
                "(pkcs11:token=..., for a log's key on a token), PLUMBLINE_EPOCH_KEYS "
                "(pkcs11:token=..., for the keystore's keys on a token), PLUMBLINE_MEDIA "
                "(s3://bucket/prefix, for ciphertexts in a bucket), PLUMBLINE_RECHECK (directory "
                "of the re-checker's key)"
            )
        home = Path(environment.get("HOME") or Path.home())
        return cls(
            cache=_directory(environment, "PLUMBLINE_CACHE", "XDG_CACHE_HOME", home / ".cache"),
            premises=_directory(
                environment, "PLUMBLINE_DATA", "XDG_DATA_HOME", home / ".local" / "share"
            ),
            database=environment.get("PLUMBLINE_DATABASE") or None,
            log_key=environment.get("PLUMBLINE_LOG_KEY") or None,
            media=_bucket(environment.get("PLUMBLINE_MEDIA")),
            epoch_keys=environment.get("PLUMBLINE_EPOCH_KEYS") or None,
            recheck=(
                Path(environment["PLUMBLINE_RECHECK"]).expanduser().absolute()
                if environment.get("PLUMBLINE_RECHECK")
                else None
            ),
            command=environment.get("PLUMBLINE_COMMAND", "plumbline"),
        )


def _bucket(given: str | None) -> str | None:
    if given and not given.startswith("s3://"):
        raise SettingsError("PLUMBLINE_MEDIA: expected s3://bucket/prefix, or nothing")
    return given or None


def _directory(environment: Mapping[str, str], own: str, shared: str, otherwise: Path) -> Path:
    """Our own variable, else the desktop standard's with our name below it."""
    if given := environment.get(own):
        return Path(given).expanduser().absolute()
    return Path(environment.get(shared) or otherwise).expanduser().absolute() / "plumbline"
