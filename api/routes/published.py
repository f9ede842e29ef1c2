"""``/log``: the signed log for whoever wants to check it, in the form of C2SP tlog-tiles.

Checkpoint, hash tiles and the verifier key are for anyone: they are hashes and a signature.
Entry bundles hold the entries themselves and are for the auditor only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from litestar import Response, get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from api.auth import ENTRY_READERS, open_to, open_to_anyone
from api.problems import NOT_IN_LOG, ProblemError, described
from domain.assurance.tiles import WIDTH, Tile, TileMalformedError, parse_tile_path
from domain.ports import PublishedLog

TEXT = "text/plain"
BYTES = "application/octet-stream"

# A checkpoint is new every few seconds; a tile that is full never changes. A partial one does not
# change either, but is not asked for again once there is more.
_CHECKPOINT = "public, max-age=2"
_FULL_TILE = "public, max-age=31536000, immutable"
_PARTIAL_TILE = "public, max-age=60"
_KEY = "public, max-age=3600"
_ENTRIES = "private, no-store"

_PROBLEMS = described(
    _400="There is a query parameter.",
    _404="The signed log has no such part.",
    _503="A database is not there.",
)


def _bytes(words: str) -> dict[int, ResponseSpec]:
    return {
        200: ResponseSpec(bytes, description=words, generate_examples=False, media_type=BYTES),
        **_PROBLEMS,
    }


@get(
    "/log/checkpoint",
    opt=open_to_anyone(),
    operation_id="checkpoint",
    summary="The newest checkpoint of the log (C2SP tlog-checkpoint)",
    responses=_PROBLEMS,
    security=[{}],
    media_type="text/plain",
    sync_to_thread=True,
)
def checkpoint(state: State) -> Response[bytes]:
    """A signed note, byte for byte as it was signed."""
    log: PublishedLog = state.published
    return _answer(log.checkpoint(), "nothing was signed yet", TEXT, _CHECKPOINT)


@get(
    "/log/log.vkey",
    opt=open_to_anyone(),
    operation_id="verifierKey",
    summary="The key to check checkpoints with; compare it with one from elsewhere",
    responses=_PROBLEMS,
    security=[{}],
    media_type="text/plain",
    sync_to_thread=True,
)
def verifier_key(state: State) -> Response[bytes]:
    """In signed-note form."""
    log: PublishedLog = state.published
    return _answer(log.verifier_key(), "there is no key", TEXT, _KEY)


@get(
    "/log/tile/{tile:path}",
    opt=open_to_anyone(),
    operation_id="hashTile",
    summary="A hash tile of the log (C2SP tlog-tiles)",
    responses=_bytes("Up to 256 hashes of 32 bytes."),
    security=[{}],
)
async def hash_tile(state: State, tile: FromPath[str]) -> Response[bytes]:
    """``LEVEL/INDEX`` or ``LEVEL/INDEX.p/WIDTH``, the index in groups of three digits."""
    log: PublishedLog = state.published
    wanted = _tile(f"tile{tile}")
    content = await _asked(lambda: log.tile(wanted.level, wanted.index, wanted.width))
    caching = _FULL_TILE if wanted.width == WIDTH else _PARTIAL_TILE
    return _answer(content, "the signed log has no such tile", BYTES, caching)


@get(
    "/log/tile/entries/{bundle:path}",
    opt=open_to(ENTRY_READERS),
    operation_id="entryBundle",
    summary="The entries under a tile of level 0, for the auditor",
    responses={
        **_bytes("Up to 256 entries, each behind its length in two bytes."),
        **described(
            _401="There is no good token.",
            _403="The token's role may not read entries.",
            _429="Too many attempts without a good token.",
            _503="A database is not there.",
        ),
    },
)
async def entry_bundle(state: State, bundle: FromPath[str]) -> Response[bytes]:
    """``INDEX`` or ``INDEX.p/WIDTH``."""
    log: PublishedLog = state.published
    wanted = _tile(f"tile/entries{bundle}")
    content = await _asked(lambda: log.entry_bundle(wanted.index, wanted.width))
    return _answer(content, "the signed log has no such entries", BYTES, _ENTRIES)


def _tile(path: str) -> Tile:
    try:
        return parse_tile_path(path)
    except TileMalformedError as error:
        raise _nothing(
            "expected tile/LEVEL/INDEX or tile/entries/INDEX, and .p/WIDTH behind it where it is "
            "partial"
        ) from error


async def _asked(question: Callable[[], bytes | None]) -> bytes | None:
    return await anyio.to_thread.run_sync(question)


def _answer(content: bytes | None, otherwise: str, media: str, caching: str) -> Response[Any]:
    if content is None:
        raise _nothing(otherwise)
    return Response(content, media_type=media, headers={"Cache-Control": caching})


def _nothing(detail: str) -> ProblemError:
    return ProblemError(NOT_IN_LOG, detail)
