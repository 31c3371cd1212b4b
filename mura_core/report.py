"""The figures for a person: tables for the terminal and for Markdown, and three pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_curve

from mura_core import metrics
from mura_core.localisation import MEASURES as LOCALISATION_MEASURES
from mura_core.operating_table import LEAST, TOO_FEW, call_rows, operating_rows, operating_rule
from mura_core.study import Call
from mura_core.study_table import StudyRow, group_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOT_APPLICABLE = "n/a"
NOTICE = "Research only: not a medical device, not a replacement for clinician review."

_TITLES = {
    "auroc": "AUROC",
    "average_precision": "avg. precision",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "calibration err.",
    "accuracy": "accuracy",
    "cohen_kappa": "kappa",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "hit": "hit",
    "hit_margin": "hit + 1 cell",
    "energy": "energy in box",
    "iou": "IoU",
}
_PROBABILITY = ("auroc", "average_precision", "log_loss", "brier", "calibration_error")
_DECISION = ("accuracy", "cohen_kappa", "sensitivity", "specificity")
_POINTS = {"threshold": "the threshold", "sensitive": "the sensitive point", "specific": "the specific point"}


@dataclass(frozen=True)
class _Table:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def format_table(measured: Mapping[str, Any]) -> str:
    """Lay the figures of `evaluate` out for a terminal; 95 % intervals in brackets, "n/a" where undefined."""
    return "\n\n".join(_as_text(table) for table in _build_tables(measured))


def render(measured: Mapping[str, Any], rows: Sequence[StudyRow]) -> dict[str, bytes]:
    """Build the report's files.

    Args:
        measured: The figures, as in metrics.json.
        rows: The studies they were computed from.

    Returns:
        Content by file name: report.md and the pictures it shows.
    """
    return {
        "roc.png": _draw_roc(measured, rows),
        "reliability.png": _draw_reliability(rows),
        "confusion.png": _draw_confusion(measured),
        "report.md": _write_markdown(measured).encode(),
    }


def _build_tables(measured: Mapping[str, Any]) -> list[_Table]:
    groups = measured["groups"]

    def by_group(title: str, names: Sequence[str], where: Sequence[str]) -> _Table:
        lines = []
        for group, found in groups.items():
            values: Any = found
            for key in where:
                values = values[key]
            sizes = (group, str(found["studies"]), str(found["abnormal"]))
            lines.append(sizes + tuple(group_cell(found, values, name) for name in names))
        return _Table(title, ("studies", "n", "abnormal", *(_TITLES[n] for n in names)), tuple(lines))

    tables = [by_group("Probability", _PROBABILITY, ("probability",))]
    # Sensitivity and specificity at the operating points have tables of their own, where they were measured.
    operating = measured.get("operating")
    for key, point in _POINTS.items():
        if operating is not None and key != "threshold":
            tables.append(_Table(*operating_rows(operating, key)))
            continue
        title = f"Abnormal from {point} on: {groups['all']['at'][key]['value']:.3f}"
        tables.append(by_group(title, _DECISION, ("at", key)))
    tables.append(_Table(*call_rows(groups)))
    for subset, found in (measured["localisation"] or {}).items():
        title = f"Localisation, {subset}: {found['views']} views of {found['patients']} patients"
        shown = found["methods"] | {f"heatmap - {over}": gain for over, gain in found["gain_over"].items()}
        lines = [
            (method, *(counted_cell(found["patients"], values, name) for name in LOCALISATION_MEASURES))
            for method, values in shown.items()
        ]
        tables.append(
            _Table(title, ("map", *(_TITLES[name] for name in LOCALISATION_MEASURES)), tuple(lines))
        )
    return tables


def markdown_tables(measured: Mapping[str, Any]) -> str:
    """Lay the figures of `evaluate` out as Markdown tables under headings of level 3."""
    return "\n\n".join(_as_markdown(table, level=3) for table in _build_tables(measured))


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


def _as_text(table: _Table) -> str:
    lines = [table.header, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    padded = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    ]
    return "\n".join([table.title, *(line.rstrip() for line in padded)])


def _as_markdown(table: _Table, level: int = 2) -> str:
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    return "\n".join([f"{'#' * level} {table.title}", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _write_markdown(measured: Mapping[str, Any]) -> str:
    model, options, everything = measured["model"], measured["options"], measured["groups"]["all"]
    dataset = measured.get("dataset", {})
    where = " ".join(str(value) for value in dataset.values()) or "studies given"
    head = [
        f"# {model['architecture']} {model['version']} on {where}",
        "",
        f"{everything['studies']} studies ({everything['views']} views) of {everything['patients']} "
        f"patients, {everything['abnormal']} abnormal. {NOTICE}",
        "",
        "Study probability: the mean of its views' probabilities, at temperature "
        f"{model['temperature']:.3f}. "
        f"In brackets: 95 % intervals of {options['resamples']} bootstrap draws of patients (seed "
        f"{options['seed']}). {NOT_APPLICABLE}: undefined, such as sensitivity without an abnormal study, or "
        "an interval where no draw differs. "
        f"Calibration error: {options['calibration_bins']} bins of equal width. "
        f'"{TOO_FEW.capitalize()}": fewer than {LEAST} patients, for what needs both kinds of study, or one '
        "kind, of that kind.",
    ]
    if everything["patients"] == everything["studies"]:
        head += [
            "",
            "Each study counts as its own patient. Where a dataset does not name patients, films of one "
            "patient pass for independent ones and the intervals are narrower than they should be.",
        ]
    if "command" in measured:
        head += ["", f"    {measured['command']}"]
    pictures = ["![ROC curve](roc.png)", "![Reliability](reliability.png)", "![Calls](confusion.png)"]
    if measured["localisation"] is None:
        note = ["", "No view of an abnormal study has boxes, so localisation was not measured."]
    else:
        note = [
            "",
            "`hit`: the heatmap's maximum lies in a box (or within one cell of the network's grid). IoU: of "
            f"the boxes and where the heatmap is at least {options['heatmap_threshold']}. True positives: "
            f"study probability at least {options['decision_threshold']}.",
        ]
    if "operating" in measured:
        note += ["", f"The operating points' tables: {operating_rule(measured['operating'])}"]
    tables = [part for table in _build_tables(measured) for part in ("", _as_markdown(table))]
    return "\n".join([*head, *tables, *note, "", *pictures]) + "\n"


def _new_figure(width: float, height: float) -> Figure:
    # Without pyplot: no display is asked for and no state is shared between threads.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _as_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _draw_roc(measured: Mapping[str, Any], rows: Sequence[StudyRow]) -> bytes:
    figure = _new_figure(5.5, 5.5)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, members in group_rows(rows).items():
        found = measured["groups"][name]
        if name not in ("all", "arm") or found["probability"]["auroc"] is None:
            continue
        false, true, _ = roc_curve([row.label for row in members], [row.probability for row in members])
        axes.plot(false, true, label=f"{name}: AUROC {group_cell(found, found['probability'], 'auroc')}")
    for (key, point), marker in zip(_POINTS.items(), "osD", strict=True):
        found = measured["groups"]["all"]["at"][key]
        if found["sensitivity"] is not None and found["specificity"] is not None:
            label = f"{point.removeprefix('the ')}, {found['value']:.2f}"
            x, y = 1 - found["specificity"], found["sensitivity"]
            axes.plot(x, y, marker, color="black", fillstyle="none", label=label)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
    axes.set_title("ROC curve")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right", fontsize=8)
    return _as_png(figure)


def _draw_reliability(rows: Sequence[StudyRow]) -> bytes:
    labels = np.array([row.label for row in rows], dtype=np.float64)
    probabilities = np.array([row.probability for row in rows], dtype=np.float64)
    bins = metrics.calibration_bin(probabilities)
    counts = np.bincount(bins, minlength=metrics.CALIBRATION_BINS)
    filled = counts > 0
    mean_probability = np.bincount(bins, probabilities, metrics.CALIBRATION_BINS)[filled] / counts[filled]
    share_abnormal = np.bincount(bins, labels, metrics.CALIBRATION_BINS)[filled] / counts[filled]
    figure = _new_figure(5.5, 6.5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    upper.plot(mean_probability, share_abnormal, "o-")
    upper.set(ylabel="share abnormal", xlim=(0, 1), ylim=(-0.02, 1.02), title="Reliability, all studies")
    edges = np.arange(metrics.CALIBRATION_BINS) / metrics.CALIBRATION_BINS
    lower.bar(edges, counts, width=1 / metrics.CALIBRATION_BINS, align="edge", edgecolor="white")
    lower.set(xlabel="study probability", ylabel="studies")
    return _as_png(figure)


def _draw_confusion(measured: Mapping[str, Any]) -> bytes:
    groups = measured["groups"]
    columns = min(4, len(groups))
    lines = -(-len(groups) // columns)
    figure = _new_figure(2.6 * columns, 2.2 * lines)
    for axes, (name, found) in zip(
        figure.subplots(lines, columns, squeeze=False).flat, groups.items(), strict=False
    ):
        _draw_calls(axes, name, found["calls"])
    for unused in figure.axes[len(groups) :]:
        unused.set_axis_off()
    figure.suptitle("Calls (columns) by label (rows)")
    return _as_png(figure)


def _draw_calls(axes: Axes, name: str, calls: Mapping[str, Mapping[str, int]]) -> None:
    counts = np.array([[calls[label][call.value] for call in Call] for label in calls])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count}\n{shares[row, column]:.0%}" if counts[row].any() else str(count)
        axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=8)
    axes.set_xticks(range(len(Call)), [call.value for call in Call], fontsize=7)
    axes.set_yticks(range(len(calls)), list(calls), fontsize=7)
    axes.set_title(name, fontsize=9)
