"""A log's key on a PKCS#11 token: it is made there, signs there, and never leaves it.

Keys are Ed25519 (CKK_EC_EDWARDS, CKM_EDDSA). Which object is the key is found by its public part,
so nothing but the verifier key has to be remembered.

Source: PKCS#11 3.0, section 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, PrivateKey
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from domain.assurance.notes import SignatureInvalidError, VerifierKey
from domain.kernel.errors import DomainError
from infrastructure.pkcs11_token import TokenPlace
from infrastructure.seal.signing import SealKeyError

_ED25519 = "1.3.101.112"
_POINT = b"\x04\x20"
"""How the token writes a public key: an OCTET STRING of 32 bytes."""


class Token(TokenPlace):
    """Where keys of logs are made and used."""

    OBJECT: ClassVar[str] = "plumbline-log"
    FAULT: ClassVar[type[DomainError]] = SealKeyError

    def generate(self, name: str) -> TokenSigner:
        """Make a key on the token that cannot be taken out of it.

        Raises:
            SealKeyError: the token cannot be reached, or does not make Ed25519 keys.
        """
        with self.session() as session:
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
        with self.session() as session:
            for one in _halves(session, key):
                one.destroy()

    def sign(self, key: VerifierKey, text: bytes) -> bytes:
        """A signature by this key's private half.

        Raises:
            SealKeyError: the token cannot be reached, or does not hold it.
        """
        with self.session() as session:
            for one in _halves(session, key):
                if isinstance(one, PrivateKey) and isinstance(one, SignMixin):
                    return bytes(one.sign(text, mechanism=Mechanism.EDDSA))
        raise SealKeyError(
            f"the token {self.label} does not hold the key {key.name}+{key.key_id.hex()}"
        )


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
