"""The one way from a study to its result: evaluation, command line and screen all go through here."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mura_core.cam import heatmap
from mura_core.checkpoint import find_weights, load_arrays
from mura_core.cores import side_by_side
from mura_core.engines import Background, check_device, load_engine
from mura_core.errors import ImageError, MuraError
from mura_core.known import read_known
from mura_core.orientation import read_turning
from mura_core.pooling import sigmoid
from mura_core.preprocess import preprocess
from mura_core.remarks import Doubts, all_remarks, plain_remarks
from mura_core.stability import read_changed, read_measured
from mura_core.study import StudyResult, Timing, ViewResult
from mura_core.variants import read_variants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.engines import Engine
    from mura_core.known import Known
    from mura_core.pooling import Maps
    from mura_core.preprocess import Geometry
    from mura_core.sidecar import Sidecar
    from mura_core.stability import Measured, Stability
    from mura_core.study import Study, View
    from mura_core.variants import Variant

    FloatMap = NDArray[np.float32]
    Turns = NDArray[np.int64]


class Predictor:
    """A network with its sidecar, ready to read studies. Holds no state between them; safe among threads."""

    def __init__(
        self,
        engine: Engine,
        sidecar: Sidecar,
        measured: Measured | None = None,
        known: Known | None = None,
    ) -> None:
        """Take what runs the network, and what its weights are.

        Args:
            engine: What runs the network.
            sidecar: What its weights are.
            measured: What their `stability` was worth.
            known: The films they know; None compares none.
        """
        self.sidecar = sidecar
        self.engine = engine
        self.measured = measured
        self.known = known

    @classmethod
    def load(
        cls,
        weights: Path | None = None,
        device: str = "auto",
        *,
        threads: int | None = None,
        background: bool = False,
    ) -> Predictor:
        """Load weights from the folder given, `$MURA_WEIGHTS` or `weights/`.

        Args:
            weights: The folder.
            device: What runs the network, see `engines.load_engine`.
            threads: On a CPU, how many to use; None for one a core.
            background: Return once the weights are read and verified; the network is made meanwhile, and
                what is wrong with that is raised to whoever first needs it.

        Raises:
            WeightsError: They are missing, altered or foreign; the text says what to do.
            MuraError: The device does not exist here.
        """
        check_device(device)
        folder = find_weights(weights)
        sidecar, state = load_arrays(folder)

        def load() -> Engine:
            return load_engine(folder, sidecar, state, device, threads)

        engine = Background(load) if background else load()
        return cls(engine, sidecar, read_measured(folder), read_known(folder))

    def predict(self, study: Study) -> StudyResult:
        """Read a study: all views in one batch; the study's probability is the mean over its views.

        Args:
            study: One view or more; not changed.

        Raises:
            ImageError: The study has no view.
            MuraError: The network's answer is no number.
        """
        _check_views(study)
        prepared, preprocess_s = zip(*side_by_side(self._prepare, study.views), strict=True)
        start = time.perf_counter()
        maps, turns = self.read([film for film, _ in prepared])
        network_s = (time.perf_counter() - start) / len(study.views)

        views = tuple(
            self._view_result(
                view, maps, turns, index, prepared[index][1], Timing(preprocess_s[index], network_s)
            )
            for index, view in enumerate(study.views)
        )
        return self._study_result(views)

    def compare(self, study: Study) -> tuple[Variant, ...]:
        """Read a study once for each step of its preparation: whole film, region of interest, contrast.

        Temperature and operating points were fitted on the released preparation alone: what another variant
        gets shows how much the call leans on a step, and is no second opinion.

        Args:
            study: One view or more; not changed.

        Returns:
            The steps in order; the last is the released preparation, and its numbers are as `predict` says.

        Raises:
            ImageError: The study has no view.
        """
        _check_views(study)
        return read_variants(
            study, self.sidecar.preprocess, self.sidecar.operating_points, self._probabilities
        )

    def stability(self, study: Study) -> Stability:
        """Read a study once under each of `stability.CHANGES`, which should not change the answer.

        Args:
            study: One view or more; not changed.

        Returns:
            The readings in order; the first is of the unchanged films, with the numbers of `predict`.

        Raises:
            ImageError: The study has no view.
            MuraError: The network's answer is no number.
        """
        _check_views(study)
        return read_changed(
            study, self.sidecar.preprocess, self.sidecar.operating_points, self._probabilities
        )

    def _prepare(self, view: View) -> tuple[tuple[FloatMap, Geometry], float]:
        start = time.perf_counter()
        film = preprocess(view.radiograph.pixels, self.sidecar.preprocess)
        return film, time.perf_counter() - start

    def read(self, films: Sequence[FloatMap]) -> tuple[Maps, Turns]:
        """Run the network; films that lie on their side are read turned back, where that was learnt.

        Args:
            films: float32 (S, S) in [0, 1] for each view, prepared; not changed.

        Returns:
            The reading of each film that counts, in the film's own frame; and by how many quarters to the
            left each lies turned: 0, 1 or 3, int64 (V,).

        Raises:
            MuraError: The network's answer is no number.
        """
        if self.known is None or self.known.orientation is None:
            return self._run(films), np.zeros(len(films), dtype=np.int64)
        return read_turning(self._run, films, self.known.orientation)

    def _run(self, films: Sequence[FloatMap]) -> Maps:
        """Run the network; what is no number would pass every threshold as a normal film does."""
        maps = self.engine.read(films)
        if not all(np.isfinite(part).all() for part in maps):
            raise MuraError(
                f"The network's answer is no number (engine {self.engine.name}). Start with --device f32; "
                "if that does not help, the weights are damaged: fetch them again."
            )
        return maps

    def _probabilities(self, films: Sequence[FloatMap]) -> tuple[float, ...]:
        return tuple(sigmoid(float(logit) / self.sidecar.temperature) for logit in self.read(films)[0].logits)

    def _doubts(self, view: View, features: FloatMap, turned: bool) -> Doubts:
        """What speaks against relying on a view's call, by its pixels and by its features."""
        plain = plain_remarks(view.radiograph)
        if self.known is None:
            return Doubts(plain)
        strangeness = float(self.known.strangeness(features[None])[0])
        part = self.known.body_parts(features[None])[0]
        return Doubts(all_remarks(plain, strangeness, part, turned=turned), strangeness, part)

    def _view_result(
        self, view: View, maps: Maps, turns: Turns, index: int, geometry: Geometry, timing: Timing
    ) -> ViewResult:
        logit = float(maps.logits[index])
        probability = sigmoid(logit / self.sidecar.temperature)
        turned = 90 * int(turns[index])
        doubts = self._doubts(view, maps.features[index], turned > 0)
        return ViewResult(
            name=view.name,
            abnormality_probability=probability,
            call=self.sidecar.operating_points.call(probability),
            logit=logit,
            cam=maps.cams[index],
            draw_heatmap=partial(heatmap, maps.local_logits[index], self.sidecar.temperature, geometry),
            film_shape=(geometry.image_height, geometry.image_width),
            roi=geometry.roi,
            timing=timing,
            remarks=doubts.remarks,
            strangeness=doubts.strangeness,
            body_part=doubts.body_part,
            turned=turned,
        )

    def _study_result(self, views: tuple[ViewResult, ...]) -> StudyResult:
        probability = math.fsum(view.abnormality_probability for view in views) / len(views)
        return StudyResult(
            study_probability=probability,
            call=self.sidecar.operating_points.call(probability),
            views=views,
            operating_points=self.sidecar.operating_points,
            model_name=self.sidecar.architecture,
            model_version=self.sidecar.version,
            engine=self.engine.name,
            timing=Timing(
                preprocess_s=math.fsum(view.timing.preprocess_s for view in views),
                network_s=math.fsum(view.timing.network_s for view in views),
            ),
            compared=self.known is not None,
        )


def _check_views(study: Study) -> None:
    if not study.views:
        raise ImageError("The study has no view. Expected at least one radiograph.")
