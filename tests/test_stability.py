"""The stability reading: each change made once, in its direction, before all that the released path does."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mura_core.__main__ import main
from mura_core.engines import Engine
from mura_core.errors import ImageError
from mura_core.pooling import Maps
from mura_core.predictor import Predictor
from mura_core.preprocess import PreprocessOptions, preprocess
from mura_core.quantisation import weights_digest
from mura_core.sidecar import Sidecar
from mura_core.stability import CHANGES, ChangedReading, Errors, Measured, Stability, read_measured
from mura_core.study import Call, OperatingPoints, Radiograph, Study, View, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]

SIZE = 100
PLAIN = PreprocessOptions(size=SIZE, roi=False, enhance=False)


class LookingEngine:
    """Answers with the brightness of a film's right half, as a probability, and keeps what it saw."""

    name = "stand-in"

    def __init__(self) -> None:
        self.batches: list[list[FloatMap]] = []

    def read(self, films: Sequence[FloatMap]) -> Maps:
        self.batches.append([film.copy() for film in films])
        seen = np.array([film[:, SIZE // 2 :].mean() for film in films], np.float64).clip(0.001, 0.999)
        maps = np.zeros((len(films), 4, 4), np.float32)
        return Maps(np.log(seen / (1 - seen)).astype(np.float32), maps, maps, maps[:, 0])


def sidecar(options: PreprocessOptions = PLAIN) -> Sidecar:
    return Sidecar(
        architecture="stand-in",
        version="0",
        preprocess=options,
        temperature=1.0,
        operating_points=OperatingPoints(0.3, 0.6),
        metrics={},
        data="None.",
        licence="Apache-2.0",
        command="none",
        created="2025-01-01",
    )


def view(pixels: FloatMap, name: str = "a.png") -> View:
    values = np.rint(pixels * 255).astype(np.uint16)
    return View(name, Radiograph(pixels, values, Window(127.5, 255), 8, "png"))


def film(seed: int = 0, height: int = SIZE, width: int = SIZE) -> FloatMap:
    """A grey film, brighter on the right, with a white spot right of the middle."""
    noise = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    made = (0.3 + 0.1 * noise + 0.2 * (np.arange(width) >= width // 2)).astype(np.float32)
    made[height // 2 - 3 : height // 2 + 3, width * 9 // 10 - 3 : width * 9 // 10 + 3] = 1
    return made


def seen_under(change: str, pixels: FloatMap) -> FloatMap:
    """What the network is shown of one film under one change."""
    engine = LookingEngine()
    Predictor(engine, sidecar()).stability(Study((view(pixels),)))
    return engine.batches[list(CHANGES).index(change)][0]


def spot(pixels: FloatMap) -> tuple[float, float]:
    """Row and column of the white spot, from the middle of the film in half its sides."""
    rows, columns = np.nonzero(pixels > 0.9)
    return float((rows.mean() + 0.5) / (SIZE / 2) - 1), float((columns.mean() + 0.5) / (SIZE / 2) - 1)


def test_the_unchanged_film_comes_first_and_is_what_predict_says() -> None:
    predictor = Predictor(LookingEngine(), sidecar(PreprocessOptions(size=SIZE)))
    study = Study((view(film(1), "a.png"), view(film(2, 140, 90), "b.png")))
    result, first = predictor.predict(study), predictor.stability(study).readings[0]
    assert first.change == next(iter(CHANGES)) == "unchanged"
    assert first.view_probabilities == tuple(seen.abnormality_probability for seen in result.views)
    assert (first.study_probability, first.call) == (result.study_probability, result.call)


def test_each_change_is_read_once_with_all_views_through_the_released_preparation() -> None:
    engine, options = LookingEngine(), PreprocessOptions(size=SIZE)
    views = (view(film(1, 220, 160)), view(film(2, 140, 190)))
    stability = Predictor(engine, sidecar(options)).stability(Study(views))
    assert [reading.change for reading in stability.readings] == list(CHANGES)
    assert len(engine.batches) == len(CHANGES) == 12
    for change, batch in zip(CHANGES.values(), engine.batches, strict=True):
        for one, prepared in zip(views, batch, strict=True):
            np.testing.assert_array_equal(prepared, preprocess(change(one.radiograph.pixels), options)[0])
    # No change does nothing, and no two do the same; the preparation may undo one, as it does of brightness.
    pixels = views[0].radiograph.pixels
    assert len({change(pixels).tobytes() for change in CHANGES.values()}) == len(CHANGES)


def test_a_film_that_answers_by_its_right_half_answers_mirrored_by_its_left() -> None:
    pixels = film()
    readings = {
        reading.change: reading.study_probability
        for reading in Predictor(LookingEngine(), sidecar()).stability(Study((view(pixels),))).readings
    }
    left, right = pixels[:, : SIZE // 2].mean(), pixels[:, SIZE // 2 :].mean()
    assert readings["unchanged"] == pytest.approx(right, abs=0.003)
    assert readings["mirrored"] == pytest.approx(left, abs=0.003)


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
@pytest.mark.parametrize("degrees", [5, 10])
def test_a_film_is_turned_by_so_much_that_way_and_none_of_it_is_lost(
    side: str, sign: int, degrees: int
) -> None:
    pixels = film()
    across = spot(pixels)[1]
    turned = seen_under(f"turned_{side}_{degrees}", pixels)
    row, column = spot(turned)
    # A place right of the middle goes up when the film is turned to the left.
    assert np.degrees(np.arctan2(-row, column)) == pytest.approx(sign * degrees, abs=1.0)
    page = np.cos(np.radians(degrees)) + np.sin(np.radians(degrees))
    assert np.hypot(row, column) == pytest.approx(across / page, abs=0.02)
    # The film keeps its sum of grey on a page that is larger by this factor.
    assert turned.sum() * page**2 == pytest.approx(pixels.sum(), rel=0.02)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("brighter", lambda grey: grey + 0.1),
        ("darker", lambda grey: grey - 0.1),
        ("more_contrast", lambda grey: 0.5 + 1.1 * (grey - 0.5)),
        ("less_contrast", lambda grey: 0.5 + 0.9 * (grey - 0.5)),
    ],
)
def test_brightness_and_contrast_move_by_a_tenth_and_stay_in_range(change, expected) -> None:  # noqa: ANN001
    pixels = film()
    pixels[0] = 0
    np.testing.assert_allclose(
        seen_under(change, pixels), np.clip(expected(pixels), 0, 1), atol=0.5 / 255 + 1e-6
    )


def test_a_crop_cuts_every_border_and_a_coarser_film_keeps_its_frame() -> None:
    pixels = film()
    across = spot(pixels)[1]
    assert CHANGES["cropped"](pixels).shape == (92, 92)
    np.testing.assert_array_equal(CHANGES["cropped"](pixels), pixels[4:-4, 4:-4])
    assert spot(seen_under("cropped", pixels))[1] == pytest.approx(across * 100 / 92, abs=0.02)
    assert CHANGES["coarser"](pixels).shape == (90, 90)
    assert spot(seen_under("coarser", pixels))[1] == pytest.approx(across, abs=0.02)


def test_no_change_alters_the_film_it_is_given() -> None:
    pixels = film(3, 120, 90)
    pixels.flags.writeable = False
    before = pixels.copy()
    for change in CHANGES.values():
        changed = change(pixels)
        assert changed.dtype == np.float32
        assert 0 <= changed.min() <= changed.max() <= 1
    np.testing.assert_array_equal(pixels, before)


def test_what_alters_the_call_is_counted_against_the_unchanged_films() -> None:
    def reading(change: str, probability: float, call: Call) -> ChangedReading:
        return ChangedReading(change, (probability,), probability, call)

    stability = Stability(
        (
            reading("unchanged", 0.35, Call.DOUBT),
            reading("mirrored", 0.2, Call.NORMAL),
            reading("darker", 0.4, Call.DOUBT),
            reading("brighter", 0.7, Call.ABNORMAL),
        )
    )
    assert (stability.lowest, stability.highest, stability.changes) == (0.2, 0.7, 3)
    assert stability.altering == ("mirrored", "brighter")


def test_a_dark_right_half_is_called_otherwise_when_mirrored_alone() -> None:
    pixels = np.full((SIZE, SIZE), 0.9, np.float32)
    pixels[:, SIZE // 2 :] = 0.05
    stability = Predictor(LookingEngine(), sidecar()).stability(Study((view(pixels),)))
    assert stability.readings[0].call is Call.NORMAL
    assert stability.altering == ("mirrored",)


def test_a_study_without_views_is_refused() -> None:
    engine: Engine = LookingEngine()
    with pytest.raises(ImageError, match="at least one"):
        Predictor(engine, replace(sidecar())).stability(Study(()))


def test_what_was_measured_is_taken_of_these_weights_alone(
    untrained_weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(untrained_weights, folder)
    assert Predictor.load(folder, "cpu").measured is None
    counts = {"missed": 2, "false_alarms": 3, "called": 40}
    groups = {"steady": counts, "unsteady": {**counts, "called": 20}}
    content = {"weights": weights_digest(folder), "studies": 60, "groups": groups}
    path = folder / "stability.json"
    path.write_text(json.dumps(content))
    assert Predictor.load(folder, "cpu").measured == Measured(60, Errors(5, 40), Errors(5, 20))
    path.write_text(json.dumps({**content, "error_difference_ci95": [0.1, 0.6]}))
    assert read_measured(folder) == Measured(60, Errors(5, 40), Errors(5, 20), (0.1, 0.6))
    path.write_text(json.dumps({**content, "weights": "0" * 64}))
    assert read_measured(folder) is None
    few = {**groups, "unsteady": {**counts, "called": 20, "patients": {"called": 19}}}
    path.write_text(json.dumps({**content, "groups": few}))
    assert read_measured(folder) is None
    spans = [json.dumps({**content, "error_difference_ci95": span}) for span in ("0.1", [0.1], ["a", "b"])]
    for broken in ("no JSON", "[]", json.dumps({**content, "groups": {}}), *spans):
        path.write_text(broken)
        caplog.clear()
        assert read_measured(folder) is None
        assert "Run that again" in caplog.text


def test_the_command_line_says_it_when_asked(
    untrained_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import cv2

    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), np.rint(film(4, 240, 180) * 255).astype(np.uint8))
    flags = [str(path), "--weights", str(untrained_weights), "--device", "cpu"]
    assert main(["predict", *flags, "--json", "--stability"]) == 0
    given = json.loads(capsys.readouterr().out)
    readings = given["stability"]["readings"]
    assert [reading["change"] for reading in readings] == list(CHANGES)
    assert readings[0]["probability"] == given["study"]["probability"]
    assert readings[0]["views"] == [given["views"][0]["probability"]]
    shown = [reading["probability"] for reading in readings]
    assert (given["stability"]["lowest"], given["stability"]["highest"]) == (min(shown), max(shown))
    altering = [reading["change"] for reading in readings if reading["call"] != readings[0]["call"]]
    assert given["stability"]["altering"] == altering

    assert main(["predict", *flags, "--stability"]) == 0
    assert capsys.readouterr().out.count("stability: ") == 1
    assert main(["predict", *flags]) == 0
    assert "stability" not in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--worklist", str(tmp_path), "--out", str(tmp_path / "a.csv"), "--stability"])
    assert ended.value.code == 2
