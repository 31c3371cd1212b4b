"""The engine in 8 bits: which layers, by which ranges, on which processors; files that hold none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mura_core.checkpoint import load_arrays
from mura_core.errors import MuraError, WeightsError
from mura_core.graph import build_graph, quantised_layers
from mura_core.predictor import Predictor
from mura_core.quantisation import INT8_NAME, read_ranges
from mura_core.quantise import _correlation
from tests.test_engines import RELEASED


def test_ranges_of_other_weights_are_not_used(tmp_path: Path) -> None:
    folder = shutil.copytree(RELEASED, tmp_path / "weights")
    path = folder / INT8_NAME
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "weights": "0" * 64}))
    assert read_ranges(folder) is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"ranges": {"a": 1.0}},
        {"ranges": {"a": -1}},
        {"ranges": {"a": float("nan")}},
        {"ranges": 3},
        {"weights": None},
    ],
)
def test_an_altered_file_of_ranges_is_refused_or_not_used(tmp_path: Path, change: dict[str, object]) -> None:
    folder = shutil.copytree(RELEASED, tmp_path / "weights")
    path = folder / INT8_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    if "weights" in change:
        assert read_ranges(folder) is None
    else:
        with pytest.raises(WeightsError, match="quantise"):
            read_ranges(folder)


def test_the_ranges_name_the_layers_that_may_be_quantised() -> None:
    assert tuple(read_ranges(RELEASED) or ()) == quantised_layers()
    checked = json.loads((RELEASED / INT8_NAME).read_text())["checked"]
    row = checked["engines"]["openvino int8"]
    assert abs(row["auroc_change"]) < 0.003
    assert row["calls_changed"] / row["studies"] < 0.005
    assert row["lowest_map_correlation"] > 0.99


def test_eight_bits_do_change_the_graph() -> None:
    _, state = load_arrays(RELEASED)
    plain = build_graph(state, 320)
    rounded = build_graph(state, 320, read_ranges(RELEASED))
    count = [
        sum(op.get_type_name() == "FakeQuantize" for op in graph.get_ops()) for graph in (plain, rounded)
    ]
    assert count == [0, 2 * len(quantised_layers())]


def test_eight_bits_are_refused_where_they_may_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mura_core.openvino_engine.has_int8", lambda: False)
    with pytest.raises(MuraError, match="VNNI"):
        Predictor.load(RELEASED, "int8")


def test_a_map_without_contrast_agrees_with_none_that_has_some() -> None:
    even, varied = np.ones((3, 3)), np.arange(9.0).reshape(3, 3)
    assert _correlation(even, varied) == _correlation(varied, even) == 0
    assert _correlation(even, 2 * even) == 1
    assert _correlation(varied, 2 * varied) == pytest.approx(1)
