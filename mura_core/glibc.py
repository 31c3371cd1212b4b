"""What the C library is asked to do with freed memory. Elsewhere than on glibc nothing is done."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

# Of malloc.h.
_M_ARENA_MAX = -8


def share_arenas() -> None:
    """Let threads share two stores of freed memory, where one for each would be kept. Call it early."""
    _ask("mallopt", _M_ARENA_MAX, 2)


def give_back() -> None:
    """Hand freed memory back to the system: a hundred megabytes of what a network took while it was compiled.

    The next study is some 80 ms slower for it.
    """
    _ask("malloc_trim", 0)


def _ask(function: str, *given: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(None), function)(*given)
