"""Values with their intervals, side by side and one under another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mura_core.review import svg
from mura_core.review.figures import Interval
from mura_core.review.svg import Scale

_ROW = 21
_WIDTH = 1000


@dataclass(frozen=True)
class ForestRow:
    """One line: a name (empty to continue the one above), a condition, a marker, a value for each column."""

    name: str
    detail: str
    colour: str
    shape: str
    values: Sequence[Interval | None]
    strong: bool = False


def draw_forest(
    rows: Sequence[ForestRow],
    columns: Sequence[str],
    *,
    label: str,
    axis: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
    signed: bool = False,
    names: int = 184,
) -> str:
    """Draw a forest plot.

    Args:
        rows: From top to bottom.
        columns: Names of the values of each row.
        label: What it shows, in one sentence.
        axis: Ticks of every column, from end to end; values beyond stay at the ends.
        signed: Write values with their sign, and draw the zero line strongly.
        names: Width of the names, in drawing units.
    """
    top, height = 34, 34 + _ROW * len(rows) + 26
    each = (_WIDTH - names) / len(columns)
    parts = []
    for number, row in enumerate(rows):
        if row.strong:
            parts.append(svg.rectangle(0, top + number * _ROW, _WIDTH, _ROW, svg.SHADE))
        elif row.name and number:
            parts.append(svg.line(0, top + number * _ROW, _WIDTH, top + number * _ROW, stroke_width=0.6))
        parts.append(_name(row, top + (number + 0.5) * _ROW, names))
    for index, column in enumerate(columns):
        start = names + index * each
        scale = Scale(axis[0], axis[-1], start + 12, start + each - (160 if signed else 132))
        parts.append(svg.text(scale.start, 17, column, font_weight="600", font_size=14))
        parts.append(_axis(scale, axis, top, height - 26, signed=signed))
        for number, row in enumerate(rows):
            middle = top + (number + 0.5) * _ROW
            parts.append(_estimate(row, row.values[index], scale, middle, signed=signed))
    return svg.picture(_WIDTH, height, label, *parts)


def written(interval: Interval | None, *, signed: bool = False) -> str:
    """A value and its interval as words.

    >>> written(Interval(0.9166, 0.5, 1.0)), written(Interval(1.0, None, None)), written(None)
    ('0.92 [0.50, 1.00]', '1.00 [–]', '–')
    """
    if interval is None or interval.value is None:
        return "–"
    value = _number(interval.value, signed=signed)
    if interval.low is None or interval.high is None:
        return f"{value} [–]"
    return f"{value} [{_number(interval.low, signed=signed)}, {_number(interval.high, signed=signed)}]"


def _number(value: float, *, signed: bool) -> str:
    rounded = round(value, 2) + 0.0  # no minus zero
    return (f"{rounded:+.2f}" if signed and rounded else f"{rounded:.2f}").replace("-", "−")


def _name(row: ForestRow, middle: float, width: int) -> str:
    weight = "600" if row.strong else "400"
    name = svg.text(4, middle + 4, shortened(row.name, (width - 60) // 7), font_weight=weight, fill=svg.INK)
    detail = svg.text(width - 8, middle + 4, row.detail, text_anchor="end", fill=row.colour, font_size=12)
    return name + detail


def shortened(name: str, most: int = 17) -> str:
    """A name that fits where there is little room; the tables have it whole."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _axis(scale: Scale, axis: Sequence[float], top: float, bottom: float, *, signed: bool) -> str:
    parts = []
    every = 2 if len(axis) > 4 else 1
    for number, value in enumerate(axis):
        strong = axis[0] < 0 and value == 0
        colour, width = (svg.MUTED, 1.0) if strong else (svg.LINE, 0.6)
        parts.append(svg.line(scale(value), top, scale(value), bottom, colour, stroke_width=width))
        if number % every == 0:
            label = f"{value:{'+' if signed and value else ''}g}".replace("-", "−")
            words = svg.text(
                scale(value), bottom + 15, label, text_anchor="middle", font_size=11, fill=svg.MUTED
            )
            parts.append(words)
    return "".join(parts)


def _estimate(row: ForestRow, interval: Interval | None, axis: Scale, middle: float, *, signed: bool) -> str:
    words = written(interval, signed=signed)
    weight = "600" if row.strong else "400"
    parts = [svg.text(axis.end + 14, middle + 4, words, font_size=12, font_weight=weight)]
    if interval is not None and interval.value is not None:
        if interval.low is not None and interval.high is not None:
            ends = axis(interval.low), axis(interval.high)
            parts.append(svg.line(ends[0], middle, ends[1], middle, row.colour, stroke_width=2))
            parts += [
                svg.line(end, middle - 4, end, middle + 4, row.colour, stroke_width=1.4) for end in ends
            ]
        parts.append(svg.marker(axis(interval.value), middle, row.colour, row.shape))
    return "".join(parts)
