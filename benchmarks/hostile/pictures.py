"""PNG and JPEG files of valid structure and hostile values, as hypothesis strategies."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from io import BytesIO

from hypothesis import strategies as st
from PIL import Image

from benchmarks.hostile.seeds import chunk, seeds

PNG_MARK = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
SIDES = st.sampled_from((0, 1, 63, 64, 65, 80, 96, 511, 513, 8000, 60000, 65535, 2**31 - 1, 2**32 - 1))
_small = st.sampled_from((64, 65, 80, 96, 300))


def rarely(one_in: int) -> st.SearchStrategy[bool]:
    """Say yes once in so many draws."""
    return st.sampled_from([number == one_in // 2 for number in range(one_in)])


@cache
def zeros(megabytes: int) -> bytes:
    """Deflate nothing but zeros: a thousandth of what it inflates to."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def png(
    width: int,
    height: int,
    bits: int,
    colour: int,
    packed: bytes,
    *,
    interlace: int = 0,
    between: bytes = b"",
) -> bytes:
    """Write a PNG of one IDAT; `between` are further chunks in front of it."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    return PNG_MARK + chunk(b"IHDR", head) + between + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def flat_png(width: int, height: int, bits: int, colour: int, **more: int) -> bytes:
    """Write a whole PNG of half black, half bright rows, quickly even if it is large."""
    row = width * CHANNELS[colour] * bits // 8
    packer = zlib.compressobj(1)
    rows = [packer.compress(b"\0" + (b"\xc0" if number % 2 else b"\0") * row) for number in range(height)]
    return png(width, height, bits, colour, b"".join(rows) + packer.flush(), **more)


@st.composite
def _ancillary(draw: st.DrawFn) -> bytes:
    """One chunk that stands in front of the pixels: text bombs, profiles, palettes, animation, EXIF."""
    name = draw(st.sampled_from((b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"eXIf", b"PLTE", b"tRNS", b"acTL",
    b"gAMA",
                                 b"fcTL", b"fdAT", b"IHDR", b"IEND", b"IDAT", b"pHYs", b"sBIT", b"XxXx",
                                 b"\0\0\0\0")))  # fmt: skip
    bomb = zeros(draw(st.sampled_from((1, 70))))
    bodies = {
        b"zTXt": b"Comment\0\0" + bomb,
        b"iTXt": b"Comment\0\1\0\0\0" + bomb,
        b"iCCP": b"profile\0\0" + bomb,
        b"acTL": struct.pack(">II", draw(st.sampled_from((0, 1, 2, 2**31, 2**32 - 1))), 0),
    }
    body = bodies.get(name, b"") if draw(st.booleans()) else draw(st.binary(max_size=900))
    length = draw(st.none() | st.sampled_from((0, 1, len(body) + 1, 2**31 - 1, 2**31, 2**32 - 1)))
    crc = draw(st.sampled_from((None, None, None, 1)))
    return chunk(name, body, length, crc)


@st.composite
def pngs(draw: st.DrawFn) -> bytes:
    """A PNG whose header, chunks and packed pixels may contradict each other."""
    bits, colour = draw(_kinds), draw(st.sampled_from((0, 0, 2, 3, 4, 6)))
    width, height = draw(_small), draw(_small)
    row = width * CHANNELS[colour] * max(8, bits) // 8
    fill = draw(st.binary(min_size=3, max_size=64)) + b"\0\xff"
    rows = [bytes([draw(_filter)]) + (fill * row)[shift : shift + row] for shift in range(5)]
    packed = zlib.compress(b"".join(rows * (height // 5 + 1))[: (row + 1) * height])
    between = b"".join(draw(st.lists(_ancillary(), max_size=2))) if draw(rarely(2)) else b""
    if colour == 3 and not draw(rarely(4)):
        between = chunk(b"PLTE", bytes(range(256)) * 3) + between
    if draw(rarely(4)):
        width, height = draw(st.sampled_from(((width, draw(SIDES)), (draw(SIDES), height), (60000, 60000))))
    if draw(rarely(5)):
        bits, colour = (
            draw(st.sampled_from((0, 1, 2, 4, 8, 16, 32, 255))),
            draw(st.sampled_from((*range(8), 255))),
        )
    if draw(rarely(4)):
        packed = draw(st.sampled_from((packed[:-9], packed * 2, packed[1:], zeros(70), b"")))
    interlace = draw(st.sampled_from((0, 0, 0, 1, 2)))
    return png(width, height, bits, colour, packed, interlace=interlace, between=between)


_kinds = st.sampled_from((8, 16))
_filter = st.sampled_from((0, 1, 2, 3, 4, 0, 5))


def segment(marker: int, body: bytes, length: int | None = None) -> bytes:
    """Write a JPEG segment, with another length than its own where one is given."""
    stated = len(body) + 2 if length is None else length
    return struct.pack(">BBH", 0xFF, marker, stated & 0xFFFF) + body


@st.composite
def _exif(draw: st.DrawFn) -> bytes:
    entries = draw(
        st.lists(st.tuples(*[st.integers(0, 65535)] * 2, *[st.integers(0, 2**32 - 1)] * 2), max_size=4)
    )
    entries.append(
        (
            0x0112,
            draw(st.integers(0, 13)),
            draw(st.sampled_from((0, 1, 9, 2**32 - 1))),
            draw(st.integers(0, 9)),
        )
    )
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    after = draw(st.sampled_from((0, 8, 2**32 - 1)))
    body = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + struct.pack("<I", after)
    return segment(0xE1, body)


@st.composite
def jpegs(draw: st.DrawFn) -> bytes:
    """A JPEG with a hostile frame header, segments between, repeated scans, or a scan that was cut."""
    data = draw(st.sampled_from(sorted(seeds()["jpeg"].values())))
    found = _frame_header(data)
    head = bytearray(data[found : found + 2 + int.from_bytes(data[found + 2 : found + 4], "big")])
    if draw(rarely(4)):
        at, value = draw(st.sampled_from((5, 7))), draw(SIDES) & 0xFFFF
        head[at : at + 2] = value.to_bytes(2, "big")
    if draw(rarely(3)):
        at = draw(st.sampled_from((1, 4, 9, *range(10, len(head)))))
        head[at] = draw(
            st.sampled_from((0, 1, 2, 4, 8, 12, 0x11, 0x22, 0x44, 0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 255))
        )
    extra = st.one_of(
        _exif(),
        st.binary(max_size=300).map(lambda body: segment(0xE2, b"ICC_PROFILE\0\1\xff" + body)),
        st.binary(max_size=300).map(lambda body: segment(0xED, b"Photoshop 3.0\x008BIM" + body)),
        st.builds(segment, st.sampled_from((0xDB, 0xC4, 0xDD, 0xEE, 0xFE, 0xF0, 0xDC)),
        st.binary(max_size=80)),
        st.builds(segment, st.sampled_from((0xE0, 0xE1, 0xC0)), st.binary(max_size=20), st.integers(0,
        65535)),
        st.just(b"\xff" * 5000),
    )  # fmt: skip
    data = (
        data[:found] + b"".join(draw(st.lists(extra, max_size=3))) + bytes(head) + data[found + len(head) :]
    )
    scan = data.rfind(b"\xff\xda")
    return (
        data[:scan]
        + data[scan:-2] * draw(st.sampled_from((1, 1, 3, 50)))
        + draw(st.sampled_from((b"\xff\xd9", b"")))
    )


def _frame_header(data: bytes) -> int:
    return min(at for mark in (b"\xff\xc0", b"\xff\xc2") if (at := data.find(mark)) > 0)


def scan_bomb(side: int, scans: int) -> bytes:
    """Write a progressive JPEG that visits all its pixels again and again, for some bytes a visit."""
    buffer = BytesIO()
    Image.new("L", (side, side), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]
