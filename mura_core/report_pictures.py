"""The pictures of a report as PNG: the ROC curve, how reliable the probabilities are, and the calls."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_curve

from mura_core import metrics
from mura_core.cells import group_cell
from mura_core.operating_table import POINTS
from mura_core.study import Call
from mura_core.study_table import group_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mura_core.study_table import StudyRow


def draw_roc(measured: Mapping[str, Any], rows: Sequence[StudyRow]) -> bytes:
    """Draw sensitivity over 1 - specificity, of all studies and of the arm, with the operating points."""
    figure = _new_figure(5.5, 5.5)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, members in group_rows(rows).items():
        found = measured["groups"][name]
        if name not in ("all", "arm") or found["probability"]["auroc"] is None:
            continue
        false, true, _ = roc_curve([row.label for row in members], [row.probability for row in members])
        axes.plot(false, true, label=f"{name}: AUROC {group_cell(found, found['probability'], 'auroc')}")
    for (key, point), marker in zip(POINTS.items(), "osD", strict=True):
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


def draw_reliability(rows: Sequence[StudyRow]) -> bytes:
    """Draw the share of abnormal studies over their probability, above how many studies have it."""
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


def draw_confusion(measured: Mapping[str, Any]) -> bytes:
    """Draw how the studies of each group were called, by their label."""
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


def _new_figure(width: float, height: float) -> Figure:
    # Without pyplot: no display is asked for and no state is shared between threads.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _as_png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
