"""The calls of a session as CSV in long form, fit for an analysis of many readers and many cases."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from mura_core.review.rows import collect_rows
from mura_core.review.types import Finding, Mark

if TYPE_CHECKING:
    from pathlib import Path

    from mura_core.review.rows import ReadingRow
    from mura_core.review.store import SessionStore

COLUMNS = (
    "session",
    "reader",
    "case_id",
    "patient_id",
    "body_part",
    "truth",
    "truth_findings",
    "condition",
    "showing",
    "verdict",
    "confidence",
    "findings",
    "marks",
    "reading_s",
    "opened_at",
    "committed_at",
    "ai_probability",
    "ai_call",
    "model",
)
"""One row for each reader, case, showing and condition. Empty is: not known.

`truth` is 1 or 0. Findings are joined by `|`. `marks` is JSON, a list of {"view": 0, "top": ..., "left": ...,
"height": ..., "width": ...} in fractions of the film. Text that a spreadsheet would run begins with an
apostrophe.
"""

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")  # full width: East Asian settings


def csv_text(store: SessionStore) -> str:
    """Every valid call of a session as CSV with a header, lines ended by CR LF (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in collect_rows(store):
        writer.writerow([guarded(cell) for cell in _cells(store.path.stem, row)])
    return text.getvalue()


def write_csv(store: SessionStore, path: Path) -> None:
    """Write `csv_text` in UTF-8, with the mark by which spreadsheets know it.

    Raises:
        OSError: The file cannot be written.
    """
    path.write_text(csv_text(store), encoding="utf-8-sig", newline="")


def guarded(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    >>> guarded("=1+1"), guarded("-"), guarded("wrist")
    ("'=1+1", "'-", 'wrist')
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _cells(session: str, row: ReadingRow) -> list[str]:
    truth, call, ai = row.case.truth, row.call, row.ai
    return [
        session,
        row.reader,
        row.case.case_id,
        row.case.patient_id,
        row.case.body_part,
        str(truth.label) if truth else "",
        _join(truth.findings) if truth else "",
        row.condition.value,
        "repeat" if row.repeat else "first",
        call.verdict.value,
        str(call.confidence),
        _join(call.findings),
        json.dumps([_mark(mark) for mark in call.marks]),
        f"{row.reading.reading_s:.3f}",
        row.reading.opened_at,
        row.reading.committed_at,
        repr(ai.probability) if ai else "",
        ai.call.value if ai else "",
        ai.model if ai else "",
    ]


def _join(findings: Iterable[Finding]) -> str:
    return "|".join(sorted(findings))


def _mark(mark: Mark) -> dict[str, float]:
    return dict(zip((field.name for field in fields(mark)), astuple(mark), strict=True))
