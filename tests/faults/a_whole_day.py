"""A deployment from its application to its inventory, over premises on a disk that may fail.

Run as a process of its own: ``python -m tests.faults.a_whole_day DIRECTORY``. It prints the name of
each step once the step was answered for, and ends as the command line does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

from api.bootstrap import Node, open_node, rechecked
from api.cli.endings import in_words
from domain.kernel.commands import Mode
from tests.support.memory import MemoryClock, MemoryRecord
from tests.support.scenarios import Scene, agreed
from tests.unit.services.test_footage import kept, review

CONTENT = 30_000
"""Bytes of an image: large enough that a disk can be full in its middle."""


def steps(node: Node) -> Mapping[str, Callable[[], object]]:
    """What is done, in order."""
    scene = Scene()
    scene.clock = cast(MemoryClock, node.outside.clock)
    scene.record = cast(MemoryRecord, node.record)
    scene.outside = node.outside
    now = scene.clock.now()
    until = now + timedelta(hours=8)
    segments: list[UUID] = []
    return {
        "applied": lambda: scene.applied(requested_from=now, requested_until=until),
        "camera": lambda: scene.camera(footage_recorded=True),
        "list opened": scene.list_opened,
        "entry proposed": scene.entry_proposed,
        "entry accepted": scene.entry_accepted,
        "list approved": scene.list_approved,
        "authorised": lambda: scene.authorised(valid_from=now, valid_until=until),
        "started": scene.started,
        "recorded": lambda: segments.append(kept(scene)),
        "alerted": scene.alerted,
        "viewed": scene.viewed,
        "decided": lambda: scene.decided(note="a note of some length" * 50),
        "reviewed": lambda: b"".join(agreed(review(scene, segments[0]))),
        "stopped": scene.stopped,
        "ended": scene.ended,
        "sealed": node.seal,
        "rotated": node.keys.rotate,
    }


def main(path: Path) -> None:
    """Do it all, and look again at the end."""
    with open_node(path, Mode.REHEARSAL) as node:
        print("opened", flush=True)
        for name, step in steps(node).items():
            step()
            print(name, flush=True)
    rechecked(path, deployment=None, credential=None, actor=None)
    print("rechecked", flush=True)


if __name__ == "__main__":
    with in_words():
        main(Path(sys.argv[1]))
