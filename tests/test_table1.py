"""Table 1: five rows by one recipe, a stopped run that trains nothing twice, and paired differences."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from mura_core import models, table1, table1_folder, train
from mura_core.__main__ import main
from mura_core.checkpoint import load_weights
from mura_core.datasets import read_split
from mura_core.export import load_checkpoint
from mura_core.films import load_films
from mura_core.recipe import Recipe
from mura_core.two_phase import TwoPhase
from tests.mura_tree import draw_mura_tree
from tests.test_train import pytestmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["pytestmark"]

RECIPE = Recipe(init="none", size=32, transfer_epochs=1, fine_tune_epochs=1, batch=8)
FLAGS = [
    "--init",
    "none",
    "--size",
    "32",
    "--transfer-epochs",
    "1",
    "--fine-tune-epochs",
    "1",
    "--batch",
    "8",
]
MACHINE = ["--precision", "32-true", "--workers", "0"]


class KilledError(Exception):
    """Stands for a kill."""


@dataclass
class Runs:
    """A table that was made in three runs, the first two of them killed.

    Attributes:
        command: What was run each time.
        trained: By run, the architecture of each training step.
        said: By run, what went to stderr.
        early: Whether a table was there before the last run.
        weights: By run, the bytes of ResNet50's weights.
    """

    command: list[str]
    data: Path
    out: Path
    report: Path
    trained: list[list[str]]
    said: list[str]
    early: bool
    weights: list[bytes]

    def table(self) -> dict[str, Any]:
        return dict(json.loads((self.report / "table1.json").read_text()))


def tiny(channels: int) -> tuple[models.Builder, None]:
    """A network of one layer in the place of one that would take minutes."""

    def build(_: object) -> tuple[nn.Module, int]:
        return nn.Sequential(nn.Conv2d(3, channels, 8, stride=8), nn.ReLU()), channels

    return build, None


@contextmanager
def tiny_networks() -> Iterator[pytest.MonkeyPatch]:
    """Each network of its own size, so that none passes for another."""
    with pytest.MonkeyPatch.context() as patch:
        for channels, architecture in enumerate(models.ARCHITECTURES, start=4):
            patch.setitem(models._BUILDERS, architecture, tiny(channels))
        yield patch


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    home = tmp_path_factory.mktemp("table1")
    data, out, report = draw_mura_tree(home, patients=12, size_px=96), home / "out", home / "report"
    places = ["--data", str(data), "--out", str(out), "--report", str(report), "--cache", str(home / "cache")]
    command = ["table1", *places, *FLAGS, *MACHINE]
    found = Runs(command, data, out, report, [], [], False, [])
    with pytest.raises(KilledError):
        run_once(found, killed_at="export of efficientnet_b0")
    with pytest.raises(KilledError):
        run_once(found, killed_at="vgg16")
    found.early = report.joinpath("table1.json").exists()
    assert run_once(found) == 0
    return found


def run_once(runs: Runs, killed_at: str = "") -> int:
    """Run the command, noting what it trains, and stop it at a step of that network or at its export."""
    step, export = TwoPhase.training_step, train.export_weights
    steps: list[str] = []
    runs.trained.append(steps)

    def counted(task: TwoPhase, batch: dict[str, torch.Tensor], place: int) -> torch.Tensor:
        steps.append(task.recipe.architecture)
        if steps[-1] == killed_at:
            raise KilledError
        return step(task, batch, place)

    def exported(checkpoint: Path, recipe: Recipe, *rest: Any) -> None:
        if killed_at == f"export of {recipe.architecture}":
            raise KilledError
        export(checkpoint, recipe, *rest)

    said = io.StringIO()
    with tiny_networks() as patch, redirect_stderr(said):
        patch.setattr(TwoPhase, "training_step", counted)
        patch.setattr(train, "export_weights", exported)
        try:
            return main(runs.command)
        finally:
            runs.said.append(said.getvalue())
            kept = runs.out.joinpath("resnet50-transfer", "weights").glob("weights-*")
            runs.weights.append(b"".join(path.read_bytes() for path in kept))


def test_the_rows_are_the_papers_in_its_order_with_every_figure(runs: Runs) -> None:
    rows = runs.table()["rows"]
    assert [(row["network"], row["phases"], row["epochs"]) for row in rows] == [
        ("ResNet50", "transfer", 1),
        ("EfficientNetB0", "transfer", 1),
        ("VGG16", "transfer", 1),
        ("DenseNet169", "transfer", 1),
        ("DenseNet169", "both", 2),
    ]
    for row in rows:
        channels = 4 + models.ARCHITECTURES.index(row["architecture"])
        assert row["parameters"] == (3 * 8 * 8 + 1) * channels + channels + 1
        assert 0 < row["minutes"] < 5
        assert row["kept_epoch"] in range(1, row["epochs"] + 1)
        assert (row["size"], row["init"]) == (32, "none")
        measured = json.loads(
            (runs.out / f"{row['architecture']}-{row['phases']}" / "report" / "metrics.json").read_text()
        )
        everything = measured["groups"]["all"]
        assert row["auroc"] == everything["probability"]["auroc"]
        assert row["log_loss_ci95"] == everything["probability"]["log_loss_ci95"]
        assert row["accuracy"] == everything["at"]["threshold"]["accuracy"]
        assert row["cohen_kappa_ci95"] == everything["at"]["threshold"]["cohen_kappa_ci95"]
    assert rows[4]["minutes"] > rows[3]["minutes"]
    assert rows[4]["minus_last"] is None
    for row in rows[:4]:
        assert row["minus_last"]["auroc"] == pytest.approx(row["auroc"] - rows[4]["auroc"])


def test_a_stopped_run_goes_on_and_trains_nothing_twice(runs: Runs) -> None:
    first, second, third = (list(dict.fromkeys(steps)) for steps in runs.trained)
    # The second network was trained, and only its export is made up for.
    assert first == ["resnet50", "efficientnet_b0"]
    assert second == ["vgg16"]
    assert third == ["vgg16", "densenet169"]
    assert runs.trained[2].count("densenet169") == 2 * runs.trained[2].count("vgg16")
    assert runs.weights[0]
    assert runs.weights[0] == runs.weights[1] == runs.weights[2]


def test_a_stopped_run_names_what_is_missing_and_writes_no_table(runs: Runs) -> None:
    assert not runs.early
    assert "Not finished: ResNet50, transfer; EfficientNetB0, transfer; VGG16" in runs.said[1]
    assert "DenseNet169, both phases. No table is written" in runs.said[1]
    assert "VGG16, transfer: training, row 3 of 5" in runs.said[1]
    assert "Not finished" not in runs.said[2]
    assert {path.name for path in runs.report.iterdir()} == {"TABLE1.md", "table1.json", "curves.png"}


def test_a_finished_table_is_written_again_without_training_or_evaluating(runs: Runs) -> None:
    before, done = runs.table(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table1.evaluate, "evaluate", lambda *_, **__: done.append("evaluated"))
        patch.setattr(train, "train_and_export", lambda *_, **__: done.append("trained"))
        assert run_once(runs) == 0
    assert done == []
    assert {**runs.table(), "created": ""} == {**before, "created": ""}


def test_the_last_row_is_what_one_training_of_both_phases_gives(runs: Runs, tmp_path: Path) -> None:
    films = [
        load_films(read_split(runs.data, "mura", split), RECIPE.preprocess) for split in ("train", "valid")
    ]
    torch.manual_seed(RECIPE.seed)
    with tiny_networks():
        model = train.start_model(RECIPE)
    train.train_two_phase(model, films[0], films[1], RECIPE, tmp_path, precision="32-true", workers=0)
    with tiny_networks():
        whole = load_checkpoint(tmp_path / "last.ckpt", RECIPE).state_dict()
        continued = load_checkpoint(runs.out / "densenet169" / "last.ckpt", RECIPE).state_dict()
    for name, value in whole.items():
        torch.testing.assert_close(continued[name], value, rtol=0, atol=0, msg=name)
    assert load_weights(runs.out / "densenet169-both" / "weights")[0].architecture == "densenet169"


def test_the_markdown_holds_the_rows_and_keeps_the_published_figures_apart(runs: Runs) -> None:
    text = (runs.report / "TABLE1.md").read_text()
    ours, _, published = text.partition("## Published on MURA")
    for row in runs.table()["rows"]:
        assert f"| {row['title']} | {row['accuracy']:.3f} [" in ours
        assert f"| {row['title']} | {row['published_on_mura']['accuracy_percent']:.2f} %" in published
    assert "81.16" not in ours
    assert "calls every study normal has an accuracy of 0.600" in ours
    assert "accuracy, published on MURA" in published
    assert "The frozen layers of this table are random" in ours
    assert "goes on from the training of the row above" in ours
    assert (runs.report / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["--init", "weights.safetensors"], "fit one network"),
        (["--fine-tune-epochs", "0"], "Expected --transfer-epochs and --fine-tune-epochs above 0"),
        (["--size", "64"], "size 32 (now 64)"),
        (["--precision", "bf16-mixed"], "precision 32-true (now bf16-mixed)"),
        (["--format", "fracatlas"], "dataset.csv"),
    ],
)
def test_flags_that_do_not_fit_are_refused_in_words(
    runs: Runs, changed: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*runs.command, *changed]) == 1
    said = capsys.readouterr().err
    assert expected in said
    assert said.count("\n") == 1


def test_a_damaged_recipe_is_refused(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / table1_folder.RECIPE_FILE).write_text("[1")
    assert main([*runs.command, "--out", str(tmp_path)]) == 1
    assert "damaged" in capsys.readouterr().err


def test_a_first_phase_is_not_taken_from_a_training_that_went_on(
    runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(runs.out, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "densenet169-transfer")
    assert main([*runs.command, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "has gone on beyond them" in said
    assert "Not finished: DenseNet169, transfer. No table" in said
