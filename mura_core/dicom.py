"""Decode DICOM radiographs: what may be read, the pixels, and the few facts that are kept."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    RLELossless,
)

from mura_core import gdcm_frames
from mura_core.codestream import MAX_JPEG_SCANS, has_too_many_scans, is_ended, read_stream_size
from mura_core.decoding import Decoded, check_dimensions, significant_bits, to_grey
from mura_core.dicom_file import check_palette, read_elements, refusing_damage
from mura_core.dicom_grey import decode_grey, first_numbers
from mura_core.errors import ImageError

RADIOGRAPH_MODALITIES = frozenset({"CR", "DX", "DR", "RG", "SC", "OT"})
"""Modality values of CR, DX and digitised film; a secondary capture is often marked OT."""

OWN_MANUFACTURER = "mura_core"
"""In the pictures that this package makes of films: they are no films, though they lie in the same study."""

# Who decodes what. GDCM, which pydicom would try first, ends the process on some damaged streams.
PLUGINS = {
    **dict.fromkeys((JPEGBaseline8Bit, JPEGExtended12Bit, JPEG2000, JPEG2000Lossless), "pillow"),
    **dict.fromkeys(gdcm_frames.DECODER_DEPENDENCIES, OWN_MANUFACTURER),
    RLELossless: OWN_MANUFACTURER,
}
for _syntax in gdcm_frames.DECODER_DEPENDENCIES:
    get_decoder(_syntax).add_plugin(OWN_MANUFACTURER, ("mura_core.gdcm_frames", "decode_frame"))
get_decoder(RLELossless).add_plugin(OWN_MANUFACTURER, ("mura_core.dicom_rle", "decode_frame"))
ITEM_MARK = b"\xfe\xff\x00\xe0"
MAX_FRAGMENTS = 20_000
JPEG_MARK = b"\xff\xd8"
MAX_SPACING_MM = 10.0
PALETTE = "PALETTE COLOR"
GREY = ("MONOCHROME1", "MONOCHROME2")
MAX_RAW_TEXT = 256
MAX_TEXT = 16
"""Length of a DICOM code string (PS3.5 6.2)."""

# Only these are read from the file; the rest, with the patient's data, is skipped over.
WANTED = [
    "SOPClassUID", "Manufacturer", "Modality", "BodyPartExamined", "ViewPosition", "NumberOfFrames",
    "PixelSpacing", "ImagerPixelSpacing", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth", "PaletteColorLookupTableUID",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "PixelData",
]  # fmt: skip


def decode_dicom(data: bytes) -> Decoded:
    """Decode a DICOM file (PS3.10) that holds one radiograph.

    Args:
        data: The file, already known to hold the DICM mark.

    Returns:
        Values, window and polarity by the file's own statement; spacing, body part and view where stated.

    Raises:
        ImageError: Not a single radiograph, of a kind that is not decoded, damaged or truncated.
    """
    with refusing_damage():
        return _decode(data)


def _decode(data: bytes) -> Decoded:
    ds = read_elements(data, WANTED)
    _check_kind(ds)
    check_dimensions(int(ds.Rows), int(ds.Columns))
    _check_samples(ds)
    _check_stream(ds)
    stored = _decode_pixels(ds)
    grey = ds.PhotometricInterpretation in GREY
    decoded = decode_grey(ds, stored) if grey else _decode_colour(ds, stored)
    spacing_mm, at_detector = _spacing(ds)
    return Decoded(
        values=decoded.values,
        bit_depth=decoded.bit_depth,
        window=decoded.window,
        polarity_known=grey,
        padding=decoded.padding,
        pixel_spacing_mm=spacing_mm,
        spacing_at_detector=at_detector,
        body_part=_text(ds, "BodyPartExamined").lower() or None,
        view_position=_text(ds, "ViewPosition").upper() or None,
        warnings=decoded.warnings,
    )


def _check_kind(ds: Dataset) -> None:
    if _text(ds, "Manufacturer") == OWN_MANUFACTURER:
        raise ImageError("The DICOM is a result of this program, not a radiograph. Choose the film itself.")
    modality = _text(ds, "Modality").upper()
    if (modality or ds.get("Modality")) and modality not in RADIOGRAPH_MODALITIES:
        raise ImageError(
            f"The DICOM is no radiograph: its modality is {modality or 'damaged'}; expected CR, DX, RG or a "
            "secondary capture. Choose the X-ray image of the study."
        )
    frames = (first_numbers(ds, "NumberOfFrames") or [1.0])[0]
    if frames > 1:
        raise ImageError(
            f"The DICOM holds {frames:.0f} frames; expected one. "
            "Export the single radiograph as its own file."
        )
    if "PixelData" not in ds or "Rows" not in ds or "Columns" not in ds:
        raise ImageError(
            "The DICOM holds no image (a report, a directory or presentation settings, or it was cut short). "
            "Choose the radiograph itself."
        )


def _check_samples(ds: Dataset) -> None:
    """Refuse what no branch below decodes, before pydicom allocates anything for it."""
    kind, samples = str(ds.PhotometricInterpretation), int(ds.SamplesPerPixel)
    allocated, stored = int(ds.BitsAllocated), int(ds.BitsStored)
    if allocated not in (8, 16) or not 8 <= stored <= allocated:
        raise ImageError(
            f"The DICOM has {stored} bits a sample in {allocated}; 8 to 16 bits in 8 or 16 are read. "
            "Export the radiograph as 8- to 16-bit DICOM."
        )
    expected = 1 if kind in (*GREY, PALETTE) else 3
    if samples != expected or (expected == 3 and not kind.startswith(("RGB", "YBR"))):
        raise ImageError(
            f"The DICOM has {samples} sample(s) a pixel as {_clean(kind) or 'an unnamed kind'}; expected "
            "MONOCHROME1, MONOCHROME2, RGB, YBR or PALETTE COLOR. Export the radiograph in grey."
        )


def _check_stream(ds: Dataset) -> None:
    """Hold a JPEG-family stream to the header's size and depth, and to its own end mark.

    GDCM trusts them: a stream that contradicts the header ends the process instead of raising.
    """
    syntax = ds.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    if ds.PixelData.count(ITEM_MARK) > MAX_FRAGMENTS:
        raise ImageError(
            f"The DICOM's pixels are in more than {MAX_FRAGMENTS:,} pieces. Export the radiograph again."
        )
    if syntax == RLELossless:
        return
    stream = get_frame(ds.PixelData, 0, number_of_frames=1)
    size = read_stream_size(stream)
    if size is None:
        raise ImageError(
            "The DICOM's compressed data is damaged or of an unknown kind. Export it uncompressed."
        )
    stated = (int(ds.Rows), int(ds.Columns))
    if (size.height, size.width) != stated or size.bits > int(ds.BitsAllocated):
        raise ImageError(
            f"The DICOM contradicts itself: {stated[1]} x {stated[0]} pixels of {ds.BitsAllocated} bits "
            f"by its header, {size.width} x {size.height} of {size.bits} in its data. "
            "Ask the sender for a corrected file."
        )
    if stream.startswith(JPEG_MARK) and has_too_many_scans(stream):
        raise ImageError(
            f"The DICOM's JPEG has over {MAX_JPEG_SCANS} scans; no radiograph has. Export it uncompressed."
        )
    if not is_ended(stream):
        raise ImageError("The DICOM is truncated: its compressed data has no end. Copy or export it again.")


def _decode_pixels(ds: Dataset) -> NDArray[Any]:
    try:
        plugin = PLUGINS.get(ds.file_meta.TransferSyntaxUID, "")
        stored: NDArray[Any] = pixel_array(ds, decoding_plugin=plugin, correct_unused_bits=False)
    except Exception as error:  # noqa: BLE001 - every decoder plug-in has its own exceptions
        name = ds.file_meta.TransferSyntaxUID.name
        raise ImageError(
            f"The DICOM's pixels could not be decoded ({_clean(name)}, {type(error).__name__}): "
            "the data is damaged or truncated, or compressed in a way that is not supported. "
            "Export the radiograph uncompressed."
        ) from None
    if stored.shape[:2] != (int(ds.Rows), int(ds.Columns)) or stored.dtype.itemsize > 2:
        raise ImageError("The DICOM's pixels are not of the size its header states. Export it again.")
    return stored


def _decode_colour(ds: Dataset, stored: NDArray[Any]) -> Decoded:
    if ds.PhotometricInterpretation == PALETTE:
        check_palette(ds)
        stored = apply_color_lut(stored, ds)
    grey, notes = to_grey(stored)
    return Decoded(grey, 8 if stored.dtype == np.uint8 else significant_bits(grey), warnings=notes)


def _spacing(ds: Dataset) -> tuple[tuple[float, float] | None, bool]:
    """Give PixelSpacing, or else ImagerPixelSpacing; and whether it is the detector's.

    At the detector the picture is larger than the bone. PixelSpacing may be corrected for that; where it
    equals ImagerPixelSpacing it is not (PS3.3 10.7.1.3).
    """
    known = {}
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = first_numbers(ds, keyword)
        if len(spacing) == 2 and all(0 < side < MAX_SPACING_MM for side in spacing):
            known[keyword] = (spacing[0], spacing[1])
    detector = known.get("ImagerPixelSpacing")
    spacing_mm = known.get("PixelSpacing", detector)
    return spacing_mm, spacing_mm is not None and spacing_mm == detector


def _text(ds: Dataset, keyword: str) -> str:
    value = ds.get(keyword)
    return _clean(value if isinstance(value, str) or not value else value[0])


def _clean(text: object) -> str:
    """Keep what a code string may hold, so that nothing else reaches a screen or a log.

    A value with control characters or a name's separator has swallowed its neighbours: the patient's name.
    """
    raw = str(text or "")[:MAX_RAW_TEXT].strip("\0 ")
    if not raw.isprintable() or "^" in raw:
        return ""
    kept = re.sub(r"[^A-Za-z0-9 _/.-]+", " ", raw)
    return " ".join(kept.split())[:MAX_TEXT].strip()
