"""The same work for each view of a study, on as many cores as there are."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import cv2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Given = TypeVar("Given")
Made = TypeVar("Made")

# OpenCV's own threads and these get into each other's way: together they take three times as long.
cv2.setNumThreads(1)

# What is done to a view neither takes long nor calls this again, so that one set of threads serves everybody.
_hands = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="views")


def side_by_side(work: Callable[[Given], Made], given: Sequence[Given]) -> tuple[Made, ...]:
    """Do the work for each of those given, and keep their order.

    Raises:
        Exception: What the work raised for the first of them that it failed for.
    """
    return tuple(map(work, given) if len(given) < 2 else _hands.map(work, given))
