"""Small parts of drawings as SVG text, and the colours that all pictures of a report share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from mura_core.review.types import Condition

INK = "#1d2733"
MUTED = "#5b6775"
LINE = "#c9d1da"
SHADE = "#f3f5f8"
UNAIDED = "#51606f"
AIDED = "#0a6aa1"
AI = "#c4511a"
BETTER = "#22795d"
WORSE = "#a8412a"
OF_CONDITION = {Condition.UNAIDED: UNAIDED, Condition.AIDED: AIDED}
"""Told apart in print without colours too: every use has a shape, a dash or a word of its own."""


@dataclass(frozen=True)
class Scale:
    """A straight axis from data to drawing units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place a value; values outside stay at the axis's ends."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(1.0, max(0.0, share))


def element(name: str, *children: str, **attributes: str | float) -> str:
    """An element. Attributes are escaped and lose a trailing underscore; `children` are markup already.

    >>> element("line", x1=0, x2=2.5, stroke_width=1, class_="a<b")
    '<line x1="0" x2="2.5" stroke-width="1" class="a&lt;b"></line>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>"


def text(x: float, y: float, content: str, **attributes: str | float) -> str:
    """Words at a place; the words are escaped."""
    return element("text", escape(content), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, colour: str = LINE, **attributes: str | float) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, **attributes)


def rectangle(
    x: float, y: float, width: float, height: float, colour: str, *children: str, **attributes: str | float
) -> str:
    """A filled rectangle."""
    return element("rect", *children, x=x, y=y, width=width, height=height, fill=colour, **attributes)


def marker(x: float, y: float, colour: str, shape: str, size: float = 4.5) -> str:
    """A point: "ring" (unaided), "disc" (aided) or "diamond" (the model)."""
    if shape == "diamond":
        corners = (
            f"{x:.1f},{y - size:.1f} {x + size:.1f},{y:.1f} {x:.1f},{y + size:.1f} {x - size:.1f},{y:.1f}"
        )
        return element("polygon", points=corners, fill=colour)
    fill = "#fff" if shape == "ring" else colour
    return element("circle", cx=x, cy=y, r=size - 0.8, fill=fill, stroke=colour, stroke_width=1.8)


def picture(width: float, height: float, label: str, *children: str, small: bool = False) -> str:
    """A whole drawing, scaled to the width there is, with a name for those who hear it.

    Args:
        width: In drawing units, which are pixels at full size.
        height: Likewise.
        label: What it shows, in one sentence.
        children: The parts.
        small: Never larger than its own size.
    """
    size = f"width:100%;max-width:{width:g}px" if small else "width:100%"
    return element(
        "svg",
        element("title", escape(label)),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
        font_size=13,
        fill=INK,
        style=size,
    )


def shape_of(condition: Condition) -> str:
    """The marker of a condition."""
    return "disc" if condition is Condition.AIDED else "ring"


def ticks(high: float) -> list[float]:
    """Round numbers from 0 to at least `high`, four to seven of them.

    >>> ticks(47)
    [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    """
    if high <= 0:
        return [0.0, 1.0]
    rough = high / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * count for count in range(math.ceil(high / step - 1e-9) + 1)]


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{round(value, 2):g}"
