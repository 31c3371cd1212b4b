"""Tell a bright-background film (bone dark) from a usual one (bone bright) by its picture alone.

Needed for PNG and JPEG, which cannot say. Three measures that change sign when a film is inverted are added:
thin structures (cortical bone is a bright ridge), skewness (air is most of a film, and dark) and the level of
the border (air, again). Bright borders that jump straight to dark are collimator bars or a white page
around the film, where inverted air would meet skin first: such a film is left alone. Wrongly inverting a good
film is worse than leaving an inverted one, so the threshold asks for plain evidence; `benchmarks/polarity.py`
measures it.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from mura_core.coarse import coarse

WORK_SIDE_PX = 128
INVERTED_BELOW = -1.0
DOUBTFUL_BELOW = -0.6
BAR_SHARE = 0.35


class Polarity(StrEnum):
    """What the picture says of its own polarity."""

    BONE_BRIGHT = "bone bright"
    DOUBTFUL = "doubtful"
    BONE_DARK = "bone dark"


def find_polarity(pixels: NDArray[np.float32]) -> Polarity:
    """Judge the polarity of a film.

    Args:
        pixels: float32 (H, W) in [0, 1], of either polarity.

    Returns:
        BONE_DARK only on plain evidence; DOUBTFUL where a person should look.
    """
    film = _working_copy(pixels)
    score = polarity_score(film)
    if score > DOUBTFUL_BELOW or _bright_border_is_bar(film):
        return Polarity.BONE_BRIGHT
    return Polarity.BONE_DARK if score < INVERTED_BELOW else Polarity.DOUBTFUL


def polarity_score(film: NDArray[np.float32]) -> float:
    """Add the three measures: positive for bone bright; inverting the film changes only the sign.

    Args:
        film: float32 (h, w) in [0, 1], about 128 px long, contrast stretched.
    """
    return _ridge_asymmetry(film) + _skewness(film) + (0.5 - _border_level(film))


def _working_copy(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = pixels.shape
    scale = WORK_SIDE_PX / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(coarse(pixels, WORK_SIDE_PX), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    low, high = np.percentile(small, (1, 99))
    stretched: NDArray[np.float32] = (np.clip(small, low, high) - low) / max(high - low, 1e-6)
    return stretched.astype(np.float32)


def _ridge_asymmetry(film: NDArray[np.float32]) -> float:
    """Compare thin bright with thin dark structures away from the border, in [-1, 1]."""
    smooth = cv2.GaussianBlur(film, (0, 0), 1.0)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    bright = smooth - cv2.morphologyEx(smooth, cv2.MORPH_OPEN, disc)
    dark = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, disc) - smooth
    height, width = film.shape
    inner = np.s_[height // 10 : height - height // 10, width // 10 : width - width // 10]
    bright_mean, dark_mean = float(bright[inner].mean()), float(dark[inner].mean())
    return (bright_mean - dark_mean) / (bright_mean + dark_mean + 1e-6)


def _skewness(film: NDArray[np.float32]) -> float:
    centred = film - film.mean()
    # Not **3: that alone takes a millisecond.
    return float((centred * centred * centred).mean() / (film.std() ** 3 + 1e-6))


def _border_level(film: NDArray[np.float32]) -> float:
    margin = max(3, int(0.06 * min(film.shape)))
    border = np.ones(film.shape, dtype=bool)
    border[margin:-margin, margin:-margin] = False
    return float(np.median(film[border]))


def _bright_border_is_bar(film: NDArray[np.float32]) -> bool:
    """Say whether the bright areas at the border are mostly hemmed by dark ones."""
    _, labels = cv2.connectedComponents((film > 0.85).astype(np.uint8))
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    bright = np.isin(labels, at_border[at_border > 0]).astype(np.uint8)
    near = cv2.dilate(bright, np.ones((3, 3), np.uint8)) > 0
    # The innermost ring is a blend of both sides of the edge and says nothing.
    hem = (cv2.dilate(bright, np.ones((7, 7), np.uint8)) > 0) & ~near
    return bool(hem.any()) and float((film[hem] < 0.3).mean()) > BAR_SHARE
