"""Measure a predictor on a split: every study along the path the reader uses, then all the figures."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mura_core import __version__, localisation, metrics, operating, report, study_table
from mura_core.answers import add_random_network, build_untrained, predict_records, show_progress
from mura_core.bootstrap import RESAMPLES
from mura_core.datasets import StudyRecord, read_split
from mura_core.errors import DatasetError
from mura_core.operating_table import PREVALENCE
from mura_core.staging import Staging

if TYPE_CHECKING:
    from mura_core.answers import Progress, StudyPredictor
    from mura_core.sidecar import Sidecar

FORMAT = 1
"""Of metrics.json; raised when its keys change meaning."""


def evaluate(
    records: Sequence[StudyRecord],
    predictor: StudyPredictor,
    out: Path,
    *,
    random_network: StudyPredictor | None = None,
    about: Mapping[str, Any] | None = None,
    prevalence: float = PREVALENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Predict and measure a split, and write metrics.json, studies.csv, report.md and its pictures.

    Args:
        records: The studies, at least one.
        predictor: The same object that serves the reader.
        out: Folder to write to; made if absent. Files of the same names are replaced, others stay.
        random_network: The same network with random weights, as a further baseline for the heatmap.
        about: What metrics.json should also say, such as the dataset and the command; JSON values.
        prevalence: That predictive values are stated at.
        resamples: Number of bootstrap draws.
        seed: Of the draws.
        progress: Called after each study with the number done and the number of all.

    Returns:
        What metrics.json holds: see `operating.measure_rows`.

    Raises:
        MuraError: As `predict_records`; or no study; or `prevalence` is none; or `out` cannot be written. All
            but the first are found before predicting.
    """
    operating.check_prevalence(prevalence)
    if not records:
        raise DatasetError("There is no study to evaluate. Expected at least one: check the split.")
    with Staging(out) as staging:
        rows = predict_records(records, predictor, progress)
        if random_network is not None:
            rows = add_random_network(records, rows, random_network)
        measured = {
            "format": FORMAT,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **(about or {}),
            **_describe(predictor.sidecar, resamples, seed),
            **operating.measure_rows(
                rows, predictor.sidecar.operating_points, prevalence, resamples=resamples, seed=seed
            ),
        }
        files = report.render(measured, rows)
        files["studies.csv"] = study_table.write_csv(rows).encode()
        files["metrics.json"] = (json.dumps(measured, indent=2, allow_nan=False) + "\n").encode()
        staging.publish(files)
    return measured


def run(
    data: Path,
    dataset_format: str,
    split: str,
    weights: Path | None,
    out: Path | None,
    device: str,
    prevalence: float = PREVALENCE,
) -> str:
    """Do what `python -m mura_core evaluate` does.

    Args:
        data: The dataset's folder.
        dataset_format: One of `datasets.DATASET_FORMATS`.
        split: One of `datasets.SPLITS`.
        weights: Weights folder; None to look where `checkpoint.find_weights` does.
        out: Folder for the report; None for reports/<format>-<split>.
        device: What runs the network, see `engines.load_engine`.
        prevalence: That predictive values are stated at.

    Returns:
        The figures as a table for the terminal.

    Raises:
        MuraError: Something is missing or cannot be read; the text says what.
    """
    from mura_core.predictor import Predictor
    from mura_core.torch_engine import TorchEngine

    records = read_split(data, dataset_format, split)
    predictor = Predictor.load(weights, device)
    folder = out or Path("reports") / f"{dataset_format}-{split}"
    flags = {"data": data, "format": dataset_format, "split": split, "weights": weights, "device": device}
    if prevalence != PREVALENCE:
        flags["prevalence"] = prevalence
    given = [part for name, value in flags.items() if value for part in (f"--{name}", str(value))]
    untrained = build_untrained(records, predictor.sidecar)
    measured = evaluate(
        records,
        predictor,
        folder,
        random_network=Predictor(TorchEngine(untrained), predictor.sidecar),
        about={
            "command": shlex.join(["python", "-m", "mura_core", "evaluate", *given]),
            "dataset": {"format": dataset_format, "split": split},
        },
        prevalence=prevalence,
        progress=show_progress,
    )
    return f"{report.format_table(measured)}\n\nReport: {folder / 'report.md'}"


def _describe(sidecar: Sidecar, resamples: int, seed: int) -> dict[str, Any]:
    """Say what was measured with what."""
    model = asdict(sidecar)
    # What was measured when the weights were made is not what is measured here.
    del model["metrics"]
    packages = ("numpy", "scikit-learn", "torch", "torchvision", "opencv-python-headless")
    return {
        "model": model,
        "versions": {
            "mura_core": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in packages},
        },
        "options": {
            "decision_threshold": study_table.DECISION_THRESHOLD,
            "calibration_bins": metrics.CALIBRATION_BINS,
            "heatmap_threshold": localisation.HEATMAP_THRESHOLD,
            "resamples": resamples,
            "seed": seed,
        },
    }
