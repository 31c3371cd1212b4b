"""Whether an unsteady call is a sign of a wrong one: counted on studies whose answers are known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.stability import measure
from mura_core.records import StudyRecord
from mura_core.stability import CHANGES, ChangedReading, Stability
from mura_core.stability_table import stability_lines
from mura_core.study import OperatingPoints

POINTS = OperatingPoints(0.3, 0.6)


def study(number: int, label: int, *probabilities: float) -> tuple[StudyRecord, Stability]:
    readings = tuple(
        ChangedReading(change, (value,), value, POINTS.call(value))
        for change, value in zip(CHANGES, probabilities, strict=False)
    )
    return StudyRecord(f"s{number}", f"p{number}", "hand", label, ()), Stability(readings)


STUDIES = [
    *(study(number, 0, 0.1, 0.12, 0.08) for number in range(6)),  # steady and right
    *(study(number, 1, 0.9, 0.85, 0.95) for number in range(6, 9)),  # steady and right
    study(9, 1, 0.05, 0.05, 0.05),  # steady, missed
    study(10, 0, 0.61, 0.5, 0.7),  # unsteady, a false alarm
    study(11, 1, 0.28, 0.31, 0.2),  # unsteady, missed
    study(12, 1, 0.64, 0.59, 0.72),  # unsteady and right
    study(13, 0, 0.4, 0.2, 0.5),  # unsteady doubt
    study(14, 1, 0.45, 0.4, 0.5),  # steady doubt
]


def measured(times: int = 1, each: int = 1) -> dict[str, Any]:
    """The figures of these studies, or of so many patients of each kind, who have `each` studies alike."""
    records, found = zip(*STUDIES * times * each, strict=True)
    records = tuple(
        replace(record, patient_id=f"p{n % (len(STUDIES) * times)}") for n, record in enumerate(records)
    )
    return measure(records, found, POINTS)


def shown_on_the_card(figures: dict[str, Any]) -> str:
    about = {"data": "made up", "studies": 15, "engine": "none", "points_fitted_here": True}
    return stability_lines(json.loads(json.dumps({**about, **figures}, allow_nan=False)))


def test_errors_are_counted_among_the_calls_that_claim_something() -> None:
    groups = measured()["groups"]
    assert {key: groups["all"][key] for key in ("studies", "abnormal", "doubt", "called")} == {
        "studies": 15,
        "abnormal": 7,
        "doubt": 2,
        "called": 13,
    }
    steady, unsteady = groups["steady"], groups["unsteady"]
    assert (steady["studies"], steady["called"], steady["missed"], steady["false_alarms"]) == (11, 10, 1, 0)
    assert (unsteady["studies"], unsteady["called"]) == (4, 3)
    assert (unsteady["missed"], unsteady["false_alarms"]) == (1, 1)
    assert (steady["error"], unsteady["error"]) == (pytest.approx(1 / 10), pytest.approx(2 / 3))
    assert groups["all"]["error"] == pytest.approx(3 / 13)
    low, high = steady["error_ci95"]
    assert 0 <= low < 0.1 < high < 0.5


def test_patients_are_counted_beside_their_studies() -> None:
    groups = measured(each=2)["groups"]
    assert groups["all"]["called"] == 26
    assert groups["all"]["patients"] == {"abnormal": 7, "normal": 8, "called": 13, "wrong": 3, "right": 10}
    assert groups["unsteady"]["patients"] == {"abnormal": 2, "normal": 2, "called": 3, "wrong": 2, "right": 1}


def test_the_difference_is_that_of_the_two_groups_with_its_interval() -> None:
    figures = measured()
    assert figures["error_difference"] == pytest.approx(2 / 3 - 1 / 10)
    low, high = figures["error_difference_ci95"]
    assert -0.2 < low < 2 / 3 - 1 / 10 < high <= 1


def test_a_sign_of_error_is_measured_on_claimed_calls_and_beside_nearness_to_a_point() -> None:
    signs = measured()["signs_of_error"]
    # Ranges of the wrong: 0, 0.2 and 0.11; of the right: six of 0.04, three of 0.1, one of 0.13.
    pairs = 0 + 10 + 9
    assert signs["range of the readings"]["auroc"] == pytest.approx(pairs / 30)
    # How near: the wrong 0.25, 0.01 and 0.02; the right six of 0.2, three of 0.3, one of 0.04.
    pairs = 3 + 10 + 10
    assert signs["nearness of the plain reading to a point"]["auroc"] == pytest.approx(pairs / 30)


def test_each_change_says_how_far_it_moves_and_how_many_calls_it_alters() -> None:
    first, second = measured()["rows"]
    assert (first["change"], second["change"]) == tuple(CHANGES)[1:3]
    # The first change alters 10 to 13; the second alters none of them.
    assert (first["calls_altered"], second["calls_altered"]) == (4, 0)
    assert first["mean_shift"] == pytest.approx((6 * 0.02 - 3 * 0.05 - 0.11 + 0.03 - 0.05 - 0.2 - 0.05) / 15)
    assert first["mean_absolute_shift"] > abs(first["mean_shift"])


def test_the_figures_are_json_and_the_card_shows_them() -> None:
    shown = shown_on_the_card(measured(10))
    assert "| some change alters it | 40 | 20 | 10 | 30 | 10 | 10 | 0.667 [" in shown
    assert "less error where none does: 0.567 [" in shown
    assert "too few" not in shown
    assert "fitted on these studies" in shown
    assert "| mirrored | " in shown


def test_without_an_unsteady_call_the_difference_is_not_known() -> None:
    records, found = zip(*STUDIES[:9], strict=True)
    figures = measure(records, found, POINTS)
    assert figures["error_difference"] is None
    assert figures["groups"]["unsteady"]["error"] is None
    assert "less error where none does: too few" in shown_on_the_card(figures)


@pytest.mark.parametrize("each", [1, 10])
@pytest.mark.parametrize(
    ("times", "error", "abnormal", "others"),
    [(1, False, False, False), (2, True, False, False), (6, True, True, False), (7, True, True, True)],
)
def test_the_card_states_no_figure_of_fewer_than_twenty_patients(
    times: int, error: bool, abnormal: bool, others: bool, each: int
) -> None:
    # Steady calls are 10 times as many, abnormal studies 7 times, unsteady calls and wrong ones 3 times.
    shown = shown_on_the_card(measured(times, each))
    assert ("| 0.100 [" in shown) == error
    assert ("as they are too few" not in shown) == abnormal
    assert ("where none does: 0.567 [" in shown) == others
    assert ("range of the readings 0." in shown) == others


def test_where_patients_were_not_counted_each_study_is_one() -> None:
    figures = measured(7, each=10)
    counted = shown_on_the_card(figures)
    for group in figures["groups"].values():
        assert group.pop("patients")["called"] == group["called"] / 10
    assert shown_on_the_card(figures) == counted
    few = measured(1, each=10)
    assert "where none does: too few" in shown_on_the_card(few)
    for group in few["groups"].values():
        del group["patients"]
    assert "where none does: 0.567 [" in shown_on_the_card(few)
