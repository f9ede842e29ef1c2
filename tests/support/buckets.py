"""Real S3 services for tests, on loopback: moto's, and SeaweedFS out of its wheel."""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer

from tests.support.required import need

SERVICES = ("moto", "seaweedfs")
_PATIENCE_S = 60
_NAMES = count()


class Service:
    """A running service, and who may do everything there."""

    def __init__(self, url: str, *, in_this_process: bool) -> None:
        self.url = url
        self.in_this_process = in_this_process
        self.environment = {
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "are-no-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """For what tests do behind our back."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="tests",
            aws_secret_access_key="are-no-secret",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 1}),
        )

    def bucket(self, **asked: Any) -> str:
        """A new bucket's name."""
        name = f"plumbline-{next(_NAMES)}"
        self.client().create_bucket(Bucket=name, **asked)
        return name


@contextmanager
def running(name: str) -> Iterator[Service]:
    """One of them, for as long as it is needed."""
    with moto() if name == "moto" else seaweedfs() as service:
        yield service


@contextmanager
def moto() -> Iterator[Service]:
    """In this process, in memory."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    with redirect_stdout(StringIO()):
        server.start()
    try:
        host, port = server.get_host_and_port()
        yield Service(f"http://{host}:{port}", in_this_process=True)
    finally:
        server.stop()


@contextmanager
def seaweedfs() -> Iterator[Service]:
    """A process of its own, with its volumes in a temporary directory."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    need("seaweedfs", present=program is not None, reason="it is another S3 service")
    with ExitStack() as closing:
        folder = closing.enter_context(tempfile.TemporaryDirectory())
        log = closing.enter_context(Path(folder, "log").open("wb"))
        master, volume, filer, s3 = _free_ports(4)
        process = subprocess.Popen(
            [
                *(str(program), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *(f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
                *("-filer", "-s3", f"-s3.port={s3}", "-s3.iam=false"),
                *("-master.volumeSizeLimitMB=64", "-volume.max=300"),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        closing.callback(_ended, process)
        service = Service(f"http://127.0.0.1:{s3}", in_this_process=False)
        _wait_for(service, process, Path(folder, "log"))
        yield service


def _wait_for(service: Service, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        with suppress(ClientError, BotoCoreError):
            name = service.bucket()
            service.client().put_object(Bucket=name, Key="ready", Body=b"?")
            return
        time.sleep(0.2)
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(many: int) -> list[int]:
    """Ports that are free, and whose neighbour 10,000 higher is too: there it speaks gRPC."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < many:
            one = held.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if port + 10_000 > 65_535:
                continue
            neighbour = held.enter_context(socket.socket())
            with suppress(OSError):
                neighbour.bind(("127.0.0.1", port + 10_000))
                found.append(port)
    return found


@contextmanager
def surrounded_by(service: Service) -> Iterator[None]:
    """Everything in this process, and what it starts, speaks to this service."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in service.environment.items():
            patch.setenv(name, value)
        yield
