"""Asks the re-checker's process; believes only what it signed."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.assurance.rechecks import key_name, recheck_holds
from domain.kernel.errors import DomainError
from domain.ports import ItemLabel, Rechecked, Stock, Tombstone, Wanted
from infrastructure.custody.recheck_process import as_line

Enrol = Callable[[str, str], None]
"""Told a re-checker's name and public key before its first answer is used."""

_PROGRAM = "infrastructure.custody.recheck_process"
_PATIENCE_S = 5
_ANSWER_S = 120
"""One that hangs must not keep everything else alive that is due."""


class RecheckerError(DomainError):
    """The re-checker did not answer, or not as it must."""


class SeparateRechecker:
    """Implements ``domain.ports.Rechecker`` by another process, started when first needed.

    Args:
        credential: its key's file, which this process does not read.
        keystore: the directory of keys.
        media: where ciphertexts lie: a directory, or ``s3://bucket/prefix``.
        epoch_keys: the token that holds keys of epochs; None where the keystore's file does.
        enrol: told who it is, so that the record knows its key before it rests on an answer.
    """

    def __init__(
        self,
        credential: Path,
        keystore: Path,
        media: Path | str,
        *,
        epoch_keys: str | None = None,
        enrol: Enrol,
    ) -> None:
        self._arguments = [str(credential), str(keystore), str(media), epoch_keys or ""]
        self._enrol = enrol
        self._process: subprocess.Popen[str] | None = None
        self._public_key = ""

    @property
    def process_id(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def known_as(self) -> tuple[str, str]:
        """Its name and public key, as it said last."""
        return key_name(self._public_key), self._public_key

    def introduce(self) -> tuple[str, str]:
        """Start it, if it does not run; its name and public key.

        Raises:
            DomainError: its key cannot be used, or may not sign.
        """
        if self._process is None:
            self._start()
        return self.known_as

    def close(self) -> None:
        """Let the process end."""
        if self._process is None:
            return
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # what it was asked last, it never read
                    pipe.close()
        try:
            process.wait(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def recheck(self, labels: Sequence[ItemLabel], *, at: datetime) -> Rechecked:
        """Have the other process look for these items.

        Raises:
            RecheckerError: it did not answer, or what it signed is not what it was asked.
        """
        answer = self._ask("recheck", [as_line(one) for one in labels])
        asked = {one.item.hex for one in labels}
        if {*answer["items"], *answer["still_there"]} != asked or not recheck_holds(
            answer, self._public_key
        ):
            raise RecheckerError("the re-checker signed something else than it was asked")
        sequence = answer["tombstone_sequence"]
        return Rechecked(
            recheck=UUID(answer["recheck"]),
            rechecker=answer["rechecker"],
            kind="separate-process",
            gone=[UUID(one) for one in answer["items"]],
            still_there=[UUID(one) for one in answer["still_there"]],
            last_tombstone=Tombstone(sequence, answer["tombstone_digest"]) if sequence else None,
            signature=answer["signature"],
        )

    def stock(self) -> Stock:
        """What the other process sees in the stores."""
        answer = self._ask("stock", None)
        return Stock(
            keys={UUID(one) for one in answer["keys"]},
            ciphertexts={UUID(one) for one in answer["ciphertexts"]},
            strays=answer["strays"],
        )

    def attest(self, wanted: Sequence[Wanted]) -> list[tuple[str, dict[str, Any]]]:
        """Have the other process list the stores again and sign."""
        about = [
            {
                "scope": one.scope,
                "as_of": one.as_of,
                "skip": [item.hex for item in one.skip],
                "among": None if one.among is None else [item.hex for item in one.among],
                "missing": one.missing,
                "orphans": one.orphans,
                "resurrected": one.resurrected,
            }
            for one in wanted
        ]
        return [
            (scope, fields | {"skipped": [UUID(one) for one in fields["skipped"]]})
            for scope, fields in self._ask("attest", about)["attested"]
        ]

    def _start(self) -> None:
        # -P: the folder where a person stands must not be searched for modules
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _PROGRAM, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            told = self._answer()
            self._public_key = told["public_key"]
            if told["rechecker"] != key_name(self._public_key):
                raise RecheckerError("the re-checker's name is not that of its key")
            self._enrol(told["rechecker"], self._public_key)
        except BaseException:
            self.close()  # nobody asks one that may not sign
            raise

    def _ask(self, what: str, about: object) -> dict[str, Any]:
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None and process.stdin is not None  # noqa: S101  started above
        try:
            process.stdin.write(json.dumps({"ask": what, "about": about}) + "\n")
            process.stdin.flush()
        except (OSError, ValueError) as error:
            self.close()
            raise RecheckerError(f"the re-checker is gone: {error}") from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        process = self._process
        assert process is not None and process.stdout is not None  # noqa: S101  started above
        ready, _, _ = select.select([process.stdout], [], [], _ANSWER_S)
        if not ready:
            process.kill()
            self.close()
            raise RecheckerError(f"the re-checker did not answer in {_ANSWER_S} seconds")
        line = process.stdout.readline()
        if not line.endswith("\n"):
            self.close()
            raise RecheckerError("the re-checker ended without an answer")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RecheckerError(f"the re-checker could not look: {answer['error']}")
        return answer
