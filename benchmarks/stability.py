"""Measure whether an unsteady call is a sign of a wrong one: the stability reading of every study of a split.

    python -m benchmarks.stability DATA [--split valid] [--every 1] [--weights weights]

Each study is read under the changes of `mura_core.stability`, as the page does when it is asked. A call of
normal or abnormal can be wrong; doubt claims nothing and is counted apart. Studies whose call some change
alters stand beside those whose call none does. A call near an operating point is both easily altered and
easily wrong, so how far the readings spread is measured as a sign of error beside how near the plain reading
lies to a point. DATA is FracAtlas. The figures go to `stability.json` beside the weights;
`python -m benchmarks.figures` brings the model card up to date.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.labelled import read_labelled
from mura_core import bootstrap
from mura_core.bootstrap import PROBABILITY_MEASURES, Estimate
from mura_core.images import read_radiograph
from mura_core.stability import STABILITY_NAME
from mura_core.stability_table import stability_lines
from mura_core.study import Call, Study, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mura_core.records import StudyRecord
    from mura_core.stability import Stability
    from mura_core.study import OperatingPoints


def main() -> None:
    """Read the split under every change, write the figures as JSON, and print them as in the card."""
    labelled = read_labelled(__doc__, split="valid")
    records, predictor = labelled.records, labelled.predictor
    found = []
    for number, record in enumerate(records, 1):
        study = Study(tuple(View(view.path.name, read_radiograph(view.path)) for view in record.views))
        found.append(predictor.stability(study))
        if number % 50 == 0 or number == len(records):
            print(f"{number} of {len(records)}", file=sys.stderr, flush=True)
    result = {
        **labelled.header(),
        "points_fitted_here": labelled.split == "valid",
        "studies": len(records),
        **measure(records, found, predictor.sidecar.operating_points),
    }
    (labelled.folder / STABILITY_NAME).write_text(json.dumps(result, indent=1) + "\n")
    print(stability_lines(result))


def measure(
    records: Sequence[StudyRecord], found: Sequence[Stability], points: OperatingPoints
) -> dict[str, Any]:
    """Set what the changes do beside what the labels say.

    Args:
        records: The studies with their labels and patients.
        found: Their readings, in the same order.
        points: The operating points the calls were made at.
    """
    patients = np.array([record.patient_id for record in records])
    weights = bootstrap.resample_patients(patients.tolist())
    labels = np.array([record.label for record in records])
    calls = np.array([str(stability.readings[0].call) for stability in found])
    unsteady = np.array([bool(stability.altering) for stability in found])
    claimed = calls != Call.DOUBT
    wrong = claimed & ((calls == Call.ABNORMAL) != (labels == 1))
    return {
        "changes": found[0].changes,
        "groups": {
            name: _group(patients[chosen], labels[chosen], claimed[chosen], wrong[chosen], weights[:, chosen])
            for name, chosen in (("all", claimed | True), ("steady", ~unsteady), ("unsteady", unsteady))
        },
        **_entry("error_difference", _difference(claimed, wrong, unsteady, weights)),
        "signs_of_error": _signs(found, points, claimed, wrong, weights),
        "mean_of_readings": _mean_of_readings(labels, found, weights),
        "rows": _by_change(found),
    }


def _group(
    patients: NDArray[np.str_],
    labels: NDArray[np.int64],
    claimed: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    weights: NDArray[np.int32],
) -> dict[str, Any]:
    kinds = {
        "abnormal": labels == 1,
        "normal": labels == 0,
        "called": claimed,
        "wrong": wrong,
        "right": claimed & ~wrong,
    }
    return {
        "studies": len(labels),
        "patients": {name: len(np.unique(patients[chosen])) for name, chosen in kinds.items()},
        "abnormal": int(labels.sum()),
        "doubt": int((~claimed).sum()),
        "called": int(claimed.sum()),
        "missed": int((wrong & (labels == 1)).sum()),
        "false_alarms": int((wrong & (labels == 0)).sum()),
        **_entry("error", bootstrap.estimate_mean(wrong[claimed], weights[:, claimed])),
    }


def _difference(
    claimed: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    unsteady: NDArray[np.bool_],
    weights: NDArray[np.int32],
) -> Estimate:
    """Error rate of unsteady calls less that of steady ones."""
    rates, drawn = [], []
    for chosen in (claimed & unsteady, claimed & ~unsteady):
        drawn_from = weights[:, chosen].sum(axis=1).astype(np.float64)
        errors = weights[:, chosen & wrong].sum(axis=1)
        drawn.append(np.divide(errors, drawn_from, out=np.full(len(weights), np.nan), where=drawn_from > 0))
        rates.append(wrong[chosen].mean() if chosen.any() else math.nan)
    differences = drawn[0] - drawn[1]
    known = differences[np.isfinite(differences)]
    low, high = np.percentile(known, (2.5, 97.5)) if known.size > 0.9 * len(weights) else (math.nan,) * 2
    return Estimate(float(rates[0] - rates[1]), float(low), float(high))


def _signs(
    found: Sequence[Stability],
    points: OperatingPoints,
    claimed: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    weights: NDArray[np.int32],
) -> dict[str, Any]:
    """AUROC of each sign for a wrong call, among the studies that were called normal or abnormal."""
    plain = np.array([stability.readings[0].study_probability for stability in found])
    limits = np.array([points.sensitive, points.specific])
    signs = {
        "range of the readings": np.array([stability.highest - stability.lowest for stability in found]),
        "number of changes that alter the call": np.array([len(stability.altering) for stability in found]),
        "nearness of the plain reading to a point": -np.abs(plain[:, np.newaxis] - limits).min(axis=1),
    }
    auroc, draws = PROBABILITY_MEASURES["auroc"], weights[:, claimed]
    return {
        name: _entry("auroc", bootstrap.estimate(auroc, wrong[claimed].astype(int), values[claimed], draws))
        for name, values in signs.items()
    }


def _mean_of_readings(
    labels: NDArray[np.int64], found: Sequence[Stability], weights: NDArray[np.int32]
) -> dict[str, Any]:
    """AUROC of the mean over all readings, beside that of the unchanged films."""
    auroc = PROBABILITY_MEASURES["auroc"]
    read = np.array([[reading.study_probability for reading in stability.readings] for stability in found])
    return {
        **_entry("auroc", bootstrap.estimate(auroc, labels, read[:, 0], weights)),
        **_entry(
            "difference",
            bootstrap.paired_difference(auroc, labels, read.mean(axis=1), read[:, 0], weights),
        ),
    }


def _by_change(found: Sequence[Stability]) -> list[dict[str, Any]]:
    rows = []
    for number, reading in enumerate(found[0].readings[1:], 1):
        shifts = [one.readings[number].study_probability - one.readings[0].study_probability for one in found]
        rows.append(
            {
                "change": reading.change,
                "mean_shift": float(np.mean(shifts)),
                "mean_absolute_shift": float(np.mean(np.abs(shifts))),
                "calls_altered": sum(reading.change in one.altering for one in found),
            }
        )
    return rows


def _entry(name: str, found: Estimate) -> dict[str, Any]:
    """One figure and its interval as `cells.cell` takes them; JSON has no nan."""
    known = math.isfinite(found.low) and math.isfinite(found.high)
    return {
        name: found.value if math.isfinite(found.value) else None,
        f"{name}_ci95": [found.low, found.high] if known else None,
    }


if __name__ == "__main__":
    main()
