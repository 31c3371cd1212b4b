"""The page's own path from files to pictures, as the speed benchmark times it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contestants import Clock, Stages
from demo import render
from demo.analysing import read_views
from demo.handlers import Tray, study_payload, with_result
from demo.wording import Wording
from mura_core.images import read_radiograph
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess
from mura_core.roi import find_roi
from mura_core.study import Study, View

if TYPE_CHECKING:
    from pathlib import Path


class Ours:
    """This project with one engine."""

    def __init__(self, weights: Path | None, device: str) -> None:
        self.predictor = Predictor.load(weights, device)
        self.words = Wording("en")

    def run(self, files: list[Path]) -> list[float]:
        """As the page does it: side by side where that helps."""
        tray = Tray(tuple((path.name, path.read_bytes()) for path in files))
        _, study, refused = read_views(tray)
        if refused:
            raise ValueError(refused[0].reason)
        result = self.predictor.predict(study)
        with_result(study_payload(study, self.words), result, self.words)
        return [view.abnormality_probability for view in result.views]

    def stages(self, files: list[Path]) -> Stages:
        """One step and one film after the other; the network alone takes all films at once."""
        clock, sidecar = Clock(), self.predictor.sidecar
        views = [View(path.name, read_radiograph(path.read_bytes())) for path in files]
        clock.stop("decode")
        for view in views:
            find_roi(view.radiograph.pixels)
        roi_s = clock.stop("ROI")
        prepared = [preprocess(view.radiograph.pixels, sidecar.preprocess) for view in views]
        # preprocess finds the region as well; what is left is scaling and contrast.
        clock.stop("enhancement", less_s=roi_s)
        self.predictor.engine.read([film for film, _ in prepared])
        clock.stop("forward and map")
        result = self.predictor.predict(Study(tuple(views)))
        clock.restart()
        for index, view in enumerate(views):
            study_payload(Study((view,)), self.words)
            render.encode_view_result(result.views[index], result, index + 1, self.words)
        clock.stop("overlay")
        return clock.seconds
