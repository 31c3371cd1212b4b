"""One interface to the datasets: labelled studies by split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.census import census, check_disjoint, format_census
from mura_core.errors import DatasetError
from mura_core.fracatlas import read_fracatlas, shipped_split
from mura_core.mura import read_mura
from mura_core.records import SPLITS, StudyRecord, ViewRecord, is_arm

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DATASET_FORMATS",
    "SPLITS",
    "StudyRecord",
    "ViewRecord",
    "census",
    "census_table",
    "is_arm",
    "read_split",
]

DATASET_FORMATS = ("mura", "fracatlas")

_NOTES = {
    "mura": "train and valid are cut by patient from the official train folder;\n"
    "test is the official valid folder.",
    "fracatlas": "FracAtlas has no patient ids: each image counts as one study of one patient.\n"
    "arm: hand or shoulder (hand covers wrist, forearm and elbow), without leg or hip.",
}


def read_split(root: Path, dataset_format: str, split: str) -> list[StudyRecord]:
    """Read the studies of one split.

    Args:
        root: The dataset's folder.
        dataset_format: One of `DATASET_FORMATS`.
        split: One of `SPLITS`.

    Returns:
        At least one study, each with at least one view whose file exists.

    Raises:
        DatasetError: The folder is not laid out as documented, the split is empty, or the format or the split
            is unknown.
    """
    if dataset_format not in DATASET_FORMATS:
        raise DatasetError(
            f"Unknown dataset format {dataset_format!r}. Expected one of {', '.join(DATASET_FORMATS)}."
        )
    if split not in SPLITS:
        raise DatasetError(f"Unknown split {split!r}. Expected one of {', '.join(SPLITS)}.")
    if not root.is_dir():
        raise DatasetError(f"There is no folder {root}. Expected the dataset's folder: check the path.")
    if dataset_format == "mura":
        records = read_mura(root, split)
    else:
        records = read_fracatlas(root, split, shipped_split())
    if not records:
        raise DatasetError(f"{root} has no study in the split {split}. Expected the whole dataset.")
    return records


def census_table(root: Path, dataset_format: str) -> str:
    """Describe a dataset: counts by split and body part as a table of text.

    Raises:
        DatasetError: As `read_split`, and where a patient is in two splits.
    """
    splits = {split: read_split(root, dataset_format, split) for split in SPLITS}
    check_disjoint(splits)
    return f"{format_census(splits)}\n\n{_NOTES[dataset_format]}"
