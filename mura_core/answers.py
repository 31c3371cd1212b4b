"""The model's answers to labelled studies: each read from disk as the reader's are, one row a study."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mura_core import localisation
from mura_core.errors import DatasetError, ImageError
from mura_core.images import read_radiograph
from mura_core.records import is_arm
from mura_core.study import Study, StudyResult, View
from mura_core.study_table import StudyRow, ViewRow

if TYPE_CHECKING:
    from mura_core.models import Classifier
    from mura_core.records import StudyRecord
    from mura_core.sidecar import Sidecar

UNTRAINED_FILMS = 8
"""What the batch statistics of the untrained network are taken from."""

Progress = Callable[[int, int], None]


class StudyPredictor(Protocol):
    """What evaluation needs of a `Predictor`."""

    @property
    def sidecar(self) -> Sidecar:
        """What the weights are."""

    def predict(self, study: Study) -> StudyResult:
        """Read one study."""


def predict_records(
    records: Sequence[StudyRecord], predictor: StudyPredictor, progress: Progress | None = None
) -> list[StudyRow]:
    """Read every study from disk and predict it.

    Args:
        records: The studies.
        predictor: The same object that serves the reader.
        progress: Called after each study with the number done and the number of all.

    Returns:
        One row per study, in the order given.

    Raises:
        ImageError: A view cannot be read; the text names study and file. None is left out.
        DatasetError: A view's boxes lie outside it.
    """
    rows = []
    for done, record in enumerate(records, start=1):
        rows.append(_predict_record(record, predictor))
        if progress is not None:
            progress(done, len(records))
    return rows


def add_random_network(
    records: Sequence[StudyRecord], rows: Sequence[StudyRow], random_network: StudyPredictor
) -> list[StudyRow]:
    """Add the heatmap scores of a network that has learned nothing, on the same views.

    Args:
        records: The studies; their films are read again where a heatmap was scored.
        rows: What `predict_records` said of them, in the same order.
        random_network: The same network with random weights.

    Raises:
        ImageError: A view cannot be read any more.
        DatasetError: A view's boxes lie outside it.
    """
    completed = []
    for record, row in zip(records, rows, strict=True):
        if all(view.localisation is None for view in row.views):
            completed.append(row)
            continue
        untrained = _predict_record(record, random_network)
        views = tuple(
            view
            if view.localisation is None or other.localisation is None
            else replace(
                view,
                localisation={**view.localisation, "random network": other.localisation["heatmap"]},
            )
            for view, other in zip(row.views, untrained.views, strict=True)
        )
        completed.append(replace(row, views=views))
    return completed


def build_untrained(records: Sequence[StudyRecord], sidecar: Sidecar) -> Classifier:
    """Build the same network with random weights; its batch statistics are those of the first studies.

    Args:
        records: The studies; of the first few one film each is read.
        sidecar: Of the network that it is set beside.

    Raises:
        ImageError: A view cannot be read.
    """
    from mura_core.preprocess import preprocess, to_tensor

    views = [_read_study(record).views[0] for record in records[:UNTRAINED_FILMS]]
    films = [preprocess(view.radiograph.pixels, sidecar.preprocess)[0] for view in views]
    return localisation.build_untrained(sidecar.architecture, to_tensor(films))


def show_progress(done: int, total: int) -> None:
    """Count the studies on stderr: on a terminal each, elsewhere every fiftieth."""
    if sys.stderr.isatty() or done == total or done % 50 == 0:
        end = "\n" if done == total or not sys.stderr.isatty() else ""
        sys.stderr.write(f"\r{done} of {total} studies{end}")
        sys.stderr.flush()


def _read_study(record: StudyRecord) -> Study:
    views = []
    for view in record.views:
        try:
            views.append(View(view.path.name, read_radiograph(view.path)))
        except ImageError as error:
            raise ImageError(f"Study {record.study_id}: cannot read the view {view.path}. {error}") from error
    return Study(tuple(views))


def _predict_record(record: StudyRecord, predictor: StudyPredictor) -> StudyRow:
    result = predictor.predict(_read_study(record))
    rows = []
    for view, seen in zip(record.views, result.views, strict=True):
        scores = None
        if record.label == 1 and view.boxes:
            try:
                scores = localisation.score_view(seen, view.boxes)
            except DatasetError as error:
                raise DatasetError(f"Study {record.study_id}, view {view.path}: {error}") from error
        rows.append(ViewRow(seen.name, seen.abnormality_probability, scores))
    return StudyRow(
        study_id=record.study_id,
        patient_id=record.patient_id,
        body_part=record.body_part,
        label=record.label,
        arm=is_arm(record),
        hardware=any("hardware" in view.tags for view in record.views),
        probability=result.study_probability,
        call=result.call,
        views=tuple(rows),
    )
