"""The commands `pretrain` and `train` in a row: the first phase stands on the source task's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from mura_core import datasets, films
from mura_core.__main__ import main
from mura_core.augment import build_augmentation
from mura_core.checkpoint import load_weights
from mura_core.curves import LOG, read_curves
from mura_core.train import SOURCE_FILE
from tests.atlas_tree import draw_atlas_tree
from tests.test_table1 import tiny_networks
from tests.test_train import pytestmark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["pytestmark"]

NETWORK = ["--architecture", "efficientnet_b0", "--focus", "1", "--size", "48", "--batch", "8"]
MACHINE = ["--precision", "32-true", "--workers", "0"]
ROUND = ["--epochs", "1", "--cuts-per-epoch", "16", "--crop", "32"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("pretrain")
    (home / "atlas").mkdir()
    assignment = draw_atlas_tree(home / "atlas")
    with tiny_networks() as patch:
        patch.setattr(datasets, "shipped_split", lambda: assignment)
        yield home


def command(home: Path, name: str, *more: str) -> list[str]:
    places = ["--data", str(home / "atlas"), "--out", str(home / name), "--cache", str(home / "cache")]
    return [name, *places, "--format", "fracatlas", *NETWORK, *MACHINE, *more]


@pytest.fixture(scope="module")
def source(home: Path) -> Path:
    assert main(command(home, "pretrain", *ROUND)) == 0
    return home / "pretrain" / SOURCE_FILE


def test_pretrain_learns_one_round_and_names_the_file_to_start_from(
    home: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt = load_file(source)
    curves = read_curves(source.with_name(LOG))
    assert [epoch for epoch, _ in curves["epoch_s"]] == [1]
    assert dict(curves["film_epoch"])[1] > 0
    # With nothing left to do, the same command only writes the file again.
    source.unlink()
    assert main(command(home, "pretrain", *ROUND)) == 0
    assert f"train --init {source}" in capsys.readouterr().out
    for name, value in load_file(source).items():
        assert torch.equal(value, learnt[name]), name


def test_train_starts_from_what_pretrain_wrote(home: Path, source: Path) -> None:
    phases = ["--transfer-epochs", "1", "--fine-tune-epochs", "0"]
    assert main(command(home, "train", "--init", str(source), *phases)) == 0
    served = load_weights(home / "train" / "weights")[1]
    learnt = load_file(source)
    for name in ("body.0.weight", "body.0.bias"):
        assert torch.equal(served[name], learnt[name]), name
    assert not torch.equal(served["classifier.weight"], learnt["classifier.weight"])


def test_the_cuts_are_augmented_as_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def build(size: int, strength: str) -> object:
        asked.append((size, strength))
        return build_augmentation(size, strength)

    monkeypatch.setattr(films, "build_augmentation", build)
    elsewhere = ["--out", str(home / "plain"), "--augmentation", "rough"]
    assert main(command(home, "pretrain", *ROUND, *elsewhere)) == 0
    assert asked == [(32, "rough")]
