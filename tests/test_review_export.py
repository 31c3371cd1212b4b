"""The CSV of a session: every standing call once, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from mura_core.review.export import COLUMNS, csv_text, guarded, write_csv
from mura_core.review.store import SessionStore
from mura_core.review.types import Case, Condition, Finding, Mark, Mode, ReaderCall, Truth, Verdict

if TYPE_CHECKING:
    from pathlib import Path

CALL = ReaderCall(
    Verdict.UNSURE,
    55,
    frozenset({Finding.OTHER, Finding.FRACTURE}),
    (Mark(0, 0.25, 0.5), Mark(0, 0.1, 0.2, 0.3, 0.4)),
)


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def one_call(path: Path, *, case_id: str = "c", reader: str = "ann", body_part: str = "hand") -> SessionStore:
    truth = Truth(1, frozenset({Finding.FRACTURE}))
    case = Case(case_id, "p,1", body_part, ("a.png",), truth)
    store = SessionStore.create(path, [case], source="films", mode=Mode.UNAIDED, seed=0, repeats=0)
    store.join(reader)
    store.start(reader, 0)
    store.commit(reader, 0, Condition.UNAIDED, CALL)
    return store


def test_a_call_is_a_row_with_everything_in_it(tmp_path: Path) -> None:
    store = one_call(tmp_path / "monday.sqlite")
    text = csv_text(store)
    assert text.splitlines()[0] == ",".join(COLUMNS)
    (line,) = lines_of(text)
    assert json.loads(line["marks"]) == [
        {"view": 0, "top": 0.25, "left": 0.5, "height": 0.0, "width": 0.0},
        {"view": 0, "top": 0.1, "left": 0.2, "height": 0.3, "width": 0.4},
    ]
    assert float(line["reading_s"]) >= 0
    assert line["opened_at"] <= line["committed_at"]
    expected = {
        "session": "monday",
        "reader": "ann",
        "case_id": "c",
        "patient_id": "p,1",
        "body_part": "hand",
        "truth": "1",
        "truth_findings": "fracture",
        "condition": "unaided",
        "showing": "first",
        "verdict": "unsure",
        "confidence": "55",
        "findings": "fracture|other",
        "ai_probability": "",
        "ai_call": "",
        "model": "",
    }
    assert {key: line[key] for key in expected} == expected


def test_a_withdrawn_call_is_not_in_it(tmp_path: Path) -> None:
    store = one_call(tmp_path / "s.sqlite")
    store.undo("ann", 0)
    assert lines_of(csv_text(store)) == []
    store.commit("ann", 0, Condition.UNAIDED, ReaderCall(Verdict.NORMAL, 3))
    assert [line["verdict"] for line in lines_of(csv_text(store))] == ["normal"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "＝", " ="])
def test_no_cell_is_a_formula(tmp_path: Path, sign: str) -> None:
    formula = f'{sign}HYPERLINK("http://evil","x")'
    store = one_call(tmp_path / "s.sqlite", case_id=formula, body_part=formula)
    (line,) = lines_of(csv_text(store))
    assert line["case_id"] == line["body_part"] == f"'{formula}"
    assert not any(guarded(cell) != cell for cell in line.values())


def test_the_file_is_utf_8_as_spreadsheets_know_it(tmp_path: Path) -> None:
    store = one_call(tmp_path / "s.sqlite", reader="김영희")
    write_csv(store, tmp_path / "calls.csv")
    raw = (tmp_path / "calls.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 2
    assert raw.decode("utf-8-sig") == csv_text(store)
    assert lines_of(raw.decode("utf-8-sig"))[0]["reader"] == "김영희"
