"""The truth file of a session: a CSV with one line for each study of which the truth is known."""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.checks import is_mark
from mura_core.review.types import Case, Finding, Mark, Truth

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

COLUMNS = ("case_id", "label", "body_part", "findings", "boxes", "patient_id")
"""The first two are required."""

MAX_BYTES = 8 * 1024**2

_MAX_SHOWN = 60

_LABELS = {"0": 0, "normal": 0, "negative": 0, "1": 1, "abnormal": 1, "positive": 1}
_NO_BOXES = "none"


@dataclass(frozen=True)
class TruthRow:
    """One line of the file.

    Attributes:
        where: File and line, for errors.
        case_id: As the line names it.
        truth: What it says.
        body_part: In lower case; "" leaves the case's own.
        patient_id: "" leaves the case's own.
    """

    where: str
    case_id: str
    truth: Truth
    body_part: str = ""
    patient_id: str = ""


def read_truth(content: bytes, name: str) -> tuple[TruthRow, ...]:
    """Read a truth file.

    Commas or semicolons separate the columns. `findings` are words of `Finding`, separated by blanks or bars.
    `boxes` are separated by bars, each `view top left height width`: the view counted from 1, the rest in
    fractions of the film; "none" says that somebody looked and marked nothing, an empty cell that nobody did.

    Args:
        content: The file, UTF-8.
        name: Its name, for errors.

    Raises:
        SessionError: The file or a row is not of that form; the text names the row.
    """
    table = csv.DictReader(io.StringIO(_decode(content, name)), delimiter=_delimiter(content), strict=True)
    rows: list[TruthRow] = []
    seen: dict[str, int] = {}
    try:
        _check_columns(table.fieldnames or (), name)
        for cells in table:
            where = f"{name}, line {table.line_num}"
            if not any(isinstance(cell, str) and cell.strip() for cell in cells.values()):
                continue
            row = _row(cells, where)
            if row.case_id in seen:
                raise SessionError(
                    f"{where}: {row.case_id[:_MAX_SHOWN]} was on line {seen[row.case_id]} already. "
                    "Keep one line for each study."
                )
            seen[row.case_id] = table.line_num
            rows.append(row)
    except csv.Error as error:
        raise SessionError(f"{name}, after line {table.line_num}: {error}. Save it as CSV again.") from None
    if not rows:
        raise SessionError(
            f"{name} has no line below its header. Expected one for each study of known truth."
        )
    return tuple(rows)


def apply_truth(
    cases: Sequence[Case], rows: Sequence[TruthRow], refused: Collection[str] = ()
) -> tuple[Case, ...]:
    """Give each case what the truth file says of it; it outweighs what a folder's name says.

    A line may leave out a file's ending ("film7" for "film7.png") where no other case fits.

    Args:
        cases: The cases.
        rows: Of `read_truth`. Cases without a line stay as they are.
        refused: Names that a line may have though there is no such case, because the films were refused.

    Raises:
        SessionError: A line names no case, or a box lies on no view of it; the text names the row.
    """
    by_id = {case.case_id: case for case in cases}
    short = _unique_stems(cases)
    changed: dict[str, Case] = {}
    for row in rows:
        case_id = row.case_id if row.case_id in by_id else short.get(row.case_id, "")
        if not case_id and row.case_id in refused:
            continue
        if not case_id:
            raise SessionError(
                f"{row.where}: there is no study {_shown(row.case_id)}.{_nearest(row.case_id, by_id)}"
            )
        if case_id in changed:
            raise SessionError(f"{row.where}: the study {case_id} has a line already. Keep one for each.")
        changed[case_id] = _changed(by_id[case_id], row)
    return tuple(changed.get(case.case_id, case) for case in cases)


def _changed(case: Case, row: TruthRow) -> Case:
    for box in row.truth.boxes or ():
        if not is_mark(box, views=len(case.views)):
            raise SessionError(
                f"{row.where}: the box on view {box.view + 1} lies on no film of {case.case_id}, which has "
                f"{len(case.views)} views. Expected view top left height width, the last four within 0 and 1."
            )
    return replace(
        case,
        truth=row.truth,
        body_part=row.body_part or case.body_part,
        patient_id=row.patient_id or case.patient_id,
    )


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise SessionError(f"{name} is larger than {MAX_BYTES // 1024**2} MiB: it is no truth file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SessionError(f'{name}, line {line}, is not UTF-8 text. Save it as "CSV UTF-8".') from None


def _delimiter(content: bytes) -> str:
    header = content.partition(b"\n")[0]
    return ";" if header.count(b";") > header.count(b",") else ","


def _check_columns(columns: Sequence[str], name: str) -> None:
    absent = [column for column in COLUMNS[:2] if column not in columns]
    foreign = [column for column in columns if column not in COLUMNS]
    if absent or foreign or len(set(columns)) != len(columns):
        found = ", ".join(map(_shown, columns[:9])) or "missing"
        raise SessionError(
            f"{name}, line 1: the columns are {found}. Expected case_id, label "
            f"and, if known, {', '.join(COLUMNS[2:])}."
        )


def _row(cells: Mapping[str | None, object], where: str) -> TruthRow:
    if None in cells or None in cells.values():
        raise SessionError(f"{where}: the line has not as many cells as the header. Correct the line.")
    cell = {str(column): str(text).strip() for column, text in cells.items()}
    if not cell["case_id"]:
        raise SessionError(f"{where}: the case_id is empty. Name the study.")
    label = _LABELS.get(cell["label"].lower())
    if label is None:
        raise SessionError(
            f"{where}: the label is {_shown(cell['label'])}. Expected 0 or normal, 1 or abnormal."
        )
    return TruthRow(
        where=where,
        case_id=cell["case_id"].replace("\\", "/").rstrip("/"),
        truth=Truth(label, _findings(cell.get("findings", ""), where), _boxes(cell.get("boxes", ""), where)),
        body_part=cell.get("body_part", "").lower(),
        patient_id=cell.get("patient_id", ""),
    )


def _findings(text: str, where: str) -> frozenset[Finding]:
    words = [word for word in re.split(r"[\s|;,]+", text.lower()) if word]
    unknown = sorted(set(words) - set(Finding))
    if unknown:
        raise SessionError(
            f"{where}: {_shown(unknown[0])} is no finding. Expected any of {', '.join(Finding)}."
        )
    return frozenset(Finding(word) for word in words)


def _boxes(text: str, where: str) -> tuple[Mark, ...] | None:
    if not text:
        return None
    if text.lower() == _NO_BOXES:
        return ()
    return tuple(_box(piece, where) for piece in re.split(r"[|;]", text) if piece.strip())


def _box(text: str, where: str) -> Mark:
    try:
        view, *edges = text.split()
        top, left, height, width = (float(edge) for edge in edges)
        number = int(view)
        if number < 1 or not all(math.isfinite(edge) for edge in (top, left, height, width)):
            raise ValueError
    except ValueError:
        raise SessionError(
            f"{where}: the box is {_shown(text.strip())}. Expected view top left height width, such as "
            '"1 0.25 0.4 0.1 0.08", or none.'
        ) from None
    return Mark(number - 1, top, left, height, width)


def _unique_stems(cases: Sequence[Case]) -> dict[str, str]:
    """Give the case for each name without its ending that means one case alone."""
    stems: dict[str, list[str]] = {}
    for case in cases:
        path = PurePosixPath(case.case_id)
        stems.setdefault(str(path.with_suffix("")), []).append(case.case_id)
    return {stem: found[0] for stem, found in stems.items() if len(found) == 1}


def _shown(text: str) -> str:
    """Quote a cell; a file that is no table has cells of a hundred thousand letters."""
    return repr(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "...")


def _nearest(case_id: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(case_id, known, n=1)
    some = ", ".join(sorted(known)[:3])
    return f" Is {near[0]!r} meant?" if near else f" The studies are called {some}, and so on."
