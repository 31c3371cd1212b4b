"""How far readers agree with themselves and with each other, and whom the model made change sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import cohen_kappa_score

from mura_core.bootstrap import Measure, estimate, estimate_mean, resample_patients
from mura_core.metrics import FloatArray, checked
from mura_core.review.figures import Interval, as_interval
from mura_core.review.rows import ReadingRow, ai_decision
from mura_core.review.types import Condition


@dataclass(frozen=True)
class Agreement:
    """Two sets of calls on the same cases.

    Attributes:
        first: A reader.
        second: Another one, or the same one at the hidden second showing.
        condition: The condition of both.
        n: Cases that both called.
        kappa: Cohen's, of the two-way decisions; undefined where all of both are one class.
        same_decision: Share of cases with the same two-way decision.
        same_verdict: Share with the same verdict, "unsure" being one of three.
        confidence_gap: Mean distance of the confidences, 0 to 100.
    """

    first: str
    second: str
    condition: Condition
    n: int
    kappa: Interval
    same_decision: Interval
    same_verdict: Interval
    confidence_gap: float


@dataclass(frozen=True)
class Switches:
    """What became of the decisions when the model's result was shown.

    Attributes:
        n: Cases called under both conditions, truth known.
        better: Wrong unaided, right aided.
        worse: Right unaided, wrong aided.
        stayed_right: Right under both.
        stayed_wrong: Wrong under both.
        better_abnormal: Of `better`, abnormal cases: found with the model.
        worse_abnormal: Of `worse`, abnormal cases: lost with the model.
        worse_with_wrong_ai: Of `worse`, cases on which the model's own call was wrong.
        unsure_before: Unaided calls that were "unsure".
        unsure_after: Aided calls that were.
    """

    n: int
    better: int
    worse: int
    stayed_right: int
    stayed_wrong: int
    better_abnormal: int
    worse_abnormal: int
    worse_with_wrong_ai: int
    unsure_before: int
    unsure_after: int


def count_switches(pairs: Sequence[tuple[ReadingRow, ReadingRow]]) -> Switches | None:
    """Count the changes of (unaided, aided) pairs of the same reader and case; None without truth."""
    known = [(before, after) for before, after in pairs if before.label is not None]
    if not known:
        return None
    fates = [(a.decision == a.label, b.decision == b.label) for a, b in known]
    better = [pair for pair, fate in zip(known, fates, strict=True) if fate == (False, True)]
    worse = [pair for pair, fate in zip(known, fates, strict=True) if fate == (True, False)]
    return Switches(
        n=len(known),
        better=len(better),
        worse=len(worse),
        stayed_right=fates.count((True, True)),
        stayed_wrong=fates.count((False, False)),
        better_abnormal=sum(row.label == 1 for row, _ in better),
        worse_abnormal=sum(row.label == 1 for row, _ in worse),
        worse_with_wrong_ai=sum(row.ai is not None and ai_decision(row.ai) != row.label for row, _ in worse),
        unsure_before=sum(before.call.verdict == "unsure" for before, _ in known),
        unsure_after=sum(after.call.verdict == "unsure" for _, after in known),
    )


def agree_with_self(rows: Sequence[ReadingRow]) -> tuple[Agreement, ...]:
    """Compare each reader's first showings with their hidden repeats, by condition."""
    found = []
    for reader, condition in _sides(rows):
        shown = [_by_case(rows, reader, condition, repeat) for repeat in (0, 1)]
        found.append(_compare(shown[0], shown[1]))
    return tuple(one for one in found if one)


def agree_with_others(rows: Sequence[ReadingRow]) -> tuple[Agreement, ...]:
    """Compare the first showings of every two readers, by condition."""
    found = []
    for (first, condition), (second, other) in combinations(_sides(rows), 2):
        if condition is other:
            found.append(_compare(_by_case(rows, first, condition, 0), _by_case(rows, second, condition, 0)))
    return tuple(one for one in found if one)


def _sides(rows: Sequence[ReadingRow]) -> list[tuple[str, Condition]]:
    """Every reader under every condition there is, conditions apart."""
    return sorted({(row.reader, row.condition) for row in rows}, key=lambda side: (side[0].casefold(), side))


def _by_case(
    rows: Sequence[ReadingRow], reader: str, condition: Condition, repeat: int
) -> dict[str, ReadingRow]:
    wanted = (reader, condition, repeat)
    return {row.case.case_id: row for row in rows if (row.reader, row.condition, row.repeat) == wanted}


def _compare(first: dict[str, ReadingRow], second: dict[str, ReadingRow]) -> Agreement | None:
    both = [(first[case], second[case]) for case in sorted(first.keys() & second.keys())]
    if not both:
        return None
    weights = resample_patients([a.case.patient_id for a, _ in both])
    one, other = [a.decision for a, _ in both], [b.decision for _, b in both]
    return Agreement(
        first=both[0][0].reader,
        second=both[0][1].reader,
        condition=both[0][0].condition,
        n=len(both),
        kappa=as_interval(estimate(_KAPPA, one, other, weights)),
        same_decision=as_interval(estimate_mean([a.decision == b.decision for a, b in both], weights)),
        same_verdict=as_interval(estimate_mean([a.call.verdict == b.call.verdict for a, b in both], weights)),
        confidence_gap=float(np.mean([abs(a.call.confidence - b.call.confidence) for a, b in both])),
    )


def kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa of two raters' decisions, (n,) each in {0, 1}; nan where both know one class only.

    Unlike `metrics.cohen_kappa`, neither rater is the truth: one who calls everything normal agrees with
    another by chance alone, which is 0.

    >>> kappa([0, 0, 0, 0], [0, 0, 1, 1])
    0.0
    """
    a, b = checked(first, second, unit=True)
    one_class = not a.size or np.ptp(np.concatenate([a, b])) == 0
    return math.nan if one_class else float(cohen_kappa_score(a, b))


def _resampled_kappa(a: FloatArray, b: FloatArray, w: FloatArray) -> FloatArray:
    total, first, second = w.sum(axis=1), w @ a, w @ b
    chance = first * second + (total - first) * (total - second)
    rest = total**2 - chance
    top = total * (w @ (a == b).astype(np.float64)) - chance
    found: FloatArray = np.divide(top, rest, out=np.full_like(rest, np.nan), where=rest > 0)
    return found


_KAPPA = Measure(kappa, _resampled_kappa)
