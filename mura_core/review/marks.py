"""Whether what a reader marked, or the model's hottest place, lies where the truth boxes are.

A mark hits a box where its centre lies in the box, or no farther outside than `MARGIN`, on the same view.
A mark is at the model's hottest place where that place lies in the mark or no farther outside than `MARGIN`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mura_core.bootstrap import estimate_mean, resample_patients
from mura_core.review.figures import Interval, as_interval
from mura_core.review.rows import ReadingRow, ai_decision
from mura_core.review.types import Mark

if TYPE_CHECKING:
    from mura_core.review.types import AiResult

MARGIN = 0.05
"""In fractions of the film's height and width: marks are set by hand, and a map's cell is about as wide."""


@dataclass(frozen=True)
class MarkFigures:
    """Hit rates over studies; a study counts once, whatever the number of its marks.

    Attributes:
        boxed: Readings of studies with truth boxes.
        marked: Of them, those on which the reader set a mark.
        hit: Of `marked`, those on which a mark hits a box.
        hit_rate: `hit` over `marked`.
        ai_marked: Of `boxed`, those of which the model's result is kept.
        ai_hit: Of `ai_marked`, those on which the study's hottest place hits a box.
        ai_hit_rate: `ai_hit` over `ai_marked`.
        compared: Readings with a mark of studies that the model calls abnormal, boxes or not.
        near_ai: Of them, those with a mark at the hottest place of its view.
        near_ai_rate: `near_ai` over `compared`.
    """

    boxed: int
    marked: int
    hit: int
    hit_rate: Interval
    ai_marked: int
    ai_hit: int
    ai_hit_rate: Interval
    compared: int
    near_ai: int
    near_ai_rate: Interval


def measure_marks(rows: Sequence[ReadingRow]) -> MarkFigures | None:
    """Measure the marks of some readings; None where there is neither a box nor a mark to compare."""
    boxed = [row for row in rows if row.case.truth and row.case.truth.boxes]
    marked = [row for row in boxed if row.call.marks]
    with_ai = [row for row in boxed if row.ai]
    compared = [row for row in rows if row.call.marks and row.ai and ai_decision(row.ai)]
    if not boxed and not compared:
        return None
    hits = [hits_a_box(row.call.marks, _boxes(row)) for row in marked]
    ai_hits = [hits_a_box([hottest_place(row.ai)], _boxes(row)) for row in with_ai if row.ai]
    near = [any(is_at_peak(mark, row.ai) for mark in row.call.marks) for row in compared if row.ai]
    return MarkFigures(
        boxed=len(boxed),
        marked=len(marked),
        hit=sum(hits),
        hit_rate=_rate(marked, hits),
        ai_marked=len(with_ai),
        ai_hit=sum(ai_hits),
        ai_hit_rate=_rate(with_ai, ai_hits),
        compared=len(compared),
        near_ai=sum(near),
        near_ai_rate=_rate(compared, near),
    )


def hits_a_box(marks: Sequence[Mark], boxes: Sequence[Mark]) -> bool:
    """Whether the centre of any mark lies in any box of its view, or within `MARGIN` of it.

    >>> hits_a_box([Mark(0, 0.5, 0.54)], [Mark(0, 0.4, 0.3, 0.2, 0.2)])
    True
    >>> hits_a_box([Mark(1, 0.5, 0.4)], [Mark(0, 0.4, 0.3, 0.2, 0.2)])
    False
    """
    return any(
        mark.view == box.view and _within(mark.top + mark.height / 2, mark.left + mark.width / 2, box)
        for mark in marks
        for box in boxes
    )


def is_at_peak(mark: Mark, ai: AiResult) -> bool:
    """Whether the hottest place of the mark's view lies in the mark or within `MARGIN` of it."""
    if mark.view >= len(ai.views):
        return False
    view = ai.views[mark.view]
    return _within(view.peak_top, view.peak_left, mark)


def hottest_place(ai: AiResult) -> Mark:
    """The hottest place of the study: that of its hottest view, as a point."""
    index, view = max(enumerate(ai.views), key=lambda item: item[1].peak)
    return Mark(index, view.peak_top, view.peak_left)


def _within(top: float, left: float, box: Mark) -> bool:
    down = box.top - MARGIN <= top <= box.top + box.height + MARGIN
    return down and box.left - MARGIN <= left <= box.left + box.width + MARGIN


def _boxes(row: ReadingRow) -> tuple[Mark, ...]:
    return (row.case.truth.boxes if row.case.truth else None) or ()


def _rate(rows: Sequence[ReadingRow], hits: Sequence[bool]) -> Interval:
    return as_interval(estimate_mean(hits, resample_patients([row.case.patient_id for row in rows])))
