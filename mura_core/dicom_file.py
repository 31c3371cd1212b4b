"""Read the elements of a DICOM file within limits: what pydicom would follow to the end of memory or time."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from mura_core.decoding import MAX_BYTES, quiet_decoders
from mura_core.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

MAX_READS = 100_000
"""Pieces of a file that pydicom may ask for: two or three for each element, item and fragment. A film has
some hundreds; a file that is nothing but empty items would keep pydicom busy for minutes."""

MAX_VALUE_BYTES = 16 * 1024
"""Of one element that is text or numbers. pydicom makes an object of each number."""

MAX_TABLE_BYTES = 2 * 1024**2
"""Of look-up tables and their sequences: ten tables of 65,536 entries."""

_TABLES = frozenset(
    int(Tag(keyword))
    for keyword in (
        "ModalityLUTSequence", "VOILUTSequence", "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
        "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
        "SegmentedBluePaletteColorLookupTableData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    )
)  # fmt: skip
_PIXELS = int(Tag("PixelData"))
_DISCRETE, _LINEAR = 0, 1
_MAX_ENTRIES = 65_536
_MARK_END = 132
_LONG_FORMS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"SQ", b"UN", b"UT", b"UC", b"UR")


@contextmanager
def refusing_damage() -> Iterator[None]:
    """Let pydicom work without its warnings, and say in words that a file is damaged.

    Raises:
        ImageError: What is done inside raised it, or anything else.
    """
    try:
        with quiet_decoders():
            yield
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - pydicom raises anything on damaged files
        # `from None`: the cause's text may quote the patient's data.
        raise ImageError(
            f"The DICOM is damaged or incomplete ({type(error).__name__}). Copy or export the file again."
        ) from None


class LimitedBytes(BytesIO):
    """A file in memory that may be asked for so many pieces and no more."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on.

        Raises:
            ImageError: For the `MAX_READS`th time and one.
        """
        self._reads += 1
        if self._reads > MAX_READS:
            raise ImageError(
                f"The DICOM is cut into more than {MAX_READS // 3:,} pieces; no radiograph is. "
                "Export the single radiograph again."
            )
        return super().read(size)


def read_elements(data: bytes, keywords: Sequence[str]) -> Dataset:
    """Read the elements of a file that are wanted; the rest, with the patient's data, is skipped over.

    Args:
        data: The file, already known to hold the DICM mark.
        keywords: The elements that are wanted.

    Raises:
        ImageError: A limit is passed.
        Exception: pydicom's, on a damaged file.
    """
    check_meta(data)
    if DeflatedExplicitVRLittleEndian.encode() in data:
        return _read_deflated(data, keywords)
    ds = dcmread(LimitedBytes(data), specific_tags=list(keywords))
    check_values(ds)
    if "TransferSyntaxUID" not in ds.file_meta:
        implicit, little = ds.original_encoding
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        if not little:
            ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    return ds


def check_meta(data: bytes) -> None:
    """Look at the lengths in the file meta information, which pydicom decodes while it reads.

    Raises:
        ImageError: A value in it is longer than any is.
    """
    at = _MARK_END
    while data[at : at + 2] == b"\2\0" and at + 8 <= len(data):
        kind = data[at + 4 : at + 6]
        if kind in _LONG_FORMS:
            length, head = int.from_bytes(data[at + 8 : at + 12], "little"), 12
        elif kind.isalpha():
            length, head = int.from_bytes(data[at + 6 : at + 8], "little"), 8
        else:
            length, head = int.from_bytes(data[at + 4 : at + 8], "little"), 8
        if length > MAX_VALUE_BYTES:
            raise ImageError(_too_long(length))
        at += head + length


def check_values(ds: Dataset) -> None:
    """Look at the lengths of what was read, before anything is made of it.

    Raises:
        ImageError: A value is longer than any of its kind is.
    """
    for tag in ds.keys():  # noqa: SIM118 - iterating a Dataset decodes it
        element: object = ds.get_item(tag)
        if isinstance(element, RawDataElement) and element.value and tag != _PIXELS:
            size = len(element.value)
            if size > (MAX_TABLE_BYTES if int(tag) in _TABLES else MAX_VALUE_BYTES):
                raise ImageError(_too_long(size))


def check_palette(ds: Dataset) -> None:
    """Add up what a palette in segments (PS3.3 C.7.9.2) unfolds to; pydicom would write it all out.

    Raises:
        ImageError: It is longer than a table can be, or has segments that refer to others.
    """
    order = "<" if ds.file_meta.TransferSyntaxUID.is_little_endian else ">"
    for colour in ("Red", "Green", "Blue"):
        packed = ds.get(f"Segmented{colour}PaletteColorLookupTableData")
        if not isinstance(packed, bytes):
            continue
        size = 1 if ds.RedPaletteColorLookupTableDescriptor[2] // 8 == 1 else 2
        words = np.frombuffer(packed[: len(packed) // size * size], f"{order}u{size}").tolist()
        at = unfolded = 0
        while at + 1 < len(words) and unfolded <= _MAX_ENTRIES:
            kind, length = words[at], words[at + 1]
            unfolded += length if kind in (_DISCRETE, _LINEAR) else _MAX_ENTRIES + 1
            at += 2 + (length if kind == _DISCRETE else 1)
        if unfolded > _MAX_ENTRIES:
            raise ImageError("The DICOM's palette unfolds to too much. Export the radiograph in grey.")


def _too_long(length: int) -> str:
    return (
        f"The DICOM's header holds a value of {length:,} bytes; no radiograph's does. "
        "Ask the sender for a corrected file."
    )


def _read_deflated(data: bytes, keywords: Sequence[str]) -> Dataset:
    """Inflate up to the limit; pydicom would inflate a small file without any."""
    start = 144 + int.from_bytes(data[140:144], "little")
    if data[132:140] != b"\x02\0\0\0UL\x04\0" or DeflatedExplicitVRLittleEndian.encode() not in data[:start]:
        raise ImageError("The deflated DICOM has a damaged header. Export it again, uncompressed.")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data[start:], 4 * MAX_BYTES)
    if not inflater.eof:
        limit = 4 * MAX_BYTES // 1024**2
        raise ImageError(
            f"The deflated DICOM is truncated or inflates to over {limit} MiB. Export it again, uncompressed."
        )
    tags: list[BaseTag | int] = [Tag(keyword) for keyword in keywords]
    file = LimitedBytes(inflated)
    ds = read_dataset(file, is_implicit_VR=False, is_little_endian=True, specific_tags=tags)
    check_values(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds
