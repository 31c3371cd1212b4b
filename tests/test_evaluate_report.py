"""The report of an evaluation: its files, its groups, and how figures are shown."""

from __future__ import annotations

import json
from pathlib import Path

import cv2

from mura_core import report
from mura_core.evaluate import evaluate
from mura_core.study_table import group_rows, measure_table
from tests.test_evaluate import POINTS, FakePredictor, phantom_records, row


def test_report_files_are_complete_and_replace_earlier_ones(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    (out / "metrics.json").write_text("old")
    (out / "notes.txt").write_text("kept")
    about = {"command": "python -m mura_core evaluate", "dataset": {"format": "phantoms", "split": "test"}}
    measured = evaluate(phantom_records(tmp_path), FakePredictor(), out, about=about, resamples=50)
    expected = {"metrics.json", "studies.csv", "report.md", "roc.png", "reliability.png", "confusion.png"}
    assert {path.name for path in out.iterdir()} == expected | {"notes.txt"}
    written = json.loads((out / "metrics.json").read_text())
    assert written == measured
    assert written["command"] == about["command"]
    assert written["dataset"] == about["dataset"]
    assert written["model"]["version"] == "0.0-test"
    assert written["model"]["preprocess"] == {"size": 320, "roi": True, "enhance": True}
    assert set(written["versions"]) >= {"mura_core", "python", "torch", "scikit-learn"}
    text = (out / "report.md").read_text()
    assert "0.0-test on phantoms test" in text
    for picture in ("roc.png", "reliability.png", "confusion.png"):
        assert f"({picture})" in text
        drawn = cv2.imread(str(out / picture))
        assert drawn is not None
        assert drawn.std() > 5


def test_groups_cover_subgroups_and_body_parts() -> None:
    rows = [
        row(0, 0, 0.1),
        row(1, 1, 0.9, hardware=True),
        row(2, 0, 0.2, body_part="leg", arm=False),
        row(3, 1, 0.7, body_part="leg", arm=False),
    ]
    groups = {name: [r.study_id for r in members] for name, members in group_rows(rows).items()}
    assert groups == {
        "all": ["s0", "s1", "s2", "s3"],
        "arm": ["s0", "s1"],
        "no hardware": ["s0", "s2", "s3"],
        "hand": ["s0", "s1"],
        "leg": ["s2", "s3"],
    }
    assert list(group_rows(rows[:1])) == ["all", "hand"]


def test_a_subgroup_of_one_class_prints_as_not_applicable_and_never_crashes() -> None:
    for rows in ([row(0, 0, 0.1), row(1, 0, 0.7)], [row(0, 1, 0.2)]):
        measured = {
            "model": {"architecture": "a", "version": "1", "temperature": 1.0},
            "options": {
                "resamples": 20,
                "seed": 0,
                "calibration_bins": 10,
                "heatmap_threshold": 0.5,
                "decision_threshold": 0.5,
            },
            **measure_table(rows, POINTS, resamples=20),
        }
        lines = report.format_table(measured).splitlines()
        assert lines[1].split()[:4] == ["studies", "n", "abnormal", "AUROC"]
        assert lines[2].split()[3:5] == ["too", "few"]
        assert "nan" not in report.format_table(measured)
        assert json.dumps(measured, allow_nan=False)
        text = report.render(measured, rows)["report.md"].decode()
        assert "localisation was not measured" in text
        assert "own patient" in text


def test_table_shows_value_and_interval(tmp_path: Path) -> None:
    measured = evaluate(phantom_records(tmp_path), FakePredictor(), tmp_path / "out", resamples=50)
    text = report.format_table(measured)
    # A drawn film is like another, so no draw of them differs.
    heatmap = next(line for line in text.splitlines() if line.startswith("heatmap "))
    assert heatmap.split() == ["heatmap", *["too", "few"] * 4]
    found = measured["localisation"]["all abnormal with boxes"]
    enough = report.format_table(measured | {"localisation": {"made up": found | {"patients": 20}}})
    assert f"{found['methods']['heatmap']['energy']:.3f} [n/a]" in enough
    assert "too few" in next(line for line in text.splitlines() if line.startswith("wrist"))
    assert "The sensitive point: abnormal from 0.300 on" in text
    assert "Localisation, true positives: 7 views of 4 patients" in text


def test_calls_are_counted_by_label() -> None:
    rows = [row(0, 0, 0.1), row(1, 0, 0.4), row(2, 1, 0.4), row(3, 1, 0.6), row(4, 1, 0.9)]
    calls = measure_table(rows, POINTS, resamples=10)["groups"]["all"]["calls"]
    assert calls == {
        "normal": {"normal": 1, "doubt": 1, "abnormal": 0},
        "abnormal": {"normal": 0, "doubt": 1, "abnormal": 2},
    }
