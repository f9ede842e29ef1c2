"""Ciphertexts as objects of an S3 bucket, in which a deletion deletes.

Who we are and where the service is come from the environment as every S3 program reads it
(``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL_S3``, ``AWS_PROFILE``, ...), never from the place's name.

A bucket that keeps versions, locks its objects or copies them elsewhere is refused: what is deleted
there is not gone. A store that does not know such a question cannot do such a thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from domain.kernel.errors import DomainError
from infrastructure.vault.ciphertexts import MediaStoreError

PART_BYTES = 8 << 20
"""Of an upload in parts, all but the last; a service takes no less than 5 MiB."""
_MOST_AT_ONCE = 1000
"""Objects that one request deletes."""
_NOT_THERE = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_UNKNOWN_HERE = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})


class Bucket:
    """Ciphertexts below a prefix, ``<prefix>/<item>``.

    Args:
        place: ``s3://bucket/prefix``.
        only_reading: ask only what reading needs. Whoever writes asks whether a deletion deletes,
            and so does whoever says that something is gone.

    Raises:
        MediaStoreError: the place is not as it must be, the bucket is away or closed to us, or what
            is deleted in it is not gone.
    """

    def __init__(self, place: str, *, only_reading: bool = False) -> None:
        self._bucket, self._prefix = _parts_of(place)
        with _in_our_words(f"use {place}"):
            config = Config(
                retries={"mode": "standard", "max_attempts": 4},
                connect_timeout=5,
                read_timeout=30,
                user_agent_extra="plumbline",
            )
            self._client: Any = boto3.client("s3", config=config)
            self._client.head_bucket(Bucket=self._bucket)
        if not only_reading and (why := next(self._why_a_deletion_deletes_nothing(), None)):
            raise MediaStoreError(f"cannot use {place}: {why}, so that nothing can be destroyed")

    def write_stream(self, item: UUID, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        """Store an item's ciphertext as it comes (see ``Ciphertexts``)."""
        upload: _Upload | None = None
        try:
            for part, last in _cut(pieces):
                if last and upload is None:
                    with _in_our_words("write", item):
                        self._client.put_object(Bucket=self._bucket, Key=self._key(item), Body=part)
                    return
                upload = upload or _Upload(self._client, item, self._bucket, self._key(item))
                upload.add(part)
            if upload is not None:
                upload.complete()
        except Exception:
            # what was uploaded costs room until it is given up; after a crash, ``remove`` does it
            if upload is not None:
                upload.give_up()
            raise

    def open(self, item: UUID) -> _Body | None:
        """An item's ciphertext from its beginning, to be closed; or ``None``."""
        return self._got(self._key(item), _ciphertext_of(item))

    def remove(self, item: UUID) -> None:
        """Remove what there is of an item, finished or not."""
        if why := self.remove_all([item]):
            raise why[item]

    def remove_all(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Remove what there is of items; what could not be, and why."""
        kept: dict[UUID, DomainError] = {}
        rest = iter(items)
        while batch := list(islice(rest, _MOST_AT_ONCE)):
            try:
                kept |= self._removed(batch)
            except MediaStoreError as error:
                kept |= dict.fromkeys(batch, error)
        return kept

    def holds(self, item: UUID) -> bool:
        """Whether there is a ciphertext of an item, finished or not."""
        with _in_our_words("look for", item):
            try:
                self._client.head_object(Bucket=self._bucket, Key=self._key(item))
            except ClientError as error:
                if _code_of(error) not in _NOT_THERE:
                    raise
                return any(True for _ in self._uploads(self._key(item)))
            return True

    def items(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""
        return {item for key in self._keys() if (item := self._item(key)) is not None}

    def strays(self) -> list[str]:
        """Objects below the prefix that are no item's. They are reported, never touched."""
        return sorted(key for key in self._keys() if self._item(key) is None)

    # -- what a search needs ---------------------------------------------------------------------

    def objects(self) -> Iterator[tuple[str, _Body]]:
        """Every object below the prefix, by its name there, from its beginning; to be closed."""
        for key in self._finished():
            if (found := self._got(key, f"object {key}")) is not None:
                yield key.removeprefix(self._prefix), found

    def has_unfinished(self) -> bool:
        """Whether there are parts of uploads, which nobody can read."""
        with _in_our_words(f"list {self._bucket}/{self._prefix}"):
            return any(True for _ in self._uploads(self._prefix))

    def put_beside(self, name: str, content: bytes) -> None:
        """Store something that is no item's below the prefix."""
        with _in_our_words(f"write {name}"):
            self._client.put_object(Bucket=self._bucket, Key=f"{self._prefix}{name}", Body=content)

    def remove_beside(self, beginning: str) -> None:
        """Remove what is no item's and has a name that begins so."""
        with _in_our_words(f"remove {beginning}*"):
            for key in list(self._finished(beginning)):
                if self._item(key) is None:
                    self._client.delete_object(Bucket=self._bucket, Key=key)

    # -- one request or a few --------------------------------------------------------------------

    def _removed(self, batch: list[UUID]) -> dict[UUID, DomainError]:
        of_key = {self._key(one): one for one in batch}
        with _in_our_words(f"remove {len(batch)} ciphertexts"):
            for key, upload in list(self._uploads(self._prefix)):
                if key in of_key:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=key, UploadId=upload
                    )
            answer = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in of_key]},
            )
        kept: dict[UUID, DomainError] = {
            of_key[one["Key"]]: MediaStoreError(
                f"item {of_key[one['Key']].hex}: its ciphertext is not gone: the bucket keeps "
                "versions by now, and the older one is there"
            )
            for one in answer.get("Deleted", [])
            if one.get("DeleteMarker") or one.get("DeleteMarkerVersionId")
        }
        return kept | {
            of_key[one["Key"]]: MediaStoreError(
                f"item {of_key[one['Key']].hex}: cannot remove its ciphertext: "
                f"{one.get('Code')} {one.get('Message')}"
            )
            for one in answer.get("Errors", [])
            if one.get("Code") not in _NOT_THERE
        }

    def _got(self, key: str, what: str) -> _Body | None:
        with _in_our_words(f"read {what}"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code_of(error) in _NOT_THERE:
                    return None
                raise
            return _Body(what, found["Body"])

    def _keys(self) -> Iterator[str]:
        """Everything below the prefix, finished or not."""
        yield from self._finished()
        with _in_our_words(f"list {self._bucket}/{self._prefix}"):
            yield from (key for key, _ in self._uploads(self._prefix))

    def _finished(self, beginning: str = "") -> Iterator[str]:
        with _in_our_words(f"list {self._bucket}/{self._prefix}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}{beginning}"):
                yield from (one["Key"] for one in page.get("Contents", []))

    def _uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and id of each upload that was not completed."""
        pages = self._client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            yield from ((one["Key"], one["UploadId"]) for one in page.get("Uploads", []))

    def _why_a_deletion_deletes_nothing(self) -> Iterator[str]:
        versioning = self._asked("get_bucket_versioning")
        if status := versioning.get("Status"):
            yield f"the bucket's versioning is {status.lower()}: it keeps or kept older versions"
        lock = self._asked("get_object_lock_configuration", none="ObjectLockConfigurationNotFound")
        if lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled":
            yield "the bucket locks its objects"
        replication = self._asked("get_bucket_replication", none="ReplicationConfigurationNotFound")
        if replication.get("ReplicationConfiguration", {}).get("Rules"):
            yield "the bucket copies its objects elsewhere"

    def _asked(self, question: str, *, none: str = "none") -> dict[str, Any]:
        with _in_our_words(f"ask the bucket {self._bucket}: {question}"):
            try:
                answer: dict[str, Any] = getattr(self._client, question)(Bucket=self._bucket)
            except ClientError as error:
                code = _code_of(error)
                if code.startswith(none) or code in _UNKNOWN_HERE:
                    return {}
                raise
            return answer

    def _key(self, item: UUID) -> str:
        return f"{self._prefix}{item.hex}"

    def _item(self, key: str) -> UUID | None:
        try:
            item = UUID(hex=key.removeprefix(self._prefix))
        except ValueError:
            return None
        return item if key == self._key(item) else None


class _Upload:
    """An object that comes in parts, and is there once it is complete."""

    def __init__(self, client: Any, item: UUID, bucket: str, key: str) -> None:
        self._client, self._item = client, item
        self._asked = {"Bucket": bucket, "Key": key}
        with _in_our_words("write", item):
            self._asked["UploadId"] = client.create_multipart_upload(**self._asked)["UploadId"]
        self._told: list[dict[str, object]] = []

    def add(self, part: bytes) -> None:
        """The next part."""
        number = len(self._told) + 1
        with _in_our_words(f"write part {number} of", self._item):
            answer = self._client.upload_part(**self._asked, PartNumber=number, Body=part)
        self._told.append({"PartNumber": number, "ETag": answer["ETag"]})

    def complete(self) -> None:
        """All parts are there."""
        with _in_our_words("write", self._item):
            self._client.complete_multipart_upload(
                **self._asked, MultipartUpload={"Parts": self._told}
            )

    def give_up(self) -> None:
        """Let the service forget the parts, if it answers."""
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**self._asked)


class _Body:
    """An object's content, read piece by piece."""

    def __init__(self, what: str, body: Any) -> None:
        self._what = what
        self._body = body

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        with _in_our_words(f"read {self._what}"):
            found: bytes = self._body.read(size)
            return found

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()


def _parts_of(place: str) -> tuple[str, str]:
    """Bucket and prefix, which is empty or ends with a slash.

    Raises:
        MediaStoreError: it is something else, or says who we are, which no name may.
    """
    found = urlsplit(place)
    if not found.hostname or found.username or found.port or found.query or found.fragment:
        raise MediaStoreError(
            "expected s3://bucket/prefix for ciphertexts, without user, port or question mark; who "
            "we are and where the service is say AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_S3 and so on"
        )
    prefix = found.path.strip("/")
    return found.netloc, f"{prefix}/" if prefix else ""


def _cut(pieces: Iterable[bytes | bytearray | memoryview]) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in parts, each with whether it is the last: there is one, and none is empty
    behind another."""
    part = bytearray()
    for piece in pieces:
        part += piece
        while len(part) > PART_BYTES:
            yield bytes(memoryview(part)[:PART_BYTES]), False
            del part[:PART_BYTES]
    yield bytes(part), True


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _ciphertext_of(item: UUID) -> str:
    return f"the ciphertext of item {item.hex}"


@contextmanager
def _in_our_words(doing: str, item: UUID | None = None) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        whose = f"item {item.hex}: cannot {doing} its ciphertext" if item else f"cannot {doing}"
        raise MediaStoreError(f"{whose}: {error}") from error
