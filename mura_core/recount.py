"""`python -m mura_core recount`: the figures of released weights anew, from what they answered before."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mura_core import operating
from mura_core.checkpoint import find_weights
from mura_core.errors import WeightsError
from mura_core.model_card import write_model_card
from mura_core.report import format_table
from mura_core.sidecar import SIDECAR_NAME, Sidecar, read_sidecar, sidecar_text
from mura_core.staging import write_whole
from mura_core.studies_file import read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mura_core.study_table import StudyRow

STUDIES_NAME = "studies.csv"
"""Beside the weights: each study of the test split with what they answered."""

_ROUNDING = 1e-9
"""Another machine may add the same numbers up to another last digit."""

_REMEDY = "Name a folder that `python -m mura_core release` wrote."


def run(weights: Path | None, prevalence: float) -> str:
    """Write sidecar and model card of released weights anew; the network does not run.

    Args:
        weights: Their folder; None to look where `checkpoint.find_weights` does.
        prevalence: That predictive values are stated at.

    Returns:
        The figures as a table for the terminal.

    Raises:
        MuraError: There is no table of studies, it is not of these weights, or the prevalence is none.
    """
    folder = find_weights(weights)
    sidecar, shards, tensors = read_sidecar(folder, _REMEDY)
    figures = recount(sidecar, read_csv(folder / STUDIES_NAME), prevalence)
    given = [] if weights is None else ["--weights", str(weights)]
    command = ["python", "-m", "mura_core", "recount", *given, "--prevalence", f"{prevalence:g}"]
    figures["recounted_by"] = shlex.join(command)
    counted = replace(sidecar, metrics=figures)
    write_whole(folder / SIDECAR_NAME, sidecar_text(counted, shards, tensors=tensors).encode())
    write_whole(folder / "MODEL_CARD.md", write_model_card(counted, folder).encode())
    return format_table(figures)


def recount(sidecar: Sidecar, rows: Sequence[StudyRow], prevalence: float) -> dict[str, Any]:
    """Compute the figures of a sidecar anew; those of localisation stay, for the table does not hold them.

    Raises:
        WeightsError: The rows are not what these weights answered.
        MuraError: The prevalence is none.
    """
    before = sidecar.metrics
    try:
        options, known = before["options"], before["groups"]["all"]
        calls, auroc = known["calls"], known["probability"]["auroc"]
        resamples, seed = int(options["resamples"]), int(options["seed"])
    except (KeyError, TypeError):
        raise WeightsError(f"These weights were never measured on a test split. {_REMEDY}") from None
    points = sidecar.operating_points
    counted = operating.measure_rows(rows, points, prevalence, resamples=resamples, seed=seed)
    found = counted["groups"]["all"]
    counted_auroc = found["probability"]["auroc"]
    same_auroc = counted_auroc == auroc or (
        None not in (counted_auroc, auroc) and math.isclose(counted_auroc, auroc, abs_tol=_ROUNDING)
    )
    same_calls = found["calls"] == calls and all(row.call is points.call(row.probability) for row in rows)
    if not (same_calls and same_auroc):
        raise WeightsError(
            f"{STUDIES_NAME} is not of these weights: its calls {found['calls']} and AUROC {counted_auroc} "
            f"are not those stated, {calls} and {auroc}. Run `python -m mura_core release` for them again."
        )
    return {**before, "groups": counted["groups"], "operating": counted["operating"]}
