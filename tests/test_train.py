"""Training: the first phase leaves transferred layers alone, a killed run ends where a whole one would."""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mura_core import train as train_module
from mura_core.checkpoint import load_weights
from mura_core.curves import read_curves
from mura_core.datasets import read_split
from mura_core.errors import DatasetError, MuraError, WeightsError
from mura_core.export import load_checkpoint
from mura_core.films import Films, load_films
from mura_core.models import build_model
from mura_core.pretrain import SourceTask, pretrain
from mura_core.recipe import AUGMENTATIONS, Recipe, SourceRecipe
from mura_core.study import Box
from mura_core.train import start_model, train_two_phase
from mura_core.two_phase import TwoPhase
from tests.mura_tree import draw_mura_tree

RECIPE = Recipe(
    architecture="efficientnet_b0",
    init="none",
    size=64,
    transfer_epochs=1,
    fine_tune_epochs=1,
    batch=8,
    patience=0,
)
FLAGS = [
    "--architecture",
    "efficientnet_b0",
    "--init",
    "none",
    "--size",
    "64",
    "--transfer-epochs",
    "1",
    "--fine-tune-epochs",
    "1",
    "--batch",
    "8",
    "--precision",
    "32-true",
    "--workers",
    "0",
]

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*isinstance\\(treespec, LeafSpec\\).*",
    "ignore:.*does not have many workers.*",
    "ignore:.*exists and is not empty.*",
    "ignore:.*number of training batches.*",
    "ignore:.*upgrade.*",
    "ignore::DeprecationWarning:lightning",
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_mura_tree(tmp_path_factory.mktemp("mura"), patients=12, size_px=96)


@pytest.fixture(scope="module")
def films(tree: Path) -> list[Films]:
    return [load_films(read_split(tree, "mura", split), RECIPE.preprocess) for split in ("train", "valid")]


def train(films: list[Films], recipe: Recipe, out: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(recipe.seed)
    model = start_model(recipe)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    train_two_phase(model, *films, recipe, out, precision="32-true", workers=0)
    return before


class KilledError(Exception):
    """Stands for a kill in the middle of an epoch."""


def killed_in_second_epoch(task: TwoPhase, batch: dict[str, torch.Tensor], place: int) -> torch.Tensor:
    if task.current_epoch == 1 and place == 1:
        raise KilledError
    return whole_step(task, batch, place)


whole_step = TwoPhase.training_step


def test_the_first_phase_changes_the_new_layer_alone(films: list[Films], tmp_path: Path) -> None:
    recipe = Recipe(**{**vars(RECIPE), "fine_tune_epochs": 0})
    before = train(films, recipe, tmp_path)
    after = load_checkpoint(tmp_path / "last.ckpt", recipe).state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_films_are_augmented_unless_the_recipe_says_no(films: list[Films], tmp_path: Path) -> None:
    seen: dict[str, list[tuple[int, torch.Tensor]]] = {strength: [] for strength in AUGMENTATIONS}

    def look(task: TwoPhase, batch: dict[str, torch.Tensor], place: int) -> torch.Tensor:
        seen[task.recipe.augmentation] += zip(batch["film_index"].tolist(), batch["film"], strict=True)
        return whole_step(task, batch, place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TwoPhase, "training_step", look)
        for strength in seen:
            recipe = replace(RECIPE, augmentation=strength, fine_tune_epochs=0)
            train(films, recipe, tmp_path / strength)
    same = {
        strength: [np.array_equal(film[0].numpy(), films[0].pixels[index]) for index, film in drawn]
        for strength, drawn in seen.items()
    }
    assert all(same["none"])
    assert {len(drawn) for drawn in same.values()} == {len(same["none"])}
    assert len(same["none"]) > 8
    for strength in ("full", "noisy", "rough", "mild"):
        assert not any(same[strength]), strength


def test_an_unknown_augmentation_is_refused() -> None:
    for recipe in (Recipe, SourceRecipe):
        with pytest.raises(
            MuraError, match="Unknown augmentation 'some'. Expected one of full, noisy, rough, mild, none"
        ):
            recipe(augmentation="some")


@pytest.mark.parametrize("kept", ["best", "last"])
def test_the_epoch_to_keep_is_the_one_that_is_exported(
    kept: str, films: list[Films], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[Path] = []
    monkeypatch.setattr(train_module, "train_two_phase", lambda *_: True)
    monkeypatch.setattr(train_module, "export_weights", lambda checkpoint, *_: exported.append(checkpoint))
    recipe = replace(RECIPE, kept_epoch=kept)
    options = argparse.Namespace(devices=1, nodes=1, precision="32-true", workers=0, format="mura")
    model = start_model(recipe)
    assert train_module.train_and_export(model, *films, recipe, options, tmp_path, tmp_path / "weights")
    assert exported == [tmp_path / f"{kept}.ckpt"]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_second_phase_changes_all_layers_and_a_resumed_run_ends_like_a_whole_one(
    films: list[Films], tmp_path: Path, averaging: float
) -> None:
    recipe = replace(RECIPE, averaging=averaging)
    before = train(films, recipe, tmp_path / "whole")
    whole = load_checkpoint(tmp_path / "whole" / "last.ckpt", recipe).state_dict()
    assert not torch.equal(whole["body.0.0.weight"], before["body.0.0.weight"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TwoPhase, "training_step", killed_in_second_epoch)
        with pytest.raises(KilledError):
            train(films, recipe, tmp_path / "killed")
    train(films, recipe, tmp_path / "killed")
    resumed = load_checkpoint(tmp_path / "killed" / "last.ckpt", recipe).state_dict()
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0, msg=name)
    logged = [read_curves(tmp_path / run / "metrics.csv")["valid_auroc"] for run in ("whole", "killed")]
    assert logged[1] == logged[0]
    assert [epoch for epoch, _ in logged[0]] == [1, 2]


def test_the_command_trains_on_two_processes_and_exports_weights_that_load(
    tree: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "mura_core",
        "train",
        "--data",
        str(tree),
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(
        [*command, *FLAGS, "--devices", "2", "--cache", str(tmp_path / "cache")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Starting with 2 processes" in done.stdout + done.stderr
    sidecar, state = load_weights(tmp_path / "run" / "weights")
    assert sidecar.architecture == "efficientnet_b0"
    assert sidecar.preprocess == RECIPE.preprocess
    assert sidecar.operating_points.sensitive <= sidecar.operating_points.specific
    build_model("efficientnet_b0").load_state_dict(state)
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "run" / "tensorboard").is_dir()


def test_training_starts_from_feature_layers_and_drops_their_old_classification_layer(tmp_path: Path) -> None:
    torch.manual_seed(7)
    source = build_model("efficientnet_b0", focus=1.0).state_dict()
    save_file({name: value.contiguous() for name, value in source.items()}, tmp_path / "source.safetensors")
    model = start_model(Recipe(architecture="efficientnet_b0", init=str(tmp_path / "source.safetensors")))
    assert torch.equal(model.state_dict()["body.0.0.weight"], source["body.0.0.weight"])
    assert not torch.equal(model.classifier.weight, source["classifier.weight"])
    assert model.focus.item() == 0.0


def test_a_start_of_another_network_or_from_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"body.x": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="--architecture"):
        start_model(Recipe(architecture="efficientnet_b0", init=str(path)))
    with pytest.raises(WeightsError, match="neither imagenet"):
        start_model(Recipe(init=str(tmp_path / "nowhere")))


def test_the_source_task_says_what_it_lacks_on_data_without_boxes(films: list[Films]) -> None:
    with pytest.raises(DatasetError, match="fracture boxes"):
        SourceTask(build_model("efficientnet_b0"), films[0], SourceRecipe())


def test_the_source_task_changes_all_layers_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pixels = np.full((4, 96, 96), 40, dtype=np.uint8)
    pixels[:, 30:60, 40:50] = 200
    films = Films(
        pixels=pixels,
        boxes=((Box(40, 40, 12, 12),), (), (Box(30, 40, 8, 10),), ()),
        labels=np.array([1, 0, 1, 0]),
        studies=np.arange(4),
        body_parts=("hand", "leg") * 2,
        tags=(frozenset({"hand"}), frozenset({"leg"})) * 2,
    )
    recipe = SourceRecipe("efficientnet_b0", epochs=1, cuts_per_epoch=8, crop=48, batch=4)
    model, stopped = start_model(recipe), start_model(recipe)
    untrained = model.body[0][0].weight.clone()
    pretrain(films, model, recipe, tmp_path)
    pretrain(films, stopped, recipe, tmp_path)
    learnt, again = model.state_dict(), stopped.state_dict()
    assert not torch.equal(learnt["body.0.0.weight"], untrained)
    assert torch.equal(learnt["body.0.0.weight"], again["body.0.0.weight"])
