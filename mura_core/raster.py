"""Decode PNG and JPEG at their own bit depth."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mura_core.codestream import (
    MAX_JPEG_SCANS,
    StreamSize,
    has_too_many_chunks,
    has_too_many_scans,
    read_jpeg_size,
)
from mura_core.decoding import Decoded, check_dimensions, quiet_decoders, significant_bits, to_grey
from mura_core.errors import ImageError

EXIF_ORIENTATION = 0x0112
MAX_DECODED_BYTES = 256 * 1024**2
"""Of samples: 64 million pixels of four bytes. Only 16-bit colour, which no film is, can take more."""

_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}
ALPHA_NOTE = "Transparent parts of the picture were made black."

Samples = NDArray[np.uint8] | NDArray[np.uint16]


def decode_raster(data: bytes, kind: str) -> Decoded:
    """Decode a PNG or JPEG file.

    Args:
        data: The file, already known to begin as `kind` does.
        kind: "png" or "jpeg".

    Returns:
        Values as stored (8 bits for a JPEG), in the orientation that EXIF asks for; polarity not known.

    Raises:
        ImageError: The file is damaged or truncated, of a size or depth that is not read, or animated.
    """
    size = _read_png_size(data) if kind == "png" else read_jpeg_size(data)
    if size is None:
        raise ImageError(
            f"The {kind.upper()} is damaged: it has no size header. Export the radiograph again."
        )
    check_dimensions(size.height, size.width)
    _check_depth(size, kind)
    _check_cost(data, size, kind)
    samples, orientation = _decode(data, kind)
    values, notes = _to_grey_values(samples)
    if values.shape != (size.height, size.width):
        raise ImageError(f"The {kind.upper()} is damaged: its parts disagree on the size. Export it again.")
    depth = 8 if samples.dtype == np.uint8 else significant_bits(values)
    return Decoded(_orient(values, orientation), depth, warnings=notes)


def _read_png_size(data: bytes) -> StreamSize | None:
    if len(data) < 29 or data[12:16] != b"IHDR":
        return None
    bits = 8 if data[25] == 3 else data[24]  # a palette's entries are 8-bit whatever the index's depth
    return StreamSize(int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big"), bits)


def _check_depth(size: StreamSize, kind: str) -> None:
    allowed = (8, 16) if kind == "png" else (8,)
    if size.bits not in allowed:
        expected = " or ".join(map(str, allowed))
        raise ImageError(
            f"The {kind.upper()} has {size.bits} bits a sample; {expected} are read. "
            "Export the radiograph as DICOM or as 8- or 16-bit PNG."
        )


def _check_cost(data: bytes, size: StreamSize, kind: str) -> None:
    """Refuse what would take many times the memory or the time of a film of its size."""
    if kind == "jpeg" and has_too_many_scans(data):
        raise ImageError(
            f"The JPEG has over {MAX_JPEG_SCANS} scans; no radiograph has. Export the radiograph again."
        )
    if kind == "png" and has_too_many_chunks(data):
        raise ImageError(
            "The PNG is cut into too many pieces; no radiograph is. Export the radiograph again."
        )
    channels = _PNG_CHANNELS.get(data[25], 1) if kind == "png" else 1
    taken = size.height * size.width * channels * size.bits // 8
    if taken > MAX_DECODED_BYTES:
        raise ImageError(
            f"The PNG unpacks to {taken // 2**20} MiB; at most {MAX_DECODED_BYTES // 2**20} MiB are read. "
            "Export the radiograph in grey."
        )


def _decode(data: bytes, kind: str) -> tuple[Samples, int]:
    """Decode to samples (H, W), (H, W, 3) or (H, W, 4), and the EXIF orientation."""
    with quiet_decoders():
        try:
            image = Image.open(BytesIO(data), formats=(kind.upper(),))
            frames = getattr(image, "n_frames", 1) if kind == "png" else 1
            if frames == 1:
                image.load()
                return _samples(image, data), _orientation(image)
        except Exception as error:  # Pillow raises a dozen unrelated types on damaged files
            raise ImageError(
                f"The {kind.upper()} is damaged or truncated ({type(error).__name__}). "
                "Copy or export the file again."
            ) from error
    raise ImageError(f"The PNG is animated: {frames} frames; expected one. Export the single radiograph.")


def _samples(image: Image.Image, data: bytes) -> Samples:
    transparent = "transparency" in image.info
    if image.mode.startswith("I;16"):
        values = np.array(image, dtype=np.uint16)
        if transparent:
            values[values == image.info["transparency"]] = 0
        return values
    if data.startswith(b"\x89PNG") and data[24] == 16:
        return _deep_colour(data)
    if image.mode in ("L", "RGB") and not transparent:
        return np.asarray(image)
    if image.mode in ("P", "PA", "LA", "RGBA", "L", "RGB"):
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def _deep_colour(data: bytes) -> Samples:
    """Decode a 16-bit PNG of more than one channel, which Pillow would cut to 8 bits."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgr is None or bgr.dtype != np.uint16 or bgr.ndim != 3:
        raise ValueError("OpenCV could not decode the PNG")
    order = cv2.COLOR_BGR2RGB if bgr.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    rgb: NDArray[np.uint16] = cv2.cvtColor(bgr, order).astype(np.uint16)
    return rgb


def _orientation(image: Image.Image) -> int:
    try:
        stated = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything, and says nothing of the pixels
        return 1
    return stated if isinstance(stated, int) else 1


def _to_grey_values(samples: Samples) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    if samples.ndim == 2:
        return samples.astype(np.uint16), ()
    if samples.shape[2] == 3:
        return to_grey(samples)
    alpha = samples[..., 3]
    full = np.iinfo(samples.dtype).max
    if int(alpha.min()) == full:
        return to_grey(samples[..., :3])
    grey, notes = to_grey(samples[..., :3])
    # uint16 * uint16 fits uint32; + full // 2 rounds to nearest.
    blended = (grey.astype(np.uint32) * alpha + full // 2) // full
    return blended.astype(np.uint16), (*notes, ALPHA_NOTE)


def _orient(values: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """Apply an EXIF orientation (1 to 8; anything else is taken as 1)."""
    if orientation in (5, 6, 7, 8):
        values = values.T
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)
