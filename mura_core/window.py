"""Display windows: the linear function of DICOM PS3.3 C.11.2.1.2 on uint16 values."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mura_core.study import Window

# A burnt-in marker or a dead row must not set the window of a whole film.
USED_FROM = 0.001
USED_TO = 0.999
SAMPLE_SIDE = 512
FAR = 2.0**22
"""64 times the deepest film's range."""


def apply_window(values: NDArray[np.uint16], window: Window) -> NDArray[np.float32]:
    """Map values to display brightness, as the DICOM LINEAR function does.

    Args:
        values: uint16 (H, W).
        window: In units of `values`, wider than 1.

    Returns:
        float32 (H, W) in [0, 1].

    >>> apply_window(np.array([[0, 51, 255]], np.uint16), Window(centre=128, width=256)).tolist()
    [[0.0, 0.20000000298023224, 1.0]]
    """
    low = np.float32(window.centre - 0.5 - (window.width - 1) / 2)
    pixels = values.astype(np.float32)
    if low != 0:
        pixels -= low
    # Division, not multiplication by the inverse: 8-bit films must equal value / 255 to the bit.
    pixels /= np.float32(window.width - 1)
    return np.clip(pixels, 0.0, 1.0, out=pixels)


def window_between(low: float, high: float) -> Window:
    """Build the window that shows `low` as black and `high` as white (low < high)."""
    return Window(centre=(low + high) / 2 + 0.5, width=high - low + 1)


def window_ends(window: Window) -> tuple[float, float]:
    """Give the values that the window shows as black and as white."""
    low = window.centre - 0.5 - (window.width - 1) / 2
    return low, low + window.width - 1


def full_window(bit_depth: int) -> Window:
    """Build the window that spans every value of the bit depth."""
    return window_between(0, 2**bit_depth - 1)


def used_window(values: NDArray[np.uint16], padding: NDArray[np.bool_] | None = None) -> Window:
    """Build the window that spans the values in use, less 0.1 % at either end.

    Args:
        values: uint16 (H, W), not constant.
        padding: bool (H, W), True where a pixel is no part of the film.

    Returns:
        A window wider than 1.
    """
    step = max(1, min(values.shape) // SAMPLE_SIDE)
    sample = values[::step, ::step]
    counted = sample.ravel() if padding is None else sample[~padding[::step, ::step]]
    if counted.size:
        share = np.cumsum(np.bincount(counted, minlength=1)) / counted.size
        low, high = (int(np.searchsorted(share, cut)) for cut in (USED_FROM, USED_TO))
        if low < high:
            return window_between(low, high)
    return window_between(int(values.min()), int(values.max()))


def default_window(
    values: NDArray[np.uint16], bit_depth: int, padding: NDArray[np.bool_] | None = None
) -> Window:
    """Choose a window for a source that states none.

    Eight bits were made for a screen and are shown as they are. More bits are detector values, of which a
    film seldom uses all: a 12-bit film in a 16-bit file would look black, so their used range is shown.
    """
    return full_window(8) if bit_depth <= 8 else used_window(values, padding)


def inverted_window(window: Window, bit_depth: int) -> Window:
    """Mirror a window along with values that become 2**bit_depth - 1 - value."""
    return Window(centre=2**bit_depth - window.centre, width=window.width)


def usable(window: Window) -> bool:
    """Say whether a window can show 16-bit values: finite, wider than 1, and not absurdly wide or far.

    Beyond `FAR` the values of the deepest film lie within a few greys, and float32 cannot hold the ends.
    """
    return math.isfinite(window.centre) and 1 < window.width <= FAR and abs(window.centre) <= FAR
