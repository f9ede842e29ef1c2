"""The verifier as one file: ``domain.assurance`` and nothing else of ours.

The same source gives the same bytes on any machine and day: names in order, no times, nothing
compressed (what a compressor makes differs between its versions).
"""

from __future__ import annotations

import io
import zipfile
from importlib.resources import files

_SHEBANG = b"#!/usr/bin/env python3\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MAIN = b"""import sys

from domain.assurance.command import main

if __name__ == "__main__":
    sys.exit(main())
"""


def verifier() -> bytes:
    """The zip archive that Python runs: ``python verify.pyz TARGET --key FILE``."""
    members = {"__main__.py": _MAIN, "domain/__init__.py": b""}
    for module in files("domain.assurance").iterdir():
        if module.name.endswith(".py"):
            members[f"domain/assurance/{module.name}"] = module.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, members[name])
    return _SHEBANG + out.getvalue()
