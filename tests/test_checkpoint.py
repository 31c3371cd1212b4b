"""Weights on disk: what is saved comes back, and nothing missing, altered or foreign is ever loaded."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mura_core import checkpoint
from mura_core.checkpoint import Sidecar, find_weights, load_weights, save_weights
from mura_core.errors import WeightsError
from mura_core.preprocess import PreprocessOptions
from mura_core.shards import SHARD_LIMIT_BYTES
from mura_core.study import OperatingPoints

SIDECAR = Sidecar(
    architecture="densenet169",
    version="1.2.3",
    preprocess=PreprocessOptions(size=224, roi=False),
    temperature=1.25,
    operating_points=OperatingPoints(0.2, 0.7),
    metrics={"auroc": {"value": 0.5, "ci95": [0.4, 0.6]}},
    data="noise",
    licence="CC0-1.0",
    command="python -m mura_core train",
    created="2025-01-31",
)


def state(seed: int = 0) -> dict[str, Tensor]:
    """A state of about 0.5 MB with every kind of tensor a network has."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "features.conv.weight": torch.randn(64, 32, 3, 3, generator=generator),
        "features.norm.running_mean": torch.randn(64, generator=generator),
        "features.norm.running_var": torch.rand(64, generator=generator) * 1e6,
        "features.norm.num_batches_tracked": torch.tensor(123_456_789),
        "head.weight": torch.randn(400, 256, generator=generator),
        "head.bias": torch.randn(1, generator=generator),
    }


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> int:
    """Shrink the limit so that a small state needs several shards and a cut tensor."""
    limit = 100_000
    monkeypatch.setattr("mura_core.shards.SHARD_LIMIT_BYTES", limit)
    return limit


@pytest.fixture
def saved(tmp_path: Path, small_shards: int) -> Path:  # noqa: ARG001 - the limit must be small first
    folder = tmp_path / "weights"
    save_weights(folder, state(), SIDECAR, half=False)
    return folder


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert sorted(found) == sorted(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def edit(folder: Path, **changes: Any) -> None:
    """Change keys of the sidecar; a value of None removes the key."""
    path = folder / "weights.json"
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_what_is_saved_comes_back_bit_for_bit(saved: Path) -> None:
    sidecar, found = load_weights(saved)
    assert sidecar == SIDECAR
    assert_same(found, state())


def test_every_shard_is_below_the_limit_and_a_large_tensor_is_cut_by_rows(
    saved: Path, small_shards: int
) -> None:
    assert len(shards(saved)) > 4
    assert all(path.stat().st_size < small_shards for path in shards(saved))
    assert state()["head.weight"].nbytes > 3 * small_shards


def test_equal_tensors_make_equal_shards_in_whatever_order(saved: Path, tmp_path: Path) -> None:
    again = dict(reversed(state().items()))
    save_weights(tmp_path / "again", again, SIDECAR, half=False)
    assert [path.name for path in shards(tmp_path / "again")] == [path.name for path in shards(saved)]
    sidecars = [(folder / "weights.json").read_text() for folder in (saved, tmp_path / "again")]
    assert sidecars[0] == sidecars[1]


def test_shards_are_well_filled_at_the_real_limit(tmp_path: Path) -> None:
    many = {f"block{index}.weight": torch.zeros(300, 999) for index in range(20)}
    save_weights(tmp_path, many, SIDECAR, half=False)
    sizes = [path.stat().st_size for path in shards(tmp_path)]
    # All zero: equal content would share a name, so the tensors' own names must keep the shards apart.
    assert len(sizes) == 3
    assert 9_000_000 < max(sizes) < SHARD_LIMIT_BYTES
    assert_same(load_weights(tmp_path)[1], many)


def test_a_row_that_no_shard_holds_is_refused(tmp_path: Path, small_shards: int) -> None:
    wide = {"weight": torch.zeros(2, small_shards)}
    with pytest.raises(WeightsError, match="A row of weight takes 400000 bytes"):
        save_weights(tmp_path, wide, SIDECAR, half=False)


def test_half_precision_rounds_kernels_but_keeps_vectors_and_running_statistics(tmp_path: Path) -> None:
    save_weights(tmp_path, state(), SIDECAR, half=True)
    _, found = load_weights(tmp_path)
    expected = {
        name: tensor.half().float() if tensor.dim() >= 2 else tensor for name, tensor in state().items()
    }
    assert_same(found, expected)
    assert sum(path.stat().st_size for path in shards(tmp_path)) < 0.55 * sum(
        tensor.nbytes for tensor in state().values()
    )


@pytest.mark.parametrize(
    ("value", "half", "message"),
    [(float("nan"), False, "not finite"), (float("inf"), True, "not finite"), (1e5, True, "half=False")],
)
def test_values_that_would_not_survive_are_refused(
    tmp_path: Path, value: float, half: bool, message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        save_weights(tmp_path, {"weight": torch.tensor([[1.0, value]])}, SIDECAR, half=half)
    assert not list(tmp_path.glob("*.json"))


def test_saving_changes_neither_the_state_nor_other_files(saved: Path) -> None:
    (saved / "README.md").write_text("keep me")
    before, given = state(1), state(1)
    save_weights(saved, given, SIDECAR, half=True)
    assert_same(given, before)
    assert (saved / "README.md").read_text() == "keep me"


def test_new_weights_replace_the_old_and_leave_nothing_behind(saved: Path) -> None:
    old = shards(saved)
    save_weights(saved, state(1), SIDECAR, half=False)
    assert not set(old) & set(shards(saved))
    assert len(list(saved.iterdir())) == len(shards(saved)) + 1
    assert_same(load_weights(saved)[1], state(1))


def test_a_save_that_dies_at_any_step_leaves_the_old_or_the_new_weights(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.replace
    outcomes = set()
    for survived in range(len(shards(saved)) + 2):
        moves = iter(range(survived))

        def replace(path: Path, target: Path, moves: Any = moves) -> Path:
            if next(moves, None) is None:
                raise KeyboardInterrupt
            return real(path, target)

        save_weights(saved, state(0), SIDECAR, half=False)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            try:
                save_weights(saved, state(1), SIDECAR, half=False)
                outcome = 1
            except KeyboardInterrupt:
                outcome = 0
        assert_same(load_weights(saved)[1], state(outcome))
        outcomes.add(outcome)
    assert outcomes == {0, 1}


def test_one_flipped_byte_anywhere_is_refused(saved: Path) -> None:
    for shard in shards(saved):
        content = shard.read_bytes()
        for position in (0, len(content) // 2, len(content) - 1):
            altered = bytearray(content)
            altered[position] ^= 1
            shard.write_bytes(altered)
            with pytest.raises(WeightsError, match=f"{shard.name} was altered.*git checkout"):
                load_weights(saved)
        shard.write_bytes(content)
    load_weights(saved)


def test_a_missing_or_cut_shard_is_refused(saved: Path) -> None:
    shard = shards(saved)[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="cut short"):
        load_weights(saved)
    shard.unlink()
    with pytest.raises(WeightsError, match=f"{shard.name} is missing"):
        load_weights(saved)


def test_a_shard_left_out_of_the_sidecar_is_noticed(saved: Path) -> None:
    listed = json.loads((saved / "weights.json").read_text())["shards"]
    for index in range(len(listed)):
        edit(saved, shards=listed[:index] + listed[index + 1 :])
        with pytest.raises(WeightsError, match=r"found \d+ tensors, expected 6|rows of the tensor"):
            load_weights(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format is 2, expected 1"),
        ({"format": None}, "'format' is missing"),
        ({"architecture": "inception_v3"}, "of inception_v3, expected one of densenet169"),
        ({"architecture": None}, r"missing keys \['architecture'\]"),
        ({"extra": 1}, r"unknown keys \['extra'\]"),
        ({"preprocess": {"size": 224, "roi": True}}, r"missing keys \['enhance'\]"),
        ({"preprocess": {"size": True, "roi": True, "enhance": True}}, "size is True"),
        ({"preprocess": {"size": 0, "roi": True, "enhance": True}}, "input size is 0"),
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": "1"}, "temperature is '1'"),
        ({"operating_points": {"sensitive": 0.7, "specific": 0.2}}, "operating points are"),
        ({"tensors": 7}, "found 6 tensors, expected 7"),
        ({"shards": {}}, "shards is {}"),
        (
            {"shards": [{"file": "../a.safetensors", "size_bytes": 1, "sha256": ""}]},
            "not the name of a shard",
        ),
    ],
)
def test_a_foreign_sidecar_is_refused_with_the_remedy(
    saved: Path, changes: dict[str, Any], message: str
) -> None:
    edit(saved, **changes)
    with pytest.raises(WeightsError, match=rf"(?s){message}.*python -m mura_core train"):
        load_weights(saved)


def test_a_sidecar_that_is_not_json_is_refused(saved: Path) -> None:
    (saved / "weights.json").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(WeightsError, match="not a sidecar of this package"):
        load_weights(saved)
    (saved / "weights.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match="not a sidecar of this package"):
        load_weights(saved)


def test_a_sidecar_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    for change in ({"metrics": {"auroc": float("nan")}}, {"temperature": -1.0}, {"architecture": "mine"}):
        with pytest.raises(WeightsError):
            save_weights(tmp_path, state(), dataclasses.replace(SIDECAR, **change), half=False)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_weights_is_refused_with_the_remedy(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(WeightsError, match="is missing.*git checkout -- weights"):
            load_weights(folder)
        with pytest.raises(WeightsError, match="git checkout -- weights"):
            find_weights(folder)


def test_lookup_takes_the_given_folder_then_the_environment_then_the_repository(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    save_weights(other, state(), SIDECAR, half=False)
    monkeypatch.setenv("MURA_WEIGHTS", str(other))
    assert find_weights(saved) == saved
    assert find_weights() == other
    monkeypatch.setattr(checkpoint, "_DEFAULT_FOLDER", saved)
    monkeypatch.delenv("MURA_WEIGHTS")
    assert find_weights() == saved


def test_a_bad_choice_is_never_replaced_by_the_next(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_DEFAULT_FOLDER", saved)
    monkeypatch.setenv("MURA_WEIGHTS", "/nowhere")
    with pytest.raises(WeightsError, match="/nowhere.*from MURA_WEIGHTS"):
        find_weights()
