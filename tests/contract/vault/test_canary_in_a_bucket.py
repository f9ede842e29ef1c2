"""The canary's search of a media store in a bucket: every object, and one that it has to find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.custody.canary import Found, Place, PlaceOutcome
from domain.kernel.references import new_reference
from infrastructure.canary.search_process import PLANT, Search
from infrastructure.canary.searcher import Where, as_answered, as_asked
from tests.support.buckets import Service, running, surrounded_by

FORMS = 10
RANDOM = np.random.default_rng(20261125)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """What these ask of a service, every vault over a bucket asks of both (``test_bucket``)."""
    with running("moto") as found, surrounded_by(found):
        yield found


@pytest.fixture(scope="module")
def name(service: Service) -> str:
    """A bucket; each test has a prefix of its own there."""
    return service.bucket()


@pytest.fixture
def prefix() -> str:
    return new_reference().hex


@pytest.fixture
def template() -> NDArray[np.float32]:
    values = RANDOM.normal(size=128).astype(np.float32)
    return values / np.linalg.norm(values)


@pytest.fixture
def searcher(service: Service, template: NDArray[np.float32]) -> Search:
    """It was told one template and one picture."""
    one, pixels = Search(-1, -1), RANDOM.integers(0, 256, (96, 80, 3), dtype=np.uint8)
    one.template({}, template.tobytes())
    one.picture({"shape": pixels.shape}, pixels.tobytes())
    return one


def searched(searcher: Search, place: str) -> Found:
    """What the searcher says of the media store."""
    return as_answered(searcher.through(as_asked(Where(Place.MEDIA, [], bucket=place))))


def below(client: Any, name: str, prefix: str) -> list[str]:
    found = client.list_objects_v2(Bucket=name, Prefix=f"{prefix}/").get("Contents", [])
    return [one["Key"].removeprefix(f"{prefix}/") for one in found]


def test_every_object_below_the_prefix_is_read_and_the_plant_found(
    service: Service, name: str, prefix: str, searcher: Search
) -> None:
    client = service.client()
    for one in ("innocent", f"{PLANT}left-by-one-that-was-killed"):
        client.put_object(Bucket=name, Key=f"{prefix}/{one}", Body=bytes(100_000))
    found = searched(searcher, f"s3://{name}/{prefix}")
    assert found.outcome is PlaceOutcome.CLEAN
    assert (found.files, found.controls, found.controls_found) == (1, FORMS, FORMS)
    assert below(client, name, prefix) == ["innocent"], "plants are taken away, left ones too"


def test_a_template_in_an_object_is_found_and_in_another_s_prefix_is_not_ours(
    service: Service,
    name: str,
    prefix: str,
    searcher: Search,
    template: NDArray[np.float32],
) -> None:
    client, place = service.client(), f"s3://{name}/{prefix}"
    stored = b"before" + template.tobytes()
    client.put_object(Bucket=name, Key=f"{new_reference().hex}/debug", Body=stored)
    assert searched(searcher, place).outcome is PlaceOutcome.CLEAN
    client.put_object(Bucket=name, Key=f"{prefix}/debug", Body=stored)
    found = searched(searcher, place)
    assert found.outcome is PlaceOutcome.FOUND
    assert found.residue == {("template", "float32"): 1}


def test_parts_that_nobody_can_read_are_told(
    service: Service, name: str, prefix: str, searcher: Search
) -> None:
    client = service.client()
    asked = {"Bucket": name, "Key": f"{prefix}/{new_reference().hex}"}
    upload = client.create_multipart_upload(**asked)["UploadId"]
    client.upload_part(**asked, UploadId=upload, PartNumber=1, Body=bytes(1000))
    found = searched(searcher, f"s3://{name}/{prefix}")
    assert found.outcome is PlaceOutcome.NOT_READABLE


def test_a_bucket_that_is_away_is_not_readable(searcher: Search) -> None:
    found = searched(searcher, "s3://there-is-no-such-bucket/x")
    assert (found.outcome, found.files) == (PlaceOutcome.NOT_READABLE, 0)
