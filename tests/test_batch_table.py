"""What a batch reads from and writes to: worklist, journal, table and summary."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mura_core.batch.journal import Journal
from mura_core.batch.summary import Summary
from mura_core.batch.table import check_format
from mura_core.batch.worklist import read_worklist
from mura_core.errors import DatasetError, MuraError


def outcome(**parts: Any) -> dict[str, Any]:
    return {"final": True, "views": [], **parts}


def test_a_line_cut_short_is_dropped_and_later_lines_win(tmp_path: Path) -> None:
    results = tmp_path / "results.csv"
    journal = Journal(results)
    journal.add("a", "key", outcome(study_call="normal"))
    journal.add("a", "key", outcome(study_call="abnormal"))
    journal.add("b", "key", outcome(final=False))
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'{"study": "c", "key": "key", "outcome": {"final": true')
    again = Journal(results)
    assert again.has("a", "key")
    assert not again.has("a", "other key")
    assert not again.has("b", "key"), "what may end better is read again"
    assert not again.has("c", "key")
    again.add("c", "key", outcome())
    assert again.outcome("a") == outcome(study_call="abnormal")
    again.close()
    assert all(json.loads(line) for line in journal.path.read_text().splitlines())


def test_only_one_run_writes_a_table(tmp_path: Path) -> None:
    first = Journal(tmp_path / "results.csv")
    with pytest.raises(MuraError, match="Another run is writing"):
        Journal(tmp_path / "results.csv")
    first.close()
    Journal(tmp_path / "results.csv").close()


def test_a_csv_worklist_brings_its_further_columns(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("study,file,label\nb,one.png,1\na,two.png,0\nb,three.png,1\n", encoding="utf-8-sig")
    worklist = read_worklist(path)
    assert [(item.study, item.files) for item in worklist.items] == [
        ("b", ("one.png", "three.png")),
        ("a", ("two.png",)),
    ]
    assert worklist.extra == ("label",)
    assert worklist.items[0].extra == ({"label": "1"}, {"label": "1"})
    assert worklist.root == tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,path\na,b\n", "has the columns name, path"),
        ("study,file,view_call\na,b,c\n", "a column view_call, which the results have"),
        ("study,file\na\n", "line 2: expected 2 values"),
        ("study,file\na,b,c\n", "line 2: expected 2 values"),
        ("study,file\n,b\n", "line 2: the study or the file is empty"),
        ("study,file\na,b\na,b\n", "line 3: b is listed a second time"),
        ("study,file\n", "holds no study"),
    ],
)
def test_a_worklist_that_is_not_as_documented_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_worklist(path)


def test_a_worklist_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DatasetError, match="worklist"):
            read_worklist(path)


def test_the_results_name_says_their_format(tmp_path: Path) -> None:
    with pytest.raises(MuraError, match=r"Expected \.parquet or \.csv"):
        check_format(tmp_path / "results.xlsx")


def test_without_pyarrow_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    with pytest.raises(MuraError, match=r"pip install -e '\.\[batch\]', or let --out end in \.csv"):
        check_format(tmp_path / "results.parquet")


def test_the_summary_counts_reasons_by_their_first_sentence() -> None:
    row = {"study_views": 1, "study_call": "normal", "error": None}
    refused = {"study_views": 0, "study_call": None, "error": "Empty file. Export it again."}
    summary = Summary(resumed=1, seconds=2.0)
    for rows in ([row], [row], [refused], [refused]):
        summary.count(rows)
    assert summary.text().splitlines() == [
        "studies  4 (3 read now, 1 by an earlier run)",
        "views    2 of 4 files",
        "calls    2 normal, 2 none",
        "time     2.0 s, 1.50 studies/s",
        "refused  2 x Empty file",
    ]
    assert summary.refused == 2
