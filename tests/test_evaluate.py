"""Evaluation from files on disk to the report, with a predictor whose answers are known."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mura_core import metrics, report
from mura_core.answers import predict_records
from mura_core.checkpoint import save_weights
from mura_core.datasets import StudyRecord, ViewRecord
from mura_core.errors import DatasetError, ImageError, MuraError
from mura_core.evaluate import evaluate, run
from mura_core.images import read_radiograph
from mura_core.localisation import Scores
from mura_core.models import build_model
from mura_core.predictor import Predictor
from mura_core.preprocess import PreprocessOptions
from mura_core.sidecar import Sidecar
from mura_core.study import Box, Call, OperatingPoints, Study, StudyResult, Timing, View, ViewResult
from mura_core.study_table import StudyRow, ViewRow, measure_table

POINTS = OperatingPoints(sensitive=0.3, specific=0.6)
SIDECAR = Sidecar(
    architecture="densenet169",
    version="0.0-test",
    preprocess=PreprocessOptions(),
    temperature=1.5,
    operating_points=POINTS,
    metrics={"auroc": 0.5},
    data="phantoms",
    licence="CC0",
    command="none",
    created="2000-01-01",
)
SIZE = 64
BOX = Box(top=8, left=40, height=16, width=16)


@dataclass
class FakePredictor:
    """Calls a film abnormal as far as its brightest pixel is bright, and points at that pixel."""

    sidecar: Sidecar = SIDECAR
    seen: list[Study] = field(default_factory=list)
    points_at_corner: bool = False

    def predict(self, study: Study) -> StudyResult:
        self.seen.append(study)
        views = []
        for view in study.views:
            pixels = view.radiograph.pixels
            probability = float(pixels.max())
            heatmap = (
                np.zeros_like(pixels)
                if self.points_at_corner
                else (pixels >= pixels.max()).astype(np.float32)
            )
            if self.points_at_corner:
                heatmap[-1, 0] = 1
            cam = np.zeros((8, 8), dtype=np.float32)
            whole = Box(0, 0, *pixels.shape)
            views.append(
                ViewResult(
                    view.name,
                    probability,
                    Call.DOUBT,
                    0.0,
                    cam,
                    heatmap.copy,
                    pixels.shape,
                    whole,
                    Timing(0, 0),
                )
            )
        mean = float(np.mean([view.abnormality_probability for view in views]))
        return StudyResult(mean, POINTS.call(mean), tuple(views), POINTS, "fake", "0", Timing(0, 0), "none")


def draw_phantom(path: Path, spot: int) -> ViewRecord:
    """A dim shaft on black, and a spot of grey value `spot` inside `BOX`."""
    film = np.zeros((SIZE, SIZE), dtype=np.uint8)
    film[:, 20:30] = 20
    film[12:16, 44:48] = spot
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), film)
    return ViewRecord(path, boxes=(BOX,) if spot > 128 else (), tags=frozenset({"hand"}))


def phantom_records(folder: Path) -> list[StudyRecord]:
    """Twelve studies of two views; label 1 has one bright view, one abnormal study is missed."""
    records = []
    for i in range(12):
        abnormal = i % 3 == 0
        spots = (60, 70 + i) if not abnormal else (255, 60 if i == 0 else 150)
        views = tuple(draw_phantom(folder / f"s{i}" / f"image{k}.png", spot) for k, spot in enumerate(spots))
        part = "wrist" if i % 2 else "hand"
        records.append(StudyRecord(f"s{i}", f"p{i // 2}", part, int(abnormal), views))
    return records


def row(i: int, label: int, probability: float, **changes: object) -> StudyRow:
    view = ViewRow("a.png", probability)
    whole = StudyRow(
        f"s{i}", f"p{i}", "hand", label, True, False, probability, POINTS.call(probability), (view,)
    )
    return replace(whole, **changes)


def test_study_probability_is_the_mean_over_its_views_as_the_predictor_gave_it(tmp_path: Path) -> None:
    records = phantom_records(tmp_path)
    predictor = FakePredictor()
    rows = predict_records(records, predictor)
    assert [r.study_id for r in rows] == [r.study_id for r in records]
    assert [len(study.views) for study in predictor.seen] == [2] * 12
    for found in rows:
        assert found.probability == pytest.approx(np.mean([view.probability for view in found.views]))
    assert rows[3].views[0].probability == pytest.approx(1.0)


def test_progress_counts_every_study(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    predict_records(phantom_records(tmp_path)[:3], FakePredictor(), lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("content", [b"this is not a picture", None])
def test_an_unreadable_view_stops_evaluation_and_is_named(tmp_path: Path, content: bytes | None) -> None:
    records = phantom_records(tmp_path)
    broken = records[5].views[1].path
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(ImageError, match="s5") as caught:
        evaluate(records, FakePredictor(), tmp_path / "out")
    assert str(broken) in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_boxes_outside_their_film_are_refused_and_named(tmp_path: Path) -> None:
    records = phantom_records(tmp_path)
    views = (replace(records[0].views[0], boxes=(Box(500, 500, 5, 5),)),)
    with pytest.raises(DatasetError, match=r"Study s0, view .*image0\.png"):
        predict_records([replace(records[0], views=views)], FakePredictor())


def test_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no study"):
        evaluate([], FakePredictor(), tmp_path / "out")


def test_figures_equal_the_measures_computed_from_the_csv(tmp_path: Path) -> None:
    measured = evaluate(phantom_records(tmp_path), FakePredictor(), tmp_path / "out", resamples=50)
    with (tmp_path / "out" / "studies.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 12
    labels = [int(line["label"]) for line in lines]
    probabilities = [float(line["probability"]) for line in lines]
    for line, probability in zip(lines, probabilities, strict=True):
        views = [float(part) for part in line["view_probabilities"].split(";")]
        assert probability == pytest.approx(np.mean(views))
        assert line["call"] == POINTS.call(probability)
    found = measured["groups"]["all"]
    assert found["probability"]["auroc"] == metrics.auroc(labels, probabilities)
    assert found["probability"]["log_loss"] == metrics.log_loss(labels, probabilities)
    for name, threshold in (("threshold", 0.5), ("sensitive", 0.3), ("specific", 0.6)):
        calls = [int(p >= threshold) for p in probabilities]
        assert found["at"][name]["value"] == threshold
        assert found["at"][name]["sensitivity"] == metrics.sensitivity(labels, calls)
        assert found["at"][name]["cohen_kappa"] == metrics.cohen_kappa(labels, calls)
    assert (found["studies"], found["patients"], found["views"], found["abnormal"]) == (12, 6, 24, 4)


def test_a_folder_that_cannot_be_written_is_refused_before_predicting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    predictor = FakePredictor()
    with pytest.raises(MuraError, match="cannot be written"):
        evaluate(phantom_records(tmp_path), predictor, tmp_path / "file")
    assert predictor.seen == []


def test_localisation_is_measured_on_abnormal_views_with_boxes_against_all_baselines(tmp_path: Path) -> None:
    records = phantom_records(tmp_path)
    untrained = FakePredictor(points_at_corner=True)
    measured = evaluate(records, FakePredictor(), tmp_path / "out", random_network=untrained, resamples=50)
    found = measured["localisation"]["all abnormal with boxes"]
    assert found["views"] == sum(bool(view.boxes) for r in records if r.label for view in r.views) == 7
    assert set(found["methods"]) == {"heatmap", "centre", "random", "random network"}
    assert found["methods"]["heatmap"]["hit"] == found["methods"]["heatmap"]["energy"] == 1.0
    assert found["methods"]["heatmap"]["iou"] == pytest.approx(16 / 256)
    assert found["methods"]["random network"]["hit"] == 0.0
    assert found["gain_over"]["random network"]["hit"] == 1.0
    assert len(untrained.seen) == 4  # only the studies that count
    assert measured["localisation"]["true positives"]["views"] == 7


def test_true_positives_are_those_from_the_threshold_on() -> None:
    scores = Scores(1.0, 1.0, 0.5, 0.5)
    missed = Scores(0.0, 0.0, 0.0, 0.0)
    found, lost = (
        row(i, 1, p, views=(ViewRow("a.png", p, {"heatmap": s}),))
        for i, (p, s) in enumerate([(0.5, scores), (0.49, missed)])
    )
    measured = measure_table([found, lost], POINTS, resamples=20)["localisation"]
    assert measured["all abnormal with boxes"]["methods"]["heatmap"]["hit"] == 0.5
    assert measured["true positives"]["methods"]["heatmap"]["hit"] == 1.0
    none_found = measure_table([lost], POINTS, resamples=20)["localisation"]
    assert none_found["true positives"]["methods"]["heatmap"]["hit"] is None


def test_order_of_studies_changes_no_figure(tmp_path: Path) -> None:
    rows = predict_records(phantom_records(tmp_path), FakePredictor())
    straight, reverse = (measure_table(some, POINTS, resamples=50) for some in (rows, rows[::-1]))
    flat = [
        json.loads(json.dumps(measured), parse_float=lambda x: round(float(x), 9))
        for measured in (straight, reverse)
    ]
    assert flat[0] == flat[1]


def test_run_measures_saved_weights_against_the_same_network_untrained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(1)
    sidecar = replace(
        SIDECAR, architecture="efficientnet_b0", preprocess=PreprocessOptions(size=64, roi=False)
    )
    save_weights(tmp_path / "weights", build_model("efficientnet_b0").state_dict(), sidecar, half=False)
    records = phantom_records(tmp_path)[:4]
    monkeypatch.setattr("mura_core.evaluate.read_split", lambda *_: records)
    text = run(tmp_path, "fracatlas", "test", tmp_path / "weights", tmp_path / "out", "cpu")
    measured = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert measured["groups"]["all"]["studies"] == 4
    found = measured["localisation"]["all abnormal with boxes"]["methods"]
    assert set(found) == {"heatmap", "centre", "random", "random network"}
    assert found["heatmap"] != found["random network"]
    expected = f"evaluate --data {tmp_path} --format fracatlas --split test --weights {tmp_path / 'weights'}"
    assert measured["command"] == f"python -m mura_core {expected} --device cpu"
    assert measured["dataset"] == {"format": "fracatlas", "split": "test"}
    assert text.startswith(report.format_table(measured))
    assert "4 of 4 studies" in capsys.readouterr().err
    view = Predictor.load(tmp_path / "weights", "cpu").predict(
        Study((View("image0.png", read_radiograph(records[0].views[0].path)),))
    )
    with (tmp_path / "out" / "studies.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))["view_probabilities"].split(";")[0]
    assert float(first) == pytest.approx(view.study_probability, abs=1e-5)
