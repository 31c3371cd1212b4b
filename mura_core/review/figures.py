"""A reader's and the model's figures against truth, with 95 % intervals by bootstrap over patients.

Figures of several readers together are the mean of the readers' own figures, as is usual in studies of many
readers and cases; patients are drawn anew, readers are held as they are. A reader for whom a measure is
undefined is left out of its mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mura_core.bootstrap import (
    DECISION_MEASURES,
    PROBABILITY_MEASURES,
    Estimate,
    Measure,
    estimate,
    paired_difference,
    resample_patients,
)
from mura_core.metrics import FloatArray

MEASURES: Mapping[str, Measure] = {
    "sensitivity": DECISION_MEASURES["sensitivity"],
    "specificity": DECISION_MEASURES["specificity"],
    "auroc": PROBABILITY_MEASURES["auroc"],
    "accuracy": DECISION_MEASURES["accuracy"],
    "cohen_kappa": DECISION_MEASURES["cohen_kappa"],
}
"""By name, in the order in which they are shown."""


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval. None is undefined: never a made-up number."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Judged:
    """One case as one rater judged it, against truth.

    Attributes:
        rater: A reader's name, or the model's.
        patient: Whose case it is.
        label: 1 abnormal, 0 normal.
        decision: Likewise.
        score: Confidence or probability, any scale, greater is more abnormal.
        unsure: Whether the rater said "unsure" ("doubt").
    """

    rater: str
    patient: str
    label: int
    decision: int
    score: float
    unsure: bool


@dataclass(frozen=True)
class Figures:
    """How good one or several raters were on some cases.

    Attributes:
        n: Judgements.
        abnormal: Of them, on abnormal cases.
        unsure: Of them, unsure.
        measures: A value for each name of `MEASURES`.
    """

    n: int
    abnormal: int
    unsure: int
    measures: Mapping[str, Interval]


def measure_figures(judged: Sequence[Judged]) -> Figures | None:
    """Measure some raters' judgements against truth; None where there is none."""
    if not judged:
        return None
    weights = resample_patients([one.patient for one in judged])
    raters = [one.rater for one in judged]
    labels = [one.label for one in judged]
    return Figures(
        n=len(judged),
        abnormal=sum(labels),
        unsure=sum(one.unsure for one in judged),
        measures={
            name: as_interval(estimate(_mean_over(raters, measure), labels, _values(name, judged), weights))
            for name, measure in MEASURES.items()
        },
    )


def measure_differences(first: Sequence[Judged], second: Sequence[Judged]) -> Mapping[str, Interval] | None:
    """Return first minus second for each of `MEASURES`, on the same draws; None where there is nothing.

    Args:
        first: Judgements.
        second: The same raters' judgements of the same cases, in the same order.
    """
    if not first:
        return None
    weights = resample_patients([one.patient for one in first])
    raters = [one.rater for one in first]
    labels = [one.label for one in first]
    return {
        name: as_interval(
            paired_difference(
                _mean_over(raters, measure), labels, _values(name, first), _values(name, second), weights
            )
        )
        for name, measure in MEASURES.items()
    }


def as_interval(found: Estimate) -> Interval:
    """Write nan as None."""
    return Interval(*(x if math.isfinite(x) else None for x in (found.value, found.low, found.high)))


def _values(name: str, judged: Sequence[Judged]) -> list[float]:
    return [one.score if name in PROBABILITY_MEASURES else float(one.decision) for one in judged]


def _mean_over(raters: Sequence[str], measure: Measure) -> Measure:
    """The same measure taken for each rater alone and averaged over them."""
    names = np.asarray(raters)
    members = [np.flatnonzero(names == name) for name in dict.fromkeys(raters)]

    def of_each(y: FloatArray, v: FloatArray, w: FloatArray) -> FloatArray:
        """The measure by rater and draw, (K, R), of the raters for whom their own cases define it."""
        whole = np.ones((1, y.size))
        found = [
            measure.resampled(y[index], v[index], w[:, index])
            for index in members
            if np.isfinite(measure.resampled(y[index], v[index], whole[:, index])).all()
        ]
        return np.stack(found) if found else np.full((1, len(w)), np.nan)

    def point(labels: ArrayLike, values: ArrayLike) -> float:
        # By the resampled form, every case drawn once: scikit-learn's takes a hundred times as long to ask.
        y, v = np.asarray(labels, np.float64), np.asarray(values, np.float64)
        return float(of_each(y, v, np.ones((1, y.size))).mean())

    return Measure(point, lambda y, v, w: of_each(y, v, w).mean(axis=0))
