"""Releasing weights: measured on the test split, halved only if nothing moves, with a card that says so."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mura_core import recount, release
from mura_core.checkpoint import load_weights
from mura_core.errors import DatasetError, WeightsError
from mura_core.known import Known, served_digest, write_known
from mura_core.model_card import write_model_card
from mura_core.operating_table import operating_rule
from mura_core.orientation import Orientation, read_turning
from mura_core.quantisation import weights_digest
from mura_core.studies_file import read_csv
from mura_core.study import Call
from mura_core.study_table import write_csv
from tests.released import release_candidate, sidecar_of


@pytest.fixture(scope="module")
def released(untrained_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_candidate(untrained_weights, tmp_path_factory.mktemp("release"))


def test_the_sidecar_holds_the_figures_of_the_report(released: Path) -> None:
    figures = sidecar_of(released / "weights").metrics
    measured = json.loads((released / "report" / "metrics.json").read_text())
    assert figures["groups"] == measured["groups"]
    assert figures["dataset"] == {"format": "mura", "split": "test"}
    assert figures["valid_auroc"] == 0.5


def test_the_operating_points_are_in_report_sidecar_and_card(released: Path) -> None:
    figures = sidecar_of(released / "weights").metrics
    measured = json.loads((released / "report" / "metrics.json").read_text())
    assert figures["operating"] == measured["operating"]
    assert figures["operating"]["prevalence"] == 0.25
    for path in (released / "report" / "report.md", released / "weights" / "MODEL_CARD.md"):
        text = path.read_text(encoding="utf-8")
        assert "| PPV at 25 % |" in text
        assert operating_rule(figures["operating"]) in text


def test_a_recount_needs_no_network_and_finds_the_same_figures(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released / "weights", folder)
    before, digest = sidecar_of(folder).metrics, weights_digest(folder)
    monkeypatch.setattr("mura_core.predictor.Predictor.load", None)
    recount.run(folder, 0.25)
    command = f"python -m mura_core recount --weights {folder} --prevalence"
    assert sidecar_of(folder).metrics == {**before, "recounted_by": f"{command} 0.25"}
    assert weights_digest(folder) == digest
    table = recount.run(folder, 0.4)
    assert "PPV at 40 %" in table
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| PPV at 40 % |" in card
    assert f"    {command} 0.4\n" in card
    assert f"    {before['command']}\n" in card
    assert sidecar_of(folder).metrics["operating"]["prevalence"] == 0.4


def test_the_names_of_the_data_do_not_go_with_the_weights(released: Path) -> None:
    named, kept = (read_csv(released / name / "studies.csv") for name in ("report", "weights"))
    text = (released / "weights" / "studies.csv").read_text(encoding="utf-8")
    names = {row.study_id for row in named} | {row.patient_id for row in named}
    assert len(names) > 2
    assert not [name for name in names if name in text]
    for row, other in zip(named, kept, strict=True):
        assert (row.body_part, row.label, row.probability) == (
            other.body_part,
            other.label,
            other.probability,
        )
        twins = [one.patient_id == row.patient_id for one in named]
        assert twins == [one.patient_id == other.patient_id for one in kept]


def test_a_recount_of_other_answers_is_refused_and_changes_nothing(released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released / "weights", folder)
    before = (folder / "weights.json").read_bytes()
    first, *rest = read_csv(folder / "studies.csv")
    # The label, and the call alone: a table that was put together by hand.
    another = next(call for call in Call if call is not first.call)
    for other in (replace(first, label=1 - first.label), replace(first, call=another)):
        (folder / "studies.csv").write_text(write_csv([other, *rest]))
        with pytest.raises(WeightsError, match="not of these weights"):
            recount.run(folder, 0.1)
    (folder / "studies.csv").unlink()
    with pytest.raises(DatasetError, match="missing"):
        recount.run(folder, 0.1)
    assert (folder / "weights.json").read_bytes() == before


def test_weights_that_were_never_measured_have_nothing_to_recount(untrained_weights: Path) -> None:
    with pytest.raises(WeightsError, match="never measured"):
        recount.recount(sidecar_of(untrained_weights), [], 0.1)


def test_half_precision_is_kept_only_where_no_call_changed(released: Path) -> None:
    half = sidecar_of(released / "weights").metrics["half_precision"]
    assert half["kept"] == (half["calls_changed"] == 0 and abs(half["auroc_change"]) < 0.002)
    sizes = {
        name: sum(path.stat().st_size for path in (released / name).glob("*.safetensors"))
        for name in ("candidate", "weights")
    }
    assert (sizes["weights"] < 0.6 * sizes["candidate"]) == half["kept"]


def test_released_weights_are_measured_again_and_stay_as_they_are(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released / "weights", folder)
    recount.run(folder, 0.25)
    before, digest = sidecar_of(folder).metrics, weights_digest(folder)
    names = sorted(path.name for path in folder.iterdir())
    (folder / "studies.csv").write_text("spoilt")
    monkeypatch.setattr("mura_core.release.save_weights", None)
    release.run(
        argparse.Namespace(
            candidate=folder,
            data=released / "MURA-v1.1",
            format="mura",
            out=folder,
            report=tmp_path / "report",
            device="cpu",
            prevalence=0.4,
        )
    )
    after = sidecar_of(folder).metrics
    assert "recounted_by" in before
    assert "recounted_by" not in after
    assert after["operating"]["prevalence"] == 0.4
    assert after["half_precision"] == before["half_precision"]
    assert after["valid_auroc"] == before["valid_auroc"]
    assert weights_digest(folder) == digest
    assert sorted(path.name for path in folder.iterdir()) == names
    assert read_csv(folder / "studies.csv") == read_csv(released / "weights" / "studies.csv")


def test_released_weights_that_learnt_how_films_lie_are_measured_with_it(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(released / "weights", folder)
    write_known(folder, turning_all(folder))
    assert served_digest(folder) != weights_digest(folder)
    assert "Measured before it was learnt how films lie" in write_model_card(sidecar_of(folder), folder)
    monkeypatch.setattr("mura_core.release.__version__", "9.9.9")
    turned: list[int] = []

    def spied(*arguments: Any) -> Any:
        maps, turns = read_turning(*arguments)
        turned.extend(turns.tolist())
        return maps, turns

    monkeypatch.setattr("mura_core.predictor.read_turning", spied)
    data, report = released / "MURA-v1.1", tmp_path / "report"
    release.run(
        argparse.Namespace(
            candidate=folder,
            data=data,
            format="mura",
            out=folder,
            report=report,
            device="cpu",
            prevalence=0.25,
        )
    )
    after = sidecar_of(folder)
    assert after.version == "9.9.9-mura"
    assert "Measured before" not in write_model_card(after, folder)
    assert turned
    assert set(turned) == {1}


def turning_all(folder: Path) -> Known:
    """Takes every film for one that lies turned to the left by a quarter."""
    channels = next(
        array.shape[1] for name, array in load_weights(folder)[1].items() if name == "classifier.weight"
    )
    bias = np.array([0, 50, 0, 0], np.float32)[:, None]
    return Known(
        centre=np.zeros(channels, np.float32),
        axes=np.eye(1, channels, dtype=np.float32),
        variances=np.ones(2, np.float32),
        threshold=1e9,
        part_weights=np.zeros((1, 2), np.float32),
        parts=(("arm", 200),),
        orientation=Orientation(np.concatenate([np.zeros((4, channels), np.float32), bias], axis=1), -1e9),
    )
