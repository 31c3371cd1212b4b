"""Temperature and operating points against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from mura_core import metrics
from mura_core.calibration import TEMPERATURE_RANGE, fit_operating_points, fit_temperature
from mura_core.errors import DatasetError
from mura_core.study import Call


def logits_at(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are perfectly calibrated after division by `temperature`."""
    rng = np.random.default_rng(3)
    calibrated = rng.normal(-1, 1.5, n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-calibrated))).astype(int)
    return calibrated * temperature, labels


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    logits, labels = logits_at(temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_no_temperature_nearby_has_a_lower_loss() -> None:
    logits, labels = logits_at(2.0, 500)
    best = fit_temperature(logits, labels)
    losses = [metrics.log_loss(labels, sigmoid(logits / t)) for t in np.linspace(0.2, 8, 400)]
    assert metrics.log_loss(labels, sigmoid(logits / best)) <= min(losses) + 1e-9


def test_with_studies_the_loss_is_that_of_the_mean_over_views() -> None:
    rng = np.random.default_rng(7)
    labels = np.repeat(rng.integers(0, 2, 200), 3)
    logits = 4 * (labels - 0.5) + rng.normal(0, 4, 600)
    studies = [f"s{i // 3}" for i in range(600)]
    best = fit_temperature(logits, labels, studies)

    def loss(t: float) -> float:
        return metrics.log_loss(labels[::3], sigmoid(logits / t).reshape(-1, 3).mean(axis=1))

    assert loss(best) <= min(loss(t) for t in np.linspace(0.1, 8, 400)) + 1e-9
    assert abs(best - fit_temperature(logits, labels)) > 0.1  # it is not the same number
    order = rng.permutation(600)
    shuffled = fit_temperature(logits[order], labels[order], [studies[i] for i in order])
    assert shuffled == pytest.approx(best, rel=1e-4)


def test_separable_logits_end_at_the_range() -> None:
    assert fit_temperature([-3.0, -2.0, 2.0, 3.0], [0, 0, 1, 1]) == pytest.approx(
        TEMPERATURE_RANGE[0], rel=1e-3
    )
    assert fit_temperature([3.0, 2.0, -2.0, -3.0], [0, 0, 1, 1]) == pytest.approx(
        TEMPERATURE_RANGE[1], rel=1e-3
    )


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_class_is_refused_with_what_was_found(labels: list[int]) -> None:
    with pytest.raises(DatasetError, match=f"{sum(labels)} abnormal of 3"):
        fit_temperature([0.0, 1.0, 2.0], labels)
    with pytest.raises(DatasetError, match=f"{sum(labels)} abnormal of 3"):
        fit_operating_points([0.0, 0.1, 0.2], labels)


def test_views_of_one_study_with_two_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="one label"):
        fit_temperature([0.0, 1.0], [0, 1], ["a", "a"])


def test_operating_points_by_hand() -> None:
    abnormal = [0.05, 0.30, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]  # 9 of 10 are >= 0.30
    normal = [0.01, 0.02, 0.03, 0.04, 0.1, 0.2, 0.3, 0.4, 0.55, 0.99]  # 9 of 10 are < just above 0.55
    points = fit_operating_points([*abnormal, *normal], [1] * 10 + [0] * 10)
    assert points.sensitive == 0.30
    assert points.specific == np.nextafter(0.55, 1)
    calls = [points.call(p) for p in (0.29, 0.30, 0.55, 0.56)]
    assert calls == [Call.NORMAL, Call.DOUBT, Call.DOUBT, Call.ABNORMAL]


@pytest.mark.parametrize("seed", range(20))
def test_operating_points_reach_their_shares_and_no_better_threshold_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, rng.integers(0, 2, 60)]
    probabilities = np.round(np.clip(rng.normal(0.3 + 0.2 * labels, 0.2), 0, 0.99), 2)
    points = fit_operating_points(probabilities, labels)

    def at(threshold: float) -> tuple[float, float]:
        called = probabilities >= threshold
        return float(called[labels == 1].mean()), float(1 - called[labels == 0].mean())

    grid = np.linspace(0, 1, 1001)
    assert at(points.sensitive)[0] >= 0.9
    assert all(at(t)[0] < 0.9 for t in grid if t > points.sensitive + 1e-9)
    assert at(points.specific)[1] >= 0.9
    if points.specific > points.sensitive:
        assert all(at(t)[1] < 0.9 for t in grid if t < points.specific - 1e-9)


def test_a_model_that_separates_has_no_doubt_zone() -> None:
    points = fit_operating_points([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert points.sensitive == points.specific == 0.8


def test_a_threshold_above_one_is_refused() -> None:
    with pytest.raises(DatasetError, match="exactly 1 to 2 of 3 normal"):
        fit_operating_points([0.1, 1.0, 1.0, 1.0], [0, 0, 0, 1])
