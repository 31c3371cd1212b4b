"""A training whose disk fills up: it says so, and goes on from its last epoch once there is room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mura_core.__main__ import main
from mura_core.checkpoint import load_weights
from mura_core.resuming import WholeCheckpoints
from tests.mura_tree import draw_mura_tree
from tests.small_disk import make_room, small_disk
from tests.test_train import FLAGS, pytestmark

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytestmark"]

PHASE_ONE_FITS = 42_000
"""Kilobytes: two checkpoints of the first phase, but none of the second, which has the optimiser's state."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", PHASE_ONE_FITS) as folder:
        yield folder


def test_a_training_that_finds_no_room_goes_on_from_its_last_epoch(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = draw_mura_tree(tmp_path, patients=12, size_px=96)
    out = disk / "run"
    command = ["train", "--data", str(data), "--out", str(out), "--cache", str(tmp_path / "cache"), *FLAGS]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "error: " in said
    assert "No space left on device" in said
    assert "run the same command again" in said
    assert WholeCheckpoints().load_checkpoint(out / "last.ckpt", weights_only=False)["epoch"] == 0
    make_room(disk, kilobytes=400_000)
    assert main(command) == 0
    assert WholeCheckpoints().load_checkpoint(out / "last.ckpt", weights_only=False)["epoch"] == 1
    assert load_weights(out / "weights")[0].architecture == "efficientnet_b0"
