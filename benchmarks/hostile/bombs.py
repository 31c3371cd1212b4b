"""The largest and the costliest files of each kind, by name: whole ones at the limits, and bombs."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image
from pydicom import uid

from benchmarks.hostile import archives
from benchmarks.hostile.films import item, large, long_rle, nested
from benchmarks.hostile.pictures import flat_png, png, scan_bomb, segment, zeros
from benchmarks.hostile.seeds import (
    HEIGHT,
    WIDTH,
    chunk,
    dicom,
    element,
    encapsulated,
    film,
    frame,
    header,
    number,
    picture,
    preamble,
)

Bomb = tuple[str, Callable[[], bytes]]
"""A file's kind, and what builds it."""

SIDE = 8000
"""64 million pixels: the largest film that is read."""


def bombs() -> dict[str, Bomb]:
    """Give each file's kind and how to build it, by name; they are too large to build all at once."""
    zips: dict[str, Bomb] = {
        f"ZIP, {name}": ("zip", lambda name=name: archives.bombs()[name]()) for name in archives.bombs()
    }
    return {**_pictures(), **_costly_pixels(), **_costly_structures(), **zips}


def _pictures() -> dict[str, Bomb]:
    return {
        "PNG, 60,000 x 60,000": ("png", lambda: png(60000, 60000, 8, 0, zeros(70))),
        "PNG, 64 million grey": ("png", lambda: flat_png(SIDE, SIDE, 8, 0)),
        "PNG, 64 million grey of 16 bits": ("png", lambda: flat_png(SIDE, SIDE, 16, 0)),
        "PNG, 64 million RGBA": ("png", lambda: flat_png(SIDE, SIDE, 8, 6)),
        "PNG, 64 million RGBA of 16 bits": ("png", lambda: flat_png(SIDE, SIDE, 16, 6)),
        "PNG, 32 million RGBA of 16 bits": ("png", lambda: flat_png(SIDE // 2, SIDE, 16, 6)),
        "PNG, pixels without end": ("png", lambda: png(96, 96, 8, 0, zeros(1000))),
        "PNG, a million empty chunks": ("png", lambda: _chunks(b"teXt", b"")),
        "PNG, a million chunks of text": ("png", lambda: _chunks(b"tEXt", b"a\0b")),
        "PNG, a million pieces of pixels": ("png", lambda: _chunks(b"IDAT", b"")),
        "JPEG, a million empty segments": ("jpeg", lambda: _segments(segment(0xFE, b"") * 1_000_000)),
        "JPEG, a million empty profiles": ("jpeg", _profiles),
        "JPEG, 50 million bytes of fill": ("jpeg", lambda: _segments(b"\xff" * 50_000_000)),
        "JPEG, 64 million RGB": ("jpeg", lambda: _jpeg("RGB")),
        "JPEG, 64 million CMYK, progressive": ("jpeg", lambda: _jpeg("CMYK", progressive=True)),
        "JPEG, 1,000 scans of 64 million": ("jpeg", lambda: scan_bomb(SIDE, 1000)),
        "JPEG, 45 scans of 64 million": ("jpeg", lambda: scan_bomb(SIDE, 39)),
        "JPEG, 100,000 scans": ("jpeg", lambda: scan_bomb(800, 100_000)),
    }


def _costly_pixels() -> dict[str, Bomb]:
    deflated, implicit = uid.DeflatedExplicitVRLittleEndian, uid.ImplicitVRLittleEndian
    return {
        "DICOM, 64 million of 16 bits": (
            "dicom",
            lambda: large(SIDE, SIDE, implicit, bytes(SIDE) * SIDE * 2, 16),
        ),
        "DICOM, deflated 64 million": (
            "dicom",
            lambda: large(SIDE, SIDE, deflated, bytes(2**20) + b"\xff" * (SIDE**2 - 2**20)),
        ),
        "DICOM, deflated without end": ("dicom", lambda: preamble(deflated) + archives.zeros(1000)),
        "DICOM, RLE of two-byte runs": ("dicom", lambda: long_rle(5000, 6000)),
        "DICOM, JPEG 2000, 64 million": (
            "dicom",
            lambda: large(SIDE, SIDE, uid.JPEG2000Lossless, _jpeg2000()),
        ),
        "DICOM, a thousand scans": (
            "dicom",
            lambda: large(SIDE, SIDE, uid.JPEGBaseline8Bit, scan_bomb(SIDE, 1000)),
        ),
        "DICOM, 1,000 frames": ("dicom", _frames),
        "DICOM, a palette for 64 million": ("dicom", lambda: _palette(None, SIDE)),
        "DICOM, deflated RGB of 64 million": ("dicom", lambda: _deflated_rgb(SIDE)),
    }


def _costly_structures() -> dict[str, Bomb]:
    implicit = uid.ImplicitVRLittleEndian
    return {
        "DICOM, sequences 100,000 deep": ("dicom", lambda: _in_sequence(nested(100_000, implicit))),
        "DICOM, a million items": ("dicom", lambda: _in_sequence(item(b"", implicit) * 1_000_000)),
        "DICOM, a million elements": ("dicom", _elements),
        "DICOM, a window without end": ("dicom", lambda: _texts(0x00281050, b"DS", b"1\\" * 2_000_000)),
        "DICOM, a text of 40 MB": ("dicom", lambda: _texts(0x00180015, b"LT", b"A" * 40_000_000)),
        "DICOM, a palette of long lines": (
            "dicom",
            lambda: _palette(b"\0\0\1\0\0\0" + b"\1\0\xff\xff\1\0" * 10_000),
        ),
        "DICOM, a number of 50 MB in front": ("dicom", _long_meta),
        "DICOM, a million fragments of stated length": ("dicom", lambda: _fragments(stated=True)),
        "DICOM, JPEG 2000 in a million boxes": ("dicom", _boxes),
        "DICOM, a JPEG of a million segments": ("dicom", _jpeg_segments),
        "DICOM, a million fragments": ("dicom", _fragments),
    }


def _jpeg(mode: str, **options: bool) -> bytes:
    buffer = BytesIO()
    ramp = np.linspace(0, 255, SIDE).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp, (SIDE, SIDE))).convert(mode)
    image.save(buffer, "JPEG", quality=60, **options)
    return buffer.getvalue()


def _jpeg2000() -> bytes:
    buffer = BytesIO()
    ramp = np.linspace(0, 255, SIDE).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(np.broadcast_to(ramp, (SIDE, SIDE)))).save(
        buffer, "JPEG2000", no_jp2=True
    )
    return buffer.getvalue()


def _frames() -> bytes:
    elements = header(uid.ExplicitVRLittleEndian)
    elements[0x00280008] = ("IS", b"1000")
    return dicom(uid.ExplicitVRLittleEndian, elements, frame(uid.ExplicitVRLittleEndian) * 1000)


def _in_sequence(body: bytes) -> bytes:
    """A look-up table's sequence, which is not skipped, around what the caller wants."""
    implicit = uid.ImplicitVRLittleEndian
    elements = {**header(implicit), 0x00283010: ("SQ", body)}
    return dicom(implicit, elements, frame(implicit))


def _texts(tag: int, vr: bytes, value: bytes) -> bytes:
    implicit = uid.ImplicitVRLittleEndian
    return dicom(implicit, {**header(implicit), tag: (vr.decode(), value)}, frame(implicit))


def _elements() -> bytes:
    implicit = uid.ImplicitVRLittleEndian
    whole = dicom(implicit, header(implicit), frame(implicit))
    private = b"".join(
        element(0x00090000 + 0x20000 * (n >> 15) + 0x1000 + (n & 0x7FFF), "UN", b"", syntax=implicit)
        for n in range(1_000_000)
    )
    return whole + private


def _fragments(*, stated: bool = False) -> bytes:
    syntax = uid.JPEGLosslessSV1
    pieces = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000 + b"\xfe\xff\xdd\xe0\0\0\0\0"
    whole = dicom(syntax, header(syntax), pieces)
    place = whole.rindex(b"\xe0\x7f\x10\0") + 8
    return whole[:place] + len(pieces).to_bytes(4, "little") + whole[place + 4 :] if stated else whole


def _boxes() -> bytes:
    syntax = uid.JPEG2000Lossless
    mark = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08free" * 1_000_000 + b"\0\0\0\0jp2c"
    return dicom(syntax, header(syntax), encapsulated(mark + frame(syntax)))


def _jpeg_segments() -> bytes:
    syntax = uid.JPEGBaseline8Bit
    return dicom(syntax, header(syntax), encapsulated(_segments(segment(0xFE, b"") * 1_000_000)))


def _profiles() -> bytes:
    return _segments(segment(0xE2, b"ICC_PROFILE\0\1\1") * 1_000_000)


def _segments(between: bytes) -> bytes:
    """A JPEG with something between its first marker and the rest."""
    data = picture("JPEG", "L")
    return data[:2] + between + data[2:]


def _chunks(name: bytes, body: bytes) -> bytes:
    """A PNG with a million chunks in front of its pixels."""
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in film()))
    return png(WIDTH, HEIGHT, 8, 0, packed, between=chunk(name, body) * 1_000_000)


def _palette(segments: bytes | None, side: int = 96) -> bytes:
    """A film in palette colours; None for a whole palette."""
    deflated = uid.DeflatedExplicitVRLittleEndian
    elements = header(deflated) | {0x00280004: ("CS", b"PALETTE COLOR")}
    elements |= {0x00280010: ("US", number(side)), 0x00280011: ("US", number(side))}
    for tag in (0x00281101, 0x00281102, 0x00281103):
        elements[tag] = ("US", number(256) + number(0) + number(16))
        ramp = b"".join(number(place * 257) for place in range(256))
        elements[tag + (0x100 if segments is None else 0x120)] = (
            "OW",
            ramp if segments is None else segments,
        )
    return dicom(deflated, elements, (bytes(side) + b"\x80" * side) * (side // 2))


def _deflated_rgb(side: int) -> bytes:
    deflated = uid.DeflatedExplicitVRLittleEndian
    elements = header(deflated) | {0x00280004: ("CS", b"RGB"), 0x00280002: ("US", number(3))}
    elements |= {
        0x00280010: ("US", number(side)),
        0x00280011: ("US", number(side)),
        0x00280006: ("US", number(0)),
    }
    return dicom(deflated, elements, (bytes(side) + b"\x80" * side) * (side // 2) * 3)


def _long_meta() -> bytes:
    implicit = uid.ImplicitVRLittleEndian
    whole = dicom(implicit, header(implicit), frame(implicit))
    number_of_many = element(0x00020003, "UC", b"\\" * 50_000_000, syntax=uid.ExplicitVRLittleEndian)
    at = whole.index(b"\2\0\x10\0")
    return whole[:at] + number_of_many + whole[at:]
