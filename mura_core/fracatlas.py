"""FracAtlas in its official layout: `dataset.csv`, `images/`, `Annotations/COCO JSON/`.

Abedeen et al., Scientific Data 10, 521 (2023), doi:10.1038/s41597-023-02432-4; CC BY 4.0.

The data has neither patient nor study ids. Each image is therefore a study of one view whose patient is the
image itself, which means two things: intervals bootstrapped over "patients" are somewhat too narrow, and only
the shipped split list (cut in blocks of neighbouring ids, which are usually one patient's views) keeps a
patient's views together. Images of the official archive that the list does not name are left out.
"""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mura_core.coco import read_coco_boxes
from mura_core.errors import DatasetError
from mura_core.records import StudyRecord, ViewRecord, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mura_core.study import Box

PARTS = ("hand", "leg", "hip", "shoulder")
FLAGS = (*PARTS, "mixed", "hardware", "multiscan", "fractured", "frontal", "lateral", "oblique")
ANNOTATIONS = "Annotations/COCO JSON/COCO_fracture_masks.json"


@cache
def shipped_split() -> dict[str, str]:
    """Return the split ("train", "valid" or "test") of each image file name this project uses."""
    text = (files("mura_core") / "splits" / "fracatlas_split.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["image_id"]: row["split"] for row in rows}


def read_fracatlas(root: Path, split: str, assignment: Mapping[str, str]) -> list[StudyRecord]:
    """Read one split of FracAtlas; abnormal means fractured or with hardware.

    The body part is "hand" (which covers wrist, forearm and elbow here), "leg", "hip" or "shoulder", and
    "mixed" where several are flagged; the view's tags are the flag columns that are set.

    Args:
        root: The folder that holds `dataset.csv`.
        split: "train", "valid" or "test".
        assignment: Split by image file name, normally `shipped_split()`.

    Returns:
        One study of one view for each image of the split, in order of the list.

    Raises:
        DatasetError: A file or image is missing, or a line or annotation is not as documented.
    """
    wanted = [name for name, part in assignment.items() if part == split]
    flags = _read_flags(root / "dataset.csv", wanted)
    paths = _find_images(root / "images", flags)
    fractured = {name: paths[name] for name in wanted if "fractured" in flags[name]}
    boxes = read_coco_boxes(root / ANNOTATIONS, fractured)
    return [_record(paths[name], flags[name], boxes.get(name)) for name in wanted]


def _record(path: Path, flags: frozenset[str], boxes: tuple[Box, ...] | None) -> StudyRecord:
    parts = [part for part in PARTS if part in flags]
    return StudyRecord(
        study_id=path.stem,
        patient_id=path.stem,
        body_part=parts[0] if len(parts) == 1 else "mixed",
        label=int(bool(flags & {"fractured", "hardware"})),
        views=(ViewRecord(path, boxes if "fractured" in flags else (), flags),),
    )


def _read_flags(table: Path, wanted: Iterable[str]) -> dict[str, frozenset[str]]:
    """Read the columns that are set, by image file name, and check the lines of the wanted images."""
    reader = csv.DictReader(io.StringIO(read_text(table, "one line of flags for each FracAtlas image")))
    absent = [column for column in ("image_id", *FLAGS) if column not in (reader.fieldnames or ())]
    if absent:
        raise DatasetError(
            f"{table}, line 1: no column {', '.join(absent)} among {', '.join(reader.fieldnames or ())!r}. "
            "Expected the dataset.csv of the official FracAtlas download."
        )
    names = frozenset(wanted)
    flags: dict[str, frozenset[str]] = {}
    for row in reader:
        name = row["image_id"]
        if name not in names:
            continue
        where = f"{table}, line {reader.line_num}"
        if name in flags:
            raise DatasetError(f"{where}: {name} is listed a second time. Expected one line for each image.")
        flags[name] = _row_flags(row, where)
    missing = sorted(names - flags.keys())
    if missing:
        raise DatasetError(
            f"{table} has no line for {missing[0]}{_and_more(missing)}. "
            "Expected every image of the split list: unpack the official FracAtlas download again."
        )
    return flags


def _row_flags(row: Mapping[str, str | None], where: str) -> frozenset[str]:
    for column in FLAGS:
        if row[column] not in ("0", "1"):
            raise DatasetError(f"{where}: {column} is {row[column]!r}. Expected 0 or 1.")
    shown = frozenset(column for column in FLAGS if row[column] == "1")
    if not shown & set(PARTS):
        raise DatasetError(f"{where}: no body part is set. Expected a 1 in one of {', '.join(PARTS)}.")
    return shown


def _find_images(folder: Path, flags: Mapping[str, frozenset[str]]) -> dict[str, Path]:
    """Find each image in the folder that its `fractured` flag names."""
    found = {name: _names_in(folder / name) for name in ("Fractured", "Non_fractured")}
    paths = {}
    missing = []
    for name, shown in flags.items():
        right, wrong = "Fractured", "Non_fractured"
        if "fractured" not in shown:
            right, wrong = wrong, right
        if name not in found[right] and name in found[wrong]:
            raise DatasetError(
                f"{folder / wrong / name} contradicts dataset.csv, by which it belongs in {folder / right}. "
                "Unpack the official FracAtlas download again."
            )
        paths[name] = folder / right / name
        if name not in found[right]:
            missing.append(paths[name])
    if missing:
        raise DatasetError(
            f"{missing[0]}{_and_more(missing)} is listed in dataset.csv but is not on disk. "
            "Unpack the official FracAtlas download again."
        )
    return paths


def _names_in(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        raise DatasetError(f"The folder {folder} is missing. Expected the official FracAtlas layout.")
    return frozenset(path.name for path in folder.iterdir())


def _and_more(missing: list[str] | list[Path]) -> str:
    return f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
