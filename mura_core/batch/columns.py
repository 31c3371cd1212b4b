"""The columns of the results: one row a view, with its study's result beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: dict[str, type[str] | type[int] | type[float]] = {
    "study": str,
    "file": str,
    "view": int,
    "study_files": int,
    "study_views": int,
    "study_probability": float,
    "study_call": str,
    "view_probability": float,
    "view_call": str,
    "view_logit": float,
    "heatmap_maximum": float,
    "doubt_from": float,
    "abnormal_from": float,
    "body_part": str,
    "view_position": str,
    "warnings": str,
    "error": str,
    "model": str,
    "model_version": str,
    "study_seconds": float,
}
"""Name and type; every one may be empty but the first four. `view` counts the study's files from 1, and
`study_views` says on how many of its `study_files` the study's call rests."""

NOT_READ: dict[str, Any] = {
    "view_probability": None,
    "view_call": None,
    "view_logit": None,
    "heatmap_maximum": None,
    "body_part": None,
    "view_position": None,
    "warnings": None,
}
"""What a row says of a file that was not read, without the reason."""


def failed_outcome(
    files: int, lost: Mapping[int, str], reason: str, model: Mapping[str, Any], seconds: float
) -> dict[str, Any]:
    """Make the outcome of a study that ended the process which read it.

    Args:
        files: How many it has.
        lost: Reasons by index of those that were left out before.
        reason: Why the others have no result.
        model: The columns that say something of the model.
        seconds: How long it took.
    """
    return {
        "study_probability": None,
        "study_call": None,
        "study_views": 0,
        "study_seconds": seconds,
        **model,
        "views": [{**NOT_READ, "error": lost.get(index, reason)} for index in range(files)],
        "final": False,
    }
