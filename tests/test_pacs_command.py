"""`predict --dicom`: what is written, where, and what is refused before the network runs."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

from mura_core.__main__ import main
from tests.dicom_studies import STUDY_UID, dx_film
from tests.radiograph_files import phantom, write_png


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "films"
    folder.mkdir()
    paths = [folder / "one.dcm", folder / "two"]
    for index, path in enumerate(paths, 1):
        path.write_bytes(dx_film(index))
    return paths


def predict(films: list[Path], out: Path, weights: Path, *flags: str) -> int:
    model = ["--weights", str(weights), "--device", "cpu"]
    return main(["predict", *map(str, films), "--dicom", str(out), *model, *flags])


def test_results_are_written_with_the_numbers_that_are_printed(
    films: list[Path], untrained_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in films}
    out = tmp_path / "archive" / "results"
    assert predict(films, out, untrained_weights, "--json") == 0
    given = json.loads(capsys.readouterr().out)
    folder = Path(given["dicom"])
    assert folder == out / STUDY_UID
    made = {path.name: pydicom.dcmread(path) for path in folder.iterdir()}
    assert sorted(made) == ["heatmap-1.dcm", "heatmap-2.dcm", "overlay-1.dcm", "overlay-2.dcm", "report.dcm"]
    study = made["report.dcm"].ContentSequence[-2].ContentSequence[0]
    numbers = [
        float(item.MeasuredValueSequence[0].NumericValue)
        for item in study.ContentSequence
        if item.ValueType == "NUM"
    ]
    points = given["study"]["operating_points"]
    assert numbers == pytest.approx([given["study"]["probability"], points["sensitive"], points["specific"]])
    assert {path: path.read_bytes() for path in films} == before

    assert predict(films, out, untrained_weights) == 0
    assert f"DICOM results: {out / STUDY_UID}-2" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["png", "text", "beside"])
def test_what_cannot_be_written_is_refused_before_the_network_runs(
    kind: str, films: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, nowhere = tmp_path / "out", tmp_path / "no weights here"
    if kind == "png":
        films.append(write_png(tmp_path / "third.png", phantom()))
    elif kind == "text":
        films.append(tmp_path / "third.dcm")
        films[-1].write_text("no film")
    else:
        out = films[0].parent
    assert predict(films, out, nowhere) == 1
    said = capsys.readouterr()
    reason = {
        "png": "every view as a DICOM film of one study. third.png: It is not DICOM",
        "text": "made of whole studies only",
        "beside": "holds the film one.dcm itself",
    }[kind]
    assert reason in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in films[0].parent.iterdir()) == ["one.dcm", "two"]


def test_results_are_for_one_study_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", "--worklist", str(tmp_path), "--out", "table.csv", "--dicom", str(tmp_path)])
    assert ended.value.code == 2
    assert "--dicom are for one study" in capsys.readouterr().err
