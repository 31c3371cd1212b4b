"""Fit on the valid split what turns a network's output into a call: a temperature and two thresholds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit

from mura_core import metrics
from mura_core.errors import DatasetError
from mura_core.metrics import FloatArray
from mura_core.study import OperatingPoints

TEMPERATURE_RANGE = (0.05, 20.0)


def fit_temperature(logits: ArrayLike, labels: ArrayLike, studies: ArrayLike | None = None) -> float:
    """Find the temperature T at which sigmoid(logit / T) has the lowest log loss (Guo et al. 2017).

    Args:
        logits: The network's output for each view, (n,).
        labels: 1 abnormal or 0 normal, of the study each view belongs to, (n,).
        studies: The study of each view, (n,). Where given, the log loss is that of the study probability, the
            mean over its views; otherwise each view is a study.

    Returns:
        T within `TEMPERATURE_RANGE`. Logits that separate the classes would send T to 0, which claims a
        certainty that no split can prove; the range's end is returned then.

    Raises:
        DatasetError: The labels are not of both classes.
        ValueError: The lists differ in length, or hold what is not a label or a finite logit.
    """
    y, z = metrics.checked(labels, logits)
    _require_both(y, "a temperature")
    first, index = np.arange(y.size), np.arange(y.size)
    if studies is not None:
        _, first, index = np.unique(np.asarray(studies), return_index=True, return_inverse=True)
        if index.shape != y.shape:
            raise ValueError(f"Studies {index.shape} and labels {y.shape} must be two lists of one length.")
        if (y[first][index] != y).any():
            raise ValueError("The views of a study must have one label.")
    views_in_study = np.bincount(index)

    def loss(log_temperature: float) -> float:
        views = expit(z / math.exp(log_temperature))
        return metrics.log_loss(y[first], np.bincount(index, weights=views) / views_in_study)

    low, high = (math.log(bound) for bound in TEMPERATURE_RANGE)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    return float(np.clip(math.exp(found.x), *TEMPERATURE_RANGE))


def fit_operating_points(
    probabilities: ArrayLike, labels: ArrayLike, *, sensitivity: float = 0.9, specificity: float = 0.9
) -> OperatingPoints:
    """Find the two thresholds between which a study is *doubt*.

    Args:
        probabilities: Calibrated study probabilities in [0, 1], (n,).
        labels: 1 abnormal or 0 normal, (n,).
        sensitivity: Share of the abnormal studies that must not be called normal, in (0, 1].
        specificity: Share of the normal studies that must not be called abnormal, in (0, 1].

    Returns:
        `sensitive`: the highest threshold that `sensitivity` allows. `specific`: the lowest that
        `specificity` allows, but never below `sensitive`: where one threshold does both, nothing is doubt.

    Raises:
        DatasetError: The labels are not of both classes, or too many normal studies have a probability of 1
            for any threshold to reach `specificity`.
        ValueError: As `metrics.checked`, or a share outside (0, 1].
    """
    y, p = metrics.checked(labels, probabilities, unit=True)
    if not (0 < sensitivity <= 1 and 0 < specificity <= 1):
        raise ValueError(f"Sensitivity {sensitivity} and specificity {specificity} must be in (0, 1].")
    _require_both(y, "operating points")
    abnormal, normal = np.sort(p[y == 1]), np.sort(p[y == 0])
    sensitive = float(abnormal[abnormal.size - _share(sensitivity, abnormal.size)])
    highest_called_normal = float(normal[_share(specificity, normal.size) - 1])
    if highest_called_normal == 1.0:
        raise DatasetError(
            f"No threshold reaches specificity {specificity}: the model gives a probability of exactly 1 to "
            f"{np.count_nonzero(normal == 1.0)} of {normal.size} normal studies. Train longer or raise the "
            "temperature."
        )
    # A study is called from the threshold on, so the next number up is the lowest that leaves this one out.
    specific = math.nextafter(highest_called_normal, 1.0)
    return OperatingPoints(sensitive=sensitive, specific=max(sensitive, specific))


def _share(share: float, size: int) -> int:
    """Return the smallest number of `size` studies that is at least `share` of them."""
    # 0.9 * 10 is 9.000000000000000x for some sizes: a hair above a whole number must not ask for one more.
    return max(1, math.ceil(share * size - 1e-9))


def _require_both(y: FloatArray, what: str) -> None:
    abnormal = int(y.sum())
    if abnormal in (0, y.size):
        raise DatasetError(
            f"The split to fit {what} on has {abnormal} abnormal of {y.size} studies. Expected both normal "
            "and abnormal studies: use a larger valid split."
        )
