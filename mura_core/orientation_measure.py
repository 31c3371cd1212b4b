"""What is gained where films that lie on their side are read turned back, on films that are turned for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core import bootstrap
from mura_core.bootstrap import PROBABILITY_MEASURES
from mura_core.images import read_radiograph
from mura_core.orientation import read_turning
from mura_core.preprocess import preprocess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mura_core.engines import Engine
    from mura_core.orientation import Orientation
    from mura_core.pooling import Maps
    from mura_core.preprocess import PreprocessOptions
    from mura_core.records import StudyRecord, ViewRecord

    Floats = NDArray[np.float32]

_BATCH = 16


def measure_turned(
    engine: Engine,
    options: PreprocessOptions,
    orientation: Orientation,
    rows: Sequence[tuple[StudyRecord, ViewRecord]],
) -> list[dict[str, Any]]:
    """Read each film lying all four ways, turned before anything else is done to it.

    Args:
        engine: Runs the network.
        options: How films are prepared for it.
        orientation: Tells how they lie.
        rows: Labelled views; each counts for itself, the intervals are over patients.

    Returns:
        For each way: degrees to the left, films, how many are judged to lie on their side, how many of these
        were turned back rightly, and the AUROC of the films read as they lie, and as they are served; with
        the patients that the rarer kind of label has.
    """
    labels = [record.label for record, _ in rows]
    least = min(len({record.patient_id for record, _ in rows if record.label == kind}) for kind in (0, 1))
    weights = bootstrap.resample_patients([record.patient_id for record, _ in rows])
    found = []
    for way in range(4):
        plain, served, turns = _read_all(engine, options, orientation, rows, way)
        found.append(
            {
                "degrees": 90 * way,
                "films": len(rows),
                "patients_of_rarer": least,
                "judged": int((turns > 0).sum()),
                "right": int(((turns > 0) & (turns == way)).sum()),
                **_auroc("plain", labels, plain, weights),
                **_auroc("served", labels, served, weights),
            }
        )
    return found


def _read_all(
    engine: Engine,
    options: PreprocessOptions,
    orientation: Orientation,
    rows: Sequence[tuple[StudyRecord, ViewRecord]],
    way: int,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Logits (N,) of the first reading and of the one that counts, and how far each is judged turned."""
    plain, served, turns = [], [], []
    for start in range(0, len(rows), _BATCH):
        films = [
            preprocess(np.rot90(read_radiograph(view.path).pixels, way).copy(), options)[0]
            for _, view in rows[start : start + _BATCH]
        ]
        readings: list[Maps] = []

        def run(asked: Sequence[Floats], readings: list[Maps] = readings) -> Maps:
            readings.append(engine.read(asked))
            return readings[-1]

        kept, judged = read_turning(run, films, orientation)
        plain.append(readings[0].logits)
        served.append(kept.logits)
        turns.append(judged)
    return np.concatenate(plain), np.concatenate(served), np.concatenate(turns)


def _auroc(name: str, labels: Sequence[int], logits: Floats, weights: NDArray[np.int32]) -> dict[str, Any]:
    """AUROC and its interval as `cells.cell` takes them."""
    found = bootstrap.estimate(
        PROBABILITY_MEASURES["auroc"], labels, 1 / (1 + np.exp(-logits.astype(float))), weights
    )
    known = math.isfinite(found.low) and math.isfinite(found.high)
    return {
        f"auroc_{name}": found.value if math.isfinite(found.value) else None,
        f"auroc_{name}_ci95": [found.low, found.high] if known else None,
    }
