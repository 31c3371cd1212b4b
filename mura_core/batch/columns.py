"""The columns of the results: one row a view, with its study's result beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mura_core.batch.worklist import Item

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

_STUDY = ("study_probability", "study_call", "study_views", "study_seconds")
_MODEL = ("doubt_from", "abnormal_from", "model", "model_version")


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


def rows_of(item: Item, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Lay a study's outcome out in rows.

    Args:
        item: The study.
        outcome: What `reader.read_study` said of its files.

    Returns:
        One row for each file, by column; the worklist's further columns last.
    """
    shared = {name: outcome[name] for name in (*_STUDY, *_MODEL)}
    rows = []
    for number, (file, view, extra) in enumerate(
        zip(item.files, outcome["views"], item.extra, strict=True), start=1
    ):
        row = {"study": item.study, "file": file, "view": number, "study_files": len(item.files)}
        row |= shared | view
        rows.append({**{name: row[name] for name in COLUMNS}, **extra})
    return rows
