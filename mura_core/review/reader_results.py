"""The figures of one reader, or of all together, on a choice of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mura_core.review.agreement import Switches, count_switches
from mura_core.review.figures import Figures, Interval, Judged, measure_differences, measure_figures
from mura_core.review.marks import MarkFigures, measure_marks
from mura_core.review.roc import Curve, mean_curve, rater_curve
from mura_core.review.rows import ReadingRow, ai_decision
from mura_core.review.tags import TagFigures, measure_tags
from mura_core.review.types import Condition, Verdict
from mura_core.study import Call

AI = "ai"
"""The model among the raters of `ReaderResults.curves`; no `Condition` is called so."""


@dataclass(frozen=True)
class Times:
    """Seconds from opening (aided calls of a sequential session: from the reveal) to the call.

    Attributes:
        n: Readings.
        lower_s: First quartile.
        median_s: Second.
        upper_s: Third.
    """

    n: int
    lower_s: float
    median_s: float
    upper_s: float


@dataclass(frozen=True)
class ReaderResults:
    """One reader, or all together, on some cases; first showings only.

    A condition without anything to compute from is absent, and so is the rest: None or empty.

    Attributes:
        reader: Name; "" for all readers together.
        figures: Against truth, by condition.
        ai: The model against truth on the same cases, each once.
        difference: Aided minus unaided on the cases called under both, by measure.
        switches: What became of those calls.
        times: Reading times by condition, truth known or not.
        marks: Marks by condition.
        tags: Findings given, by condition.
        curves: Operating curves by condition, and the model's under `AI`.
    """

    reader: str
    figures: Mapping[Condition, Figures]
    ai: Figures | None
    difference: Mapping[str, Interval] | None
    switches: Switches | None
    times: Mapping[Condition, Times]
    marks: Mapping[Condition, MarkFigures]
    tags: Mapping[Condition, tuple[TagFigures, ...]]
    curves: Mapping[str, Curve]


def measure_reader(reader: str, rows: Sequence[ReadingRow]) -> ReaderResults:
    """Compute everything from the rows of one reader, or of all with `reader` ""."""
    rows = [row for row in rows if not row.repeat]
    by_condition = {condition: [row for row in rows if row.condition is condition] for condition in Condition}
    by_condition = {condition: some for condition, some in by_condition.items() if some}
    judged = {condition: _judged(some) for condition, some in by_condition.items()}
    ai = _ai_judged(rows)
    pairs = _pairs(by_condition)
    curves = {
        **{condition.value: _curve(some) for condition, some in judged.items()},
        AI: rater_curve(ai),
    }
    figures = {condition: measure_figures(some) for condition, some in judged.items()}
    marks = {condition: measure_marks(some) for condition, some in by_condition.items()}
    tags = {condition: measure_tags(some) for condition, some in by_condition.items()}
    return ReaderResults(
        reader=reader,
        figures={condition: found for condition, found in figures.items() if found},
        ai=measure_figures(ai),
        difference=measure_differences(_judged([b for _, b in pairs]), _judged([a for a, _ in pairs])),
        switches=count_switches(pairs),
        times={condition: _times(some) for condition, some in by_condition.items()},
        marks={condition: found for condition, found in marks.items() if found},
        tags={condition: found for condition, found in tags.items() if found},
        curves={name: curve for name, curve in curves.items() if curve},
    )


def _judged(rows: Sequence[ReadingRow]) -> list[Judged]:
    return [
        Judged(
            rater=row.reader,
            patient=row.case.patient_id,
            label=row.label,
            decision=row.decision,
            score=row.call.confidence,
            unsure=row.call.verdict is Verdict.UNSURE,
        )
        for row in rows
        if row.label is not None
    ]


def _ai_judged(rows: Sequence[ReadingRow]) -> list[Judged]:
    once = {row.case.case_id: row for row in rows}
    return [
        Judged(
            rater=AI,
            patient=row.case.patient_id,
            label=row.label,
            decision=ai_decision(row.ai),
            score=row.ai.probability,
            unsure=row.ai.call is Call.DOUBT,
        )
        for row in once.values()
        if row.label is not None and row.ai
    ]


def _pairs(
    by_condition: Mapping[Condition, Sequence[ReadingRow]],
) -> list[tuple[ReadingRow, ReadingRow]]:
    """(unaided, aided) of the same reader and case."""
    aided = {(row.reader, row.case.case_id): row for row in by_condition.get(Condition.AIDED, ())}
    unaided = by_condition.get(Condition.UNAIDED, ())
    found = [(row, aided.get((row.reader, row.case.case_id))) for row in unaided]
    return [(before, after) for before, after in found if after]


def _curve(judged: Sequence[Judged]) -> Curve | None:
    readers = dict.fromkeys(one.rater for one in judged)
    curves = [rater_curve([one for one in judged if one.rater == reader]) for reader in readers]
    return mean_curve([curve for curve in curves if curve])


def _times(rows: Sequence[ReadingRow]) -> Times:
    lower, median, upper = np.percentile([row.reading.reading_s for row in rows], (25, 50, 75))
    return Times(len(rows), float(lower), float(median), float(upper))
