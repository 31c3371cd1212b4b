"""`python -m mura_core release`: measure a candidate on the test split, put it in `weights/`.

Of weights that lie there already, the figures are measured anew: with what `known` learnt of them since.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core import __version__, evaluate
from mura_core.answers import predict_records
from mura_core.checkpoint import load_weights, save_weights
from mura_core.datasets import read_split
from mura_core.known import served_digest
from mura_core.model_card import SERVED, write_model_card
from mura_core.operating import check_prevalence
from mura_core.predictor import Predictor
from mura_core.recount import STUDIES_NAME
from mura_core.sidecar import SIDECAR_NAME, read_sidecar, sidecar_text
from mura_core.staging import write_whole
from mura_core.studies_file import read_csv, without_names
from mura_core.study_table import write_csv

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from mura_core.study_table import StudyRow

HALF_MOVES_AUROC_BY = 0.002
"""Half precision is kept where it moves the test AUROC by less than this and changes no call."""

_HALF = "half_precision"
_REMEDY = "Name a folder with weights that `python -m mura_core train` made."
_KEPT = ("dataset", "command", "versions", "options", "groups", "operating", "localisation")


def run(options: argparse.Namespace) -> None:
    """Write the candidate to `--out` in half precision if that changes nothing, with figures and model card.

    A candidate that was released there before stays as it is, and is measured again. Either gets this
    package's version: what `known` learnt changes answers as other weights do, and this tells them apart.

    Raises:
        MuraError: The candidate, the data or the prevalence cannot be used.
    """
    check_prevalence(options.prevalence)
    if not _is_released(options):
        _put(options)
    arguments = (options.data, options.format, "test", options.out, options.report, options.device)
    print(evaluate.run(*arguments, options.prevalence))
    measured = json.loads((options.report / "metrics.json").read_text())
    sidecar, shards, tensors = read_sidecar(options.out, _REMEDY)
    before = {key: value for key, value in sidecar.metrics.items() if key != "recounted_by"}
    figures = {SERVED: served_digest(options.out), **{key: measured[key] for key in _KEPT}}
    version = f"{__version__}-{options.format}"
    released = replace(sidecar, version=version, metrics={**before, **figures})
    rows = without_names(read_csv(options.report / "studies.csv"))
    write_whole(options.out / STUDIES_NAME, write_csv(rows).encode())
    write_whole(options.out / SIDECAR_NAME, sidecar_text(released, shards, tensors=tensors).encode())
    write_whole(options.out / "MODEL_CARD.md", write_model_card(released, options.out).encode())
    print(f"Released: {options.out}")


def _is_released(options: argparse.Namespace) -> bool:
    if options.candidate.resolve() != options.out.resolve():
        return False
    return _HALF in read_sidecar(options.candidate, _REMEDY)[0].metrics


def _put(options: argparse.Namespace) -> None:
    """Save the candidate to `--out`, without figures but those of its precision."""
    sidecar, state = load_weights(options.candidate)
    records = read_split(options.data, options.format, "test")
    full = predict_records(records, _network(options.candidate, options.device))
    save_weights(options.out, state, sidecar, half=True)
    halved = predict_records(records, _network(options.out, options.device))
    difference = compare(full, halved)
    half = abs(difference["auroc_change"]) < HALF_MOVES_AUROC_BY and not difference["calls_changed"]
    compared = replace(sidecar, metrics={**sidecar.metrics, _HALF: {"kept": half, **difference}})
    save_weights(options.out, state, compared, half=half)


def _network(folder: Path, device: str) -> Predictor:
    """The network alone: what is known of films may differ between the two folders."""
    loaded = Predictor.load(folder, device)
    return Predictor(loaded.engine, loaded.sidecar)


def compare(full: Sequence[StudyRow], halved: Sequence[StudyRow]) -> dict[str, Any]:
    """Say what half precision changes: AUROC, the largest change of a probability, how many calls."""
    from mura_core import metrics

    labels = [row.label for row in full]
    before, after = (np.array([row.probability for row in rows]) for rows in (full, halved))
    return {
        "auroc_change": metrics.auroc(labels, after) - metrics.auroc(labels, before),
        "largest_probability_change": float(np.abs(after - before).max()),
        "calls_changed": sum(one.call is not other.call for one, other in zip(full, halved, strict=True)),
    }
