"""Operating curves of readers and of the model: one each, and the mean of several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import roc_curve

from mura_core.metrics import FloatArray
from mura_core.review.figures import Judged

Curve = tuple[tuple[float, float], ...]
"""Points (1 - specificity, sensitivity) from (0, 0) to (1, 1)."""


def rater_curve(judged: Sequence[Judged]) -> Curve | None:
    """The curve of one rater, by all thresholds on the score; None without both classes."""
    labels = [one.label for one in judged]
    if len(set(labels)) < 2:
        return None
    false, true, _ = roc_curve(labels, [one.score for one in judged], drop_intermediate=True)
    return tuple((float(x), float(y)) for x, y in zip(false, true, strict=True))


def mean_curve(curves: Sequence[Curve]) -> Curve | None:
    """The mean sensitivity of several raters at each specificity; its area is the mean of theirs."""
    if not curves:
        return None
    drawn = [np.asarray(curve, dtype=np.float64) for curve in curves]
    grid = np.unique(np.concatenate([curve[:, 0] for curve in drawn]))
    points = []
    # A curve may rise straight up, so each place of the grid has a value before and one after the rise.
    for side in ("left", "right"):
        heights = np.mean([_heights(curve, grid, side) for curve in drawn], axis=0)
        points.append(np.column_stack([grid, heights]))
    both = np.concatenate(points)
    order = np.lexsort((both[:, 1], both[:, 0]))
    return tuple(dict.fromkeys((float(x), float(y)) for x, y in [(0.0, 0.0), *both[order]]))


def _heights(curve: FloatArray, grid: FloatArray, side: str) -> FloatArray:
    x, y = curve.T
    # np.interp takes the last of equal abscissae; turned round it takes the first.
    found = np.interp(grid, x, y) if side == "right" else np.interp(-grid, -x[::-1], y[::-1])
    return np.asarray(found, dtype=np.float64)
