"""The searcher: a process of its own, so that what it looks for lies in no memory it searches.

``python -m infrastructure.canary.search_process SOCKET MEMORY MAPS``: three open descriptors, the
last two of the worker that started it (``/proc/self/mem`` and ``/proc/self/maps``, opened by that
worker itself, which nobody else may). It is told templates and pictures while they live, and is
asked at the end to look for them everywhere. One line of JSON for each question, with ``size``
bytes behind it where there are some; one line for each answer.

Every search has controls of its own: a template and a picture that never existed, in every form,
planted in each place and looked for together with the rest.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from infrastructure.canary.forms import (
    LEAST,
    PICTURE,
    PICTURE_FORMS,
    TEMPLATE,
    TEMPLATE_FORMS,
    TEXT,
    Fragment,
    of_picture,
    of_template,
    plant_of,
)
from infrastructure.canary.places import (
    NotReadable,
    Pieces,
    files_below,
    is_swap,
    pieces_of_file,
    pieces_of_region,
    regions_of,
    swap_areas,
)
from infrastructure.canary.sieve import Sieve, worth_looking_for
from infrastructure.vault.ciphertexts import MediaStoreError

PLANT = "canary-plant-"
"""How the name of a planted file begins; one that a killed search left is removed by the next."""
_CONTROL = -1
_CONTROL_SIDE = 64
_SAMPLED = 1 << 14
"""Bytes at the end of a log file, from which one piece is taken as its control."""


class Search:
    """What is looked for, and where."""

    def __init__(self, memory: int, maps: int) -> None:
        self._memory, self._maps = memory, maps
        self._fragments: list[Fragment] = []
        self._subjects = {TEMPLATE: 0, PICTURE: 0}
        random = np.random.default_rng(secrets.randbits(128))
        unit = random.normal(size=128).astype(np.float32)
        unit /= np.linalg.norm(unit)
        noise = random.integers(0, 256, (_CONTROL_SIDE, _CONTROL_SIDE, 3), dtype=np.uint8)
        self._controls = [*of_template(_CONTROL, unit), *of_picture(_CONTROL, noise)]
        self.plant = plant_of(self._controls)
        with tempfile.TemporaryFile() as file:
            self._began = os.fstat(file.fileno()).st_ctime

    def template(self, told: dict[str, Any], bytes_: bytes) -> None:
        """Take in a template that lives."""
        values = np.frombuffer(bytes_, np.float32)
        self._fragments += of_template(self._subjects[TEMPLATE], values)
        self._subjects[TEMPLATE] += 1

    def picture(self, told: dict[str, Any], bytes_: bytes) -> None:
        """Take in a picture of a face."""
        pixels = np.frombuffer(bytes_, np.uint8).reshape(told["shape"])
        self._fragments += of_picture(self._subjects[PICTURE], pixels)
        self._subjects[PICTURE] += 1

    def alive(self) -> dict[str, Any]:
        """Whether the newest template is found in the worker's memory, where it must be now."""
        newest = self._subjects[TEMPLATE] - 1
        fragments = [
            one
            for one in self._fragments
            if (one.subject, one.content, one.form) == (newest, TEMPLATE, "float32")
        ]
        counted = _Counted(fragments, [])
        counted.read(pieces_of_region(self._memory, one) for one in regions_of(self._maps))
        return {"found": counted.fragments != set()}

    def everywhere(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Look through all places for everything that was told."""
        return {
            "templates": self._subjects[TEMPLATE],
            "pictures": self._subjects[PICTURE],
            "forms": [*TEMPLATE_FORMS, *PICTURE_FORMS],
            "places": [
                *(self.through(one) for one in asked["places"]),
                self._through_swap(),
                self._through_memory(),
            ],
        }

    def through(self, place: dict[str, Any]) -> dict[str, Any]:
        """Look through one place of files or objects."""
        return self._through_objects(place) if place["bucket"] else self._through_files(place)

    def _through_objects(self, place: dict[str, Any]) -> dict[str, Any]:
        # only where there is a bucket: what speaks to one takes a while to load
        from infrastructure.canary.objects import Objects

        counted, readable = _Counted([*self._fragments, *self._controls], []), False
        try:
            objects = Objects(place["bucket"], plants=PLANT)
            with objects.planted(self.plant) as plant:
                counted = _Counted([*self._fragments, *self._controls], [plant])
                searched = [counted.take(name, pieces) for name, pieces in objects.each()]
                readable = all(searched) and objects.all_readable()
        except MediaStoreError:
            readable = False
        return counted.told(place["place"], readable, len(self._forms()), absent=False)

    def _through_files(self, place: dict[str, Any]) -> dict[str, Any]:
        roots = [Path(one) for one in place["roots"]]
        known = [one.encode() for one in place["known"]]
        known += [sample for one in roots if one.is_file() and (sample := _sample(one))]
        natural = [Fragment(index, TEXT, TEXT, one) for index, one in enumerate(known)]
        with ExitStack() as removing:
            try:
                if place["ours"]:
                    _remove_what_was_left(place["plants"])
                plants = [self._planted(Path(one), removing) for one in place["plants"]]
                searchable = bool(roots)
            except OSError:
                # searched all the same, for what may lie there; but nothing shows how well
                plants, searchable = [], False
            named = [str(one) for one in plants]
            counted = _Counted([*self._fragments, *self._controls, *natural], named)
            readable = self._read(counted, roots, place) and searchable
        expected = len(plants) * len(self._forms()) + len(natural)
        absent = readable and not counted.bytes and not expected
        return counted.told(place["place"], readable, expected, absent=absent)

    def _planted(self, folder: Path, removing: ExitStack) -> Path:
        descriptor, name = tempfile.mkstemp(prefix=PLANT, dir=folder)
        removing.callback(Path(name).unlink, missing_ok=True)
        with open(descriptor, "wb") as file:
            file.write(self.plant)
        # as the folder was named, and so as the file will be met: mkstemp tidies the path
        return folder / Path(name).name

    def _read(self, counted: _Counted, roots: list[Path], place: dict[str, Any]) -> bool:
        """Search files; says whether all of them could be read."""
        since = self._began if place["recent"] else None
        but = {Path(one) for one in place["but"]}
        readable = True
        for root in roots:
            for file in files_below(root, since=since, but=but):
                readable &= not isinstance(file, NotReadable) and counted.file(file)
        return readable

    def _through_swap(self) -> dict[str, Any]:
        areas = swap_areas()
        counted = _Counted([*self._fragments, *self._controls], [])
        readable, controls = areas is not None, 0
        for area in areas or []:
            try:
                controls += is_swap(area)
                readable &= counted.file(area)
            except OSError:
                readable = False
        told = counted.told("swap", readable, len(areas or []), absent=areas == [])
        return told | {"controls_found": controls}

    def _through_memory(self) -> dict[str, Any]:
        counted = _Counted([*self._fragments, *self._controls], [])
        regions = regions_of(self._maps)
        counted.read(pieces_of_region(self._memory, one) for one in regions)
        counted.files = len(regions)
        readable = counted.bytes > 0
        return counted.told("memory", readable, len(self._forms()), absent=False)

    def _forms(self) -> set[tuple[str, str]]:
        return {(one.content, one.form) for one in self._controls}


class _Counted:
    """What was found in one place."""

    def __init__(self, fragments: list[Fragment], plants: list[str]) -> None:
        self._of = fragments
        self._sieve = Sieve(fragments)
        self._plants = plants
        self._controls: set[tuple[str | None, str, str, int]] = set()
        self._residue: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.fragments: set[int] = set()
        self.files = self.bytes = 0

    def file(self, path: Path) -> bool:
        """Search one file; says whether it could be read."""
        return self.take(str(path), pieces_of_file(path))

    def take(self, name: str, pieces: Pieces) -> bool:
        """Search what has a name; says whether it could be read."""
        try:
            found = self._sought(pieces)
        except FileNotFoundError:
            return True
        except (OSError, MediaStoreError):
            return False
        if name in self._plants:
            # of a plant only what was planted in it counts, so that one cannot stand for another
            self._controls |= {
                (name, one.content, one.form, 0) for one in found if one.subject == _CONTROL
            }
            found = [one for one in found if one.subject != _CONTROL]
        else:
            self.files += 1
        self._take(one for one in found if one.subject != _CONTROL)
        return True

    def read(self, regions: Iterable[Pieces]) -> None:
        """Search memory; a control that was left there is found there."""
        for region in regions:
            found = self._sought(region)
            self._controls |= {
                (None, one.content, one.form, 0) for one in found if one.subject == _CONTROL
            }
            self._take(one for one in found if one.subject != _CONTROL)

    def _sought(self, pieces: Pieces) -> list[Fragment]:
        found: set[int] = set()
        for piece in pieces:
            self.bytes += len(piece)
            found |= self._sieve.found_in(piece)
        self.fragments |= found
        return [self._of[one] for one in found]

    def _take(self, found: Iterable[Fragment]) -> None:
        for one in found:
            if one.content == TEXT:
                self._controls.add((None, TEXT, TEXT, one.subject))
            else:
                self._residue[one.content, one.form].add(one.subject)

    def told(self, place: str, readable: bool, controls: int, *, absent: bool) -> dict[str, Any]:
        """As it is answered."""
        return {
            "place": place,
            "readable": readable,
            "absent": absent,
            "files": self.files,
            "bytes": self.bytes,
            "controls": controls,
            "controls_found": len(self._controls),
            "found": [
                {"content": content, "form": form, "count": len(those)}
                for (content, form), those in sorted(self._residue.items())
            ],
        }


def _remove_what_was_left(folders: Iterable[str]) -> None:
    for folder in folders:
        for left in Path(folder).glob(f"{PLANT}*"):
            left.unlink(missing_ok=True)


def _sample(file: Path) -> bytes | None:
    """Something that stands in a file in which nothing can be planted: its control."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            opened.seek(max(0, size - _SAMPLED))
            tail = opened.read(_SAMPLED)
    except OSError:
        return None
    pieces = (tail[at : at + 2 * LEAST] for at in range(0, len(tail), 2 * LEAST))
    return next((one for one in pieces if worth_looking_for(one)), None)


def main(connection: int, memory: int, maps: int) -> None:
    """Answer until there is nothing more to read."""
    with socket.socket(fileno=connection) as line, line.makefile("rwb") as file:
        search = Search(memory, maps)
        for asked in file:
            told = json.loads(asked)
            bytes_ = file.read(told.get("size", 0))
            match told["say"]:
                case "template":
                    search.template(told, bytes_)
                    continue
                case "picture":
                    search.picture(told, bytes_)
                    continue
                case "alive":
                    answer = search.alive()
                case "plant":
                    answer = {"size": len(search.plant)}
                case _:
                    answer = search.everywhere(told)
            file.write(json.dumps(answer).encode() + b"\n")
            if told["say"] == "plant":
                file.write(search.plant)
            file.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
