"""How well the findings that readers name agree with those of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mura_core.bootstrap import DECISION_MEASURES, estimate, resample_patients
from mura_core.review.figures import Interval, as_interval
from mura_core.review.rows import ReadingRow
from mura_core.review.types import Finding


@dataclass(frozen=True)
class TagFigures:
    """One finding, over the readings of cases whose findings are known.

    They are known of normal cases (none) and of abnormal ones whose truth names any.

    Attributes:
        finding: Which.
        n: Readings.
        present: Of them, of cases that have it.
        given: Of them, those in which the reader named it.
        both: Named where it is.
        sensitivity: `both` over `present`.
        specificity: Not named over not present.
    """

    finding: Finding
    n: int
    present: int
    given: int
    both: int
    sensitivity: Interval
    specificity: Interval


def measure_tags(rows: Sequence[ReadingRow]) -> tuple[TagFigures, ...]:
    """Measure every finding that the truth or a reader names, in the order of `Finding`."""
    known = [row for row in rows if row.case.truth and (row.case.truth.findings or not row.case.truth.label)]
    weights = resample_patients([row.case.patient_id for row in known])
    found = []
    for finding in Finding:
        present = [int(row.case.truth is not None and finding in row.case.truth.findings) for row in known]
        given = [int(finding in row.call.findings) for row in known]
        if any(present) or any(given):
            found.append(
                TagFigures(
                    finding=finding,
                    n=len(known),
                    present=sum(present),
                    given=sum(given),
                    both=sum(a * b for a, b in zip(present, given, strict=True)),
                    sensitivity=as_interval(
                        estimate(DECISION_MEASURES["sensitivity"], present, given, weights)
                    ),
                    specificity=as_interval(
                        estimate(DECISION_MEASURES["specificity"], present, given, weights)
                    ),
                )
            )
    return tuple(found)
