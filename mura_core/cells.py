"""One figure as a table shows it: with its interval, or that it was counted from too few patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST = 20
"""Of fewer patients no interval is stated: that of a share of 20 may be 0.44 wide already."""

TOO_FEW = "too few"
NOT_APPLICABLE = "n/a"


def cell(values: Mapping[str, Any], name: str) -> str:
    """One figure with its 95 % interval in brackets, "n/a" where undefined."""
    if values[name] is None:
        return NOT_APPLICABLE
    interval = values[f"{name}_ci95"]
    bounds = NOT_APPLICABLE if interval is None else f"{interval[0]:.3f}, {interval[1]:.3f}"
    return f"{values[name]:.3f} [{bounds}]"


def counted_cell(patients: int, values: Mapping[str, Any], name: str) -> str:
    """One figure as `cell` has it, or that it was counted from too few patients."""
    return cell(values, name) if patients >= LEAST else TOO_FEW


def group_cell(group: Mapping[str, Any], values: Mapping[str, Any], name: str) -> str:
    """One figure of a group of studies as `cell` has it, or that the group has too few patients for it.

    Args:
        group: As `study_table.measure_table` has it.
        values: Its part that holds the figure.
        name: Of a measure: sensitivity asks for patients with an abnormal study, specificity for such with a
            normal one, what ranks or compares the two kinds for both, everything else for patients.
    """
    # Released before patients were counted by kind, a group is taken to have one to a study.
    abnormal = group.get("patients_abnormal", group["abnormal"])
    normal = group.get("patients_normal", group["studies"] - group["abnormal"])
    needed = {"sensitivity": abnormal, "specificity": normal}
    needed |= dict.fromkeys(("auroc", "average_precision", "cohen_kappa"), min(abnormal, normal))
    return counted_cell(needed.get(name, group["patients"]), values, name)
