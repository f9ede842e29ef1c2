"""The log's keys on its own record: the first one, the rotation to another, the end of the old.

A rotation is six steps, each of which can be repeated; the record says how far it came.

1. make the key that is to follow, beside the current one;
2. record ``log.key_rotated``;
3. sign a checkpoint that covers it with BOTH keys: whoever holds the old key can follow to the new;
4. keep that checkpoint and the old verifier key under ``retired/``;
5. put the new key in the place of the old, whose private part is then gone;
6. record ``log.key_retired``, and sign with the new key alone from here on.

A crash before step 2 leaves a key that the record never heard of: it is removed. A crash later is
finished by the next start.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.assurance.checkpoints import Checkpoint
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.kernel.errors import NotFoundError, RecordBrokenError
from domain.log.aggregate import KEYS, LogKeys
from domain.services.carrying_out import tried_again
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.sealing import Sealing
from infrastructure.seal.signing import SealKeyError


class KeyRegister:
    """The keys of one log, on its record and in its folder.

    Args:
        sealing: signs the record that the keys stand on.
        both_signed: called while the newest checkpoint is the one that both keys signed, so that
            witnesses who know the old key only can cosign it.
    """

    def __init__(
        self, sealing: Sealing, *, both_signed: Callable[[], object] = lambda: None
    ) -> None:
        self._both_signed = both_signed
        self._record = sealing.record
        self._sealing = sealing
        self._folder: KeyFolder = sealing.sealer.keys

    def read(self) -> LogKeys:
        """The keys as the record has them."""
        try:
            return self._record.load(LogKeys, KEYS)
        except NotFoundError:
            return LogKeys()

    def settle(self) -> list[str]:
        """Record the first key, and finish or take back a rotation that was broken off.

        Returns:
            What was done, in words; nothing where nothing had to be.

        Raises:
            SealKeyError: the key in the folder is not the one that the record names.
        """
        register = self.read()
        found = self._folder.current().verifier().text()
        if register.current is None:
            self._record_first(found)
            return []
        if found not in (register.current, register.outgoing):
            raise SealKeyError(
                f"the record says that this log is signed by {_named(register.current)}, the key "
                f"here is {_named(found)}: bring the log's key back"
            )
        if register.outgoing is not None:
            self._finish(register)
            return [f"finished the rotation to the key {_named(register.current)}"]
        if self._folder.incoming() is not None:
            self._folder.drop_incoming()
            return ["removed a key that was made for a rotation and never recorded"]
        return []

    def rotate(self) -> LogKeys:
        """Sign with a new key from here on.

        Raises:
            SealError: a key cannot be made or used; what was begun is finished by the next start.
        """
        # so that the last checkpoint of the old key alone covers everything before the rotation
        self._sealing.seal()
        incoming = self._folder.make_incoming()
        new = incoming.verifier().text()
        command = self._sealing.command()

        def record() -> None:
            register = self.read()
            register.rotate(new, kept_in=self._folder.kept_in(incoming), at=command.at)
            self._record.append(register, by=command)

        tried_again(record)
        self._finish(self.read())
        return self.read()

    def _record_first(self, key: str) -> None:
        command = self._sealing.command()
        kept_in = self._folder.kept_in(self._folder.current())

        def record() -> None:
            register = self.read()
            register.generate(key, kept_in=kept_in, at=command.at)
            self._record.append(register, by=command)

        tried_again(record)

    def _finish(self, register: LogKeys) -> None:
        """Steps 3 to 6, from wherever they were broken off."""
        outgoing, incoming = register.outgoing, register.current
        if outgoing is None or incoming is None:
            raise RecordBrokenError("no key of this log is being replaced")
        old, new = VerifierKey.from_text(outgoing), VerifierKey.from_text(incoming)
        if self._folder.current().verifier() == old:
            follower = self._folder.incoming()
            if follower is None or follower.verifier() != new:
                raise SealKeyError(
                    f"the record says that {_named(incoming)} follows, and it is not here: bring "
                    "log.key.next back"
                )
            last = self._sealing.seal()
            self._both_signed()
            note = self._sealing.sealer.last_note() or ""
            _require_both(note, old, new)
            self._folder.keep_retired(old, note.encode())
            self._folder.adopt_incoming()
            size = last.size
        else:
            size = _size_of(self._folder.last_checkpoint_of(old).read_bytes().decode(), old)
        self._folder.publish_current()
        if register.kept_in[outgoing] == "token":
            self._folder.destroy_on_token(old)
        command = self._sealing.command()

        def record() -> None:
            retiring = self.read()
            retiring.retire(last_size=size, at=command.at)
            self._record.append(retiring, by=command)

        tried_again(record)
        self._sealing.seal()


def _require_both(note: str, old: VerifierKey, new: VerifierKey) -> None:
    """The checkpoint that leads from one key to the other carries both signatures."""
    try:
        open_note(note, old)
        open_note(note, new)
    except NoteError as error:
        raise RecordBrokenError(f"the checkpoint of the rotation: {error}") from error


def _size_of(note: str, key: VerifierKey) -> int:
    return Checkpoint.parse(open_note(note, key)).size


def _named(key: str) -> str:
    """A key's name and id, without the key."""
    return "+".join(key.split("+", 2)[:2])
