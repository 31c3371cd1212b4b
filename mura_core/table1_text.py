"""The figures of Table 1, each network with its paired difference from the last, and their Markdown."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mura_core import bootstrap
from mura_core.bootstrap import DECISION_MEASURES, PROBABILITY_MEASURES
from mura_core.cells import NOT_APPLICABLE, cell
from mura_core.cores import processor_name
from mura_core.errors import DatasetError
from mura_core.report import NOTICE
from mura_core.study_table import DECISION_THRESHOLD, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

MEASURES = {"accuracy": "accuracy", "log_loss": "loss", "auroc": "AUROC", "cohen_kappa": "kappa"}
"""The table's measures by their names in metrics.json, and their headings."""

PUBLISHED = {
    ("resnet50", "transfer"): (64.32, 0.66),
    ("efficientnet_b0", "transfer"): (65.42, 0.60),
    ("vgg16", "transfer"): (69.73, 0.55),
    ("densenet169", "transfer"): (74.86, 0.51),
    ("densenet169", "both"): (81.16, 0.43),
}
"""Accuracy in % and loss on MURA as Muhammad and Lee published them, by architecture and phases."""


_START = {
    "imagenet": "ImageNet's weights",
    "none": "random layers",
    "source": "layers that had learnt a source task on the training films",
}


def build(
    about: Sequence[Mapping[str, Any]], reports: Sequence[Path], table: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the table together from the reports of `evaluate`.

    Args:
        about: What each row's training took, in the order of the rows.
        reports: The folder of each row's report.
        table: What the table should say of itself.

    Returns:
        JSON values: `table`, and "rows", each with the measures over all studies, those of each group, and
        "minus_last", the paired differences from the last row; null in the last row itself.

    Raises:
        DatasetError: The reports are not of the same studies.
    """
    measured = [json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in reports]
    options = measured[-1]["options"]
    differences = compare_with_last(reports, resamples=options["resamples"], seed=options["seed"])
    rows = [
        {
            **mine,
            **_figures(found["groups"]["all"]),
            "minus_last": difference,
            "groups": {name: _figures(group) for name, group in found["groups"].items()},
            "published_on_mura": _published(mine),
        }
        for mine, found, difference in zip(about, measured, differences, strict=True)
    ]
    everything = measured[-1]["groups"]["all"]
    return {
        "format": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **table,
        "machine": machine_name(),
        "versions": measured[-1]["versions"],
        "options": options,
        **{name: everything[name] for name in ("studies", "views", "patients", "abnormal")},
        "rows": rows,
    }


def write_markdown(table: Mapping[str, Any]) -> str:
    """Lay the table out as Markdown; its picture is curves.png beside it."""
    rows, recipe, options = table["rows"], table["recipe"], table["options"]
    text = [
        f"# Table 1 on {table['dataset']['format']}",
        f"Test split: {table['studies']} studies ({table['views']} views) of {table['patients']} patients, "
        f"{table['abnormal']} abnormal. {NOTICE}",
        f"    {table['command']}",
        f"All networks by one recipe, from {_START[recipe['init']]}: "
        f"{recipe['transfer_epochs']} epochs in which the new layer alone learns (transfer); in the last row "
        f"then up to {recipe['fine_tune_epochs']} in which all layers do. The last row goes on from the "
        "training of the row above, with optimiser and data order, so both are one training. "
        "Kept is the epoch of the highest AUROC on the valid split; probabilities are calibrated there. "
        f"Accuracy and kappa at a study probability of {options['decision_threshold']}; loss is the log loss "
        "in nats. In brackets: 95 % "
        f"intervals of {options['resamples']} bootstrap draws of patients; {NOT_APPLICABLE} where no draw "
        "differs. Who calls every study normal has an accuracy of "
        f"{1 - table['abnormal'] / table['studies']:.3f}.",
    ]
    if table["source"] is not None:
        text.append(_describe_source(table["source"]))
    if recipe["init"] == "none":
        text.append(
            "**The frozen layers of this table are random**, where the paper's had learnt on ImageNet: the "
            "rows called transfer show what one layer does with random features, not what transfer does."
        )
    if table["patients"] == table["studies"]:
        text.append(
            "Each study counts as its own patient: where the data does not name patients, the intervals are "
            "narrower than they should be."
        )
    text += [
        _results(rows),
        f"Minutes are of training with validation, on {table['machine']}; those of the last row hold those "
        "of the row above."
        + (" Those of the source task come on top of them." if table["source"] is not None else ""),
        f"## Paired differences from the last row ({rows[-1]['title']})",
        "The same draws for both. Less than zero: worse than the last row, for the loss better. "
        "An interval without zero: a difference beyond chance.",
        _compared(rows[:-1]),
        "## Published on MURA",
        "Not measured here, and not to be compared with the figures above: the paper's own, on its own split "
        "of MURA. Muhammad and Lee, *Classification of Bone Abnormalities in MURA*, Table 1.",
        _markdown(
            ("network", "accuracy, published on MURA", "loss, published on MURA"),
            [
                (row["title"], f"{found['accuracy_percent']:.2f} %", f"{found['loss']:.2f}")
                for row in rows
                if (found := row["published_on_mura"])
            ],
        ),
        "## Training",
        "![Loss, accuracy and AUROC by epoch](curves.png)",
    ]
    return "\n\n".join(text) + "\n"


def compare_with_last(reports: Sequence[Path], *, resamples: int, seed: int) -> list[dict[str, Any] | None]:
    """Say how each report's measures differ from the last one's, on the same draws of patients.

    Args:
        reports: Folders with studies.csv.
        resamples: Number of bootstrap draws.
        seed: Of the draws.

    Returns:
        For each report the measures minus the last one's, with intervals; None for the last itself.

    Raises:
        DatasetError: The reports are not of the same studies.
    """
    *others, last = [_Read(folder) for folder in reports]
    for other in others:
        if other.studies != last.studies:
            raise DatasetError(
                f"{other.folder} and {last.folder} are of different studies, so they cannot be compared. "
                "Expected one dataset: remove both folders and run the same command again."
            )
    patients = [patient for _, patient, _ in last.studies]
    weights = bootstrap.resample_patients(patients, resamples=resamples, seed=seed)
    return [*(_difference(other, last, weights) for other in others), None]


class _Read:
    """The studies of a report: ids, patients, labels, and what each measure takes."""

    def __init__(self, folder: Path) -> None:
        with (folder / "studies.csv").open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        self.folder = folder
        self.studies = [(row["study"], row["patient"], int(row["label"])) for row in rows]
        self.probabilities = [float(row["probability"]) for row in rows]
        self.calls = [int(probability >= DECISION_THRESHOLD) for probability in self.probabilities]


def _difference(one: _Read, last: _Read, weights: NDArray[np.int32]) -> dict[str, Any]:
    labels = [label for _, _, label in last.studies]
    return as_json(
        {
            name: bootstrap.paired_difference(DECISION_MEASURES[name], labels, one.calls, last.calls, weights)
            if name in DECISION_MEASURES
            else bootstrap.paired_difference(
                PROBABILITY_MEASURES[name], labels, one.probabilities, last.probabilities, weights
            )
            for name in MEASURES
        }
    )


def _figures(group: Mapping[str, Any]) -> dict[str, Any]:
    found = {**group["probability"], **group["at"]["threshold"]}
    kept = {key: found[key] for name in MEASURES for key in (name, f"{name}_ci95")}
    return {"studies": group["studies"], "abnormal": group["abnormal"], **kept}


def _published(row: Mapping[str, Any]) -> dict[str, float] | None:
    found = PUBLISHED.get((row["architecture"], row["phases"]))
    return None if found is None else {"accuracy_percent": found[0], "loss": found[1]}


def machine_name() -> str:
    """What a training here runs on."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"{os.cpu_count()} cores of {processor_name()}"


def _describe_source(source: Mapping[str, Any]) -> str:
    return (
        f"The source task of every network, from random layers and by one recipe: {source['epochs']} rounds "
        f"of {source['cuts_per_epoch']} square cuts of {source['crop']} px from the training films, at a "
        f"rate of up to {source['learning_rate']:g}. A network learns where in a cut the fracture is, and "
        "which film it is from: body part, view, hardware. **This transfer is not the paper's**, whose "
        "layers had learnt on ImageNet: here the frozen layers have seen the training films before."
    )


def _results(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = {
        "network": [row["title"] for row in rows],
        **{heading: [cell(row, name) for row in rows] for name, heading in MEASURES.items()},
        "minutes": [f"{row['minutes']:.1f}" for row in rows],
        "minutes of the source task": [
            f"{row['source_minutes']:.1f}" for row in rows if row["source_minutes"] is not None
        ],
        "parameters": [f"{row['parameters'] / 1e6:.1f} M" for row in rows],
        "epochs (kept)": [f"{row['epochs']} ({row['kept_epoch']})" for row in rows],
        "input, px": [str(row["size"]) for row in rows],
        "init": [row["init"] for row in rows],
    }
    shown = {heading: cells for heading, cells in columns.items() if cells}
    return _markdown(list(shown), list(zip(*shown.values(), strict=True)))


def _compared(rows: Sequence[Mapping[str, Any]]) -> str:
    return _markdown(
        ("network", *MEASURES.values()),
        [(row["title"], *(cell(row["minus_last"], name) for name in MEASURES)) for row in rows],
    )


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *rows))
