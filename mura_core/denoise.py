"""Take a detector's noise out of a film before its contrast is equalised, which would make it the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISY = 0.006
"""Noise from which a film is changed, of full scale. None of the 3,203 films of FracAtlas has over 0.0056."""

_STRENGTH = 0.8
_PATCH_PX = 5
_SEARCH_PX = 15
# The difference of two Laplacians: nothing of a plane or a straight edge along an axis passes it.
_GRAIN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_GRAIN_GAIN = 6.0


def noise_level(film: NDArray[np.float32]) -> float:
    """Estimate the standard deviation of the noise of a film from its grain (Immerkaer 1996).

    By the median instead of the mean, so that edges do not count.

    Args:
        film: float32 (H, W), 3 px or more a side.

    Returns:
        In the film's own units; 0 where over half of it is flat.
    """
    grain = cv2.filter2D(film.astype(np.float32), cv2.CV_32F, _GRAIN)[1:-1, 1:-1]
    # The median of a normal distribution's absolute values is 0.6745 of its deviation.
    return float(np.median(np.abs(grain))) / (0.6745 * _GRAIN_GAIN)


def denoise(film: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average places that look alike (non-local means, Buades 2005), as strongly as the film is noisy.

    Args:
        film: float32 (H, W) in [0, 1] at the network's size; not changed.

    Returns:
        The film itself if it is not noisy, else float32 (H, W) in [0, 1] in steps of 1/255.
    """
    level = noise_level(film)
    if level < NOISY:
        return film
    levels = np.round(film * 255.0).astype(np.uint8)
    quiet = cv2.fastNlMeansDenoising(levels, None, _STRENGTH * 255.0 * level, _PATCH_PX, _SEARCH_PX)
    return np.asarray(quiet / np.float32(255.0), dtype=np.float32)
