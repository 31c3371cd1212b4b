"""One study's files to its outcome: the function that every worker runs, here or on a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mura_core.batch.columns import NOT_READ
from mura_core.errors import ImageError, MuraError
from mura_core.images import read_radiograph
from mura_core.remarks import NOT_COMPARED, SENTENCES
from mura_core.study import Remark, Study, View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mura_core.predictor import Predictor
    from mura_core.study import StudyResult


def model_facts(predictor: Predictor) -> dict[str, Any]:
    """Give the columns that say something of the model."""
    points = predictor.sidecar.operating_points
    return {
        "doubt_from": points.sensitive,
        "abnormal_from": points.specific,
        "model": predictor.sidecar.architecture,
        "model_version": predictor.sidecar.version,
    }


def read_study(
    predictor: Predictor,
    files: Sequence[str],
    lost: Mapping[int, str],
    started: Callable[[int | None], None],
) -> dict[str, Any]:
    """Read a study; whatever is wrong with a file, the others are read.

    Args:
        predictor: What reads it.
        files: Paths, at least one.
        lost: Reasons by index of files that are not to be opened, because they ended a process before.
        started: Told the index of each file before it is opened, and None before the network runs.

    Returns:
        JSON values: the columns that say something of the study or the model, "views" with those of each
        file, and "final", which is False where another try may end better.
    """
    start = time.perf_counter()
    views, rows = _read_files(files, lost, started)
    started(None)
    result, failure = _predict(predictor, views)
    if result is not None:
        _put_answers(rows, result)
    for row in rows if failure else ():
        row["error"] = row["error"] or failure
    return {
        "study_probability": result.study_probability if result else None,
        "study_call": str(result.call) if result else None,
        "study_views": len(views) if result else 0,
        "study_seconds": time.perf_counter() - start,
        **model_facts(predictor),
        "views": rows,
        "final": failure is None and not lost,
    }


def _read_files(
    files: Sequence[str], lost: Mapping[int, str], started: Callable[[int | None], None]
) -> tuple[list[View], list[dict[str, Any]]]:
    """The views that can be read; and a row for every file: what it says, or why it was not read."""
    views, rows = [], []
    for index, file in enumerate(files):
        row = {**NOT_READ, "error": lost.get(index)}
        if index not in lost:
            started(index)
            try:
                view = View(file, read_radiograph(Path(file)))
            except ImageError as error:
                row["error"] = str(error)
            else:
                views.append(view)
                row |= _facts(view)
        rows.append(row)
    return views, rows


def _put_answers(rows: list[dict[str, Any]], result: StudyResult) -> None:
    """Put what the model says of each view into the rows of the files that were read."""
    read = [row for row in rows if row["error"] is None]
    for row, answer in zip(read, result.views, strict=True):
        row["view_probability"] = answer.abnormality_probability
        row["view_call"] = str(answer.call)
        row["view_logit"] = answer.logit
        row["heatmap_maximum"] = float(answer.heatmap.max())
        doubts = [SENTENCES[remark] for remark in answer.remarks if remark is not Remark.POLARITY]
        doubts += [] if result.compared else [NOT_COMPARED]
        row["warnings"] = " ".join(filter(None, [row["warnings"], *doubts])) or None


def _predict(predictor: Predictor, views: list[View]) -> tuple[StudyResult | None, str | None]:
    if not views:
        return None, None
    try:
        return predictor.predict(Study(tuple(views))), None
    except MuraError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - one study must not stop the others
        return None, f"The study could not be read ({type(error).__name__}: {error}). Read it by itself."


def _facts(view: View) -> dict[str, Any]:
    film = view.radiograph
    return {
        "body_part": film.body_part,
        "view_position": film.view_position,
        "warnings": " ".join(film.warnings) or None,
    }
