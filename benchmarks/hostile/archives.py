"""ZIPs of valid structure and hostile values, as hypothesis strategies."""

from __future__ import annotations

import bz2
import lzma
import struct
import zipfile
import zlib
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from pydicom import uid

from benchmarks.hostile.seeds import picture, whole_dicom, whole_zip

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = st.sampled_from((
    "a.png", "wrist/a.png", "wrist/b.png", "../a.png", "/etc/passwd", "..\\..\\a.png", "C:\\a.png", "C:a.png",
    "\\\\host\\share\\a.png", "a/../../b.png", "./a.png", ".", "..", "", "/", "a//b.png", "a/",
    "__MACOSX/a.png",
    "x" * 4000 + ".png", "/".join("d" * 200) + "/a.png", "\x1b[31m.png", "<img src=x onerror=alert(1)>.png",
    "a\u202egnp.png", "\ud55c\uad6d.png", "truth.csv", "TRUTH.CSV", "CON", "NUL.png",
    "valid/XR_WRIST/patient1/study1_positive/image1.png",
))  # fmt: skip
LIES = st.sampled_from((0, 1, 2**16 - 1, 2**31, 2**32 - 2, 2**32 - 1))
_ENTRY, _LIST = b"PK\x03\x04", b"PK\x01\x02"
_END = b"PK\x05\x06"


@cache
def zeros(megabytes: int) -> bytes:
    """Deflate nothing but zeros, without a header."""
    packer = zlib.compressobj(9, wbits=-15)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


@cache
def _nested(depth: int) -> bytes:
    data = whole_zip()
    for _ in range(depth):
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.zip", data)
            archive.writestr("a.png", data)
        data = buffer.getvalue()
    return data


@cache
def _films() -> tuple[bytes, ...]:
    return picture("PNG", "L"), picture("JPEG", "L"), whole_dicom(uid.ExplicitVRLittleEndian)


@st.composite
def _content(draw: st.DrawFn) -> bytes:
    tables = (
        "case_id,label\n" * 3, "case_id,label,boxes\nwrist,1,1 nan inf 0 0\n", "case_id\n", "\0",
        "case_id,label\na,2\n",
        'case_id,label\n"' + "x" * 200_000, "case_id,label\n" + "wrist,1\n" * 3,
        "label,case_id\nnormal,\u202e\n",
    )  # fmt: skip
    return draw(
        st.sampled_from(
            (*_films(), *_films(), *(table.encode() for table in tables), b"", b"MZ", _nested(3), bytes(5000))
        )
    )


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """A ZIP of odd names, links, folders and tables, whose own list of files may lie."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in draw(st.lists(_NAMES, min_size=0, max_size=5)):
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.create_system = draw(st.sampled_from((0, 3, 11)))
            info.external_attr = draw(
                st.sampled_from((0, 0o100644 << 16, 0o120777 << 16, 0o040755 << 16, 0x10, 2**32 - 1))
            )
            kind = draw(
                st.sampled_from(
                    (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
                )
            )
            try:
                archive.writestr(info, draw(_content()), kind)
            except ValueError:  # Python itself refuses to write some names
                continue
    data = buffer.getvalue()
    for _ in range(draw(st.sampled_from((0, 1, 1, 3)))):
        data = draw(_lie(data))
    return data + draw(st.sampled_from((b"", b"", b"rubbish", bytes(70000))))


@st.composite
def _lie(draw: st.DrawFn, data: bytes) -> bytes:
    """Overwrite one field of an entry, of the list or of the end (APPNOTE 4.3)."""
    mark, fields = draw(st.sampled_from((
        (_ENTRY, ((4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))),
        (_LIST, ((6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (38, 4),
        (42, 4))),
        (_END, ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))),
    )))  # fmt: skip
    start = data.find(mark)
    for _ in range(draw(st.integers(0, 3))):
        start = max(start, data.find(mark, start + 4))
    if start < 0:
        return data
    at, size = draw(st.sampled_from(fields))
    old = int.from_bytes(data[start + at : start + at + size], "little")
    value = draw(LIES | st.sampled_from((old + 1, old - 1, old ^ 1, 8, 9, 12, 14, 99)))
    return data[: start + at] + struct.pack("<Q", value % 2**64)[:size] + data[start + at + size :]


def raw_zip(entries: list[tuple[str, int, int, int, bytes | None]], *, extra: bytes = b"") -> bytes:
    """Write a ZIP whose list says what the caller wants.

    Args:
        entries: (name, method, stated unpacked size, place, packed data); of one without data the place is
            where it is said to begin, and the packed size that of the file before it.
        extra: Extra field of every line of the list (zip64 sizes).
    """
    body, listed, last = bytearray(), bytearray(), 0
    for name, method, size, place, packed in entries:
        named, begins = name.encode(), place
        if packed is not None:
            begins, last = len(body), len(packed)
            body += (
                struct.pack("<4s5H3I2H", _ENTRY, 20, 0, method, 0, 0, 0, last, size, len(named), 0)
                + named
                + packed
            )
        lens = (last, size, len(named), len(extra), 0, 0, 0, 0, begins)
        listed += struct.pack("<4s6H3I5H2I", _LIST, 20, 20, 0, method, 0, 0, 0, *lens) + named + extra
    count = min(len(entries), 65535)
    end = struct.pack("<4s4H2IH", _END, 0, 0, count, count, len(listed), len(body), 0)
    return bytes(body + listed) + end


def bombs() -> dict[str, Callable[[], bytes]]:
    """Give how to build ZIPs of little that unpack to much, or that say so, by name."""
    film = picture("PNG", "L")
    packed = zlib.compress(film, 9)[2:-4]
    twice = [
        ("a0.png", 8, len(film), 0, packed),
        *[(f"a{n}.png", 8, len(film), 0, None) for n in range(1, 900)],
    ]
    large = struct.pack("<HHQ", 1, 8, 2**62)
    return {
        "honest ratio": lambda: raw_zip([("a.png", 8, 200 * 2**20, 0, zeros(200))]),
        "lying ratio": lambda: raw_zip([("a.png", 8, len(film), 0, zeros(200))]),
        "overlapping files": lambda: raw_zip(twice),
        "LZMA of a 4 GiB dictionary": lambda: raw_zip([("a.png", 14, 2**26, 0, _lzma(2**32 - 1))]),
        "LZMA of zeros": lambda: raw_zip([("a.png", 14, 1000, 0, _lzma(2**20))]),
        "bzip2 of zeros": lambda: raw_zip([("a.png", 12, 1000, 0, bz2.compress(bytes(2**30)))]),
        "zip64": lambda: raw_zip([("a.png", 8, 2**32 - 1, 0, packed)], extra=large),
        "100,000 files": lambda: raw_zip([(f"{n}.png", 0, 0, 0, b"") for n in range(100_000)]),
        "a million names": lambda: raw_zip([("a", 0, 0, 0, b""), *[("", 0, 0, 0, None)] * 1_000_000]),
        "ZIPs in ZIPs": lambda: _nested(9),
    }


def _lzma(dictionary: int) -> bytes:
    """Pack 256 MiB of zeros, and say how much memory unpacking is to take."""
    packed = lzma.compress(bytes(2**28), lzma.FORMAT_ALONE)
    return struct.pack("<BBHB", 9, 4, 5, 0x5D) + struct.pack("<I", dictionary) + packed[13:]
