"""The results of a split as a table of studies, and every figure that is computed from it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core import bootstrap, localisation
from mura_core.bootstrap import DECISION_MEASURES, PROBABILITY_MEASURES, RESAMPLES
from mura_core.study import Call

if TYPE_CHECKING:
    from mura_core.bootstrap import Estimate
    from mura_core.localisation import Scores
    from mura_core.study import OperatingPoints

# On the calibrated study probability: what accuracy and kappa are quoted at, and what makes a true positive.
DECISION_THRESHOLD = 0.5

CSV_COLUMNS = (
    *("study", "patient", "body_part", "arm", "hardware"),
    *("label", "probability", "call", "views", "view_probabilities"),
)


@dataclass(frozen=True)
class ViewRow:
    """One view's result.

    Attributes:
        name: The view's file name.
        probability: Calibrated probability in [0, 1].
        localisation: Scores by method; None unless the study is abnormal and the view has boxes.
    """

    name: str
    probability: float
    localisation: Mapping[str, Scores] | None = None


@dataclass(frozen=True)
class StudyRow:
    """One study's label and result.

    Attributes:
        study_id, patient_id, body_part, label: As in `datasets.StudyRecord`.
        arm: It shows the upper limb alone.
        hardware: A view is tagged as showing plates, screws or nails.
        probability: Calibrated study probability in [0, 1].
        call: At the predictor's operating points.
        views: In the record's order.
    """

    study_id: str
    patient_id: str
    body_part: str
    label: int
    arm: bool
    hardware: bool
    probability: float
    call: Call
    views: tuple[ViewRow, ...]


def group_rows(rows: Sequence[StudyRow]) -> dict[str, list[StudyRow]]:
    """Cut the studies into those reported on: all, subgroups, body parts in alphabetical order.

    A subgroup that holds every study or none says nothing new and is left out.
    """
    subgroups = {
        "arm": [row for row in rows if row.arm],
        # Plates and screws are easy to see: how well does the model read films without them?
        "no hardware": [row for row in rows if not row.hardware],
    }
    groups = {"all": list(rows)}
    groups |= {name: members for name, members in subgroups.items() if 0 < len(members) < len(rows)}
    parts = sorted({row.body_part for row in rows})
    return groups | {part: [row for row in rows if row.body_part == part] for part in parts}


def measure_table(
    rows: Sequence[StudyRow], points: OperatingPoints, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Compute every figure of the report.

    Args:
        rows: The studies, in any order.
        points: The predictor's operating points.
        resamples: Number of bootstrap draws.
        seed: Of the draws.

    Returns:
        JSON values; null where a measure is undefined (see `metrics`). "groups" by name: their numbers,
        "probability" measures, and "at" each threshold the decision measures; a measure `m` comes with its
        interval `m_ci95`. The group "all" has the "curve" of `operating_curve`. "localisation": null where
        no view has boxes.
    """
    thresholds = {
        "threshold": DECISION_THRESHOLD,
        "sensitive": points.sensitive,
        "specific": points.specific,
    }
    groups = {
        name: _measure_group(members, thresholds, resamples, seed)
        for name, members in group_rows(rows).items()
    }
    groups["all"]["curve"] = operating_curve([row.label for row in rows], [row.probability for row in rows])
    return {"groups": groups, "localisation": _measure_localisation(rows, resamples, seed)}


def operating_curve(labels: Sequence[int], probabilities: Sequence[float]) -> list[list[float]]:
    """What a threshold anywhere between 0 and 1 would have done, for the reader who wants another one.

    Args:
        labels: 0 or 1.
        probabilities: In [0, 1].

    Returns:
        [threshold, sensitivity, specificity] for thresholds of 0.00, 0.01 to 1.00; none without both labels.
    """
    y, p = np.asarray(labels), np.asarray(probabilities)
    if len(set(labels)) < 2:
        return []
    return [
        [step / 100, float(np.mean(p[y == 1] >= step / 100)), float(np.mean(p[y == 0] < step / 100))]
        for step in range(101)
    ]


def _measure_group(
    rows: Sequence[StudyRow], thresholds: Mapping[str, float], resamples: int, seed: int
) -> dict[str, Any]:
    labels, probabilities = [row.label for row in rows], [row.probability for row in rows]
    patients = [row.patient_id for row in rows]
    weights = bootstrap.resample_patients(patients, resamples=resamples, seed=seed)
    at = {}
    for name, threshold in thresholds.items():
        calls = [int(probability >= threshold) for probability in probabilities]
        found = {m: bootstrap.estimate(how, labels, calls, weights) for m, how in DECISION_MEASURES.items()}
        at[name] = {"value": threshold} | as_json(found)
    found = {
        m: bootstrap.estimate(how, labels, probabilities, weights) for m, how in PROBABILITY_MEASURES.items()
    }
    return {
        "studies": len(rows),
        "views": sum(len(row.views) for row in rows),
        "patients": len(set(patients)),
        "patients_abnormal": len({row.patient_id for row in rows if row.label == 1}),
        "patients_normal": len({row.patient_id for row in rows if row.label == 0}),
        "abnormal": sum(labels),
        "calls": {name: _count_calls(rows, label) for label, name in enumerate(("normal", "abnormal"))},
        "probability": as_json(found),
        "at": at,
    }


def _count_calls(rows: Sequence[StudyRow], label: int) -> dict[str, int]:
    return {call.value: sum(row.call is call and row.label == label for row in rows) for call in Call}


def _measure_localisation(rows: Sequence[StudyRow], resamples: int, seed: int) -> dict[str, Any] | None:
    subsets = {
        "all abnormal with boxes": list(rows),
        "true positives": [row for row in rows if row.probability >= DECISION_THRESHOLD],
    }
    report: dict[str, Any] = {}
    for name, members in subsets.items():
        boxed = [
            (row.patient_id, view.localisation)
            for row in members
            for view in row.views
            if view.localisation is not None
        ]
        if not boxed and not report:
            return None
        patients, scores = [patient for patient, _ in boxed], [found for _, found in boxed]
        means, gains = localisation.estimate_localisation(scores, patients, resamples=resamples, seed=seed)
        report[name] = {
            "views": len(boxed),
            "patients": len(set(patients)),
            "methods": {method: as_json(found) for method, found in means.items()},
            "gain_over": {method: as_json(found) for method, found in gains.items()},
        }
    return report


def as_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Flatten to `name` and `name_ci95`, nan as null: JSON has no nan."""
    flat: dict[str, Any] = {}
    for name, found in estimates.items():
        value, low, high = (x if math.isfinite(x) else None for x in (found.value, found.low, found.high))
        flat[name] = value
        flat[f"{name}_ci95"] = None if low is None else [low, high]
    return flat


def write_csv(rows: Sequence[StudyRow]) -> str:
    """Write the studies as CSV, numbers in full, so that every figure can be computed again from it.

    Every figure but those of localisation: `studies_file.read_csv` reads it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        names = ";".join(view.name for view in row.views)
        probabilities = ";".join(repr(float(view.probability)) for view in row.views)
        found = [repr(float(row.probability)), row.call.value, names, probabilities]
        groups = [row.body_part, int(row.arm), int(row.hardware)]
        writer.writerow([row.study_id, row.patient_id, *groups, row.label, *found])
    return text.getvalue()
