"""How far the answer moves under changes of the films that should not change it.

Each change is made to the radiograph as it was read, before the released preparation: region of interest,
contrast and network all see it. A steady answer is no proof that it is right; an unsteady one is a reason to
doubt it, and `benchmarks/stability.py` measures how good a reason.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.cells import LEAST
from mura_core.cores import side_by_side
from mura_core.known import served_digest
from mura_core.preprocess import preprocess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.preprocess import PreprocessOptions
    from mura_core.study import Call, OperatingPoints, Study, View

    FloatMap = NDArray[np.float32]

STABILITY_NAME = "stability.json"
"""In the weights folder: what the reading was worth on labelled studies, by `benchmarks/stability.py`."""

_log = logging.getLogger(__name__)

UNCHANGED = "unchanged"

_STEP = 0.1
"""Of brightness, as a share of the range, and of contrast, as a share of what it was."""

_MARGIN = 0.04
_COARSER = 0.9


def mirror(film: FloatMap) -> FloatMap:
    """Exchange left and right, as the other hand or a film laid down the wrong way."""
    return np.ascontiguousarray(film[:, ::-1])


def turn(film: FloatMap, degrees: float) -> FloatMap:
    """Turn to the left about the middle, on a page of black that holds all of it."""
    height, width = film.shape
    move = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    cosine, sine = abs(move[0, 0]), abs(move[0, 1])
    size = (math.ceil(height * sine + width * cosine), math.ceil(height * cosine + width * sine))
    move[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    return np.asarray(cv2.warpAffine(film, move, size, flags=cv2.INTER_LINEAR), dtype=np.float32)


def brighten(film: FloatMap, by: float) -> FloatMap:
    """Shift the window: every grey value by a share of the range, clipped at both ends."""
    return np.asarray(np.clip(film + by, 0, 1), dtype=np.float32)


def stretch(film: FloatMap, factor: float) -> FloatMap:
    """Narrow or widen the window about mid-grey, clipped at both ends."""
    return np.asarray(np.clip((film - 0.5) * factor + 0.5, 0, 1), dtype=np.float32)


def crop(film: FloatMap) -> FloatMap:
    """Cut a twenty-fifth off each border, as a closer collimation does."""
    rows, columns = (round(_MARGIN * side) for side in film.shape)
    return film[rows : film.shape[0] - rows, columns : film.shape[1] - columns]


def coarsen(film: FloatMap) -> FloatMap:
    """Resample to nine tenths of the sides, as another detector would record it."""
    small = cv2.resize(film, None, fx=_COARSER, fy=_COARSER, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


CHANGES: Mapping[str, Callable[[FloatMap], FloatMap]] = {
    UNCHANGED: lambda film: film,
    "mirrored": mirror,
    "turned_left_10": partial(turn, degrees=10),
    "turned_left_5": partial(turn, degrees=5),
    "turned_right_5": partial(turn, degrees=-5),
    "turned_right_10": partial(turn, degrees=-10),
    "brighter": partial(brighten, by=_STEP),
    "darker": partial(brighten, by=-_STEP),
    "more_contrast": partial(stretch, factor=1 + _STEP),
    "less_contrast": partial(stretch, factor=1 - _STEP),
    "cropped": crop,
    "coarser": coarsen,
}
"""Name to change of a film, float32 (H, W) in [0, 1], never in place; the unchanged film comes first."""


@dataclass(frozen=True)
class ChangedReading:
    """What the model says of a study whose films were all changed alike.

    Attributes:
        change: Name in `CHANGES`.
        view_probabilities: Calibrated probability in [0, 1] of each view, in order.
        study_probability: Their mean.
        call: The study's call at the fixed operating points.
    """

    change: str
    view_probabilities: tuple[float, ...]
    study_probability: float
    call: Call


@dataclass(frozen=True)
class Stability:
    """The readings of a study, one for each of `CHANGES`, in that order: the unchanged one is first."""

    readings: tuple[ChangedReading, ...]

    @property
    def lowest(self) -> float:
        """Lowest probability of the study among the readings, in [0, 1]."""
        return min(reading.study_probability for reading in self.readings)

    @property
    def highest(self) -> float:
        """Highest probability of the study among the readings, in [0, 1]."""
        return max(reading.study_probability for reading in self.readings)

    @property
    def changes(self) -> int:
        """How many changes were tried."""
        return len(self.readings) - 1

    @property
    def altering(self) -> tuple[str, ...]:
        """Names of the changes whose reading has another call than the unchanged films."""
        first, *others = self.readings
        return tuple(reading.change for reading in others if reading.call != first.call)


@dataclass(frozen=True)
class Errors:
    """How many of the calls of normal and abnormal were wrong."""

    wrong: int
    called: int


@dataclass(frozen=True)
class Measured:
    """What a steady and an unsteady call were worth on labelled studies; of these weights.

    Attributes:
        studies: How many studies were read.
        steady: Errors where no change altered the call.
        unsteady: Errors where at least one did.
        difference_ci95: 95 % interval of the unsteady ones' share of errors less the steady ones', over
            patients; None where it is not known.
    """

    studies: int
    steady: Errors
    unsteady: Errors
    difference_ci95: tuple[float, float] | None = None


def read_measured(folder: Path) -> Measured | None:
    """Read what was measured of the weights in a folder.

    Returns:
        None where nothing was, or of other weights alone, or of calls of too few patients; or where the file
        is damaged, which the log says: no call depends on it.
    """
    path = folder / STABILITY_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["weights"] != served_digest(folder):
            return None
        groups = [content["groups"][name] for name in ("steady", "unsteady")]
        steady, unsteady = (
            Errors(int(one["missed"]) + int(one["false_alarms"]), int(one["called"])) for one in groups
        )
        if min(int(one.get("patients", one)["called"]) for one in groups) < LEAST:
            return None
        span = _interval(content.get("error_difference_ci95"))
        return Measured(int(content["studies"]), steady, unsteady, span)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning(
            "%s is not what `python -m benchmarks.stability` writes (%s): it is passed over. Run that again.",
            path,
            type(error).__name__,
        )
        return None


def _interval(stated: object) -> tuple[float, float] | None:
    if stated is None:
        return None
    if not isinstance(stated, list):
        raise TypeError("an interval is a list of two numbers")
    low, high = stated
    return float(low), float(high)


def read_changed(
    study: Study,
    options: PreprocessOptions,
    points: OperatingPoints,
    read: Callable[[Sequence[FloatMap]], tuple[float, ...]],
) -> Stability:
    """Read a study once under each of `CHANGES`.

    Args:
        study: One view or more; not changed.
        options: The released preparation.
        points: The fixed operating points.
        read: Gives calibrated probabilities of prepared films; called once for each change, with all views.
    """

    def prepare(asked: tuple[str, View]) -> FloatMap:
        change, view = asked
        return preprocess(CHANGES[change](view.radiograph.pixels), options)[0]

    films = side_by_side(prepare, [(change, view) for change in CHANGES for view in study.views])
    count = len(study.views)
    readings = []
    for number, change in enumerate(CHANGES):
        probabilities = read(films[number * count : (number + 1) * count])
        mean = math.fsum(probabilities) / count
        readings.append(ChangedReading(change, probabilities, mean, points.call(mean)))
    return Stability(tuple(readings))
