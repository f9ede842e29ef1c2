"""A log's key on a PKCS#11 token: it is made there, signs there, and never leaves it.

The token is named by a URI (RFC 7512) in a setting; the PIN stands in a file of its own that only
we can read. Keys are Ed25519 (CKK_EC_EDWARDS, CKM_EDDSA). Which object is the key is found by its
public part, so nothing but the verifier key has to be remembered.

Source: PKCS#11 3.0, section 6.3; RFC 7512.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, PrivateKey
from pkcs11.exceptions import PKCS11Error
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from domain.assurance.notes import SignatureInvalidError, VerifierKey
from domain.kernel.errors import DomainError
from infrastructure.seal.signing import SealKeyError

_ED25519 = "1.3.101.112"
_POINT = b"\x04\x20"
"""How the token writes a public key: an OCTET STRING of 32 bytes."""
_ONE_AT_A_TIME = threading.Lock()
"""A login is the whole process's, not a session's."""


@dataclass(frozen=True)
class Token:
    """Where keys are kept, and how to get in."""

    module: Path
    """The driver, a shared library."""
    label: str
    """The token's label."""
    object: str
    """The label that our keys get on it."""
    pin_file: Path

    @classmethod
    def from_uri(cls, uri: str) -> Token:
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
            object=parts.get("object", "plumbline-log"),
            pin_file=Path(parts["pin-source"].removeprefix("file:")),
        )

    def generate(self, name: str) -> TokenSigner:
        """Make a key on the token that cannot be taken out of it.

        Raises:
            SealKeyError: the token cannot be reached, or does not make Ed25519 keys.
        """
        with self._session() as session:
            curve = session.create_domain_parameters(
                KeyType.EC_EDWARDS,
                {Attribute.EC_PARAMS: encode_named_curve_parameters(_ED25519)},
                local=True,
            )
            public, private = curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN,
                store=True,
                label=self.object,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
            key = VerifierKey(name, bytes(public[Attribute.EC_POINT]).removeprefix(_POINT))
            # both halves under one id, by which the private one is found from the public one
            for half in (public, private):
                half[Attribute.ID] = key.key_id
        return TokenSigner(self, key)

    def remove(self, key: VerifierKey) -> None:
        """Destroy both halves of a key; one that is not there is gone already."""
        with self._session() as session:
            for one in _halves(session, key):
                one.destroy()

    def sign(self, key: VerifierKey, text: bytes) -> bytes:
        """A signature by this key's private half.

        Raises:
            SealKeyError: the token cannot be reached, or does not hold it.
        """
        with self._session() as session:
            for one in _halves(session, key):
                if isinstance(one, PrivateKey) and isinstance(one, SignMixin):
                    return bytes(one.sign(text, mechanism=Mechanism.EDDSA))
        raise SealKeyError(
            f"the token {self.label} does not hold the key {key.name}+{key.key_id.hex()}"
        )

    @contextmanager
    def _session(self) -> Iterator[pkcs11.Session]:
        pin = self._pin()
        with _ONE_AT_A_TIME:
            try:
                token = pkcs11.lib(str(self.module)).get_token(token_label=self.label)
                with token.open(rw=True, user_pin=pin) as session:
                    yield session
            except (PKCS11Error, RuntimeError, OSError) as error:
                # the library's words may name what it was given; its class says enough
                raise SealKeyError(
                    f"the token {self.label} behind {self.module} cannot be used: "
                    f"{type(error).__name__}"
                ) from error

    def _pin(self) -> str:
        try:
            if stat.S_IMODE(self.pin_file.stat().st_mode) & 0o077:
                raise SealKeyError(
                    f"{self.pin_file} can be read by others: run chmod 600 {self.pin_file}"
                )
            return self.pin_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SealKeyError(f"expected a PIN in {self.pin_file}: {error}") from error


@dataclass(frozen=True)
class TokenSigner:
    """A key that is on a token."""

    token: Token
    key: VerifierKey

    @property
    def name(self) -> str:
        """Whom it speaks for."""
        return self.key.name

    def verifier(self) -> VerifierKey:
        """The public key to it."""
        return self.key

    def sign(self, text: str) -> bytes:
        """The signature over the text, 64 bytes, checked before it is given out.

        Raises:
            SealKeyError: the token cannot be reached, does not hold the key, or signs wrongly.
        """
        signature = self.token.sign(self.key, text.encode())
        try:
            self.key.verify(text, signature)
        except SignatureInvalidError as error:
            raise SealKeyError(f"the token {self.token.label} made a wrong signature") from error
        return signature


def _halves(session: pkcs11.Session, key: VerifierKey) -> list[pkcs11.Object]:
    """The objects of this key: the public one names the id, which the private one shares."""
    # each search is read to its end: a session has one at a time
    publics = list(
        session.get_objects(
            {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.EC_POINT: _POINT + key.public}
        )
    )
    return [
        half
        for public in publics
        for half in session.get_objects({Attribute.ID: public[Attribute.ID]})
    ]


def _attributes(text: str, between: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in text.split(between) if one)
    return {name: unquote(value) for name, _, value in pairs}
