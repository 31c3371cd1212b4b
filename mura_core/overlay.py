"""A heatmap laid over its radiograph for display: fixed colours, and a cold film left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STOPS = (
    (0, (74, 20, 140)),
    (0.25, (150, 20, 130)),
    (0.5, (228, 60, 70)),
    (0.75, (252, 150, 30)),
    (1, (255, 240, 90)),
)
"""Heat and its colour, lighter as it is hotter; linear between. The page's viewer has the same."""
COLD = 0.04
"""Up to this heat the film shows unchanged."""
HOT = 0.4
"""From this heat on the colour is at its strongest, even on bright bone."""
STRONGEST = 0.6
"""Share of the colour in the mixture there; bone still shows through. What the page's slider begins with."""
CONTOUR_LEVEL = 0.5
CONTOUR_RGB = (0, 255, 255)
"""Cyan: the one hue that neither bone nor the colours of heat have."""


def overlay(pixels: NDArray[np.float32], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Lay a heatmap over a radiograph on a scale that is the same for every film.

    The heat is never stretched to the film's own range, so a normal film does not show a hot spot. A line
    marks 0.5.

    Args:
        pixels: float32 (H, W) in [0, 1], the radiograph.
        heatmap: float32 (H, W) in [0, 1] on the same frame.

    Returns:
        uint8 (H, W, 3), RGB. Equal to the grey film wherever the heat is at most `COLD` and no line runs.

    Raises:
        ValueError: The two differ in shape.
    """
    if pixels.shape != heatmap.shape or pixels.ndim != 2:
        raise ValueError(f"pixels are {pixels.shape}, heatmap {heatmap.shape}; expected the same (H, W)")
    grey = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    film = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB).astype(np.float32)
    heat = np.clip(heatmap, 0, 1)
    share = opacity(heat)[:, :, np.newaxis]
    mixed = film + share * (colour(heat) - film)
    picture = np.ascontiguousarray(np.rint(mixed).astype(np.uint8))
    _draw_contour(picture, heat)
    return picture


def opacity(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the colour at each heat: zero up to `COLD`, `STRONGEST` from `HOT`, a smooth step between.

    >>> shares = opacity(np.array([0.0, 0.04, 0.22, 0.4, 1.0], dtype=np.float32))
    >>> [round(float(share), 3) for share in shares]
    [0.0, 0.0, 0.3, 0.6, 0.6]
    """
    step = np.clip((heat - np.float32(COLD)) / np.float32(HOT - COLD), 0, 1)
    return cast("NDArray[np.float32]", np.float32(STRONGEST) * step * step * (3 - 2 * step))


def colour(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour of each heat: (...) in [0, 1] -> (..., 3) RGB in [0, 255]."""
    levels = [level for level, _ in STOPS]
    channels = [np.interp(heat, levels, [rgb[channel] for _, rgb in STOPS]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _draw_contour(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> None:
    """Draw the line of `CONTOUR_LEVEL` into the picture, about 1/300 of its shorter side thick."""
    inside = (heat >= CONTOUR_LEVEL).astype(np.uint8)
    lines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    thickness = max(1, round(min(heat.shape) / 300))
    cv2.drawContours(picture, lines, -1, CONTOUR_RGB, thickness)
