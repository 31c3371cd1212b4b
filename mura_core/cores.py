"""The same work for each view of a study, on as many cores as there are."""

from __future__ import annotations

import os
import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Given = TypeVar("Given")
Made = TypeVar("Made")

# OpenCV's own threads and these get into each other's way: together they take three times as long.
cv2.setNumThreads(1)

# What is done to a view does not call this again, so that a set of threads serves everybody. Decoders have
# their own: one may hang until its limit, and takes up to a gigabyte.
_hands = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="views")
_decoders = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="decoders")


def side_by_side(
    work: Callable[[Given], Made], given: Sequence[Given], *, decodes: bool = False
) -> tuple[Made, ...]:
    """Do the work for each of those given, and keep their order.

    Args:
        work: What is done to each.
        given: Them.
        decodes: Whether the work decodes a file.

    Raises:
        Exception: What the work raised for the first of them that it failed for.
    """
    hands = _decoders if decodes else _hands
    return tuple(map(work, given) if len(given) < 2 else hands.map(work, given))


def processor_name() -> str:
    """What the processor calls itself, for figures that depend on it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
