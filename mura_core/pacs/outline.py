"""Where a heatmap is hottest, as a line that a report can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.overlay import CONTOUR_LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_ERROR_PX = 1.0
"""How far the outline may leave the heatmap's level line."""


def hottest_outline(heatmap: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Outline the region around the hottest place, at the level of the line that the overlay draws.

    Args:
        heatmap: float32 (H, W) in [0, 1].

    Returns:
        float32 (N, 2) columns and rows of a closed line, in pixels with (0, 0) at the image's outer corner
        (PS3.3 C.18.6); None where no place reaches `CONTOUR_LEVEL`.
    """
    hottest = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    if heatmap[hottest] < CONTOUR_LEVEL:
        return None
    _, regions = cv2.connectedComponents((heatmap >= CONTOUR_LEVEL).astype(np.uint8))
    region = (regions == regions[hottest]).astype(np.uint8)
    lines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = cv2.approxPolyDP(lines[0], LARGEST_ERROR_PX, closed=True)[:, 0]
    return np.concatenate([line, line[:1]]).astype(np.float32) + np.float32(0.5)
