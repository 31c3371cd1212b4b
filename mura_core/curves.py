"""The picture of a training: accuracy and loss by epoch, both phases."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from lightning.pytorch.utilities import rank_zero_only

if TYPE_CHECKING:
    from pathlib import Path

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


def read_curves(log: Path) -> dict[str, list[tuple[int, float]]]:
    """Read Lightning's metrics.csv, after those that `keep_log` put aside.

    Returns:
        (epoch, value) pairs by column, epochs counted from 1; an epoch that was begun twice is there twice.
    """
    curves: dict[str, list[tuple[int, float]]] = {}
    for part in [*_earlier(log), log]:
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
