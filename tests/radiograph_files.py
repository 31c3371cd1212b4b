"""Draw phantom radiographs, and write them as the PNG, JPEG and DICOM files that tests read."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    generate_uid,
)

from benchmarks.hostile.seeds import compressed

PATIENT = "DOE^JANE"
"""A name that must never come back from a reader."""

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def phantom(
    height: int = 320, width: int = 256, *, bright_background: bool = False, bits: int = 8, seed: int = 0
) -> Pixels:
    """Draw two long bones in a limb with a joint between them, on dark air with a little noise.

    Returns:
        uint8 (H, W) for 8 bits, else uint16 with values below 2**bits. Deterministic in `seed`.
    """
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    along, across = rows / height, columns / width - 0.5 + 0.12 * (rows / height - 0.5)
    film = np.where(np.abs(across) < 0.24 - 0.06 * along, 0.38, 0.06).astype(np.float32)
    for centre in (-0.08, 0.09):
        distance = np.abs(across - centre)
        bone = (distance < 0.055) & (np.abs(along - 0.5) > 0.012)
        film[bone] = 0.6
        film[bone & (distance > 0.035)] = 0.9
    film = cv2.GaussianBlur(film, (0, 0), max(0.6, min(height, width) / 250))
    film += np.random.default_rng(seed).normal(0, 0.012, film.shape).astype(np.float32)
    top = 2**bits - 1
    values = np.rint(np.clip(film, 0, 1) * top).astype(np.uint8 if bits <= 8 else np.uint16)
    return top - values if bright_background else values


def png_bytes(pixels: Pixels, mode: str | None = None, **options: Any) -> bytes:
    """Encode (H, W), (H, W, 3) or (H, W, 4); `mode` is Pillow's, where the shape does not settle it."""
    buffer = BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, "PNG", **options)
    return buffer.getvalue()


def jpeg_bytes(pixels: Pixels, mode: str | None = None, **options: Any) -> bytes:
    """Encode 8-bit (H, W) or (H, W, 3)."""
    buffer = BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, "JPEG", **{"quality": 95, **options})
    return buffer.getvalue()


def dicom_bytes(pixels: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> bytes:
    """Encode (H, W) or (H, W, 3) integers as a DX film of a named patient.

    Args:
        pixels: int or uint, 8 or 16 bits; (F, H, W) with NumberOfFrames among the tags.
        syntax: Any transfer syntax that GDCM can write, or the deflated one.
        tags: Elements by keyword, over the defaults; None leaves an element out.
    """
    header = _header(pixels, UID(syntax))
    for keyword, value in tags.items():
        if value is None:
            header.pop(keyword, None)
        else:
            setattr(header, keyword, value)
    if UID(syntax).is_encapsulated:
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return compressed(_saved(header), UID(syntax))
    return _saved(header)


def write_png(path: Path, pixels: Pixels, mode: str | None = None, **options: Any) -> Path:
    """Write a PNG file, whatever the path's suffix."""
    path.write_bytes(png_bytes(pixels, mode, **options))
    return path


def write_jpeg(path: Path, pixels: Pixels, mode: str | None = None, **options: Any) -> Path:
    """Write a JPEG file, whatever the path's suffix."""
    path.write_bytes(jpeg_bytes(pixels, mode, **options))
    return path


def write_dicom(path: Path, pixels: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> Path:
    """Write a DICOM file, whatever the path's suffix."""
    path.write_bytes(dicom_bytes(pixels, syntax, **tags))
    return path


def lut_item(first: int, table: NDArray[np.uint16], bits: int = 16) -> Dataset:
    """Build an item of a modality or VOI LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if first >= 0 else "SS", [len(table) % 65536, first, bits])
    item.add_new("LUTData", "OW", table.astype("<u2").tobytes())
    return item


def _header(pixels: NDArray[Any], syntax: UID) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    header.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["phantom"])
    header.file_meta.TransferSyntaxUID = syntax
    header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID
    header.Modality = "DX"
    header.PatientName, header.PatientID, header.PatientBirthDate = PATIENT, "4711", "19700101"
    colour = pixels.ndim == 3 and pixels.shape[2] == 3
    header.SamplesPerPixel = 3 if colour else 1
    header.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        header.PlanarConfiguration = 0
    header.Rows, header.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    bits = pixels.dtype.itemsize * 8
    header.BitsAllocated = header.BitsStored = bits
    header.HighBit = bits - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    header.PixelData = np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder(order)).tobytes()
    header["PixelData"].VR = "OB" if bits == 8 else "OW"
    return header


def _saved(header: Dataset) -> bytes:
    buffer = BytesIO()
    header.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def png_chunks(width: int, height: int, bits: int, kind: int, packed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def palette_png() -> bytes:
    """A palette whose entries run backwards: the index is not the grey."""
    image = Image.fromarray(255 - phantom(96, 80)).convert("P")
    image.putpalette([level for index in range(256) for level in [255 - index] * 3])
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def raw_text(data: bytes, value: object) -> bytes:
    """Put any text where the mark 777777 stands, which pydicom would refuse to write."""
    assert data.count(b"777777") == 1
    return data.replace(b"777777", str(value).encode().ljust(6))
