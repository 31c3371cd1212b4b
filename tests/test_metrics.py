"""The measures against scikit-learn and by hand, and the bootstrap against its definition."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from sklearn import metrics as sk

from mura_core import bootstrap, metrics
from mura_core.bootstrap import DECISION_MEASURES, PROBABILITY_MEASURES, Measure

ALL_MEASURES = [*PROBABILITY_MEASURES, *DECISION_MEASURES]


def studies(n: int = 300, seed: int = 1) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Labels, probabilities with many ties, and patients with one to three studies."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(int)
    probabilities = np.round(np.clip(rng.normal(0.35 + 0.25 * labels, 0.2), 0, 1), 2)
    return labels, probabilities, [f"patient{i}" for i in rng.integers(0, n // 2, n)]


def measure_and_values(name: str, probabilities: np.ndarray) -> tuple[Measure, np.ndarray]:
    if name in PROBABILITY_MEASURES:
        return PROBABILITY_MEASURES[name], probabilities
    return DECISION_MEASURES[name], (probabilities >= 0.5).astype(float)


def reference(name: str, labels: np.ndarray, values: np.ndarray, weights: np.ndarray) -> float:
    """Scikit-learn with sample weights, or a loop over the definition where it has none."""
    w = {"sample_weight": weights}
    if name == "calibration_error":
        total = 0.0
        for low in range(10):
            inside = [i for i, p in enumerate(values) if low / 10 <= p < (low + 1) / 10]
            inside += [i for i, p in enumerate(values) if low == 9 and p == 1.0]
            total += abs(sum(weights[i] * (values[i] - labels[i]) for i in inside))
        return total / weights.sum()
    return float(
        {
            "auroc": lambda: sk.roc_auc_score(labels, values, **w),
            "average_precision": lambda: sk.average_precision_score(labels, values, **w),
            "log_loss": lambda: sk.log_loss(labels, values, labels=[0, 1], **w),
            "brier": lambda: sk.brier_score_loss(labels, values, **w),
            "accuracy": lambda: sk.accuracy_score(labels, values, **w),
            "cohen_kappa": lambda: sk.cohen_kappa_score(labels, values, **w),
            "sensitivity": lambda: sk.recall_score(labels, values, **w),
            "specificity": lambda: sk.recall_score(1 - labels, 1 - values, **w),
        }[name]()
    )


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_value_and_every_resample_equal_the_reference(name: str) -> None:
    labels, probabilities, patients = studies()
    measure, values = measure_and_values(name, probabilities)
    weights = bootstrap.resample_patients(patients, resamples=20)
    drawn = measure.resampled(labels.astype(float), values, weights.astype(float))
    expected = [reference(name, labels, values, row) for row in weights]
    np.testing.assert_allclose(drawn, expected, rtol=1e-9)
    assert measure.point(labels, values) == pytest.approx(
        reference(name, labels, values, np.ones(len(labels)))
    )


def test_measures_by_hand() -> None:
    labels, probabilities = [1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.2]
    calls = [1, 0, 1, 0, 0]
    assert metrics.auroc(labels, probabilities) == pytest.approx(5 / 6)
    assert metrics.average_precision(labels, probabilities) == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.brier(labels, probabilities) == pytest.approx((0.01 + 0.36 + 0.36 + 0.04 + 0.04) / 5)
    expected = -sum(map(math.log, (0.9, 0.4, 0.4, 0.8, 0.8))) / 5
    assert metrics.log_loss(labels, probabilities) == pytest.approx(expected)
    assert metrics.calibration_error(labels, probabilities) == pytest.approx((0.1 + 0.6 + 0.6 + 0.4) / 5)
    assert metrics.accuracy(labels, calls) == pytest.approx(3 / 5)
    assert metrics.sensitivity(labels, calls) == pytest.approx(1 / 2)
    assert metrics.specificity(labels, calls) == pytest.approx(2 / 3)
    chance = (2 / 5) * (2 / 5) + (3 / 5) * (3 / 5)
    assert metrics.cohen_kappa(labels, calls) == pytest.approx((3 / 5 - chance) / (1 - chance))


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    labels, probabilities, _ = studies(80)
    abnormal, normal = probabilities[labels == 1], probabilities[labels == 0]
    pairs = np.mean([(a > b) + 0.5 * (a == b) for a in abnormal for b in normal])
    assert metrics.auroc(labels, probabilities) == pytest.approx(pairs)


def test_perfect_calibration_has_no_error_and_the_opposite_has_all() -> None:
    assert metrics.calibration_error([1, 0, 0, 1], [1.0, 0.0, 0.5, 0.5]) == 0.0
    assert metrics.calibration_error([0, 1], [1.0, 0.0]) == 1.0


@pytest.mark.parametrize(
    ("label", "undefined"),
    [
        (0, {"auroc", "average_precision", "cohen_kappa", "sensitivity"}),
        (1, {"auroc", "average_precision", "cohen_kappa", "specificity"}),
    ],
)
def test_one_class_leaves_some_measures_undefined_and_the_rest_defined(
    label: int, undefined: set[str]
) -> None:
    labels, probabilities = [label] * 4, np.array([0.1, 0.2, 0.7, 0.8])
    weights = bootstrap.resample_patients(list("abcd"))
    for name in ALL_MEASURES:
        measure, values = measure_and_values(name, probabilities)
        found = bootstrap.estimate(measure, labels, values, weights)
        assert [math.isnan(x) for x in (found.value, found.low, found.high)] == [name in undefined] * 3, name


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_no_studies_leave_every_measure_undefined(name: str) -> None:
    measure, values = measure_and_values(name, np.zeros(0))
    found = bootstrap.estimate(measure, [], values, bootstrap.resample_patients([]))
    assert all(math.isnan(x) for x in (found.value, found.low, found.high))


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [
        ([0, 1], [0.5], "one length"),
        ([0, 2], [0.5, 0.5], "Labels must be 0"),
        ([0, 1], [0.5, math.nan], "1 of 2 values are not finite"),
        ([0, 1], [0.5, 1.2], r"not all in \[0, 1\]"),
    ],
)
def test_values_that_cannot_be_probabilities_are_refused(
    labels: list[int], values: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.brier(labels, values)


def test_a_resample_takes_all_studies_of_a_patient_and_as_many_patients_as_there_are() -> None:
    patients = ["c", "a", "a", "b", "c", "c"]
    weights = bootstrap.resample_patients(patients, resamples=200)
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, 0] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights[:, [0, 1, 3]], axis=0)) == 10  # 3 patients, 3 draws: every multiset occurs


@pytest.mark.parametrize("name", ALL_MEASURES)
def test_order_of_studies_is_irrelevant(name: str) -> None:
    labels, probabilities, patients = studies()
    measure, values = measure_and_values(name, probabilities)
    order = np.random.default_rng(5).permutation(len(labels))
    a = bootstrap.estimate(measure, labels, values, bootstrap.resample_patients(patients))
    shuffled = bootstrap.resample_patients([patients[i] for i in order])
    b = bootstrap.estimate(measure, labels[order], values[order], shuffled)
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ALL_MEASURES)
def test_interval_contains_the_estimate_and_narrows_with_more_patients(name: str, seed: int) -> None:
    widths = []
    for n in (60, 2000):
        labels, probabilities, patients = studies(n, seed)
        measure, values = measure_and_values(name, np.clip(probabilities, 0.05, 0.95))
        found = bootstrap.estimate(measure, labels, values, bootstrap.resample_patients(patients))
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]


def test_interval_of_a_share_is_as_wide_as_the_binomial_says() -> None:
    correct = np.repeat([1.0, 0.0], [320, 80])
    found = bootstrap.estimate_mean(correct, bootstrap.resample_patients([str(i) for i in range(400)]))
    half_width = 1.96 * math.sqrt(0.8 * 0.2 / 400)
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx((0.8 - half_width, 0.8 + half_width), abs=0.006)


def test_studies_of_one_patient_widen_the_interval_over_separate_patients() -> None:
    correct = np.repeat([1.0, 0.0] * 50, 4)
    alone = bootstrap.estimate_mean(correct, bootstrap.resample_patients([str(i) for i in range(400)]))
    together = bootstrap.estimate_mean(
        correct, bootstrap.resample_patients([str(i // 4) for i in range(400)])
    )
    assert together.high - together.low > 1.7 * (alone.high - alone.low)


def test_paired_difference_is_antisymmetric_and_zero_for_a_model_and_itself() -> None:
    labels, probabilities, patients = studies()
    better = np.clip(probabilities + 0.1 * (labels - 0.5), 0, 1)
    weights = bootstrap.resample_patients(patients)
    measure = PROBABILITY_MEASURES["auroc"]
    itself = bootstrap.paired_difference(measure, labels, probabilities, probabilities, weights)
    assert itself.value == 0.0
    assert math.isnan(itself.low)
    gain = bootstrap.paired_difference(measure, labels, better, probabilities, weights)
    loss = bootstrap.paired_difference(measure, labels, probabilities, better, weights)
    assert (loss.value, loss.low, loss.high) == pytest.approx((-gain.value, -gain.high, -gain.low))
    assert gain.low > 0
    alone = bootstrap.estimate(measure, labels, better, weights)
    assert gain.high - gain.low < alone.high - alone.low  # what pairing is for


def test_draws_that_never_differ_give_no_interval() -> None:
    found = bootstrap.estimate_mean(np.ones(5), bootstrap.resample_patients(list("abcde")))
    assert found.value == 1.0
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_chunks_do_not_change_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probabilities, patients = studies()
    weights = bootstrap.resample_patients(patients, resamples=50)
    whole = bootstrap.estimate(PROBABILITY_MEASURES["auroc"], labels, probabilities, weights)
    monkeypatch.setattr(bootstrap, "_CHUNK_ELEMENTS", 700)
    assert bootstrap.estimate(PROBABILITY_MEASURES["auroc"], labels, probabilities, weights) == whole


def test_all_intervals_of_440_studies_take_less_than_five_seconds() -> None:
    labels, probabilities, patients = studies(440)
    started = time.process_time()
    weights = bootstrap.resample_patients(patients)
    for name in ALL_MEASURES:
        measure, values = measure_and_values(name, probabilities)
        bootstrap.estimate(measure, labels, values, weights)
    assert time.process_time() - started < 5


def test_inputs_are_not_changed() -> None:
    labels, probabilities, patients = studies(50)
    weights = bootstrap.resample_patients(patients, resamples=10)
    kept = labels.copy(), probabilities.copy(), weights.copy()
    for measure in PROBABILITY_MEASURES.values():
        bootstrap.estimate(measure, labels, probabilities, weights)
    for before, after in zip(kept, (labels, probabilities, weights), strict=True):
        np.testing.assert_array_equal(before, after)
