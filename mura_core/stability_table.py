"""What a steady and an unsteady call were worth, as Markdown for the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core.cells import counted_cell

if TYPE_CHECKING:
    from collections.abc import Mapping


def stability_lines(content: Mapping[str, Any]) -> str:
    """Lay the figures of `benchmarks.stability` out as Markdown."""
    fitted = " The operating points were fitted on these studies." if content["points_fitted_here"] else ""
    lines = [
        f"{content['data']}, {content['studies']} studies, {content['engine']}; each read as it is and under "
        f"{content['changes']} small changes. Doubt claims nothing, so errors are counted among the calls of "
        f"normal and abnormal.{fitted}",
        "",
        "| studies | n | abnormal | doubt | called | missed | false alarms | error |",
        "|" + "---|" * 8,
    ]
    counts = ("studies", "abnormal", "doubt", "called", "missed", "false_alarms")
    named = {"all": "all", "steady": "no change alters the call", "unsteady": "some change alters it"}
    for name, group in content["groups"].items():
        error = counted_cell(_patients(group)["called"], group, "error")
        cells = [named[name], *(str(group[key]) for key in counts), error]
        lines.append(f"| {' | '.join(cells)} |")
    everything, mean = content["groups"]["all"], content["mean_of_readings"]
    # Of what ranks or compares two kinds of study, both have to be enough.
    patients = _patients(everything)
    of_errors = min(patients["wrong"], patients["right"])
    of_labels = min(patients["abnormal"], patients["normal"])
    of_groups = min(_patients(content["groups"][name])["called"] for name in ("steady", "unsteady"))
    signs = "; ".join(
        f"{name} {counted_cell(of_errors, sign, 'auroc')}" for name, sign in content["signs_of_error"].items()
    )
    lines += [
        "",
        f"Error where a change alters the call, less error where none does: "
        f"{counted_cell(of_groups, content, 'error_difference')}. AUROC of each sign for a wrong "
        f"call: {signs}.",
        "",
        f"AUROC of the films as they are {counted_cell(of_labels, mean, 'auroc')}; the mean over all "
        f"readings changes it by {counted_cell(of_labels, mean, 'difference')}.",
        "",
        "| change | mean shift of probability | mean size of the shift | calls altered |",
        "|---|---|---|---|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['change'].replace('_', ' ')} | {row['mean_shift']:+.3f} "
            f"| {row['mean_absolute_shift']:.3f} | {row['calls_altered']} |"
        )
    return "\n".join(lines)


def _patients(group: Mapping[str, Any]) -> dict[str, int]:
    """How many patients a group has for each kind of study that a figure needs."""
    wrong = group["missed"] + group["false_alarms"]
    studies = {
        "abnormal": group["abnormal"],
        "normal": group["studies"] - group["abnormal"],
        "called": group["called"],
        "wrong": wrong,
        "right": group["called"] - wrong,
    }
    # Measured before patients were counted, a group is taken to have one to a study, as FracAtlas has.
    return {**studies, **group.get("patients", {})}
