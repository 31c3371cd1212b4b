"""Bytes that atheris (libFuzzer) invents by what they reach in pydicom, Pillow, zipfile and this package.

`python -m benchmarks.hostile.coverage KIND LOG KEEP [libFuzzer's flags] CORPUS` tries as many files as -runs
says and writes a line of JSON for each. libFuzzer ends its process with the last of them, and on a crash.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mura_core", "pydicom", "PIL", "zipfile"]):
    from benchmarks.hostile import judge
from benchmarks.hostile.cage import broken_limit
from benchmarks.hostile.mutate import mended_png


def main() -> None:
    """Hand over to libFuzzer, which does not return."""
    kind, log, keep, *flags = sys.argv[1:]
    with Path(log).open("a", encoding="utf-8", buffering=1) as lines:

        def try_one(data: bytes) -> None:
            film = mended_png(data) if kind == "png" and len(data) % 3 else data
            answer = judge.measured(kind, film)
            answer["finding"] = broken_limit(answer)
            if answer["finding"]:
                name = f"{kind}-{hashlib.sha256(film).hexdigest()[:16]}"
                (Path(keep) / name).write_bytes(film)
            lines.write(json.dumps(answer) + "\n")

        atheris.Setup([sys.argv[0], *flags], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
