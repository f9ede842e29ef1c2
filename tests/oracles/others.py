"""Three programs by others behind one shape: Go's x/mod, pymerkle, and sigstore's verifier.

Each has its own idea of a proof's form. What is handed over here is ours, hash by hash; nothing
of our code works anything out for them.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Protocol, Self


class Program(Protocol):
    """Another reader of inclusion proofs."""

    def accepts_inclusion(
        self,
        *,
        entry: bytes,
        leaf: bytes,
        index: int,
        size: int,
        proof: Sequence[bytes],
        root: bytes,
    ) -> bool:
        """Whether it takes the proof for valid. It may hash the entry by itself."""


class Oracle:
    """The driver on golang.org/x/mod, as a program that is asked and as one that answers lines."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def __enter__(self) -> Self:
        """Start the one that answers lines."""
        self._answering = subprocess.Popen(
            [str(self._program), "questions"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It ends when nothing more is asked."""
        self._answering.communicate(timeout=30)

    def ask(self, *arguments: str, given: str = "") -> tuple[bool, str]:
        """Whether it agrees, and its words."""
        told = subprocess.run(
            [str(self._program), *arguments], input=given, capture_output=True, text=True
        )
        assert told.returncode in (0, 1), told.stderr
        assert told.stdout.startswith("OK" if told.returncode == 0 else "REFUSED: "), told.stdout
        return told.returncode == 0, told.stdout

    def accepts(self, export: Path) -> bool:
        """Whether it takes an exported log for sound."""
        return self.ask("check", str(export))[0]

    def root(self, entries: Sequence[bytes]) -> bytes:
        """The root over these entries, worked out there."""
        coded = [base64.b64encode(one).decode() for one in entries]
        told = self._answer({"kind": "root", "entries": coded})
        return bytes.fromhex(told.removeprefix("OK "))

    def accepts_inclusion(
        self,
        *,
        entry: bytes,
        leaf: bytes,
        index: int,
        size: int,
        proof: Sequence[bytes],
        root: bytes,
    ) -> bool:
        """Whether ``tlog.CheckRecord`` takes it."""
        return self._accepts(
            kind="inclusion", size=size, root=root, index=index, leaf=leaf, proof=proof
        )

    def accepts_consistency(
        self, *, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
    ) -> bool:
        """Whether ``tlog.CheckTree`` takes it."""
        return self._accepts(
            kind="consistency", size=new, root=new_root, old=old, old_root=old_root, proof=proof
        )

    def _accepts(self, *, proof: Sequence[bytes], **asked: Any) -> bool:
        question = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in asked.items()
        }
        told = self._answer({**question, "proof": [one.hex() for one in proof]})
        # not refused because the question was malformed
        assert told in ("OK", "REFUSED: invalid transparency proof"), told
        return told == "OK"

    def _answer(self, question: dict[str, Any]) -> str:
        assert self._answering.stdin is not None and self._answering.stdout is not None
        self._answering.stdin.write(f"{json.dumps(question)}\n")
        self._answering.stdin.flush()
        return self._answering.stdout.readline().rstrip("\n")


class Pymerkle:
    """pymerkle 7. Its inclusion proofs begin with the leaf; then come the same hashes as ours."""

    def accepts_inclusion(
        self,
        *,
        entry: bytes,
        leaf: bytes,
        index: int,
        size: int,
        proof: Sequence[bytes],
        root: bytes,
    ) -> bool:
        """Whether its verifier takes our hashes, in the form that it has for this leaf."""
        from pymerkle import InclusionProof, InvalidProof, verify_inclusion
        from pymerkle.core import _inclusion_path_layout

        rule, _ = _inclusion_path_layout(index + 1, size)
        claimed = InclusionProof("sha256", True, size, index + 1, rule, [leaf, *proof])
        try:
            verify_inclusion(leaf, root, claimed, index=index + 1, size=size)
        except InvalidProof:
            return False
        return True


class PymerkleTree:
    """A tree of pymerkle's own, and the proofs that it makes itself."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        from pymerkle import InmemoryTree

        self._tree = InmemoryTree(algorithm="sha256")
        for entry in entries:
            self._tree.append_entry(entry)

    def root(self, size: int) -> bytes:
        """The root over the first entries."""
        return bytes(self._tree.get_root(size))

    def inclusion(self, index: int, *, size: int) -> list[bytes]:
        """The proof that it makes, without the leaf."""
        return [bytes(one) for one in self._tree.prove_inclusion(index + 1, size).path[1:]]

    def consistency(self, old: int, new: int) -> PymerkleGrowth:
        """The proof that it makes, in a form of its own."""
        return PymerkleGrowth(self._tree.prove_consistency(old, new))


class PymerkleGrowth:
    """A consistency proof by pymerkle: other hashes than RFC 9162's, for the same claim."""

    def __init__(self, proof: Any) -> None:
        self._proof = proof

    @property
    def hashes(self) -> list[bytes]:
        """Its hashes."""
        return list(self._proof.path)

    def holds(self, old_root: bytes, new_root: bytes, *, hashes: list[bytes]) -> bool:
        """Whether its verifier takes it for these roots, with these hashes in it."""
        from pymerkle import ConsistencyProof, InvalidProof, verify_consistency

        one = self._proof
        claimed = ConsistencyProof(
            one.algorithm, one.security, one.size, one.prior_size, one.rule, one.subset, hashes
        )
        try:
            verify_consistency(
                old_root, new_root, claimed, prior_size=one.prior_size, later_size=one.size
            )
        except InvalidProof:
            return False
        return True


class Sigstore:
    """The verifier with which sigstore's clients check Rekor's proofs."""

    def accepts_inclusion(
        self,
        *,
        entry: bytes,
        leaf: bytes,
        index: int,
        size: int,
        proof: Sequence[bytes],
        root: bytes,
    ) -> bool:
        """Whether it takes our proof for the entry, which it hashes itself."""
        from sigstore._internal.merkle import verify_merkle_inclusion
        from sigstore.errors import VerificationError

        claimed = SimpleNamespace(
            log_index=index, tree_size=size, hashes=list(proof), root_hash=root
        )
        inner: Any = SimpleNamespace(inclusion_proof=claimed, canonicalized_body=entry)
        found: Any = SimpleNamespace(_inner=inner)
        try:
            verify_merkle_inclusion(found)
        except VerificationError:
            return False
        return True
