"""The figures of a split, from its rows alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from mura_core.study_table import operating_curve


def test_the_operating_curve_agrees_with_scikit_learn_at_every_threshold() -> None:
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 2, 200)
    probabilities = np.clip(0.2 * labels + draw.random(200), 0, 1).round(3)
    false_alarms, found, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    for threshold, sensitivity, specificity in operating_curve(labels.tolist(), probabilities.tolist()):
        # scikit-learn lists the distinct scores downwards: the last one from ours up calls the same.
        at = np.flatnonzero(thresholds >= threshold)[-1]
        assert sensitivity == pytest.approx(found[at])
        assert specificity == pytest.approx(1 - false_alarms[at])


def test_one_class_alone_has_no_operating_curve() -> None:
    assert operating_curve([1, 1], [0.2, 0.9]) == []
