"""The page with a short line, and a stand-in that knows each film and can be held; see `stand_in_server`."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from mura_core.study import Study, StudyResult
from tests.fake_predictor import FakePredictor


class KnowingPredictor(FakePredictor):
    """Says of each film its mean grey, so that every film has a probability of its own.

    Args:
        view_s: Seconds it takes for a view.
        held: While this file is there, no study ends.
    """

    def __init__(self, view_s: float = 0.0, held: Path | None = None) -> None:
        super().__init__()
        self._view_s = view_s
        self._held = held
        self._reading = threading.Lock()

    def predict(self, study: Study) -> StudyResult:
        """Answer; two studies at once are an error, which every reader would see."""
        if not self._reading.acquire(blocking=False):
            raise RuntimeError("two studies at once")
        try:
            time.sleep(self._view_s * len(study.views))
            while self._held and self._held.exists():
                time.sleep(0.02)
            self.probabilities = tuple(float(view.radiograph.pixels.mean()) for view in study.views)
            return super().predict(study)
        finally:
            self.studies.clear()
            self._reading.release()


if __name__ == "__main__":
    from demo.review_desk import Desk
    from demo.serving import launch
    from demo.turns import Turns
    from demo.ui import build_ui

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--waiting", type=int, default=4, help="studies that may stand in line")
    parser.add_argument("--view-s", type=float, default=0.0)
    parser.add_argument("--held", type=Path)
    parser.add_argument("--rest-s", type=float, default=0.2, help="quiet after which freed memory goes back")
    flags = parser.parse_args()
    predictor = KnowingPredictor(flags.view_s, flags.held)
    desk = Desk(Path("no sessions here"), predictor)
    desk.turns = Turns(most_waiting=flags.waiting, rest_s=flags.rest_s)
    launch(build_ui(predictor, desk), port=flags.port)
