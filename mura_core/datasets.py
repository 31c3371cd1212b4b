"""One interface to the datasets: labelled studies by split.

>>> records = read_split(Path("FracAtlas"), "fracatlas", "train")  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path

from mura_core.errors import DatasetError
from mura_core.fracatlas import read_fracatlas, shipped_split
from mura_core.records import SPLITS, StudyRecord, ViewRecord, is_arm

__all__ = ["DATASET_FORMATS", "SPLITS", "StudyRecord", "ViewRecord", "is_arm", "read_split"]

DATASET_FORMATS = ("fracatlas",)


def read_split(root: Path, dataset_format: str, split: str) -> list[StudyRecord]:
    """Read the studies of one split.

    Args:
        root: The dataset's folder.
        dataset_format: One of `DATASET_FORMATS`.
        split: One of `SPLITS`.

    Raises:
        DatasetError: The folder is not laid out as documented, or the format or split is unknown.
    """
    if dataset_format not in DATASET_FORMATS:
        raise DatasetError(
            f"Unknown dataset format {dataset_format!r}. Expected one of {', '.join(DATASET_FORMATS)}."
        )
    if split not in SPLITS:
        raise DatasetError(f"Unknown split {split!r}. Expected one of {', '.join(SPLITS)}.")
    if not root.is_dir():
        raise DatasetError(f"There is no folder {root}. Expected the dataset's folder: check the path.")
    return read_fracatlas(root, split, shipped_split())
