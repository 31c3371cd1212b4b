"""A large film made smaller fast, before it is brought to its last size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def coarse_step(height: int, width: int, longest_px: int) -> int:
    """How many pixels become one in `coarse`; 1 if the film stays as it is."""
    return max(1, max(height, width) // (2 * longest_px))


def coarse(pixels: NDArray[np.float32], longest_px: int) -> NDArray[np.float32]:
    """Shrink a film by a whole number, which takes a sixth of the time of any other.

    Args:
        pixels: float32 (H, W); not changed.
        longest_px: What its longest side will be shrunk to afterwards.

    Returns:
        float32 (h, w), its longest side at least twice that; the film itself if it is small. Less than a
        px of the result is cut off at the right and at the bottom.
    """
    height, width = pixels.shape
    whole = coarse_step(height, width, longest_px)
    if whole == 1:
        return pixels
    size = (width // whole, height // whole)
    cut = pixels[: size[1] * whole, : size[0] * whole]
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
