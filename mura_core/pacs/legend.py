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
SCALE_WORDS = "heat: probability of a film made of this place alone; line at 0.5"
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
    said = [
        (row, WHITE if index == 0 else GREY)
        for index, line in enumerate(lines)
        for row in _rows(line, step, across)
    ]
    strip = Image.new(
        "RGB", (across, round(step * (1.3 * (len(said) + len(_rows(notice, step, across))) + 4.5)))
    )
    draw = ImageDraw.Draw(strip)
    left, top = step // 2, step // 2
    for row, fill in said:
        draw.text((left, top), row, font=_font(step), fill=fill)
        top += round(step * 1.3)
    top = _scale(draw, (left, top + step // 3), step, across)
    for row in _rows(notice, step, across):
        draw.text((left, top), row, font=_font(step), fill=AMBER)
        top += round(step * 1.3)
    full = np.zeros((height + strip.height, across, 3), np.uint8)
    full[:height, :width] = picture
    full[height:] = np.asarray(strip)
    return full


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _rows(line: str, step: int, across: int) -> list[str]:
    """Break a line where it would run out of the strip: between words, or within one that is too long."""
    font, room = _font(step), across - step
    rows: list[str] = []
    for word in line.split(" "):
        if rows and font.getlength(f"{rows[-1]} {word}") <= room:
            rows[-1] += f" {word}"
            continue
        rows.append("")
        for letter in word:
            if font.getlength(rows[-1] + letter) > room:
                rows.append("")
            rows[-1] += letter
    return rows


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
            font=_font(size),
            fill=GREY,
            anchor=anchor,
        )
    top += round(step * 1.05)
    draw.text((left, top), SCALE_WORDS, font=_font(size), fill=GREY)
    return top + round(step * 1.3)
