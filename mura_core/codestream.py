"""Read what a compressed stream declares of itself, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

# Start-of-frame markers of every JPEG process (T.81 table B.1) and of JPEG-LS (T.87).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_STANDALONE_MARKERS = frozenset(range(0xD0, 0xD9)) | {0x01}
_SCAN = 0xDA
_SCAN_MARK = bytes((0xFF, _SCAN))
_END = b"\xff\xd9"
_MAX_SEGMENTS = 10_000
"""In front of the first scan, where decoders go one by one. Films have some ten; a profile of 16 MiB, 255."""

_MAX_BOXES = 100
_MAX_CHUNKS = 100_000
_JP2 = b"\0\0\0\x0cjP  "
_MAX_COMPONENTS = 4
_MAX_TILES = 65_535
"""As many as a tile's number can count."""

MAX_JPEG_SCANS = 50
"""Progressive films have some ten. At 64 million pixels each takes some 60 ms."""


@dataclass(frozen=True)
class StreamSize:
    """What a stream declares of itself."""

    height: int
    width: int
    bits: int


def read_jpeg_size(stream: bytes) -> StreamSize | None:
    """Read the frame header of a JPEG or JPEG-LS stream; None unless in order and short up to the scan.

    >>> read_jpeg_size(bytes.fromhex("ffd8 ffc0 000b 08 0040 0080 01 011100 ffda")) == StreamSize(64, 128, 8)
    True
    """
    at, size = 2, None
    for _ in range(_MAX_SEGMENTS):
        if at + 2 > len(stream) or stream[at] != 0xFF:
            break
        marker = stream[at + 1]
        if marker == _SCAN:
            return size
        if marker in _FRAME_MARKERS and at + 9 <= len(stream):
            height, width = (int.from_bytes(stream[i : i + 2], "big") for i in (at + 5, at + 7))
            size = StreamSize(height, width, stream[at + 4])
        if marker == 0xFF:
            at += 1
        elif marker in _STANDALONE_MARKERS:
            at += 2
        else:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return None


def has_too_many_scans(stream: bytes) -> bool:
    """Say whether a JPEG makes its decoder visit every pixel again and again, for a few bytes each time."""
    return stream.count(_SCAN_MARK) > MAX_JPEG_SCANS


def has_too_many_chunks(png: bytes) -> bool:
    """Say whether a PNG is cut into more pieces than 60 MiB of the smallest that encoders write."""
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(png):
            return False
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return True


def read_jpeg2000_size(stream: bytes) -> StreamSize | None:
    """Read the SIZ segment (T.800 A.5.1) of a JPEG 2000 stream, bare or boxed; None if there is none.

    None as well for what no film is and a decoder would take memory for: many components, or tiles of another
    size than some hundred to a film.
    """
    at = _codestream(stream)
    if stream[at : at + 4] != b"\xff\x4f\xff\x51" or len(stream) < at + 43:
        return None
    right, bottom, left, top, tile_width, tile_height = (
        int.from_bytes(stream[i : i + 4], "big") for i in range(at + 8, at + 32, 4)
    )
    components = int.from_bytes(stream[at + 40 : at + 42], "big")
    if not tile_width or not tile_height or not 1 <= components <= _MAX_COMPONENTS:
        return None
    if -(-right // tile_width) * -(-bottom // tile_height) > _MAX_TILES:
        return None
    return StreamSize(bottom - top, right - left, (stream[at + 42] & 0x7F) + 1)


def _codestream(stream: bytes) -> int:
    """Find the codestream among the boxes of a JP2 file (T.800 I.4) as a decoder does; 0 for a bare one."""
    at = 0
    for _ in range(_MAX_BOXES if stream.startswith(_JP2) else 0):
        length, kind = int.from_bytes(stream[at : at + 4], "big"), stream[at + 4 : at + 8]
        if kind == b"jp2c":
            return at + (16 if length == 1 else 8)
        if length < 8:  # to the end, or of 64 bits: no film is wrapped so
            return len(stream)
        at += length
    return at


def read_stream_size(stream: bytes) -> StreamSize | None:
    """Read the declared size of a JPEG, JPEG-LS or JPEG 2000 stream; None for anything else."""
    return read_jpeg_size(stream) if stream.startswith(b"\xff\xd8") else read_jpeg2000_size(stream)


def is_ended(stream: bytes) -> bool:
    """Say whether a JPEG-family stream closes with its end marker, padding apart."""
    return stream.rstrip(b"\0").endswith(_END)
