"""Reading back the table of studies that `study_table.write_csv` writes."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

from mura_core.errors import DatasetError
from mura_core.records import read_text
from mura_core.study import Call
from mura_core.study_table import CSV_COLUMNS, StudyRow, ViewRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def without_names(rows: Sequence[StudyRow]) -> list[StudyRow]:
    """Number patients, studies and views: where weights go, names of a hospital's data must not follow.

    Patients keep their order, on which what a bootstrap draws depends: every figure stays as it is.
    """
    order = {name: rank for rank, name in enumerate(sorted({row.patient_id for row in rows}), start=1)}
    return [
        replace(
            row,
            study_id=f"study {number:06}",
            patient_id=f"patient {order[row.patient_id]:06}",
            views=tuple(replace(view, name=str(index)) for index, view in enumerate(row.views, start=1)),
        )
        for number, row in enumerate(rows, start=1)
    ]


def read_csv(path: Path) -> list[StudyRow]:
    """Read the studies; where their heatmaps pointed is not in the file.

    Args:
        path: The file.

    Raises:
        DatasetError: It is missing, or no such table; the text names the line.
    """
    reader = csv.DictReader(io.StringIO(read_text(path, "one line for each study that was measured")))
    if tuple(reader.fieldnames or ()) != CSV_COLUMNS:
        raise DatasetError(
            f"{path}, line 1: the columns are {', '.join(reader.fieldnames or ())}. Expected "
            f"{', '.join(CSV_COLUMNS)}, as this version's `evaluate` writes them: run it again."
        )
    rows = []
    for line in reader:
        try:
            rows.append(_row(line))
        except (ValueError, KeyError, AttributeError) as error:
            raise DatasetError(
                f"{path}, line {reader.line_num}: {error}. Expected one study as `evaluate` writes it."
            ) from None
    if not rows:
        raise DatasetError(f"{path} has no study. Expected one line for each that was measured.")
    return rows


def _row(line: Mapping[str, str]) -> StudyRow:
    flags = {name: _one_of(line, name, ("0", "1")) == "1" for name in ("arm", "hardware", "label")}
    views = zip(line["views"].split(";"), line["view_probabilities"].split(";"), strict=True)
    return StudyRow(
        study_id=line["study"],
        patient_id=line["patient"],
        body_part=line["body_part"],
        label=int(flags["label"]),
        arm=flags["arm"],
        hardware=flags["hardware"],
        probability=_probability(line["probability"]),
        call=Call(line["call"]),
        views=tuple(ViewRow(name, _probability(value)) for name, value in views),
    )


def _one_of(line: Mapping[str, str], name: str, expected: tuple[str, ...]) -> str:
    if line[name] not in expected:
        raise ValueError(f"{name} is {line[name]!r}, expected {' or '.join(expected)}")
    return line[name]


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{text} is no probability from 0 to 1")
    return value
