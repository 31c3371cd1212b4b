"""What the calls are worth: both operating points by body part, with predictive values at a prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core import bootstrap
from mura_core.bootstrap import DECISION_MEASURES, RESAMPLES, predictive_measures
from mura_core.cells import LEAST
from mura_core.errors import MuraError
from mura_core.operating_table import PREVALENCE
from mura_core.study_table import as_json, group_rows, measure_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mura_core.bootstrap import Estimate
    from mura_core.study import OperatingPoints
    from mura_core.study_table import StudyRow


def check_prevalence(prevalence: float) -> None:
    """Refuse what is no prevalence.

    Raises:
        MuraError: It is not between 0 and 1.
    """
    if not 0 < prevalence < 1:
        raise MuraError(
            f"The prevalence is {prevalence}, expected a share between 0 and 1: 0.1 is one abnormal study "
            "in ten."
        )


def measure_rows(
    rows: Sequence[StudyRow],
    points: OperatingPoints,
    prevalence: float = PREVALENCE,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute every figure that follows from the studies' rows.

    Args:
        rows: The studies, in any order.
        points: The predictor's operating points.
        prevalence: That PPV and NPV are stated at, beside the group's own.
        resamples: Number of bootstrap draws.
        seed: Of the draws.

    Returns:
        "groups" and "localisation" as `study_table.measure_table` has them, and "operating".
    """
    return {
        **measure_table(rows, points, resamples=resamples, seed=seed),
        "operating": measure_operating(rows, points, prevalence=prevalence, resamples=resamples, seed=seed),
    }


def measure_operating(
    rows: Sequence[StudyRow],
    points: OperatingPoints,
    *,
    prevalence: float = PREVALENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure both operating points in every group of studies.

    Args:
        rows: The studies, in any order.
        points: The predictor's operating points.
        prevalence: That PPV and NPV are stated at, beside the group's own.
        resamples: Number of bootstrap draws.
        seed: Of the draws.

    Returns:
        JSON values. "prevalence"; "least", how many patients of a kind a figure needs; "groups" by name: the
        numbers of studies and of patients with abnormal and with normal ones, "prevalence" in the group,
        "enough" for which figures, and "at" each point its "value", the abnormal "found", the normal
        "cleared", the measures with intervals as `study_table.as_json` has them, PPV and NPV "here" at the
        group's own prevalence where as many were called so. A figure without enough patients is null.

    Raises:
        MuraError: The prevalence is none.
    """
    check_prevalence(prevalence)
    groups = {
        name: _measure_group(members, points, prevalence, resamples, seed)
        for name, members in group_rows(rows).items()
    }
    return {"prevalence": prevalence, "least": LEAST, "groups": groups}


def _measure_group(
    rows: Sequence[StudyRow], points: OperatingPoints, prevalence: float, resamples: int, seed: int
) -> dict[str, Any]:
    labels = [row.label for row in rows]
    patients = [len({row.patient_id for row in rows if row.label == label}) for label in (0, 1)]
    enough = {"sensitivity": patients[1] >= LEAST, "specificity": patients[0] >= LEAST}
    enough["predictive"] = all(enough.values())
    weights = bootstrap.resample_patients([row.patient_id for row in rows], resamples=resamples, seed=seed)
    measures = {name: DECISION_MEASURES[name] for name in ("sensitivity", "specificity")}
    measures |= predictive_measures(prevalence)
    measures |= {f"{name}_here": measure for name, measure in predictive_measures(None).items()}
    at = {}
    for point, threshold in (("sensitive", points.sensitive), ("specific", points.specific)):
        calls = [int(row.probability >= threshold) for row in rows]
        agreed = [call for call, label in zip(calls, labels, strict=True) if call == label]
        at[point] = {"value": threshold, "found": sum(agreed), "cleared": len(agreed) - sum(agreed)}
        for name, measure in measures.items():
            found = {name: bootstrap.estimate(measure, labels, calls, weights)}
            named = {"ppv_here": 1, "npv_here": 0}.get(name)
            called = {row.patient_id for row, call in zip(rows, calls, strict=True) if call == named}
            enough_called = named is None or len(called) >= LEAST
            at[point] |= _stated(found, enough.get(name, enough["predictive"]) and enough_called)
    return {
        "studies": len(rows),
        "abnormal": sum(labels),
        "patients": len({row.patient_id for row in rows}),
        "patients_abnormal": patients[1],
        "patients_normal": patients[0],
        "prevalence": sum(labels) / len(rows),
        "enough": enough,
        "at": at,
    }


def _stated(found: dict[str, Estimate], enough: bool) -> dict[str, Any]:
    return as_json(found) if enough else dict.fromkeys(as_json(found))
