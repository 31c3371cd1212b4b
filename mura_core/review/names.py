"""The names of a source's files: how a person orders them, and which mean nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LITTER = frozenset({"thumbs.db", "desktop.ini", "dicomdir", "__macosx"})
"""What systems and discs leave beside films; a DICOMDIR only lists the films that lie beside it."""

_DIGITS = re.compile(r"(\d{1,18})")


@dataclass(frozen=True)
class Entry:
    """One file of a source.

    Attributes:
        name: What `Films.read` takes, and a case's views keep.
        parts: The folders below the source and the file's name, as a person reads them.
    """

    name: str
    parts: tuple[str, ...]


def is_litter(parts: tuple[str, ...]) -> bool:
    """Tell whether a file lies in or is what a system leaves behind.

    >>> [is_litter(parts) for parts in ((".DS_Store",), ("__MACOSX", "a.png"), ("study", "IM00001"))]
    [True, True, False]
    """
    return any(part.startswith(".") or part.lower() in _LITTER for part in parts)


def natural(parts: tuple[str, ...]) -> list[tuple[tuple[str, int], ...]]:
    """Give the key that orders names as a person does: image10 after image9.

    >>> sorted([("image10",), ("image9",)], key=natural)
    [('image9',), ('image10',)]
    """
    return [
        tuple(("", int(piece)) if piece.isdecimal() else (piece, 0) for piece in _DIGITS.split(part) if piece)
        for part in parts
    ]
