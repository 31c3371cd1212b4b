"""Who changed sides, and how long readings took."""

from __future__ import annotations

from collections.abc import Sequence

from mura_core.review import svg
from mura_core.review.chart_forest import shortened
from mura_core.review.reader_results import ReaderResults
from mura_core.review.svg import Scale
from mura_core.review.types import Condition

_WIDTH = 1000
_LABEL = 184
_ROW = 30


def draw_switches(readers: Sequence[tuple[str, ReaderResults]]) -> str:
    """Draw, for each name and reader, calls put wrong to the left and calls put right to the right.

    The solid part of a bar is abnormal cases (found or lost), the hatched part normal ones.
    """
    rows = [(name, one.switches) for name, one in readers if one.switches]
    most = max([1, *(max(switches.better, switches.worse) for _, switches in rows)])
    middle, reach = (_LABEL + _WIDTH) / 2, (_WIDTH - _LABEL) / 2 - 90
    height = 30 + _ROW * len(rows) + 6
    head: dict[str, str | float] = {"font_weight": "600", "font_size": 13}
    parts = [
        _hatching("better", svg.BETTER),
        _hatching("worse", svg.WORSE),
        svg.text(middle - 12, 17, "◀ right → wrong", text_anchor="end", fill=svg.WORSE, **head),
        svg.text(middle + 12, 17, "wrong → right ▶", fill=svg.BETTER, **head),
    ]
    for number, (name, switches) in enumerate(rows):
        top = 30 + number * _ROW
        parts.append(svg.text(4, top + 19, shortened(name)))
        for side, colour, kind, count, abnormal in (
            (-1, svg.WORSE, "worse", switches.worse, switches.worse_abnormal),
            (1, svg.BETTER, "better", switches.better, switches.better_abnormal),
        ):
            whole, solid = (reach * part / most for part in (count, abnormal))
            parts.append(_bar(middle, side, 0, solid, top, colour))
            parts.append(_bar(middle, side, solid, whole, top, f"url(#{kind})", stroke=colour))
            anchor = "end" if side < 0 else "start"
            place = middle + side * (whole + 10)
            words = f"{count} of {switches.n}"
            parts.append(svg.text(place, top + 19, words, text_anchor=anchor, font_size=12, fill=colour))
    parts.append(svg.line(middle, 24, middle, height - 4, svg.MUTED))
    return svg.picture(_WIDTH, height, "Calls changed for better and for worse", *parts)


def draw_times(readers: Sequence[tuple[str, ReaderResults]]) -> str:
    """Draw median and quartiles of the reading times, for each name and reader by condition."""
    rows = [
        (name if first else "", condition, one.times[condition])
        for name, one in readers
        for condition, first in _with_first([c for c in Condition if c in one.times])
    ]
    axis_ticks = svg.ticks(max([1.0, *(times.upper_s for _, _, times in rows)]))
    axis = Scale(0, axis_ticks[-1], _LABEL + 12, _WIDTH - 190)
    row, top = 22, 8
    bottom = top + row * len(rows)
    parts = [svg.line(axis(value), top, axis(value), bottom, stroke_width=0.6) for value in axis_ticks]
    for value in axis_ticks:
        words = f"{value:g} s"
        parts.append(
            svg.text(axis(value), bottom + 16, words, text_anchor="middle", font_size=11, fill=svg.MUTED)
        )
    for number, (name, condition, times) in enumerate(rows):
        middle, colour = top + (number + 0.5) * row, svg.OF_CONDITION[condition]
        start, end = axis(times.lower_s), axis(times.upper_s)
        words = f"{times.median_s:.0f} s  ({times.lower_s:.0f} to {times.upper_s:.0f}), n {times.n}"
        parts += [
            svg.text(4, middle + 4, shortened(name)),
            svg.text(_LABEL - 8, middle + 4, _name(condition), text_anchor="end", fill=colour, font_size=12),
            svg.rectangle(start, middle - 5, max(1.0, end - start), 10, colour, fill_opacity=0.28),
            svg.marker(axis(times.median_s), middle, colour, svg.shape_of(condition), 5.5),
            svg.text(axis.end + 16, middle + 4, words, font_size=12),
        ]
    return svg.picture(_WIDTH, bottom + 26, "Reading times", *parts)


def _name(condition: Condition) -> str:
    return "with AI" if condition is Condition.AIDED else "unaided"


def _with_first(conditions: Sequence[Condition]) -> list[tuple[Condition, bool]]:
    return [(condition, number == 0) for number, condition in enumerate(conditions)]


def _bar(
    middle: float, side: int, near: float, far: float, top: float, colour: str, **attributes: str | float
) -> str:
    if far - near < 0.5:
        return ""
    x = middle + near if side > 0 else middle - far
    return svg.rectangle(x, top + 6, far - near, 18, colour, **attributes)


def _hatching(name: str, colour: str) -> str:
    stripe = svg.line(0, 0, 0, 6, colour, stroke_width=3)
    return svg.element(
        "pattern",
        stripe,
        id=name,
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
