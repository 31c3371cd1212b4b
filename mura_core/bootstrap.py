"""95 % bootstrap intervals over patients for the measures of `metrics`.

Patients are drawn with replacement and bring all their studies, because the studies of one patient are not
independent. A draw is a weight per study: how often it was drawn. The measures are needed a thousand times,
so each has a vectorised form on weights here, beside scikit-learn's for the value itself; the tests hold the
two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mura_core import metrics
from mura_core.metrics import CALIBRATION_BINS, FloatArray, calibration_bin, checked

RESAMPLES = 1000
# An interval from resamples most of which leave the measure undefined would describe the rest of them only.
MINIMUM_DEFINED = 0.9
_CHUNK_ELEMENTS = 2_000_000


# Below, per measure: labels (n,), values (n,), weights (R, n) -> (R,), nan where a draw leaves it undefined.


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def _per_score(y: FloatArray, s: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights of the abnormal and of the normal at each distinct score, ascending: two (R, G)."""
    order = np.argsort(s, kind="stable")
    starts = np.flatnonzero(np.diff(s[order], prepend=-np.inf))
    positive = np.add.reduceat((w * y)[:, order], starts, axis=1)
    return positive, np.add.reduceat(w[:, order], starts, axis=1) - positive


def _resampled_auroc(y: FloatArray, s: FloatArray, w: FloatArray) -> FloatArray:
    positive, negative = _per_score(y, s, w)
    won = positive * (np.cumsum(negative, axis=1) - negative / 2)
    return _ratio(won.sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def _resampled_average_precision(y: FloatArray, s: FloatArray, w: FloatArray) -> FloatArray:
    positive, negative = (part[:, ::-1] for part in _per_score(y, s, w))
    found = np.cumsum(positive, axis=1)
    flagged = found + np.cumsum(negative, axis=1)
    # Where nothing is flagged yet the score's own weight is zero too, so the placeholder 1 adds nothing.
    area = (positive * found / np.maximum(flagged, 1)).sum(axis=1)
    return np.where(negative.sum(axis=1) > 0, _ratio(area, positive.sum(axis=1)), np.nan)


def _resampled_log_loss(y: FloatArray, p: FloatArray, w: FloatArray) -> FloatArray:
    tiny = np.finfo(np.float64).eps  # scikit-learn's clip: one sure mistake costs 36 nats, not infinity
    likelihood = np.clip(np.where(y == 1, p, 1 - p), tiny, 1 - tiny)
    return _ratio(-w @ np.log(likelihood), w.sum(axis=1))


def _resampled_brier(y: FloatArray, p: FloatArray, w: FloatArray) -> FloatArray:
    return _ratio(w @ (p - y) ** 2, w.sum(axis=1))


def _resampled_calibration_error(y: FloatArray, p: FloatArray, w: FloatArray) -> FloatArray:
    gaps = (p - y)[:, np.newaxis] * np.eye(CALIBRATION_BINS)[calibration_bin(p)]
    return _ratio(np.abs(w @ gaps).sum(axis=1), w.sum(axis=1))


def _resampled_accuracy(y: FloatArray, c: FloatArray, w: FloatArray) -> FloatArray:
    return _ratio(w @ (y == c).astype(np.float64), w.sum(axis=1))


def _resampled_sensitivity(y: FloatArray, c: FloatArray, w: FloatArray) -> FloatArray:
    return _ratio(w @ (y * c), w @ y)


def _resampled_specificity(y: FloatArray, c: FloatArray, w: FloatArray) -> FloatArray:
    return _ratio(w @ ((1 - y) * (1 - c)), w @ (1 - y))


def _resampled_cohen_kappa(y: FloatArray, c: FloatArray, w: FloatArray) -> FloatArray:
    total, positive, called = w.sum(axis=1), w @ y, w @ c
    chance = positive * called + (total - positive) * (total - called)
    kappa = _ratio(total * (w @ (y == c).astype(np.float64)) - chance, total**2 - chance)
    return np.where((positive > 0) & (positive < total), kappa, np.nan)


def _resampled_predictive(
    y: FloatArray, c: FloatArray, w: FloatArray, *, label: int, prevalence: float | None
) -> FloatArray:
    """Of those that get this label, the share that has it; see `metrics.positive_predictive_value`."""
    has, gets = (y == label).astype(np.float64), (c == label).astype(np.float64)
    right, wrong = w @ (has * gets), w @ ((1 - has) * gets)
    if prevalence is not None:
        share = prevalence if label else 1 - prevalence
        right, wrong = share * _ratio(right, w @ has), (1 - share) * _ratio(wrong, w @ (1 - has))
    return _ratio(right, right + wrong)


@dataclass(frozen=True)
class Measure:
    """One measure in both forms; `centred` moves the resamples so that their mean is the point value."""

    point: Callable[[ArrayLike, ArrayLike], float]
    resampled: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    centred: bool = False


PROBABILITY_MEASURES: Mapping[str, Measure] = {
    "auroc": Measure(metrics.auroc, _resampled_auroc),
    "average_precision": Measure(metrics.average_precision, _resampled_average_precision),
    "log_loss": Measure(metrics.log_loss, _resampled_log_loss),
    "brier": Measure(metrics.brier, _resampled_brier),
    # Resampling adds each bin's noise a second time, so raw resamples of this one lie above the estimate.
    "calibration_error": Measure(metrics.calibration_error, _resampled_calibration_error, centred=True),
}
DECISION_MEASURES: Mapping[str, Measure] = {
    "accuracy": Measure(metrics.accuracy, _resampled_accuracy),
    "cohen_kappa": Measure(metrics.cohen_kappa, _resampled_cohen_kappa),
    "sensitivity": Measure(metrics.sensitivity, _resampled_sensitivity),
    "specificity": Measure(metrics.specificity, _resampled_specificity),
}


def predictive_measures(prevalence: float | None) -> dict[str, Measure]:
    """Build "ppv" and "npv" at a prevalence in (0, 1), or at that of the studies themselves (None)."""
    points = {"ppv": metrics.positive_predictive_value, "npv": metrics.negative_predictive_value}
    return {
        name: Measure(
            partial(point, prevalence=prevalence),
            partial(_resampled_predictive, label=int(name == "ppv"), prevalence=prevalence),
        )
        for name, point in points.items()
    }


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; nan where undefined.

    The interval is also nan where no draw differs from another, as for a sensitivity of 1: the bootstrap
    cannot see an uncertainty then, which is not to say that there is none.
    """

    value: float
    low: float
    high: float


def resample_patients(
    patients: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.int32]:
    """Draw patients with replacement, as many as there are, and take all studies of each.

    Args:
        patients: The patient of each study, (n,). Their order does not change what is drawn.
        resamples: Number of draws R.
        seed: Same seed, same draws.

    Returns:
        int32 (R, n): how often each draw holds each study.
    """
    names, index = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    if not names.size:
        return np.zeros((resamples, 0), dtype=np.int32)
    chances = np.full(names.size, 1 / names.size)
    counts = np.random.default_rng(seed).multinomial(names.size, chances, resamples)
    return counts.astype(np.int32)[:, index]


def estimate(measure: Measure, labels: ArrayLike, values: ArrayLike, weights: NDArray[np.int32]) -> Estimate:
    """Return a measure with its percentile interval over the draws of `resample_patients`, (R, n)."""
    y, v = checked(labels, values)
    drawn = _resampled(measure, y, v, weights)
    return _interval(measure.point(y, v), drawn, centred=measure.centred)


def estimate_mean(values: ArrayLike, weights: NDArray[np.int32]) -> Estimate:
    """Return the mean of `values` (n,) with its percentile interval over the draws, (R, n)."""
    v = np.asarray(values, dtype=np.float64)
    if not v.size:
        return Estimate(math.nan, math.nan, math.nan)
    total = weights @ np.ones(v.size)
    return _interval(float(v.mean()), _ratio(weights @ v, total), centred=False)


def paired_difference(
    measure: Measure, labels: ArrayLike, first: ArrayLike, second: ArrayLike, weights: NDArray[np.int32]
) -> Estimate:
    """Return measure(first) - measure(second) for two models on the same studies and the same draws."""
    y, a = checked(labels, first)
    _, b = checked(labels, second)
    drawn = _resampled(measure, y, a, weights) - _resampled(measure, y, b, weights)
    return _interval(measure.point(y, a) - measure.point(y, b), drawn, centred=measure.centred)


def _resampled(measure: Measure, y: FloatArray, v: FloatArray, weights: NDArray[np.int32]) -> FloatArray:
    if not y.size:
        return np.full(len(weights), np.nan)
    step = max(1, _CHUNK_ELEMENTS // y.size)  # bounds the memory of a large split
    chunks = (weights[i : i + step].astype(np.float64) for i in range(0, len(weights), step))
    return np.concatenate([measure.resampled(y, v, chunk) for chunk in chunks])


def _interval(value: float, drawn: FloatArray, *, centred: bool) -> Estimate:
    defined = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or not defined.size or defined.size < MINIMUM_DEFINED * drawn.size:
        return Estimate(value, math.nan, math.nan)
    if np.ptp(defined) < 1e-12:
        return Estimate(value, math.nan, math.nan)
    shift = value - float(defined.mean()) if centred else 0.0
    low, high = np.percentile(defined, (2.5, 97.5)) + shift
    return Estimate(value, max(0.0, float(low)) if centred and value >= 0 else float(low), float(high))
