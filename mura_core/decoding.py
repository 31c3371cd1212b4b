"""What the PNG/JPEG and the DICOM half share: limits, the common result, grey from colour, silence."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from mura_core.errors import ImageError
from mura_core.study import Window

COLOUR_NOTE = "The picture is in colour; a radiograph is grey. It was reduced to brightness."

MAX_BYTES = 60 * 1024**2
MAX_PIXELS = 64_000_000
MIN_SIDE_PX = 64
MAX_ASPECT = 8.0

COLOURFUL = 0.02
"""Mean spread between the channels, of full scale, from which a picture counts as colour."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A decoded file before its default window and polarity are settled.

    Attributes:
        values: uint16 (H, W); bone bright if `polarity_known`, else as the file has it.
        bit_depth: Bits of `values` that can be set, 8 to 16.
        window: The window the file states, in units of `values`, or None.
        polarity_known: Whether the file says which end of the scale is bright.
        padding: bool (H, W), True where a pixel is no part of the film; None where all are.
        pixel_spacing_mm, spacing_at_detector, body_part, view_position, warnings: As in `Radiograph`.
    """

    values: NDArray[np.uint16]
    bit_depth: int
    window: Window | None = None
    polarity_known: bool = False
    padding: NDArray[np.bool_] | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_at_detector: bool = False
    body_part: str | None = None
    view_position: str | None = None
    warnings: tuple[str, ...] = ()


def check_dimensions(height: int, width: int) -> None:
    """Refuse sizes that cannot be a radiograph, before any pixel is decoded.

    Raises:
        ImageError: A side is under 64 px or over 8 times the other, or there are over 64 million pixels.
    """
    found = f"The image is {width} x {height} pixels"
    if min(height, width) < MIN_SIDE_PX:
        raise ImageError(
            f"{found}; each side must be at least {MIN_SIDE_PX}. Export the radiograph at its original size."
        )
    if height * width > MAX_PIXELS:
        raise ImageError(
            f"{found}; at most {MAX_PIXELS // 10**6} million pixels are read. "
            "Export the radiograph at its original size or smaller."
        )
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise ImageError(
            f"{found}; a radiograph's long side is at most {MAX_ASPECT:.0f} times its short side. "
            "Choose the radiograph itself, not a strip or a scroll capture."
        )


def to_grey(rgb: NDArray[np.uint8] | NDArray[np.uint16]) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """Reduce RGB to luminance (ITU-R BT.601); equal channels come out unchanged.

    Args:
        rgb: uint8 or uint16 (H, W, 3).

    Returns:
        uint16 (H, W) on the same scale, and a warning if the picture is in colour.
    """
    step = max(1, min(rgb.shape[:2]) // 256)
    sample = rgb[::step, ::step].astype(np.int32)
    spread = float((sample.max(axis=2) - sample.min(axis=2)).mean()) / np.iinfo(rgb.dtype).max
    notes: tuple[str, ...] = ()
    if spread > COLOURFUL:
        notes = (COLOUR_NOTE,)
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    return grey.astype(np.uint16), notes


def significant_bits(values: NDArray[np.uint16]) -> int:
    """Count the bits that the largest value needs, at least 8."""
    return max(8, int(values.max()).bit_length())


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Run decoders strict about truncation, with their warnings and log lines dropped.

    pydicom's warnings quote the file's text, which may name the patient, so they must not reach a log
    either. What other threads say meanwhile is heard. Pillow's switch alone is global to the process: the
    first decoder in sets it, the last one out sets it back.
    """
    _silence.enter()
    try:
        yield
    finally:
        _silence.leave()


class _Here(threading.local):
    """How many decoders this thread is in."""

    depth = 0


class _Elsewhere(logging.Filter):
    """Lets a log line pass unless the thread that writes it is decoding."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - as logging calls it
        return _here.depth == 0


class _DecodingHere:
    """A regular expression to the warnings' filters: matches any text, in a decoding thread alone."""

    def match(self, text: str) -> bool:  # noqa: ARG002 - as warnings calls it
        return _here.depth > 0


class _Silence:
    """Whoever decodes, and what has to be set meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._truncated = False
        self._unheard = ("ignore", _DecodingHere(), Warning, None, 0)
        self._elsewhere = _Elsewhere()

    def enter(self) -> None:
        _here.depth += 1
        with self._lock:
            if self._inside == 0:
                self._truncated = ImageFile.LOAD_TRUNCATED_IMAGES
                ImageFile.LOAD_TRUNCATED_IMAGES = False
            self._inside += 1
            # Each time: whoever saved the filters before the first one came may have put them back since.
            self._set_filter()
            for name in _LOGS:
                logging.getLogger(name).addFilter(self._elsewhere)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES = self._truncated
                self._remove_filter()
        _here.depth -= 1

    def _set_filter(self) -> None:
        filters = cast("list[object]", warnings.filters)
        if not filters or filters[0] is not self._unheard:
            self._remove_filter()
            # No need to tell `warnings` of the change: what is ignored enters none of its records.
            filters.insert(0, self._unheard)

    def _remove_filter(self) -> None:
        filters = cast("list[object]", warnings.filters)
        filters[:] = [one for one in filters if one is not self._unheard]


_LOGS = ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils")
"""Those that pydicom writes while it reads; a logger's filter does not see what loggers below it write."""

_here = _Here()
_silence = _Silence()
