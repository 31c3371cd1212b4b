"""Who is timed by the speed benchmark, and the clock that times them.

- ours: read, prepare, network and map in one pass, films and heatmaps packed for the viewer (`ours.py`).
- peer A: the same reading and preparation, the network in eager torch under pytorch-grad-cam's
  GradCAM on the rectified map, one film after the other; its forward pass gives the probability too; overlays
  of 1024 px as WebP.
- peer A, frozen: the same with all layers but the last norm frozen, so that Grad-CAM's backward pass ends
  there. It takes a reader of torch to see that this can be done; the maps are the same.
- peer B, naive: Pillow and torchvision, a prediction, then a new GradCAM that predicts again, overlays of
  the same size through show_cam_on_image as PNG.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

PEERS = ("peer A", "peer A, frozen", "peer B")

Stages = dict[str, float]
"""Seconds by stage, summed over the views; sequential, so that they add up."""


class Contestant(Protocol):
    """Whatever reads files and ends with pictures."""

    def run(self, files: list[Path]) -> list[float]:
        """From files to pictures; gives the probability of each view."""

    def stages(self, files: list[Path]) -> Stages:
        """The same one step and one film after the other, timed."""


def build(name: str, weights: Path | None) -> Contestant:
    """Make a contestant by its name: one of `PEERS`, or one of our engines.

    What the others import is not imported: starting up is timed too.
    """
    if name not in PEERS:
        from benchmarks.ours import Ours

        return Ours(weights, name)
    from benchmarks.peers import FilmByFilm, PeerA, PeerB

    return FilmByFilm(PeerB(weights) if name == "peer B" else PeerA(weights, frozen=name.endswith("frozen")))


class Clock:
    """Adds up what passes between two stops, by stage.

    Args:
        by_stage: Whether stages that lie within others are to be run alone too, to be timed.
    """

    def __init__(self, *, by_stage: bool = False) -> None:
        self.by_stage = by_stage
        self.seconds: Stages = {}
        self.restart()

    def restart(self) -> None:
        """Forget what passed since the last stop."""
        self._start = time.perf_counter()

    def stop(self, stage: str, *, less_s: float = 0.0) -> float:
        """Add what has passed to a stage, less what another took in it; gives what was added."""
        taken = time.perf_counter() - self._start - less_s
        self.seconds[stage] = self.seconds.get(stage, 0.0) + taken
        self.restart()
        return taken
