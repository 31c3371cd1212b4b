"""A stand-in for the Predictor: no network, the same answer for the same films."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from demo.analysing import analyse
from demo.turns import Turns
from mura_core.preprocess import PreprocessOptions
from mura_core.remarks import plain_remarks
from mura_core.stability import CHANGES, ChangedReading, Measured, Stability
from mura_core.study import Box, OperatingPoints, Study, StudyResult, Timing, ViewResult
from mura_core.variants import Variant

if TYPE_CHECKING:
    from demo.analysing import Step
    from demo.handlers import Tray
    from demo.wording import Wording

POINTS = OperatingPoints(sensitive=0.35, specific=0.65)


class FakePredictor:
    """Calls the views with the probabilities given, in turn, and marks one place on each film.

    With `told_by_film` the grey of a film's first pixel says its probability: other films, other calls.
    """

    def __init__(
        self, *probabilities: float, error: Exception | None = None, told_by_film: bool = False
    ) -> None:
        self.probabilities = probabilities or (0.86, 0.2, 0.5)
        self.error = error
        self.told_by_film = told_by_film
        self.studies: list[Study] = []
        self.measured: Measured | None = None
        self.sidecar = SimpleNamespace(
            architecture="fake-network",
            version="0.0-test",
            operating_points=POINTS,
            data="No data at all: a stand-in for tests <b>not bold</b>.",
            metrics={},
        )

    def predict(self, study: Study) -> StudyResult:
        """Answer without looking, or raise the error given."""
        self.studies.append(study)
        if self.error:
            raise self.error
        views = tuple(self._view(view, index) for index, view in enumerate(study.views))
        mean = float(np.mean([view.abnormality_probability for view in views]))
        timing = Timing(0.1, 0.3)
        return StudyResult(
            mean, POINTS.call(mean), views, POINTS, "fake-network", "0.0-test", timing, "fake-network"
        )

    def compare(self, study: Study) -> tuple[Variant, ...]:
        """Answer for three steps: each lowers the probabilities of the released one by a tenth more."""
        released = self.predict(study)
        steps = [
            PreprocessOptions(32, roi, enhance)
            for roi, enhance in ((False, False), (True, False), (True, True))
        ]
        return tuple(
            self._variant(released, options, 0.1 * left)
            for left, options in zip((2, 1, 0), steps, strict=True)
        )

    def stability(self, study: Study) -> Stability:
        """Answer for every change: each lowers the probabilities by 0.018 more."""
        released = self.predict(study)
        readings = []
        for number, change in enumerate(CHANGES):
            values = tuple(max(0.0, view.abnormality_probability - 0.018 * number) for view in released.views)
            mean = float(np.mean(values))
            readings.append(ChangedReading(change, values, mean, POINTS.call(mean)))
        return Stability(tuple(readings))

    def _variant(self, released: StudyResult, options: PreprocessOptions, less: float) -> Variant:
        values = tuple(max(0.0, view.abnormality_probability - less) for view in released.views)
        films = tuple(np.full((32, 32), value, np.float32) for value in values)
        mean = float(np.mean(values))
        calls = tuple(POINTS.call(value) for value in values)
        return Variant(options, less == 0, films, values, mean, calls, POINTS.call(mean))

    def _view(self, view, index):  # noqa: ANN001, ANN202 - as in the types above
        probability = self.probabilities[index % len(self.probabilities)]
        if self.told_by_film:
            probability = int(view.radiograph.values[0, 0]) / 255
        height, width = view.radiograph.values.shape
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
        distance = np.hypot(rows - 0.55 * height, columns - 0.52 * width) / (0.13 * min(height, width))
        heatmap = (min(1.0, probability * 1.1) * np.exp(-(distance**2))).astype(np.float32)
        roi = Box(0.05 * height, 0.1 * width, 0.9 * height, 0.8 * width)
        cam = np.zeros((10, 10), np.float32)
        # The films of tests are small, which is of no matter there.
        remarks = tuple(remark for remark in plain_remarks(view.radiograph) if remark.grave)
        return ViewResult(
            view.name,
            probability,
            POINTS.call(probability),
            0.0,
            cam,
            heatmap.copy,
            heatmap.shape,
            roi,
            Timing(0.1, 0.3),
            remarks,
        )


def steps(predictor: FakePredictor, tray: Tray, words: Wording) -> list[Step]:
    """Everything that a reader is shown of an analysis, with nobody else there."""

    async def collected() -> list[Step]:
        return [step async for step in analyse(predictor, tray, words, Turns(), "reader")]

    return asyncio.run(collected())


def last(predictor: FakePredictor, tray: Tray, words: Wording) -> dict[str, Any]:
    """What the viewer shows at the end of an analysis."""
    return steps(predictor, tray, words)[-1][0]


def png(seed: int = 0, first_pixel: int | None = None) -> bytes:
    film = np.zeros((120, 100), np.uint8)
    film[:, 40:60] = 180
    noisy = film + np.random.default_rng(seed).integers(0, 20, film.shape).astype(np.uint8)
    if first_pixel is not None:
        noisy[0, 0] = first_pixel
    return cv2.imencode(".png", noisy)[1].tobytes()
