"""A GPU that is lent for the length of a call: with a stand-in for the package `spaces` and for the model."""

from __future__ import annotations

import logging
import pickle
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from demo import zero_gpu
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.study import Study, View
from tests.fake_predictor import FakePredictor, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUDY = Study((View("a.png", read_radiograph(png(1))),))


def over_the_border(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - the test's own


class Lender:
    """What `spaces.GPU` does: arguments and answer cross a process's border, an error's words do not."""

    def __init__(self) -> None:
        self.lent = 0
        self.durations: list[int] = []
        self.empty = False
        self.inside = False

    def GPU(self, task: Callable[..., Any], *, duration: int) -> Callable[..., Any]:  # noqa: N802
        self.durations.append(duration)

        def handler(*given: Any) -> Any:
            if self.inside:
                return task(*given)
            if self.empty:
                raise RuntimeError("ZeroGPU quota exceeded")
            self.lent += 1
            self.inside = True
            try:
                return over_the_border(task(*over_the_border(given)))
            except ImageError as error:
                raise RuntimeError(type(error).__name__) from None
            finally:
                self.inside = False

        return handler


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[FakePredictor]:
    """The predictors that were loaded, each with the device asked for."""
    made: list[FakePredictor] = []

    def load(weights: Path | None, device: str, *, background: bool = False) -> FakePredictor:
        # What lies on the GPU to come is packed when the page starts: it has to be there by then.
        assert not (background and device == "cuda")
        predictor = FakePredictor()
        predictor.asked = (weights, device)
        made.append(predictor)
        return predictor

    monkeypatch.setattr(zero_gpu, "Predictor", SimpleNamespace(load=load))
    return made


@pytest.fixture
def lender(monkeypatch: pytest.MonkeyPatch) -> Lender:
    found = Lender()
    monkeypatch.setitem(sys.modules, "spaces", found)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return found


def devices(loaded: list[FakePredictor]) -> list[str]:
    return [predictor.asked[1] for predictor in loaded]


def test_a_call_runs_on_the_lent_gpu(loaded: list[FakePredictor], lender: Lender) -> None:
    predictor = zero_gpu.load_predictor(None, "auto")
    assert devices(loaded) == ["cuda"]
    assert predictor.predict(STUDY).study_probability == pytest.approx(0.86)
    assert [variant.released for variant in predictor.compare(STUDY)] == [False, False, True]
    assert len(predictor.stability(STUDY).readings) == 12
    assert lender.lent == 3
    assert lender.durations == [zero_gpu.LONGEST_S] * 3
    assert predictor.sidecar is loaded[0].sidecar


def test_what_the_model_says_to_a_bad_study_arrives_whole(
    loaded: list[FakePredictor], lender: Lender
) -> None:
    predictor = zero_gpu.load_predictor(None, "auto")
    loaded[0].error = ImageError("The study has no view.")
    with pytest.raises(ImageError, match="The study has no view"):
        predictor.predict(STUDY)
    assert lender.lent == 1
    assert devices(loaded) == ["cuda"]


def test_where_no_gpu_is_lent_the_study_is_read_on_the_cpu(
    loaded: list[FakePredictor], lender: Lender, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = zero_gpu.load_predictor(None, "auto")
    lender.empty = True
    with caplog.at_level(logging.WARNING):
        assert predictor.predict(STUDY).study_probability == pytest.approx(0.86)
        assert len(predictor.compare(STUDY)) == 3
    assert devices(loaded) == ["cuda", "cpu"]
    assert len(loaded[1].studies) == 2
    assert "read on the CPU" in caplog.text
    lender.empty = False
    predictor.predict(STUDY)
    assert lender.lent == 1


@pytest.mark.parametrize("value", ["", "false"])
def test_on_another_space_nothing_changes(
    loaded: list[FakePredictor], lender: Lender, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", value)
    predictor = zero_gpu.load_predictor(None, "auto")
    predictor.predict(STUDY)
    assert predictor is loaded[0]
    assert devices(loaded) == ["auto"]
    assert lender.durations == []


def test_a_device_that_is_named_is_taken_and_without_spaces_nothing_changes(
    loaded: list[FakePredictor], lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    zero_gpu.load_predictor(None, "cpu")
    monkeypatch.setitem(sys.modules, "spaces", None)
    zero_gpu.load_predictor(None, "auto")
    assert devices(loaded) == ["cpu", "auto"]
    assert lender.durations == []
