"""What must hold for every file whatever is in it, and one process that tries files one after the other.

`python -m benchmarks.hostile.judge` is that process: `cage.py` starts it, writes files to it and reads what
came of them, so that a crash of a native library is a finding and not the end of the run.
"""

from __future__ import annotations

import json
import math
import re
import resource
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from benchmarks.hostile.seeds import PATIENT
from mura_core.errors import ImageError, SessionError
from mura_core.gdcm_frames import DECODER
from mura_core.images import read_radiograph
from mura_core.review.cases import check_films, open_cases
from mura_core.roi import find_roi
from mura_core.window import usable

if TYPE_CHECKING:
    from mura_core.study import Radiograph

ADDRESS_SPACE = 8 * 1024**3
"""Of the process: a last resort, far above `cage.MEMORY_MIB`, so that no bomb takes the machine along."""

_HEADER = struct.Struct("<BI")
KINDS = ("png", "jpeg", "dicom", "zip")
_NAME = re.compile(r"[A-Za-z0-9 _/.-]{1,16}")


class BrokenPromiseError(Exception):
    """An outcome that `read_radiograph` or `open_cases` does not document."""


def try_file(kind: str, data: bytes) -> str:
    """Read a file as the page would, and hold the outcome to what is promised.

    Args:
        kind: "zip" for a session's source, anything else for a film.
        data: The file.

    Returns:
        "radiograph", "session", "ImageError" or "SessionError".

    Raises:
        BrokenPromiseError: A radiograph or a message that is not as documented.
        Exception: Any other error is a finding as well.
    """
    try:
        if kind == "zip":
            return _try_session(data)
        _check_film(read_radiograph(data))
    except (ImageError, SessionError) as error:
        if isinstance(error, ImageError) == (kind == "zip"):
            raise
        _check_text(str(error))
        return type(error).__name__
    return "radiograph"


def _try_session(data: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        source = check_films(open_cases(Path(file.name)))
    for refused in source.refused:
        _check_text(refused.reason)
    names = [name for case in source.cases for name in case.views]
    _hold(len(set(names)) == len(names) > 0, "a session without films, or with one film twice")
    return "session"


def _check_film(film: Radiograph) -> None:
    pixels, values = film.pixels, film.values
    _hold(pixels.dtype == np.float32 and values.dtype == np.uint16, "the wrong types")
    _hold(pixels.ndim == 2 and pixels.shape == values.shape and min(pixels.shape) >= 64, "the wrong shape")
    _hold(bool(np.isfinite(pixels).all()), "pixels that are no numbers")
    _hold(float(pixels.min()) >= 0 and float(pixels.max()) <= 1, "pixels outside [0, 1]")
    _hold(8 <= film.bit_depth <= 16 and int(values.max()) < 2**film.bit_depth, "values beyond their depth")
    _hold(usable(film.window), "a window without a slope")
    spacing = film.pixel_spacing_mm
    _hold(spacing is None or all(0 < side < math.inf for side in spacing), "an impossible spacing")
    for name in (film.body_part, film.view_position):
        _hold(name is None or bool(_NAME.fullmatch(name)), "a name that was not cleaned")
    for note in film.warnings:
        _check_text(note)
    box, (height, width) = find_roi(pixels), pixels.shape
    inside = box.top >= 0 and box.left >= 0 and box.top + box.height <= height
    _hold(
        inside and box.left + box.width <= width and box.height > 0 < box.width, "a region outside the film"
    )


def _check_text(text: str) -> None:
    """Hold a message to what may stand on a screen: printable, of a sane length, without the patient."""
    _hold(text.isprintable() and 10 < len(text) < 2000, f"an unfit message: {text[:200]!r}")
    _hold(PATIENT not in text and "JANE" not in text, "a message that names the patient")


def _hold(held: bool, otherwise: str) -> None:
    if not held:
        raise BrokenPromiseError(f"The outcome is {otherwise}.")


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Try files from a pipe until it closes; answer each with a line of JSON."""
    while len(head := source.read(_HEADER.size)) == _HEADER.size:
        kind, size = _HEADER.unpack(head)
        data = source.read(size)
        sink.write(json.dumps(measured(KINDS[kind], data)).encode() + b"\n")
        sink.flush()


def order(kind: str, data: bytes) -> bytes:
    """Frame a file as `serve` takes it."""
    return _HEADER.pack(KINDS.index(kind), len(data)) + data


def measured(kind: str, data: bytes) -> dict[str, Any]:
    """Try a file and give outcome, CPU seconds, peak growth in MiB (0 if unknown) and contained crashes.

    CPU seconds, not those of the clock: on a shared machine the clock measures the neighbours.
    """
    before = _resident_mib("VmRSS", reset=True)
    start, deaths = time.process_time(), DECODER.deaths
    finding = ""
    try:
        outcome = try_file(kind, data)
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        outcome, finding = "finding", f"{type(error).__name__}: {error}"
    cpu_s = time.process_time() - start
    peak_mib = _resident_mib("VmHWM") - before
    return {
        "outcome": outcome,
        "finding": finding,
        "cpu_s": cpu_s,
        "peak_mib": max(0.0, peak_mib),
        "deaths": DECODER.deaths - deaths,
    }


def _resident_mib(field: str, *, reset: bool = False) -> float:
    """Read the resident memory of this process (Linux alone), and start its peak anew."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition(field + ":")[2].split()[0]) / 1024


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
