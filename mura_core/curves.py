"""The picture of a training: accuracy and loss by epoch, both phases."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from lightning.pytorch.utilities import rank_zero_only

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Curves = dict[str, list[tuple[int, float]]]

LOG = "metrics.csv"
_PANELS = (
    ("loss", ("train_loss", "valid_loss")),
    ("accuracy", ("train_accuracy", "valid_accuracy")),
    ("AUROC", ("valid_auroc",)),
)


@rank_zero_only
def keep_log(out: Path) -> None:
    """Put the log of a run that is about to be resumed aside: Lightning would delete it."""
    log = out / LOG
    if log.is_file():
        log.rename(out / f"{log.stem}-{len(_earlier(log)) + 1}.csv")


def read_curves(log: Path) -> Curves:
    """Read Lightning's metrics.csv, after those that `keep_log` put aside.

    Returns:
        (epoch, value) pairs by column, epochs counted from 1; an epoch that was begun twice is there twice.
    """
    curves: Curves = {}
    parts = _earlier(log)
    # A run that was resumed with nothing left to do has none beside them.
    if log.is_file() or not parts:
        parts.append(log)
    for part in parts:
        with part.open(newline="") as lines:
            for row in csv.DictReader(lines):
                for column, value in row.items():
                    if value and column not in ("epoch", "step"):
                        curves.setdefault(column, []).append((int(row["epoch"]) + 1, float(value)))
    return curves


def _earlier(log: Path) -> list[Path]:
    found = log.parent.glob(f"{log.stem}-*.csv")
    return sorted(found, key=lambda part: int(part.stem.rpartition("-")[2]))


def draw_curves(log: Path, transfer_epochs: int, out: Path) -> None:
    """Draw loss, accuracy and AUROC by epoch, with the border between the phases.

    Args:
        log: metrics.csv.
        transfer_epochs: Length of the first phase.
        out: PNG to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curves = read_curves(log)
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (title, columns) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        for column in columns:
            points = sorted(dict(curves.get(column, [])).items())
            axes.plot([x for x, _ in points], [y for _, y in points], marker=".", label=column.split("_")[0])
        if transfer_epochs:
            axes.axvline(transfer_epochs + 0.5, color="grey", linestyle=":")
        axes.set(title=title, xlabel="epoch")
        axes.legend()
    figure.savefig(out, dpi=120)


def draw_side_by_side(networks: Mapping[str, Curves], transfer_epochs: int) -> bytes:
    """Draw the curves of several trainings into the same panels.

    Args:
        networks: By name, what `read_curves` gives. Where lines coincide, the first one lies on top.
        transfer_epochs: Length of the first phase.

    Returns:
        A PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7), layout="constrained")
    columns = [column for _, names in _PANELS for column in names]
    for axes, column in zip(figure.subplots(2, 3).flat, columns, strict=False):
        for place, (name, curves) in enumerate(networks.items()):
            points = sorted(dict(curves.get(column, [])).items())
            x, y = [epoch for epoch, _ in points], [value for _, value in points]
            axes.plot(x, y, marker=".", label=name, color=f"C{place}", zorder=3 - place / 10)
        axes.axvline(transfer_epochs + 0.5, color="grey", linestyle=":")
        axes.set(title=column.replace("_", " ").replace("auroc", "AUROC"), xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.axes[-1].set_axis_off()
    figure.axes[-1].legend(handles, names, loc="center", title="dotted: from here on all layers learn")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
