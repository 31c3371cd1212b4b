"""Read what a compressed stream declares of itself, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

# Start-of-frame markers of every JPEG process (T.81 table B.1) and of JPEG-LS (T.87).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_STANDALONE_MARKERS = frozenset(range(0xD0, 0xD9)) | {0x01}
_SCAN = 0xDA
_END = b"\xff\xd9"


@dataclass(frozen=True)
class StreamSize:
    """What a stream declares of itself."""

    height: int
    width: int
    bits: int


def read_jpeg_size(stream: bytes) -> StreamSize | None:
    """Read the frame header of a JPEG or JPEG-LS stream; None unless it is in order up to the scan.

    >>> read_jpeg_size(bytes.fromhex("ffd8 ffc0 000b 08 0040 0080 01 011100 ffda")) == StreamSize(64, 128, 8)
    True
    """
    at, size = 2, None
    while at + 2 <= len(stream) and stream[at] == 0xFF:
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


def read_jpeg2000_size(stream: bytes) -> StreamSize | None:
    """Read the SIZ segment (T.800 A.5.1) of a JPEG 2000 stream, bare or boxed; None if there is none."""
    at = stream.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(stream) < at + 43:
        return None
    right, bottom, left, top = (int.from_bytes(stream[i : i + 4], "big") for i in range(at + 8, at + 24, 4))
    return StreamSize(bottom - top, right - left, (stream[at + 42] & 0x7F) + 1)


def read_stream_size(stream: bytes) -> StreamSize | None:
    """Read the declared size of a JPEG, JPEG-LS or JPEG 2000 stream; None for anything else."""
    return read_jpeg_size(stream) if stream.startswith(b"\xff\xd8") else read_jpeg2000_size(stream)


def is_ended(stream: bytes) -> bool:
    """Say whether a JPEG-family stream closes with its end marker, padding apart."""
    return stream.rstrip(b"\0").endswith(_END)
