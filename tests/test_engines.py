"""The engines: one answer from all of them, the fastest checked one by default, and no torch without need."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mura_core import engines, openvino_engine
from mura_core.checkpoint import load_arrays
from mura_core.engines import Background, Engine, load_engine
from mura_core.errors import MuraError, WeightsError
from mura_core.models import build_model
from mura_core.openvino_engine import OpenVinoEngine, has_int8
from mura_core.pooling import Maps, pool
from mura_core.predictor import Predictor
from mura_core.quantisation import INT8_NAME
from mura_core.sidecar import read_sidecar
from mura_core.study import Radiograph, Study, View, Window
from mura_core.torch_engine import TorchEngine

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "weights"
SIZE = read_sidecar(RELEASED, "")[0].preprocess.size
TOLERANCE = {"f32": 1e-4, "bf16": 0.05, "int8": 0.05}
"""Of a logit, over the films drawn here."""

FEATURES_APART = {"f32": 1e-4, "bf16": 0.05, "int8": 0.05}
"""Of the pooled features' length."""


@cache
def released(device: str) -> Engine:
    return Predictor.load(RELEASED, device).engine


@pytest.fixture(scope="module")
def films() -> list[NDArray[np.float32]]:
    """Five squares of bytes over 255 with edges and gradients, as preprocessing leaves films."""
    random = np.random.default_rng(0)
    drawn = []
    for index in range(5):
        film = np.zeros((SIZE, SIZE), np.float32)
        film[20:-20, 100 + 5 * index : 210] = np.linspace(0.2, 0.9, SIZE - 40, dtype=np.float32)[:, None]
        film[150:152, 100:210] = 0.05 * index
        noisy = np.clip(film + random.normal(0, 0.03, film.shape), 0, 1)
        drawn.append(np.round(noisy.astype(np.float32) * 255) / np.float32(255))
    return drawn


@pytest.fixture(scope="module")
def reference(films: list[NDArray[np.float32]]) -> Maps:
    engine = released("torch")
    assert engine.name == "torch cpu"
    return engine.read(films)


@pytest.mark.parametrize("precision", ["f32", "bf16", "int8"])
def test_every_engine_says_what_torch_says(
    precision: str, films: list[NDArray[np.float32]], reference: Maps
) -> None:
    if precision == "int8" and not has_int8():
        pytest.skip("This CPU adds products of bytes in 16 bits.")
    engine = released(precision)
    assert engine.name == f"openvino {precision}"
    found = engine.read(films)
    for mine, theirs in zip(found, reference, strict=True):
        assert mine.dtype == np.float32
        assert mine.shape == theirs.shape
    np.testing.assert_allclose(found.logits, reference.logits, atol=TOLERANCE[precision])
    for mine, theirs in zip(found.cams, reference.cams, strict=True):
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.99
    assert found.features.shape == (len(films), 1664)
    apart = np.linalg.norm(found.features - reference.features, axis=1)
    assert (apart < FEATURES_APART[precision] * np.linalg.norm(reference.features, axis=1)).all()


def test_the_mean_of_the_map_plus_the_bias_is_the_logit(
    films: list[NDArray[np.float32]], reference: Maps
) -> None:
    bias = float(load_arrays(RELEASED)[1]["classifier.bias"][0])
    found = released("f32").read(films)
    for maps in (reference, found):
        np.testing.assert_allclose(maps.cams.mean(axis=(1, 2)) + bias, maps.logits, atol=1e-4)


@pytest.mark.parametrize("focus", [0.0, 1.0, 30.0])
def test_the_pooling_is_that_of_the_network_in_training(focus: float) -> None:
    torch.manual_seed(0)
    model = build_model("efficientnet_b0", focus=focus).eval()
    torch.nn.init.normal_(model.classifier.weight)
    torch.nn.init.constant_(model.classifier.bias, -0.7)
    features = torch.rand(3, 1280, 4, 5)
    with torch.inference_mode():
        logits, scores = model.score(features)
    maps = pool(
        scores.numpy(), features.mean((2, 3)).numpy(), model.classifier.bias.item(), model.focus.item()
    )
    np.testing.assert_allclose(maps.logits, logits.numpy(), rtol=1e-4)


def test_the_company_of_a_film_changes_nothing(films: list[NDArray[np.float32]]) -> None:
    engine = released("cpu")
    together = engine.read(films)
    for index, film in enumerate(films):
        np.testing.assert_array_equal(engine.read([film]).logits, together.logits[index : index + 1])


def test_eight_threads_get_what_one_gets(films: list[NDArray[np.float32]]) -> None:
    engine = released("cpu")
    alone = [float(engine.read([film]).logits[0]) for film in films]
    with ThreadPoolExecutor(8) as crowd:
        assert list(crowd.map(lambda film: float(engine.read([film]).logits[0]), films * 4)) == alone * 4


def test_half_precision_on_an_accelerator_keeps_the_classification_layer_whole() -> None:
    torch.manual_seed(0)
    model = build_model("efficientnet_b0").eval()
    film = np.random.default_rng(0).random((64, 64), np.float32)
    whole = TorchEngine(model, "cpu").read([film])
    halved = TorchEngine(model, "cpu", half=True)
    assert halved.name == "torch cpu f16"
    assert model.classifier.weight.dtype == torch.float32
    np.testing.assert_allclose(halved.read([film]).logits, whole.logits, atol=1e-2)


@pytest.mark.parametrize(
    ("vnni", "bf16", "checked", "expected"),
    [
        (True, True, True, "int8"),
        (True, False, True, "int8"),
        (False, True, True, "bf16"),
        (False, False, True, "f32"),
        (True, True, False, "f32"),
        (False, True, "without bf16", "f32"),
    ],
)
def test_the_default_is_the_fastest_that_was_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vnni: bool,
    bf16: bool,
    checked: bool | str,
    expected: str,
) -> None:
    made: list[object] = []

    class Noted:
        def __init__(self, *given: object) -> None:
            made.append(given[2])

    monkeypatch.setattr(engines, "_gpu", lambda: None)
    monkeypatch.setattr(openvino_engine, "has_int8", lambda: vnni)
    monkeypatch.setattr(openvino_engine, "has_bf16", lambda: bf16)
    monkeypatch.setattr(openvino_engine, "OpenVinoEngine", Noted)
    folder = shutil.copytree(RELEASED, tmp_path / "weights")
    if checked == "without bf16":
        content = json.loads((folder / INT8_NAME).read_text())
        del content["checked"]["engines"]["openvino bf16"]
        (folder / INT8_NAME).write_text(json.dumps(content))
    if not checked:
        (folder / INT8_NAME).unlink()
        with pytest.raises(WeightsError, match="quantise"):
            Predictor.load(folder, "int8")
    Predictor.load(folder)
    assert made == [expected]


@pytest.mark.parametrize("device", ["meta", "hpu", "INT8", "", "cuda:", "cpu:0", "xpu"])
def test_a_device_of_no_engine_is_refused_before_anything_is_loaded(device: str) -> None:
    with pytest.raises(MuraError, match="Unknown --device"):
        Predictor.load(Path("no such folder"), device)


@pytest.mark.parametrize("part", range(4))
def test_an_answer_that_is_no_number_is_no_normal_film(part: int) -> None:
    class Broken:
        name = "broken"

        def read(self, given: Sequence[NDArray[np.float32]]) -> Maps:
            size = len(given)
            maps = [np.zeros(size, np.float32), *np.zeros((2, size, 10, 10), np.float32)]
            maps.append(np.zeros((size, 1664), np.float32))
            maps[part][0] = np.nan
            return Maps(*maps)

    values = np.tile(np.arange(128, dtype=np.uint16), (128, 1))
    film = Radiograph(values.astype(np.float32) / np.float32(127), values, Window(64, 128), 8, "png")
    with pytest.raises(MuraError, match="no number"):
        Predictor(Broken(), load_arrays(RELEASED)[0]).predict(Study((View("a.png", film),)))


def test_without_openvino_torch_stands_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "openvino" else True)
    monkeypatch.setattr(engines, "_gpu", lambda: None)
    assert Predictor.load(RELEASED).engine.name == "torch cpu"
    with pytest.raises(MuraError, match="pip install openvino"):
        Predictor.load(RELEASED, "f32")


def test_other_networks_run_by_torch_and_not_by_name_of_a_precision(untrained_weights: Path) -> None:
    assert Predictor.load(untrained_weights, "cpu").engine.name == "torch cpu"
    with pytest.raises(MuraError, match="efficientnet_b0"):
        Predictor.load(untrained_weights, "bf16")


def test_weights_of_another_shape_are_refused() -> None:
    sidecar, state = load_arrays(RELEASED)
    without = {name: array for name, array in state.items() if name != "body.conv0.weight"}
    for broken in (without, {**state, "body.norm5.weight": np.zeros(3, np.float32)}):
        for device in ("f32", "torch"):
            with pytest.raises(WeightsError, match="do not fit densenet169"):
                load_engine(RELEASED, sidecar, broken, device)


def test_an_engine_in_the_background_answers_once_it_is_there(films: list[NDArray[np.float32]]) -> None:
    go = Event()

    class Slow:
        name = "slow"

        def read(self, films: Sequence[NDArray[np.float32]]) -> Maps:
            return pool(
                np.ones((len(films), 2, 2), np.float32), np.zeros((len(films), 3), np.float32), 0.5, 0.0
            )

    def load() -> Slow:
        assert go.wait(10)
        return Slow()

    engine = Background(load)
    with ThreadPoolExecutor(1) as asker:
        answer = asker.submit(engine.read, films[:1])
        assert not answer.done()
        go.set()
        assert answer.result(10).logits == pytest.approx(1.5)
    assert engine.name == "slow"


def test_whoever_asks_an_engine_that_could_not_be_made_is_told_why() -> None:
    def load() -> OpenVinoEngine:
        raise WeightsError("plain words")

    engine = Background(load)
    for _ in range(2):
        with pytest.raises(MuraError, match="plain words"):
            engine.read([])


def test_reading_a_study_needs_no_torch() -> None:
    code = """
import sys
import numpy as np
from mura_core.predictor import Predictor
from mura_core.study import Radiograph, Study, View, Window
values = np.random.default_rng(0).integers(0, 255, (400, 300)).astype(np.uint16)
film = Radiograph((values / 255).astype(np.float32), values, Window(127.5, 255), 8, "png")
result = Predictor.load(device="cpu", background=True).predict(Study((View("a", film),)))
assert 0 <= result.study_probability <= 1
print([name for name in ("torch", "torchvision", "pytorch_grad_cam") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_film_that_cannot_be_read_does_not_stop_the_next_study(films: list[NDArray[np.float32]]) -> None:
    engine = Predictor.load(RELEASED, "f32").engine
    good = engine.read(films[:2]).logits
    with pytest.raises(RuntimeError):
        engine.read([films[0], films[1], np.zeros((SIZE - 20, SIZE), np.float32), films[2]])
    np.testing.assert_array_equal(engine.read(films[:2]).logits, good)
