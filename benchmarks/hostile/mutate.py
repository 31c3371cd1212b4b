"""Damage to whole files, by chance from a seed: what needs no coverage and no extra package."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from benchmarks.hostile.seeds import chunk, seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EDGES = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
_PNG_HEAD = 8
_MAX_EDITS = 6
_MAX_SPAN = 512


def damaged_files(kind: str, count: int, seed: int) -> Iterator[bytes]:
    """Damage the seeds of a kind, each in turn; the same files for the same seed."""
    whole = list(seeds()[kind].values())
    for index in range(count):
        chance = random.Random(f"{kind} {seed} {index}")  # noqa: S311 - not a secret
        data = bytearray(whole[index % len(whole)])
        for _ in range(chance.randint(1, _MAX_EDITS)):
            chance.choice(_EDITS)(data, chance, whole)
        # Without right checksums a PNG's decoder looks at nothing behind them.
        yield mended_png(bytes(data)) if kind == "png" and index % 3 else bytes(data)


def mended_png(data: bytes) -> bytes:
    """Write each chunk's checksum anew, as far as the chunks can be followed."""
    parts, at = [data[:_PNG_HEAD]], _PNG_HEAD
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        parts.append(chunk(name, body))
        at += 12 + length
    return b"".join(parts) + data[at:]


def _place(data: bytearray, chance: random.Random) -> int:
    """Choose a place; every other time in the first kilobyte, where headers are."""
    return chance.randrange(min(len(data), 1024) if chance.random() < 0.5 else len(data)) if data else 0


def _set_byte(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place = _place(data, chance)
    data[place : place + 1] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))])


def _flip_bit(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place = _place(data, chance)
    data[place : place + 1] = bytes([(data[place] if data else 0) ^ 1 << chance.randrange(8)])


def _set_number(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place, size = _place(data, chance), chance.choice((2, 4))
    value = chance.choice(_EDGES) & (2 ** (8 * size) - 1)
    data[place : place + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _cut(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place = _place(data, chance)
    del data[place : place + chance.randint(1, _MAX_SPAN)]


def _end(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    if chance.random() < 0.3:
        del data[_place(data, chance) :]


def _repeat(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place = _place(data, chance)
    span = data[place : place + chance.randint(1, _MAX_SPAN)]
    data[place:place] = span * chance.choice((1, 1, 2, 40))


def _insert(data: bytearray, chance: random.Random, _whole: list[bytes]) -> None:
    place = _place(data, chance)
    data[place:place] = chance.randbytes(chance.randint(1, 32))


def _splice(data: bytearray, chance: random.Random, whole: list[bytes]) -> None:
    """Take a span of another seed, at the same place or anywhere."""
    other = chance.choice(whole)
    start = chance.randrange(len(other))
    span = other[start : start + chance.randint(1, _MAX_SPAN)]
    place = min(start, len(data)) if chance.random() < 0.5 else _place(data, chance)
    data[place : place + len(span)] = span


_EDITS: tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...] = (
    _set_byte, _set_byte, _flip_bit, _set_number, _set_number, _cut, _end, _repeat, _insert, _splice,
)  # fmt: skip
