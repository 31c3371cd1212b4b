"""Operating points by body part: what is counted, what is stated, and what is kept back."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import precision_score

from mura_core import bootstrap, metrics, report
from mura_core.bootstrap import predictive_measures
from mura_core.cells import LEAST
from mura_core.errors import DatasetError, MuraError
from mura_core.model_card import summary_table
from mura_core.operating import measure_operating, measure_rows
from mura_core.operating_table import call_rows, operating_rows, operating_rule
from mura_core.studies_file import read_csv
from mura_core.study import OperatingPoints
from mura_core.study_table import StudyRow, ViewRow, write_csv

if TYPE_CHECKING:
    from pathlib import Path

POINTS = OperatingPoints(sensitive=0.3, specific=0.6)


def row(number: int, label: int, probability: float, part: str = "hand", patient: str = "") -> StudyRow:
    views = (ViewRow(f"{number}.png", probability),)
    call = POINTS.call(probability)
    return StudyRow(
        f"s{number}", patient or f"p{number}", part, label, part == "hand", False, probability, call, views
    )


def studies(part: str, abnormal: int, normal: int, seed: int = 0, start: int = 0) -> list[StudyRow]:
    draw = np.random.default_rng(seed)
    labels = [1] * abnormal + [0] * normal
    values = np.clip(draw.normal([0.3 + 0.3 * label for label in labels], 0.2), 0, 1)
    return [
        row(start + i, label, float(value), part)
        for i, (label, value) in enumerate(zip(labels, values, strict=True))
    ]


@pytest.mark.parametrize("prevalence", [None, 0.1, 0.7])
def test_predictive_values_and_every_resample_follow_from_the_reference(prevalence: float | None) -> None:
    draw = np.random.default_rng(3)
    labels = (draw.random(200) < 0.3).astype(int)
    calls = (draw.random(200) < 0.2 + 0.5 * labels).astype(int)
    drawn = bootstrap.resample_patients([str(i // 2) for i in range(200)], resamples=20)
    for name, label in (("ppv", 1), ("npv", 0)):
        measure = predictive_measures(prevalence)[name]

        def expected(weights: np.ndarray, label: int = label) -> float:
            w = weights.astype(float)
            if prevalence is not None:
                # As many of each kind as the prevalence says, by the weights of the studies.
                share = np.where(labels == 1, prevalence, 1 - prevalence)
                w = w * share / np.where(labels == 1, w[labels == 1].sum(), w[labels == 0].sum())
            return float(precision_score(labels, calls, pos_label=label, sample_weight=w))

        found = measure.resampled(labels.astype(float), calls.astype(float), drawn.astype(float))
        np.testing.assert_allclose(found, [expected(weights) for weights in drawn])
        assert measure.point(labels, calls) == pytest.approx(expected(np.ones(200)))


def test_predictive_values_by_hand() -> None:
    # Of a thousand at a prevalence of 10 %: 80 of 100 found, 180 of 900 alarmed.
    labels = [1] * 5 + [0] * 5
    calls = [1, 1, 1, 1, 0, 1, 0, 0, 0, 0]
    assert metrics.positive_predictive_value(labels, calls, 0.1) == pytest.approx(80 / 260)
    assert metrics.negative_predictive_value(labels, calls, 0.1) == pytest.approx(720 / 740)
    assert metrics.positive_predictive_value(labels, calls) == pytest.approx(4 / 5)
    assert metrics.negative_predictive_value(labels, calls) == pytest.approx(4 / 5)
    for prevalence in (None, 0.1):
        assert np.isnan(metrics.positive_predictive_value(labels, [0] * 10, prevalence))
        assert np.isnan(metrics.negative_predictive_value(labels, [1] * 10, prevalence))


def test_the_figures_are_those_of_the_other_tables_where_both_state_them() -> None:
    rows = studies("hand", 40, 60) + studies("leg", 30, 70, seed=1, start=100)
    measured = measure_rows(rows, POINTS, resamples=100)
    for name, group in measured["operating"]["groups"].items():
        other = measured["groups"][name]
        assert (group["studies"], group["abnormal"]) == (other["studies"], other["abnormal"])
        for point in ("sensitive", "specific"):
            for key in ("value", "sensitivity", "sensitivity_ci95", "specificity", "specificity_ci95"):
                assert group["at"][point][key] == other["at"][point][key]
    hand = measured["operating"]["groups"]["hand"]
    here = hand["at"]["specific"]
    called = sum(one.probability >= POINTS.specific for one in rows[:100])
    right = sum(one.probability >= POINTS.specific for one in rows[:40])
    assert (here["found"], hand["prevalence"]) == (right, 0.4)
    assert here["ppv_here"] == pytest.approx(right / called)


@pytest.mark.parametrize(("abnormal", "normal"), [(LEAST - 1, 60), (60, LEAST - 1), (LEAST, LEAST), (0, 3)])
def test_no_figure_is_stated_from_too_few_patients(abnormal: int, normal: int) -> None:
    operating = measure_operating(studies("hand", abnormal, normal), POINTS, resamples=50)
    group = operating["groups"]["hand"]
    enough = {"sensitivity": abnormal >= LEAST, "specificity": normal >= LEAST}
    assert group["enough"] == {**enough, "predictive": all(enough.values())}
    for point in ("sensitive", "specific"):
        found = group["at"][point]
        stated = {name: found[name] is not None for name in ("sensitivity", "specificity", "ppv", "ppv_here")}
        both = all(enough.values())
        called = found["found"] + normal - found["cleared"]
        assert stated == {**enough, "ppv": both, "ppv_here": both and called >= LEAST}
        assert (found["sensitivity_ci95"] is not None) == enough["sensitivity"]
        line = next(cells for cells in operating_rows(operating, point)[2] if cells[0] == "hand")
        assert ("too few" in line[1], "too few" in line[2]) == (abnormal < LEAST, normal < LEAST)
        assert f"{found['found']}/{abnormal}" in line[1]
    assert json.dumps(operating, allow_nan=False)


@pytest.mark.parametrize("called", [LEAST - 1, LEAST])
def test_predictive_values_here_need_as_many_patients_called_so(called: int) -> None:
    rows = [row(i, i % 2, 0.9 if i < called else 0.1) for i in range(100)]
    rows += [row(200, 0, 0.9, patient="p0")]  # a patient who is called so twice
    operating = measure_operating(rows, POINTS, resamples=20)
    group = operating["groups"]["all"]
    assert group["enough"]["predictive"]
    for point in ("sensitive", "specific"):
        found = group["at"][point]
        assert (found["ppv_here"] is not None) == (called >= LEAST)
        assert (found["ppv_here_ci95"] is not None) == (called >= LEAST)
        assert found["npv_here"] is not None
        line = operating_rows(operating, point)[2][0]
        assert ("too few" in line[6]) == (called < LEAST)
        assert "too few" not in line[7]


@pytest.mark.parametrize(
    ("abnormal", "normal", "stated"),
    [
        (
            LEAST,
            LEAST,
            {"AUROC", "avg. precision", "Brier", "accuracy", "kappa", "sensitivity", "specificity"},
        ),
        (LEAST, LEAST - 1, {"Brier", "accuracy", "sensitivity"}),
        (LEAST - 1, LEAST, {"Brier", "accuracy", "specificity"}),
        (1, LEAST - 2, set()),
    ],
)
def test_no_table_of_the_report_or_the_readme_prints_a_figure_from_too_few(
    abnormal: int, normal: int, stated: set[str]
) -> None:
    rows = studies("leg", 40, 40) + studies("hip", abnormal, normal, start=100)
    measured = measure_rows(rows, POINTS, resamples=50)
    text = report.markdown_tables(measured)
    legs = measured["groups"]["leg"]["probability"]
    assert f"| {legs['brier']:.3f} [{legs['brier_ci95'][0]:.3f}, {legs['brier_ci95'][1]:.3f}] |" in text
    hips = {}
    for table in text.split("###")[1:3]:
        header, _, *lines = [line.strip("| ").split(" | ") for line in table.splitlines() if "|" in line]
        hip = next(line for line in lines if line[0] == "hip")
        hips |= dict(zip(header[3:], hip[3:], strict=True))
    for name in ("AUROC", "avg. precision", "Brier", "accuracy", "kappa", "sensitivity", "specificity"):
        assert (hips[name] != "too few") == (name in stated), name
    readme = summary_table(SimpleNamespace(metrics=measured))  # type: ignore[arg-type]
    hip_line = next(line for line in readme.splitlines() if line.startswith("| hip"))
    assert [shown != "too few" for shown in hip_line.strip("| ").split(" | ")[3:]] == [
        name in stated for name in ("AUROC", "accuracy", "kappa", "sensitivity", "specificity")
    ]


def test_what_part_of_a_call_is_abnormal_is_a_share_of_enough_or_a_count() -> None:
    rows = [row(i, int(i < 6), 0.9) for i in range(LEAST - 1)] + [row(50 + i, 0, 0.1) for i in range(LEAST)]
    groups = measure_rows(rows, POINTS, resamples=10)["groups"]
    _, header, lines = call_rows({"all": groups["all"]})
    assert header[2:] == ("called normal", "called doubt", "called abnormal")
    assert lines[0][2:] == (
        "0.51 (20/39); abnormal 0.00 (0/20)",
        "0.00 (0/39); abnormal 0/0 too few",
        "0.49 (19/39); abnormal 6/19 too few",
    )


def test_many_studies_of_few_patients_are_too_few() -> None:
    rows = [replace(one, patient_id=f"p{i % 10}") for i, one in enumerate(studies("hand", 60, 60))]
    group = measure_operating(rows, POINTS, resamples=20)["groups"]["all"]
    assert (group["patients_abnormal"], group["abnormal"]) == (10, 60)
    assert not any(group["enough"].values())


def test_the_tables_name_the_prevalence_and_the_rule() -> None:
    operating = measure_operating(studies("hand", 30, 30), POINTS, prevalence=0.15, resamples=20)
    title, header, lines = operating_rows(operating, "sensitive")
    assert title == "The sensitive point: abnormal from 0.300 on"
    assert "PPV at 15 %" in header
    assert {len(line) for line in lines} == {len(header)}
    assert "at a prevalence of 15 %" in operating_rule(operating)
    assert f"from {LEAST} patients" in operating_rule(operating)


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, float("nan"), 20.0])
def test_what_is_no_prevalence_is_refused(prevalence: float) -> None:
    with pytest.raises(MuraError, match="between 0 and 1"):
        measure_operating(studies("hand", 2, 2), POINTS, prevalence=prevalence)


def test_the_table_of_studies_reads_back_as_it_was(tmp_path: Path) -> None:
    rows = [*studies("hand", 3, 3), replace(row(9, 1, 1 / 3), hardware=True, arm=False)]
    rows += [replace(row(10, 0, 0.1), views=(ViewRow("a, b.png", 0.05), ViewRow("c.png", 0.15)))]
    path = tmp_path / "studies.csv"
    path.write_text(write_csv(rows), encoding="utf-8")
    assert read_csv(path) == rows


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hardware,", "", "line 1: the columns are"),
        ("0.25", "1.25", r"line 2: 1.25 is no probability"),
        (",0,0.25", ",2,0.25", "line 2: label is '2', expected 0 or 1"),
        ("normal", "perhaps", "line 2: 'perhaps' is not a valid Call"),
        ("s1,p1,hand,1,0,0,0.25,normal,1.png,0.25\n", "", "has no study"),
        ("1.png,0.25", "1.png", "line 2"),
        (",1.png,0.25", "", "line 2"),
    ],
)
def test_a_table_of_studies_that_is_none_is_refused_by_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "studies.csv"
    text = write_csv([row(1, 0, 0.25)])
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_csv(path)
