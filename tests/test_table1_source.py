"""Table 1 from the source task: learnt once by each network, and what is bound stays bound."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from mura_core import table1, table1_source, train
from mura_core.__main__ import main
from mura_core.datasets import SPLITS, read_split
from mura_core.pretrain import SourceTask
from mura_core.recipe import Recipe
from mura_core.study import Box
from mura_core.table1_folder import RECIPE_FILE, digest_data
from mura_core.table1_rows import ROWS
from tests.mura_tree import draw_mura_tree
from tests.test_table1 import FLAGS, MACHINE, KilledError, tiny_networks
from tests.test_train import pytestmark

if TYPE_CHECKING:
    from pathlib import Path

    from mura_core.records import StudyRecord

__all__ = ["pytestmark"]

SOURCE = ["--init", "source", "--source-epochs", "2", "--source-cuts", "32", "--source-crop", "32"]
NETWORKS = ["resnet50", "efficientnet_b0", "vgg16", "densenet169"]


class Made:
    """A table whose first run is killed while its second network learns the source task.

    Attributes:
        learnt: By run, the network of each step of the source task.
        begun: By run, what each row's training started from.
    """

    def __init__(self, home: Path) -> None:
        self.data, self.out = draw_mura_tree(home, patients=12, size_px=96), home / "out"
        places = ["--data", str(self.data), "--out", str(self.out), "--report", str(home / "report")]
        self.report = home / "report"
        self.command = ["table1", *places, "--cache", str(home / "cache"), *FLAGS, *MACHINE, *SOURCE]
        self.learnt: list[list[str]] = []
        self.begun: list[list[str]] = []

    def run(self, killed_at: int = -1) -> int:
        """Run the command; stop it at that step of the source task."""
        step, start = SourceTask.training_step, train.start_model
        learnt: list[str] = []
        begun: list[str] = []
        self.learnt.append(learnt)
        self.begun.append(begun)

        def counted(task: SourceTask, batch: dict[str, torch.Tensor], place: int) -> torch.Tensor:
            learnt.append(task.recipe.architecture)
            if len(learnt) == killed_at:
                raise KilledError
            return step(task, batch, place)

        def started(recipe: Any) -> Any:
            if isinstance(recipe, Recipe):
                begun.append(recipe.init)
            return start(recipe)

        with tiny_networks() as patch:
            patch.setattr(SourceTask, "training_step", counted)
            patch.setattr(train, "start_model", started)
            patch.setattr(table1, "read_split", read_boxed)
            return main(self.command)


def read_boxed(root: Path, dataset_format: str, split: str) -> list[StudyRecord]:
    """The drawn studies, with a box in every abnormal film."""
    return [
        replace(
            record,
            views=tuple(
                replace(view, boxes=(Box(40, 30, 16, 16),) if record.label else ()) for view in record.views
            ),
        )
        for record in read_split(root, dataset_format, split)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("table1-source"))
    with pytest.raises(KilledError):
        made.run(killed_at=4)
    assert made.run() == 0
    return made


def test_each_network_learns_the_source_task_once_and_goes_on_after_a_kill(made: Made) -> None:
    first, second = made.learnt
    assert first == ["resnet50"] * 2 + ["efficientnet_b0"] * 2
    # The killed network's first round was kept; one step is one round.
    assert second == ["efficientnet_b0"] + ["vgg16"] * 2 + ["densenet169"] * 2


def test_each_row_starts_from_its_networks_own_layers(made: Made) -> None:
    files = [str(table1_source.source_file(made.out, row.architecture)) for row in ROWS]
    assert made.begun[0] + made.begun[1] == files
    for architecture in NETWORKS:
        taught = load_file(table1_source.source_file(made.out, architecture))
        row = torch.load(made.out / architecture / "last.ckpt", weights_only=True)["state_dict"]
        same = torch.equal(taught["body.0.weight"], row["model.body.0.weight"])
        # The last network went on to the second phase, in which all layers learn.
        assert same == (architecture != "densenet169")


def test_the_table_says_how_the_networks_started_and_what_that_took(made: Made) -> None:
    table = json.loads((made.report / "table1.json").read_text())
    text = (made.report / "TABLE1.md").read_text()
    assert table["source"]["epochs"] == 2
    assert table["source"]["learning_rate"] == table1_source.RATE
    for row in table["rows"]:
        assert row["init"] == "source"
        assert 0 < row["source_minutes"] < 5
    assert "minutes of the source task" in text
    assert "2 rounds of 32 square cuts of 32 px" in text
    assert "This transfer is not the paper's" in text
    assert "frozen layers of this table are random" not in text


def test_a_report_of_other_weights_is_measured_again(made: Made) -> None:
    report = made.out / "resnet50-transfer" / "report" / "metrics.json"
    right = json.loads(report.read_text())
    others = {row: row.folder(made.out) / "report" / "metrics.json" for row in ROWS[1:]}
    before = {row: path.stat().st_mtime_ns for row, path in others.items()}
    report.write_text(json.dumps({**right, "weights_digest": "0" * 64}))
    assert not ROWS[0].is_measured(made.out)
    assert made.run() == 0
    assert json.loads(report.read_text())["weights_digest"] == right["weights_digest"]
    assert {row: path.stat().st_mtime_ns for row, path in others.items()} == before


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["--source-epochs", "3"], "source-epochs 2 (now 3)"),
        (["--source-rate", "0.001"], "source-learning-rate 0.0003 (now 0.001)"),
        (["--init", "none"], "source-epochs 2 (now None)"),
        (["--source-cuts", "31"], "--source-cuts of 32 or more"),
        (["--source-epochs", "0"], "--source-epochs of 1 or more"),
        (["--source-crop", "33"], "--source-crop is 33, and the films are 32 px wide"),
    ],
)
def test_flags_that_do_not_fit_are_refused_in_words(
    made: Made, changed: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table1, "read_split", read_boxed)
        assert main([*made.command, *changed]) == 1
    said = capsys.readouterr().err
    assert expected in said
    assert said.count("\n") == 1


def test_a_folder_is_kept_for_one_dataset(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    # The same films without their boxes are other data.
    assert main(made.command) == 1
    assert "holds networks of another dataset" in capsys.readouterr().err
    recipe = made.out / RECIPE_FILE
    content = recipe.read_text()
    recipe.write_text(json.dumps({name: v for name, v in json.loads(content).items() if name != "data"}))
    try:
        assert made.run() == 1
        assert "of digest unknown" in capsys.readouterr().err
    finally:
        recipe.write_text(content)


def test_data_is_the_same_wherever_it_lies_and_other_when_a_file_or_a_label_is(
    made: Made, tmp_path: Path
) -> None:
    def read(root: Path) -> dict[str, list[StudyRecord]]:
        return {split: read_split(root, "mura", split) for split in SPLITS}

    moved = shutil.copytree(made.data, tmp_path / "moved" / "MURA-v1.1")
    here, there = read(made.data), read(moved)
    same = digest_data(made.data, here)
    assert digest_data(moved, there) == same
    last = here["test"][-1]
    for other in (
        replace(last, label=1 - last.label),
        replace(last, views=(replace(last.views[0], boxes=(Box(1, 2, 3, 4),)), *last.views[1:])),
        replace(last, patient_id="other"),
    ):
        assert digest_data(made.data, {**here, "test": [*here["test"][:-1], other]}) != same
    with there["train"][0].views[0].path.open("ab") as file:
        file.write(b"\0")
    assert digest_data(moved, there) != same


def test_data_without_boxes_cannot_teach_the_source_task(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tiny_networks():
        assert main([*made.command, "--out", str(tmp_path)]) == 1
    assert "Use train --init imagenet" in capsys.readouterr().err


def test_the_source_task_of_the_table_is_augmented_as_its_rows() -> None:
    parser = argparse.ArgumentParser()
    table1_source.add_source_arguments(parser)
    recipe = Recipe(init=table1_source.SOURCE, augmentation="mild")
    source = table1_source.read_source(parser.parse_args([]), recipe)
    assert source is not None
    assert source.augmentation == "mild"
