"""Who holds the keys of epochs, which wrap the keys of items: our own file, or a PKCS#11 token.

On a token each is an AES-256 object that cannot be taken out. It is made there, wraps there
(AES-GCM), and ends there: the object is destroyed and then looked for. What the keystore's file
says of it is only which object it is.

Source: PKCS#11 3.0, section 6.13 (CKM_AES_GCM); NIST SP 800-38D.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, Protocol, TypeVar

import pkcs11
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import KeyHandleInvalid, ObjectHandleInvalid, PKCS11Error
from pkcs11.mechanisms import GCMParams

from domain.kernel.errors import DomainError
from domain.ports import ContentAlteredError, KeyDestroyedError
from infrastructure.pkcs11_token import TokenPlace

A = TypeVar("A")

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_STALE = (KeyHandleInvalid, ObjectHandleInvalid)
"""What a token says of an object that another process destroyed."""


class KeystoreError(DomainError):
    """The keystore is not as it must be, or its disk or token did not take or give what was
    asked."""


class EpochKeys(Protocol):
    """Makes, uses and destroys the keys of epochs.

    What the keystore's file keeps of a key, ``kept``, is the holder's own matter.
    """

    where: str
    """``file`` or ``pkcs11``: as the record says it."""
    outside: bool
    """Whether keys are made and destroyed outside the keystore's own transactions."""

    def prepare(self, epoch: str) -> bytes:
        """What is to be kept of the key of an epoch that has none."""

    def require_ready(self) -> None:
        """Raise a KeystoreError unless keys can be used."""

    def make(self, epoch: str, kept: bytes) -> None:
        """Make the key, unless it is there. To be asked only while it wraps nothing."""

    def wrap(self, epoch: str, kept: bytes, key: bytearray, bound_to: bytes) -> bytes:
        """The key of an item, wrapped so that it is of use for this item only.

        Raises:
            KeyDestroyedError: the key of the epoch is gone.
        """

    def unwrap(
        self, epoch: str, kept: bytes, wrapped: bytes, bound_to: bytes, whose: str
    ) -> bytearray:
        """What :meth:`wrap` wrapped: 32 bytes, to be wiped.

        Raises:
            ContentAlteredError: this is not what was wrapped, or not for this item.
            KeyDestroyedError: the key of the epoch is gone.
        """

    def destroy(self, kept: bytes) -> None:
        """Destroy the key, and see that it is gone; one that is gone stays so.

        Raises:
            KeystoreError: it is still there.
        """

    def there(self) -> set[bytes]:
        """What is to be kept of each key that it holds for this keystore outside its file."""

    def close(self) -> None:
        """Let go of it."""


class FileEpochKeys:
    """Implements :class:`EpochKeys` in the keystore's own file, wrapped by its key file.

    A row is the key, so that it is made and destroyed by the transaction that writes the row.
    """

    where = "file"
    outside = False

    def __init__(self, root: bytes) -> None:
        self._root = root

    def require_ready(self) -> None:
        """It is, once its key file was read."""

    def prepare(self, epoch: str) -> bytes:
        """A fresh key, wrapped."""
        return wrapped_by(self._root, bytearray(secrets.token_bytes(KEY_BYTES)), bound(epoch))

    def make(self, epoch: str, kept: bytes) -> None:
        """It is made."""

    def wrap(self, epoch: str, kept: bytes, key: bytearray, bound_to: bytes) -> bytes:
        """By AES key wrap."""
        return wrapped_by(self._key(epoch, kept), key, bound_to)

    def unwrap(
        self, epoch: str, kept: bytes, wrapped: bytes, bound_to: bytes, whose: str
    ) -> bytearray:
        """By AES key wrap."""
        return unwrapped_by(self._key(epoch, kept), wrapped, bound_to, whose)

    def destroy(self, kept: bytes) -> None:
        """It goes with its row."""

    def there(self) -> set[bytes]:
        """None: the rows are the keys."""
        return set()

    def close(self) -> None:
        """There is nothing open."""

    def _key(self, epoch: str, kept: bytes) -> bytearray:
        return unwrapped_by(self._root, kept, bound(epoch), f"epoch {epoch}")


class KeystoreToken(TokenPlace):
    """Where keys of epochs are made and used."""

    OBJECT: ClassVar[str] = "plumbline-epoch"
    FAULT: ClassVar[type[DomainError]] = KeystoreError


class TokenEpochKeys:
    """Implements :class:`EpochKeys` by objects on a PKCS#11 token.

    Args:
        token: which.
        root: the keystore's own secret, from which the mark of its objects follows: other
            keystores may have theirs on the same token.
    """

    where = "pkcs11"
    outside = True

    def __init__(self, token: KeystoreToken, root: bytes) -> None:
        self._token = token
        self._mark = hashlib.sha256(b"plumbline-keystore/v1\n" + root).digest()[:16]
        self._open: pkcs11.Session | None = None
        self._found: dict[bytes, pkcs11.Object] = {}
        self._keeping = ExitStack()
        self._keeping.enter_context(token.kept_open())

    def close(self) -> None:
        """Let go of the session."""
        self._keeping.close()

    def require_ready(self) -> None:
        """Get in."""
        with self._session():
            pass

    def prepare(self, epoch: str) -> bytes:
        """The id that its object will have (CKA_ID), so that one without a name never exists."""
        return self._mark + bound(epoch)

    def make(self, epoch: str, kept: bytes) -> None:
        """Make the object, unless it is there."""
        with self._session() as session:
            if self._looked_up(session, kept) is not None:
                return
            made = session.generate_key(
                KeyType.AES,
                KEY_BYTES * 8,
                id=kept,
                label=self._token.object,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.COPYABLE: False,
                },
            )
            if made[Attribute.EXTRACTABLE] or not made[Attribute.SENSITIVE]:
                made.destroy()
                raise KeystoreError(
                    f"the token {self._token.label} made a key that can be taken out of it: "
                    "destroying it there would prove nothing"
                )

    def wrap(self, epoch: str, kept: bytes, key: bytearray, bound_to: bytes) -> bytes:
        """By AES-GCM: nonce (12 bytes) || encrypted (32) || tag (16)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)

        def encrypted(one: Any) -> bytes:
            return bytes(one.encrypt(bytes(key), **_gcm(nonce, bound_to)))

        return nonce + self._use(epoch, kept, encrypted)

    def unwrap(
        self, epoch: str, kept: bytes, wrapped: bytes, bound_to: bytes, whose: str
    ) -> bytearray:
        """By AES-GCM."""
        if len(wrapped) != _NONCE_BYTES + KEY_BYTES + _TAG_BYTES:
            raise ContentAlteredError(f"{whose}: its wrapped key is damaged")
        nonce, encrypted = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]

        def opened(one: Any) -> bytearray:
            try:
                return bytearray(one.decrypt(encrypted, **_gcm(nonce, bound_to)))
            except _STALE:
                raise
            except PKCS11Error as error:
                _require_working(one)
                raise ContentAlteredError(
                    f"{whose}: its wrapped key is damaged, or another's"
                ) from error

        return self._use(epoch, kept, opened)

    def destroy(self, kept: bytes) -> None:
        """Destroy the object, and look for it."""
        with self._session() as session:
            self._found.pop(kept, None)
            for one in _objects(session, {Attribute.ID: kept}):
                one.destroy()
            if _objects(session, {Attribute.ID: kept}):
                raise KeystoreError(
                    f"the token {self._token.label} still holds the object {kept.hex()} after it "
                    "was destroyed"
                )

    def there(self) -> set[bytes]:
        """The ids of all objects of this keystore."""
        with self._session() as session:
            ids = [
                bytes(one[Attribute.ID])
                for one in _objects(session, {Attribute.CLASS: ObjectClass.SECRET_KEY})
            ]
        return {one for one in ids if one.startswith(self._mark)}

    def _use(self, epoch: str, kept: bytes, act: Callable[[Any], A]) -> A:
        """Do something with the object; what we know of it may be older than its end."""
        with self._session() as session:
            remembered = kept in self._found
            while (found := self._looked_up(session, kept)) is not None:
                try:
                    return act(found)
                except _STALE:
                    if not remembered:
                        raise
                    remembered = False
                    del self._found[kept]
        raise KeyDestroyedError(
            f"epoch {epoch}: its key is not on the token {self._token.label} any more"
        )

    def _looked_up(self, session: pkcs11.Session, kept: bytes) -> pkcs11.Object | None:
        """The object, remembered: a search costs as much as a hundred uses."""
        if kept not in self._found:
            for one in _objects(session, {Attribute.ID: kept}):
                self._found[kept] = one
        return self._found.get(kept)

    @contextmanager
    def _session(self) -> Iterator[pkcs11.Session]:
        with self._token.session() as session:
            if session is not self._open:
                self._open, self._found = session, {}
            yield session


def wrapped_by(wrapping: bytes | bytearray, key: bytearray, bound_to: bytes) -> bytes:
    """AES key wrap (RFC 3394) of key || what it is of: rows that are exchanged do not pass."""
    both = key + bound_to
    try:
        return aes_key_wrap(bytes(wrapping), both)
    finally:
        both[:] = bytes(len(both))


def unwrapped_by(
    wrapping: bytes | bytearray, wrapped: bytes, bound_to: bytes, whose: str
) -> bytearray:
    """What :func:`wrapped_by` wrapped.

    Raises:
        ContentAlteredError: it is not that.
    """
    try:
        both = aes_key_unwrap(bytes(wrapping), wrapped)
    except InvalidUnwrap as error:
        raise ContentAlteredError(f"{whose}: its wrapped key is damaged") from error
    if both[KEY_BYTES:] != bound_to:
        raise ContentAlteredError(f"{whose}: its wrapped key is another's")
    return bytearray(both[:KEY_BYTES])


def bound(name: str) -> bytes:
    """16 bytes that are an epoch's own."""
    return hashlib.sha256(f"plumbline-epoch/v1\n{name}".encode()).digest()[:16]


def _objects(session: pkcs11.Session, having: dict[Attribute, Any]) -> list[pkcs11.Object]:
    # read to its end: a session has one search at a time
    return list(session.get_objects(having))


def _gcm(nonce: bytes, bound_to: bytes) -> dict[str, Any]:
    return {
        "mechanism": Mechanism.AES_GCM,
        "mechanism_param": GCMParams(nonce, bound_to, _TAG_BYTES * 8),
    }


def _require_working(one: Any) -> None:
    """Raise unless the object opens what it wraps.

    Devices have many words for a wrong tag, and the same ones for being broken.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    one.decrypt(one.encrypt(bytes(KEY_BYTES), **_gcm(nonce, b"")), **_gcm(nonce, b""))
