"""What is to be read: the studies of a folder, or those that a CSV file lists."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from mura_core.batch.columns import COLUMNS
from mura_core.errors import DatasetError
from mura_core.grouping import group_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STUDY, FILE = "study", "file"


@dataclass(frozen=True)
class Item:
    """One study to read.

    Attributes:
        study: Its name in the table.
        files: Its views as the table names them, in reading order.
        extra: For each file, the CSV's further columns by name.
    """

    study: str
    files: tuple[str, ...]
    extra: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Worklist:
    """Studies to read.

    Attributes:
        root: The folder that the files' names start from.
        items: In the order of the table.
        extra: Names of the CSV's further columns.
    """

    root: Path
    items: tuple[Item, ...]
    extra: tuple[str, ...] = ()


def read_worklist(path: Path) -> Worklist:
    """Read a worklist.

    Args:
        path: A folder, whose studies are told as `grouping` says; or a CSV file with the columns study and
            file, one line a view, names relative to the CSV's folder. Its further columns go into the table.

    Raises:
        DatasetError: It is neither, holds no study, or a line or column is not as documented.
    """
    if path.is_dir():
        studies = group_folder(path)
        items = tuple(Item(study.study_id, study.files, ({},) * len(study.files)) for study in studies)
        worklist = Worklist(path, items)
    else:
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                worklist = _read_csv(path, file)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(
                f"The worklist {path} cannot be read ({error}). "
                f"Expected a folder of studies, or a CSV file in UTF-8 with the columns {STUDY} and {FILE}."
            ) from None
    if not worklist.items:
        raise DatasetError(
            f"The worklist {path} holds no study. Expected DICOM, PNG or JPEG files, or lines that name them."
        )
    return worklist


def _read_csv(path: Path, file: IO[str]) -> Worklist:
    lines = csv.DictReader(file)
    columns = tuple(lines.fieldnames or ())
    extra = tuple(name for name in columns if name not in (STUDY, FILE))
    _check_columns(path, columns)
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for line in lines:
        where = f"{path}, line {lines.line_num}"
        if None in line or None in line.values():
            raise DatasetError(f"{where}: expected {len(columns)} values, one for each column.")
        study, name = line[STUDY].strip(), line[FILE].strip()
        if not study or not name:
            raise DatasetError(f"{where}: the study or the file is empty. Expected both on every line.")
        if name in found.setdefault(study, {}):
            raise DatasetError(f"{where}: {name} is listed a second time for {study}. Remove the line.")
        found[study][name] = {column: line[column] for column in extra}
    items = tuple(Item(study, tuple(files), tuple(files.values())) for study, files in found.items())
    return Worklist(path.parent, items, extra)


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    shown = ", ".join(columns) or "none"
    if STUDY not in columns or FILE not in columns or "" in columns or len(set(columns)) != len(columns):
        raise DatasetError(
            f"{path} has the columns {shown}. Expected {STUDY}, {FILE} and any others, each named once."
        )
    taken = sorted(set(columns) & set(COLUMNS) - {STUDY, FILE})
    if taken:
        raise DatasetError(
            f"{path} has a column {taken[0]}, which the results have as well. Give it another name."
        )
