"""The DICOM grey pipeline (PS3.3 C.11.1, C.11.2): stored bits, modality LUT, VOI LUT or window, polarity.

Linear steps never touch the pixels: the window is carried back through them into units of the stored values,
so that a reader can window at the full depth. Only look-up tables and the sigmoid are baked into the values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mura_core.decoding import Decoded
from mura_core.errors import ImageError
from mura_core.study import Window
from mura_core.window import full_window, inverted_window, usable, window_between

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Values = NDArray[np.uint16]

SLOPE_NOTE = "The stated rescale slope or intercept is not usable; the stored values were taken as they are."
NO_WINDOW_NOTE = "The DICOM states no usable display window; the range of its values was used."


@dataclass(frozen=True, eq=False)
class _Codes:
    """Pixel codes and what they mean: modality value = slope * values + intercept, slope > 0."""

    values: Values
    bits: int
    slope: float = 1.0
    intercept: float = 0.0

    def modality_table(self) -> NDArray[np.float64]:
        """Give the modality value of every code, float64 (2**bits,)."""
        return self.slope * np.arange(2**self.bits, dtype=np.float64) + self.intercept


def decode_grey(ds: Dataset, stored: NDArray[Any]) -> Decoded:
    """Turn stored MONOCHROME pixels into values with bone bright, and the stated window.

    Args:
        ds: The header.
        stored: (H, W) of 8- or 16-bit integers as decoded, the sign and unused bits as the file has them.

    Returns:
        Values, window, padding and warnings; padding is black, whatever the polarity.

    Raises:
        ImageError: The header's bit positions or look-up tables contradict themselves.
    """
    notes: list[str] = []
    codes = _stored_codes(ds, stored)
    padding = _find_padding(ds, codes)
    codes = _apply_modality(ds, codes, notes)
    codes, window = _apply_voi(ds, codes)
    values = codes.values
    if window is None and codes.bits > 8:
        notes.append(NO_WINDOW_NOTE)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        values = (2**codes.bits - 1) - values
        window = window and inverted_window(window, codes.bits)
    if padding is not None:
        values[padding] = 0
    return Decoded(values, codes.bits, window, padding=padding, warnings=tuple(notes))


def first_numbers(ds: Dataset, keyword: str) -> list[float]:
    """Give the finite numbers of an element; empty if it is absent, empty or no number."""
    value: Any = ds.get(keyword)
    try:
        items = [value] if isinstance(value, (str, int, float)) else list(value)
        numbers = [float(item) for item in items]
    except (TypeError, ValueError):
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _stored_codes(ds: Dataset, stored: NDArray[Any]) -> _Codes:
    """Cut the stored bits out of the allocated ones; signed values become offset binary."""
    bits, allocated = int(ds.BitsStored), stored.dtype.itemsize * 8
    high = int(ds.get("HighBit", bits - 1))
    # A decoder of compressed data has already put the sample at bit 0.
    shift = 0 if ds.file_meta.TransferSyntaxUID.is_compressed else high + 1 - bits
    if shift < 0 or shift + bits > allocated:
        raise ImageError(
            f"The DICOM contradicts itself: {bits} bits stored up to bit {high} of {allocated}. "
            "Ask the sender for a corrected file."
        )
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    values = native.view(f"uint{allocated}").astype(np.uint16)
    if shift:
        values >>= shift
    values &= 2**bits - 1  # retired overlays may sit in the unused bits
    if int(ds.get("PixelRepresentation", 0)) == 0:
        return _Codes(values, bits)
    values ^= 2 ** (bits - 1)
    return _Codes(values, bits, intercept=-float(2 ** (bits - 1)))


def _find_padding(ds: Dataset, codes: _Codes) -> NDArray[np.bool_] | None:
    """Mark the pixels that PixelPaddingValue (PS3.3 C.7.5.1.1.2) takes out of the film."""
    ends = [*first_numbers(ds, "PixelPaddingValue")[:1], *first_numbers(ds, "PixelPaddingRangeLimit")[:1]]
    if "PixelPaddingValue" not in ds or not ends:
        return None
    low, high = min(ends) - codes.intercept, max(ends) - codes.intercept
    if high < 0 or low >= 2**codes.bits:
        return None
    padding = (codes.values >= max(0, low)) & (codes.values <= high)
    return padding if padding.any() and not padding.all() else None


def _apply_modality(ds: Dataset, codes: _Codes, notes: list[str]) -> _Codes:
    if ds.get("ModalityLUTSequence"):
        first, table = _read_lut(ds, ds.ModalityLUTSequence[0])
        return _baked(codes, _look_up(codes.modality_table(), first, table))
    slope, intercept = first_numbers(ds, "RescaleSlope")[:1], first_numbers(ds, "RescaleIntercept")[:1]
    if "RescaleSlope" not in ds and "RescaleIntercept" not in ds:
        return codes
    if not slope or not intercept or slope[0] == 0:
        notes.append(SLOPE_NOTE)
        return codes
    offset = slope[0] * codes.intercept + intercept[0]
    if slope[0] > 0:
        return replace(codes, slope=slope[0], intercept=offset)
    top = 2**codes.bits - 1
    return _Codes(top - codes.values, codes.bits, -slope[0], offset + slope[0] * top)


def _apply_voi(ds: Dataset, codes: _Codes) -> tuple[_Codes, Window | None]:
    """Apply a VOI LUT or a sigmoid, or carry a linear window back to units of the values.

    Of several tables or windows the first is taken, and a table before a window.
    """
    if ds.get("VOILUTSequence"):
        first, table = _read_lut(ds, ds.VOILUTSequence[0])
        baked = _baked(codes, _look_up(codes.modality_table(), first, table))
        return baked, full_window(baked.bits)
    centres, widths = first_numbers(ds, "WindowCenter"), first_numbers(ds, "WindowWidth")
    if not centres or not widths or widths[0] <= 0:
        return codes, None
    centre, width, function = centres[0], widths[0], str(ds.get("VOILUTFunction") or "LINEAR")
    if function == "SIGMOID":
        exponent = np.clip(-4 * (codes.modality_table() - centre) / width, -700, 700)
        return _Codes(
            (65535 / (1 + np.exp(exponent)) + 0.5).astype(np.uint16)[codes.values], 16
        ), full_window(16)
    if function == "LINEAR_EXACT":
        low, high = centre - width / 2, centre + width / 2
    else:
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    window = window_between((low - codes.intercept) / codes.slope, (high - codes.intercept) / codes.slope)
    return codes, window if usable(window) else None


def _read_lut(ds: Dataset, item: Dataset) -> tuple[int, Values]:
    """Read a LUT sequence item (PS3.3 C.11.1.1): the first value mapped, and the table."""
    count, first, bits = (int(number) for number in item.LUTDescriptor)
    count = count or 65536
    data = item.LUTData
    if isinstance(data, bytes):
        order = "<" if ds.file_meta.TransferSyntaxUID.is_little_endian else ">"
        if bits > 8 or len(data) >= 2 * count:
            data = np.frombuffer(data[: len(data) // 2 * 2], f"{order}u2")
        else:
            data = np.frombuffer(data, "u1")
    table = np.asarray(data)[:count]
    if len(table) < count or not 8 <= bits <= 16:
        raise ImageError(
            f"The DICOM's look-up table is incomplete: {len(table)} of {count} entries at {bits} bits. "
            "Ask the sender for a corrected file."
        )
    return first, table.astype(np.uint16)


def _look_up(inputs: NDArray[np.float64], first: int, table: Values) -> Values:
    """Map inputs through a table whose ends extend to all values below and above it."""
    places = np.clip(np.rint(inputs) - first, 0, len(table) - 1).astype(np.int64)
    looked_up: Values = table[places]
    return looked_up


def _baked(codes: _Codes, outputs: Values) -> _Codes:
    """Replace the codes by a table's outputs, at the bits its entries really use."""
    return _Codes(outputs[codes.values], max(8, int(outputs.max()).bit_length()))
