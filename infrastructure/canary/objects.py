"""The objects of a media store in a bucket, searched as files are."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager

from infrastructure.canary.places import Pieces, pieces_of
from infrastructure.vault.bucket import Bucket


class Objects:
    """All that lies below a place in a bucket.

    Args:
        place: ``s3://bucket/prefix``.
        plants: how the names of controls begin; what a killed search left of them is removed.

    Raises:
        MediaStoreError: the bucket is away or closed to us, or what is deleted there is not gone.
    """

    def __init__(self, place: str, *, plants: str) -> None:
        self._bucket, self._plants = Bucket(place), plants
        self._bucket.remove_beside(plants)

    @contextmanager
    def planted(self, content: bytes) -> Iterator[str]:
        """A control among them, for as long as it takes; gives its name."""
        name = f"{self._plants}{secrets.token_hex(8)}"
        self._bucket.put_beside(name, content)
        try:
            yield name
        finally:
            self._bucket.remove_beside(name)

    def each(self) -> Iterator[tuple[str, Pieces]]:
        """The name of each, and what is in it."""
        for name, body in self._bucket.objects():
            with closing(body):
                yield name, pieces_of(body.read)

    def all_readable(self) -> bool:
        """Whether there is nothing else: parts of unfinished uploads can be read by nobody."""
        return not self._bucket.has_unfinished()
