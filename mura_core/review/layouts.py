"""The public datasets as a session's source: their truth, and the part held out from training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mura_core.coco import size_px
from mura_core.fracatlas import read_fracatlas, shipped_split
from mura_core.review.types import Case, Finding, Mark, Truth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mura_core.records import StudyRecord
    from mura_core.review.names import Entry
    from mura_core.study import Box

_MURA_STUDY = re.compile(r"XR_([A-Z]+)/(patient\d+)/study\d+_(positive|negative)")
_MURA_LIST = re.compile(r"(train|valid)_(image_paths|labeled_studies)\.csv")

FRACATLAS_NOTE = (
    "Of FracAtlas the test split was taken: the released weights were trained on the rest, "
    "and a comparison with them there would flatter the model."
)
MURA_NOTE = "Of MURA the valid folder was taken; train is there to train on. Give its path to read it."


def is_fracatlas(source: Path) -> bool:
    """Tell FracAtlas in its official layout."""
    return (source / "dataset.csv").is_file() and (source / "images" / "Fractured").is_dir()


def fracatlas_cases(source: Path) -> tuple[Case, ...]:
    """Read the test split of FracAtlas, one case for each film, with its flags and boxes.

    Raises:
        DatasetError: A file is missing, or a line is not as documented.
    """
    return tuple(
        _fracatlas_case(source, record) for record in read_fracatlas(source, "test", shipped_split())
    )


def _fracatlas_case(source: Path, record: StudyRecord) -> Case:
    [view] = record.views
    findings = {"fractured": Finding.FRACTURE, "hardware": Finding.HARDWARE}
    boxes = None
    if view.boxes is not None:
        boxes = tuple(_fraction(box, view.path) for box in view.boxes)
    return Case(
        case_id=record.study_id,
        patient_id=record.patient_id,
        body_part=record.body_part,
        views=(view.path.relative_to(source).as_posix(),),
        truth=Truth(record.label, frozenset(findings[tag] for tag in view.tags & findings.keys()), boxes),
    )


def _fraction(box: Box, path: Path) -> Mark:
    width, height = size_px(path)
    return Mark(0, box.top / height, box.left / width, box.height / height, box.width / width)


def mura_study(folder: Sequence[str]) -> tuple[str, str, int] | None:
    """Read a study's folder by MURA's names.

    >>> mura_study(("valid", "XR_WRIST", "patient11186", "study1_positive"))
    ('patient11186', 'wrist', 1)

    Returns:
        Patient, body part and label, or None where the folder is not named so.
    """
    match = _MURA_STUDY.fullmatch("/".join(folder[-3:]))
    if match is None:
        return None
    part, patient, sign = match.groups()
    return patient, part.lower(), int(sign == "positive")


def held_out_mura(entries: Sequence[Entry]) -> tuple[tuple[Entry, ...], bool]:
    """Leave out MURA's train folder where its valid folder is there too, and its lists of files.

    Returns:
        What is left, and whether a film was left out.
    """
    entries = tuple(entry for entry in entries if not _MURA_LIST.fullmatch(entry.parts[-1]))
    folders = [_mura_folder(entry) for entry in entries]
    if not {"train", "valid"} <= set(folders):
        return entries, False
    return tuple(entry for entry, folder in zip(entries, folders, strict=True) if folder != "train"), True


def _mura_folder(entry: Entry) -> str:
    """Give the folder above the body part in a film's path by MURA's names, "" for anything else."""
    return entry.parts[-5] if len(entry.parts) > 4 and mura_study(entry.parts[:-1]) else ""
