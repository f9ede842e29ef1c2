"""Processes of their own, for tests that kill one or put it on a full disk.

They are forked from a server that has imported the record and the command line once: a fresh
interpreter for each would take seconds, and forking the tests' own process would copy whatever
threads it has.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Concatenate, ParamSpec

P = ParamSpec("P")

PROCESSES = multiprocessing.get_context("forkserver")
# All tests share one server, and whoever says last what it imports first decides for all: said
# here, once. A module that is not among these is imported anew by each of its processes.
PROCESSES.set_forkserver_preload(
    [
        "__main__",
        "api.cli",
        "tests.contract.custody.test_crashing",
        "tests.contract.projections.examples",
        "tests.contract.record.examples",
        "tests.faults.test_vault_crash",
        "tests.support.campaign",
        "tests.support.dying",
        "tests.support.scenarios",
    ]
)


@contextmanager
def another_process(
    work: Callable[Concatenate[Connection, P], None], *args: P.args, **kwargs: P.kwargs
) -> Iterator[tuple[BaseProcess, Connection]]:
    """Run ``work`` elsewhere, with one end of a connection; here is the other.

    It is killed, if it still runs, when the context is left.
    """
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=work, args=(there, *args), kwargs=kwargs)
    process.start()
    there.close()
    try:
        with here:
            yield process, here
    finally:
        process.kill()
        process.join()
