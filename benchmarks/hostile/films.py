"""DICOM files of valid structure and hostile values, as hypothesis strategies."""

from __future__ import annotations

import random
import struct
from functools import cache

from hypothesis import strategies as st
from pydicom import uid

from benchmarks.hostile.pictures import rarely
from benchmarks.hostile.seeds import (
    COMPRESSED,
    SYNTAXES,
    Element,
    dicom,
    element,
    encapsulated,
    frame,
    header,
    number,
)

_UNKNOWN = (
    uid.JPEGExtended12Bit, uid.HTJ2K, uid.HTJ2KLossless, uid.JPEG2000MC, uid.MPEG2MPML,
    uid.JPIPHTJ2KReferenced,
    "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.8.1", "1.2.3", "9" * 64, "",
    "no number",
)  # fmt: skip
_NUMBERS = st.sampled_from(
    (0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 17, 32, 63, 64, 80, 96, 255, 256, 4096, 60000, 65535)
)
_DECIMALS = st.sampled_from((
    "0", "-0", "1", "-1", "0.5", "1.0000001", "1e-40", "1e-320", "128", "-2048", "1e38", "1e39", "-1e39",
    "1e308",
    "-1e308", "1e309", "nan", "inf", "-inf", "NaN\\1", "", " ", "\\", "1\\2\\3", "0x10", "1e", "1,5",
    "9" * 400,
))  # fmt: skip
_TEXTS = st.sampled_from((
    "", " ", "DX", "CR", "CT", "dx", "DX\\CT", "HAND", "<script>alert(1)</script>", "../../x", "A" * 70000,
    "\x1b[31m", "\n\r\0", "DOE^JANE", "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL",
    "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "CMYK", "ARGB", "HSV", "SIGMOID", "LINEAR_EXACT",
))  # fmt: skip
_WORD_TAGS = (
    0x00280002, 0x00280006, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103,
)  # fmt: skip
_DECIMAL_TAGS = (
    0x00281050,
    0x00281051,
    0x00281052,
    0x00281053,
    0x00280030,
    0x00181164,
    0x00280008,
    0x00200013,
)
_TEXT_TAGS = (0x00080060, 0x00080070, 0x00180015, 0x00185101, 0x00280004, 0x00281056, 0x00080005, 0x0020000D)
_PALETTE = (0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203)
LENGTHS = st.sampled_from((0, 1, 2, 7, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF))

_KINDS = (
    *["decimal"] * 4,
    "word",
    "word",
    "text",
    "text",
    "lut",
    "lut",
    "palette",
    "padding",
    "raw",
    "sequence",
)


@cache
def _frame(syntax: str, bits: int) -> bytes:
    return frame(syntax, bits)


@st.composite
def _changed(draw: st.DrawFn, syntax: str) -> tuple[int, Element]:
    """One element that is absent from a good film or not what it is there."""
    kind = draw(st.sampled_from(_KINDS))
    if kind == "word":
        return draw(st.sampled_from(_WORD_TAGS)), ("US", number(draw(_NUMBERS), syntax))
    if kind == "decimal":
        return draw(st.sampled_from(_DECIMAL_TAGS)), ("DS", draw(_DECIMALS).encode())
    if kind == "text":
        return draw(st.sampled_from(_TEXT_TAGS)), ("CS", draw(_TEXTS).encode()[:65534])
    if kind == "lut":
        return draw(st.sampled_from((0x00283000, 0x00283010))), ("SQ", draw(_lut(syntax)))
    if kind == "palette":
        tag = draw(st.sampled_from(_PALETTE))
        words = (
            draw(st.lists(_NUMBERS, max_size=4))
            if tag < 0x00281200
            else [255, 128] * draw(st.sampled_from((0, 1, 128, 16000)))
        )
        return tag, ("US" if tag < 0x00281200 else "OW", b"".join(number(word, syntax) for word in words))
    if kind == "padding":
        return draw(st.sampled_from((0x00280120, 0x00280121))), ("SS", number(draw(_NUMBERS), syntax))
    if kind == "sequence":
        return 0x00081115, ("SQ", nested(draw(st.sampled_from((1, 5, 90, 3000))), syntax))
    tag = draw(st.sampled_from((*_WORD_TAGS, *_DECIMAL_TAGS, *_TEXT_TAGS, *_PALETTE, 0x00100010, 0x00020010)))
    vr = draw(
        st.sampled_from(("US", "SS", "DS", "IS", "CS", "OB", "UN", "SQ", "AT", "FD", "UL", "UI", "PN", "??"))
    )
    return tag, (vr, draw(st.binary(max_size=64)))


@st.composite
def _lut(draw: st.DrawFn, syntax: str) -> bytes:
    """A sequence of one look-up table whose descriptor may lie."""
    entries = draw(st.sampled_from((0, 1, 2, 256, 4096, 32766)))
    count, first, bits = draw(st.sampled_from((entries, 0, 65535))), draw(_NUMBERS), draw(_NUMBERS)
    words = b"".join(number(place * 16, syntax) for place in range(entries))
    descriptor = b"".join(number(value, syntax) for value in (count, first, bits)[: draw(st.integers(1, 3))])
    vr = draw(st.sampled_from(("US", "SS", "OW")))
    body = element(0x00283002, vr, descriptor, syntax=syntax) + element(
        0x00283006, "OW", words, syntax=syntax
    )
    return item(body, syntax)


def item(body: bytes, syntax: str, length: int | None = None) -> bytes:
    """Write a sequence's item, with another length than its own where one is given."""
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    return struct.pack(order + "HHI", 0xFFFE, 0xE000, len(body) if length is None else length) + body


def nested(depth: int, syntax: str) -> bytes:
    """Write sequences in sequences of undefined length, never closed."""
    opened = item(b"", syntax, 0xFFFFFFFF) + element(0x00081115, "SQ", b"", syntax=syntax, length=0xFFFFFFFF)
    return opened * depth


@st.composite
def _stream(draw: st.DrawFn, syntax: str, bits: int) -> bytes:
    """A film's frame, whole, damaged, cut, doubled or of another syntax, and its wrapping likewise."""
    compressed = uid.UID(syntax) in COMPRESSED
    stream = bytearray(_frame(syntax, bits if syntax != uid.JPEGBaseline8Bit else 8))
    how = draw(st.sampled_from(("whole",) * 4 + ("damaged",) * 3 + ("cut", "long", "empty", "other")))
    if how == "damaged":
        # A number, not a list of places: hypothesis has little room for choices, a damaged stream wants many.
        chance = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - not a secret
        for _ in range(chance.choice((1, 3, 20))):
            stream[chance.randrange(len(stream))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256))
            )
    elif how == "cut":
        del stream[draw(st.integers(0, len(stream))) :]
    elif how == "long":
        stream += bytes(stream) * draw(st.sampled_from((1, 30)))
    elif how == "empty":
        stream.clear()
    elif how == "other":
        stream = bytearray(_frame(draw(st.sampled_from(COMPRESSED)), 8))
    if not compressed:
        return bytes(stream)
    offsets = draw(st.sampled_from((b"", b"\0" * 4, b"\xff" * 4, b"\0" * 3, b"\0" * 4000)))
    wrapped = encapsulated(bytes(stream), offsets)
    if draw(rarely(9)):
        wrapped = wrapped[:4] + struct.pack("<I", draw(LENGTHS)) + wrapped[8:]
    return wrapped[: draw(st.sampled_from((-8, -4, 8)))] if draw(rarely(9)) else wrapped


@st.composite
def dicoms(draw: st.DrawFn) -> bytes:
    """A DICOM of any syntax with some elements changed or missing, and pixels that may not fit them."""
    bits = draw(st.sampled_from((8, 12, 16)))
    written = draw(st.sampled_from(SYNTAXES))
    elements = header(written, 8 if written == uid.JPEGBaseline8Bit else bits)
    for tag, changed in draw(st.lists(_changed(written), max_size=3)):
        elements[tag] = changed
    if draw(rarely(6)):
        elements.pop(draw(st.sampled_from(sorted(elements))))
    pixels = None if draw(rarely(20)) else draw(_stream(written, bits))
    data = dicom(written, elements, pixels)
    if draw(rarely(6)):
        stated = draw(st.sampled_from((*SYNTAXES, *_UNKNOWN)))
        old, new = _padded(written), _padded(stated)
        # Of the same length it is only stated otherwise; else the elements are written so as well.
        data = data.replace(old, new, 1) if len(old) == len(new) else dicom(stated, elements, pixels)
    if draw(rarely(8)):
        at = data.rfind(b"\xe0\x7f\x10\x00") + (4 if written == uid.ImplicitVRLittleEndian else 8)
        data = data[:at] + struct.pack("<I", draw(LENGTHS)) + data[at + 4 :]
    return data


def _padded(syntax: str) -> bytes:
    return syntax.encode() + b"\0" * (len(syntax) % 2)


def long_rle(rows: int, columns: int) -> bytes:
    """Write an RLE film in the most pieces it can have: two bytes for each pixel."""
    elements = header(uid.RLELossless)
    elements[0x00280010], elements[0x00280011] = ("US", number(rows)), ("US", number(columns))
    stream = struct.pack("<16I", 1, 64, *[0] * 14) + b"\0\x20\0\xd0" * (rows * columns // 2)
    return dicom(uid.RLELossless, elements, encapsulated(stream))


def large(rows: int, columns: int, syntax: str, stream: bytes, bits: int = 8) -> bytes:
    """Write a film of another size than the seeds' around pixels that the caller made."""
    elements = header(syntax, bits)
    elements[0x00280010], elements[0x00280011] = ("US", number(rows, syntax)), ("US", number(columns, syntax))
    return dicom(syntax, elements, encapsulated(stream) if uid.UID(syntax).is_encapsulated else stream)
