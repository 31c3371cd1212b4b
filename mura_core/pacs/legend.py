"""The strip under an overlay: what it shows, how sure the model is, which model, and that it is research."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mura_core.overlay import CONTOUR_LEVEL, CONTOUR_RGB, STRONGEST, colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NARROWEST_PX = 480
"""A narrower film gets black at its right, so that the words fit at a size one can read."""
LINES_ACROSS = 34
"""Width of the picture in heights of a line."""
WHITE, GREY, AMBER = (240, 240, 240), (165, 165, 165), (255, 196, 61)


def with_legend(picture: NDArray[np.uint8], lines: Sequence[str], notice: str) -> NDArray[np.uint8]:
    """Put a strip below a picture. No pixel of the picture is covered, and each keeps its place.

    Args:
        picture: uint8 (H, W, 3), RGB, the overlay.
        lines: What to say, ASCII, a line each; the first stands out.
        notice: The last line, in a colour of its own.

    Returns:
        uint8 (H + strip, max(W, `NARROWEST_PX`), 3).
    """
    height, width = picture.shape[:2]
    across = max(width, NARROWEST_PX)
    step = max(14, across // LINES_ACROSS)
    rows = len(lines) + 3
    strip = Image.new("RGB", (across, round(step * (rows * 1.3 + 1))))
    draw = ImageDraw.Draw(strip)
    left, top = step // 2, step // 2
    for index, line in enumerate(lines):
        _write(draw, (left, top), line, step, WHITE if index == 0 else GREY, across)
        top += round(step * 1.3)
    top = _scale(draw, (left, top), step, across)
    _write(draw, (left, top), notice, step, AMBER, across)
    full = np.zeros((height + strip.height, across, 3), np.uint8)
    full[:height, :width] = picture
    full[height:] = np.asarray(strip)
    return full


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    step: int,
    fill: tuple[int, int, int],
    across: int,
) -> None:
    """Write a line, smaller where it would not fit."""
    room = across - 2 * place[0]
    size = float(step)
    while draw.textlength(text, font=ImageFont.load_default(size)) > room and size > 8:
        size -= 0.5
    draw.text(place, text, font=ImageFont.load_default(size), fill=fill)


def _scale(draw: ImageDraw.ImageDraw, place: tuple[int, int], step: int, across: int) -> int:
    """Draw the colours from 0 to 1 with the line's level marked; return where the next line begins."""
    left, top = place
    width = min(across - 2 * left, step * 16)
    ramp = colour(np.linspace(0, 1, width, dtype=np.float32)) * STRONGEST
    for column, rgb in enumerate(np.rint(ramp).astype(int)):
        draw.line(((left + column, top), (left + column, top + step // 2)), fill=tuple(rgb.tolist()))
    line = left + round(CONTOUR_LEVEL * (width - 1))
    draw.line(((line, top), (line, top + step // 2)), fill=CONTOUR_RGB, width=max(2, step // 10))
    top += round(step * 0.65)
    size = step * 0.8
    for level, anchor in ((0.0, "la"), (CONTOUR_LEVEL, "ma"), (1.0, "ra")):
        draw.text(
            (left + round(level * (width - 1)), top),
            f"{level:g}",
            font=ImageFont.load_default(size),
            fill=GREY,
            anchor=anchor,
        )
    words = "heat: probability of a film made of this place alone; line at 0.5"
    top += round(step * 1.05)
    _write(draw, (left, top), words, round(step * 0.8), GREY, across)
    return top + round(step * 1.3)
