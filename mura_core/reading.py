"""The `predict` command: files to a study, and its result as a table, as JSON, and as overlay pictures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from mura_core.errors import ImageError, MuraError
from mura_core.images import read_file, read_radiograph
from mura_core.overlay import overlay
from mura_core.remarks import NOT_COMPARED, SENTENCES, is_grave
from mura_core.staging import write_whole
from mura_core.study import SURE, Call, Remark, View, probability_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mura_core.stability import Stability
    from mura_core.study import OperatingPoints, StudyResult, ViewResult

NOTICE = "Research only: not a medical device, not a replacement for clinician review."
JSON_FORMAT = 1
"""Raised when a key of the JSON output changes its meaning or goes."""

_OVERLAY_JPEG_QUALITY = 95
_STRANGEST = 1e9
"""JSON has no infinity."""


@dataclass(frozen=True, eq=False)
class Reading:
    """The files of one study: what could be read, and what was refused and why.

    Attributes:
        files: As named on the command line, one for each view.
        contents: Each file as it was when it was read.
        views: In the same order; each is called by its file's name.
        refused: (file, reason) of every file that is no radiograph this package reads.
    """

    files: tuple[str, ...]
    contents: tuple[bytes, ...]
    views: tuple[View, ...]
    refused: tuple[tuple[str, str], ...]


def read_views(files: Sequence[str]) -> Reading:
    """Read the views of one study; a file that cannot be read is kept by name, never dropped."""
    read, contents, views, refused = [], [], [], []
    for file in files:
        try:
            content = read_file(Path(file))
            views.append(View(Path(file).name, read_radiograph(content)))
            read.append(file)
            contents.append(content)
        except ImageError as error:
            refused.append((file, str(error)))
    return Reading(tuple(read), tuple(contents), tuple(views), tuple(refused))


def write_overlays(reading: Reading, result: StudyResult, folder: Path) -> list[Path]:
    """Write one JPEG for each view: the film with its heatmap laid over it.

    Raises:
        MuraError: The folder or a picture in it cannot be written; earlier pictures stay as they are.
    """
    paths = []
    for index, (view, answer) in enumerate(zip(reading.views, result.views, strict=True), start=1):
        picture = overlay(view.radiograph.pixels, answer.heatmap)
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            _OVERLAY_JPEG_QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
        _, encoded = cv2.imencode(".jpg", picture[:, :, ::-1], options)
        # The number keeps two views of the same name apart; the ending keeps a film in the same folder whole.
        path = folder / f"{index}-{Path(view.name).stem}-overlay.jpg"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, encoded.tobytes())
        except OSError as error:
            raise MuraError(
                f"The overlay {path} cannot be written ({error.strerror}). Expected a folder that can be "
                "written to, with space left: choose another with --overlay."
            ) from error
        paths.append(path)
    return paths


def table(reading: Reading, result: StudyResult, stability: Stability | None = None) -> str:
    """Say what the model says of a study in a table for the terminal, and how steadily if that was asked."""
    width = max(len("study"), *(len(view.name) for view in result.views))
    points = result.operating_points
    lines = [f"{'view':{width}}  probability  call"]
    lines += [_row(view.name, width, view.abnormality_probability, view.call) for view in result.views]
    lines += [_row("study", width, result.study_probability, result.call), ""]
    lines += [f"{view.name}: {warning}" for view in reading.views for warning in view.radiograph.warnings]
    lines += _doubts(result)
    if stability is not None:
        lines.append(_stability_line(stability, points))
    if reading.refused:
        lines.append(f"The study's call rests on {len(reading.views)} of {_given(reading)} files.")
    lines += [
        f"doubt from {points.sensitive:.4f}, abnormal from {points.specific:.4f}",
        f"{result.model_name} {result.model_version}, {result.engine}, {result.timing.total_s:.1f} s",
        NOTICE,
    ]
    return "\n".join(lines)


def as_json(
    reading: Reading,
    result: StudyResult | None,
    overlays: Sequence[Path],
    dicom: Path | None = None,
    stability: Stability | None = None,
) -> str:
    """Say the same as JSON, every number in full; the same input gives the same text.

    Args:
        reading: The files.
        result: None where no file could be read.
        overlays: One path for each view, or none.
        dicom: Folder of the DICOM results, if there are any.
        stability: What comes of small changes of the films, if that was asked.
    """
    content: dict[str, Any] = {"format": JSON_FORMAT, "model": None, "study": None, "views": []}
    if result is not None:
        content["model"] = {
            "name": result.model_name,
            "version": result.model_version,
            "engine": result.engine,
        }
        content["study"] = {
            "probability": result.study_probability,
            "call": result.call,
            "operating_points": asdict(result.operating_points),
            "compared_with_training_films": result.compared,
            "rely_on_call": _may_be_relied_on(result),
        }
        content["views"] = [
            _view_content(file, view, answer)
            for file, view, answer in zip(reading.files, reading.views, result.views, strict=True)
        ]
        for entry, path in zip(content["views"], overlays, strict=False):
            entry["overlay"] = str(path)
    content["stability"] = None if stability is None else _stability_content(stability)
    content["dicom"] = None if dicom is None else str(dicom)
    content["refused"] = [{"file": file, "reason": reason} for file, reason in reading.refused]
    content["notice"] = NOTICE
    return json.dumps(content, indent=2, ensure_ascii=False)


def _view_content(file: str, view: View, answer: ViewResult) -> dict[str, Any]:
    return {
        "file": file,
        "probability": answer.abnormality_probability,
        "call": answer.call,
        "logit": answer.logit,
        "heatmap_maximum": float(answer.heatmap.max()),
        "roi": asdict(answer.roi),
        "warnings": list(view.radiograph.warnings),
        "remarks": list(answer.remarks),
        "strangeness": None if answer.strangeness is None else min(answer.strangeness, _STRANGEST),
        "body_part": None if answer.body_part is None else asdict(answer.body_part),
        "turned": answer.turned,
        "overlay": None,
    }


def _stability_line(stability: Stability, points: OperatingPoints) -> str:
    low, high = (probability_text(value, points) for value in (stability.lowest, stability.highest))
    altering, call = stability.altering, stability.readings[0].call
    if not altering:
        return f"stability: all {len(stability.readings)} readings say {call}, {low} to {high}"
    return (
        f"stability: {len(altering)} of {stability.changes} small changes alter the call, {low} to {high} "
        f"({', '.join(altering).replace('_', ' ')}); "
        f"{'it stays in doubt' if call is Call.DOUBT else 'look again'}"
    )


def _may_be_relied_on(result: StudyResult) -> bool | None:
    """Whether nothing speaks against the call; None where the films were not compared with the training's."""
    if any(is_grave(view.remarks) for view in result.views):
        return False
    return True if result.compared else None


def _stability_content(stability: Stability) -> dict[str, Any]:
    return {
        "lowest": stability.lowest,
        "highest": stability.highest,
        "changes": stability.changes,
        "altering": list(stability.altering),
        "readings": [
            {
                "change": reading.change,
                "probability": reading.study_probability,
                "call": reading.call,
                "views": list(reading.view_probabilities),
            }
            for reading in stability.readings
        ],
    }


def _doubts(result: StudyResult) -> list[str]:
    """What speaks against relying on the call, and what each view shows where that is sure."""
    lines = [
        f"{view.name}: {SENTENCES[remark]}"
        for view in result.views
        for remark in view.remarks
        if remark is not Remark.POLARITY  # a warning of the film says so already
    ]
    if any(is_grave(view.remarks) for view in result.views):
        lines.append("Do not rely on the study's call: see the notes above.")
    for view in result.views:
        part = view.body_part
        if part is not None and part.probability >= SURE and Remark.UNFAMILIAR not in view.remarks:
            lines.append(f"{view.name}: shows {part.name.replace('+', ' and ')} ({part.probability:.2f})")
    return lines if result.compared else [*lines, NOT_COMPARED]


def _row(name: str, width: int, probability: float, call: str) -> str:
    return f"{name:{width}}  {probability:11.4f}  {call}"


def _given(reading: Reading) -> int:
    return len(reading.views) + len(reading.refused)
