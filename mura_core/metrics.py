"""Measures of a two-class reader, from scikit-learn where it has them.

Labels are 1 (abnormal) or 0 (normal). A measure that its input leaves undefined is nan and never an error:
AUROC, average precision and kappa need both classes, sensitivity needs an abnormal study, specificity a
normal one, and everything needs at least one study. Reports print nan as "n/a". Input that cannot be a label
or a probability is a ValueError, because only a mistake in the calling code produces it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

FloatArray = NDArray[np.float64]

CALIBRATION_BINS = 10


def checked(labels: ArrayLike, values: ArrayLike, *, unit: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return both as float64 (n,), refusing what is not a label, not finite or (`unit`) not in [0, 1]."""
    y, v = np.asarray(labels, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or y.shape != v.shape:
        raise ValueError(f"Labels {y.shape} and values {v.shape} must be two lists of one length.")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("Labels must be 0 (normal) or 1 (abnormal).")
    if not np.isfinite(v).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(v))} of {v.size} values are not finite.")
    if unit and v.size and (v.min() < 0.0 or v.max() > 1.0):
        raise ValueError(f"Values from {v.min():.4g} to {v.max():.4g} are not all in [0, 1].")
    return y, v


def _two_classes(y: FloatArray) -> bool:
    return y.size > 0 and y.min() != y.max()


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve; `scores` (n,) of any range, ties count half; nan without both classes."""
    y, s = checked(labels, scores)
    return float(sk.roc_auc_score(y, s)) if _two_classes(y) else math.nan


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the precision-recall curve by steps; `scores` (n,); nan without both classes."""
    y, s = checked(labels, scores)
    return float(sk.average_precision_score(y, s)) if _two_classes(y) else math.nan


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log likelihood in nats; `probabilities` (n,) in [0, 1]; nan for no studies."""
    y, p = checked(labels, probabilities, unit=True)
    return float(sk.log_loss(y, p, labels=[0, 1])) if y.size else math.nan


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared difference of `probabilities` (n,) in [0, 1] and labels; nan for no studies."""
    y, p = checked(labels, probabilities, unit=True)
    return float(sk.brier_score_loss(y, p)) if y.size else math.nan


def calibration_bin(probabilities: FloatArray) -> NDArray[np.int64]:
    """Return which of the `CALIBRATION_BINS` bins each probability (n,) falls in."""
    return np.minimum((probabilities * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def calibration_error(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Expected calibration error of the probability of *abnormal*, in [0, 1]; nan for no studies.

    Ten bins of equal width, [0, 0.1), [0.1, 0.2), ... [0.9, 1]; in each, the distance between the mean
    probability and the share of abnormal studies; averaged with the bins' numbers of studies as weights. On
    few studies it is biased upwards: even perfect probabilities get about 0.04 on 400 studies.
    """
    y, p = checked(labels, probabilities, unit=True)
    gaps = np.bincount(calibration_bin(p), weights=p - y, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / y.size) if y.size else math.nan


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of `predictions` (n,) in {0, 1} that equal the label; nan for no studies."""
    y, c = checked(labels, predictions, unit=True)
    return float(sk.accuracy_score(y, c)) if y.size else math.nan


def cohen_kappa(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Agreement of `predictions` (n,) in {0, 1} with the labels beyond chance; nan without both labels."""
    y, c = checked(labels, predictions, unit=True)
    return float(sk.cohen_kappa_score(y, c)) if _two_classes(y) else math.nan


def sensitivity(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of the abnormal that `predictions` (n,) in {0, 1} call abnormal; nan for no abnormal."""
    y, c = checked(labels, predictions, unit=True)
    return float(sk.recall_score(y, c)) if y.any() else math.nan


def specificity(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of the normal that `predictions` (n,) in {0, 1} call normal; nan for no normal."""
    y, c = checked(labels, predictions, unit=True)
    return float(sk.recall_score(y, c, pos_label=0)) if (y == 0).any() else math.nan


def positive_predictive_value(
    labels: ArrayLike, predictions: ArrayLike, prevalence: float | None = None
) -> float:
    """Share of those called abnormal that are; nan where none is called so.

    Args:
        labels: 0 or 1, (n,).
        predictions: 0 or 1, (n,).
        prevalence: Share of the abnormal to reckon with, in (0, 1), by Bayes' rule; None to count instead,
            which is at the share that `labels` have.
    """
    found, clear = sensitivity(labels, predictions), specificity(labels, predictions)
    if prevalence is not None:
        return _share(found * prevalence, (1 - clear) * (1 - prevalence))
    y, c = checked(labels, predictions, unit=True)
    return float(sk.precision_score(y, c)) if c.any() else math.nan


def negative_predictive_value(
    labels: ArrayLike, predictions: ArrayLike, prevalence: float | None = None
) -> float:
    """Share of those called normal that are; as `positive_predictive_value`."""
    found, clear = sensitivity(labels, predictions), specificity(labels, predictions)
    if prevalence is not None:
        return _share(clear * (1 - prevalence), (1 - found) * prevalence)
    y, c = checked(labels, predictions, unit=True)
    return float(sk.precision_score(1 - y, 1 - c)) if (c == 0).any() else math.nan


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else math.nan
