"""The truth file: what its columns mean, and that what is wrong in it is named by its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mura_core.errors import SessionError
from mura_core.review.cases import open_cases
from mura_core.review.truth import apply_truth, read_truth
from mura_core.review.types import Case, Finding, Mark, Truth
from tests.radiograph_files import phantom, png_bytes
from tests.session_case import CASES

if TYPE_CHECKING:
    from pathlib import Path

FULL = """case_id,label,body_part,findings,boxes,patient_id
case0,1,Hand,fracture hardware,1 0.1 0.2 0.3 0.4|2 0.5 0.5 0.1 0.1,p7

case1,normal,,,none,
case2,positive,,other,,
"""


def truths(text: str, cases: tuple[Case, ...] = CASES) -> dict[str, Truth | None]:
    return {case.case_id: case.truth for case in apply_truth(cases, read_truth(text.encode(), "t.csv"))}


def test_every_column_is_read() -> None:
    first, second, third, fourth, *_ = apply_truth(CASES, read_truth(FULL.encode(), "t.csv"))
    assert first.truth == Truth(
        1,
        frozenset({Finding.FRACTURE, Finding.HARDWARE}),
        (Mark(0, 0.1, 0.2, 0.3, 0.4), Mark(1, 0.5, 0.5, 0.1, 0.1)),
    )
    assert (first.body_part, first.patient_id) == ("hand", "p7")
    assert second.truth == Truth(0, frozenset(), ())
    assert (second.body_part, second.patient_id) == (CASES[1].body_part, CASES[1].patient_id)
    assert third.truth == Truth(1, frozenset({Finding.OTHER}), None)
    assert fourth == CASES[3]


def test_semicolons_and_the_byte_order_mark_of_spreadsheets_are_read() -> None:
    text = "\ufeffcase_id;label;findings\r\ncase0;0;fracture|other\r\n"
    assert truths(text)["case0"] == Truth(0, frozenset({Finding.FRACTURE, Finding.OTHER}))


def test_a_files_ending_may_be_left_out_where_one_study_alone_is_meant() -> None:
    films = tuple(Case(name, name, "", (name,)) for name in ("a.png", "b.png", "b.jpg"))
    assert truths("case_id,label\na,1\nb.png,0\n", films)["a.png"] == Truth(1)
    with pytest.raises(SessionError, match="line 2: there is no study 'b'"):
        truths("case_id,label\nb,1\n", films)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("case0,2", "line 2: the label is '2'"),
        ("case0,1\ncase1,", "line 3: the label is ''"),
        ("case0,1\n\ncase0,0", "line 4: case0 was on line 2"),
        ("case0,1\ncase9,0", "line 3: there is no study 'case9'.*meant"),
        (",1", "line 2: the case_id is empty"),
        ("case0", "line 2: the line has not as many cells"),
        ("case0,1,x", "line 2: the line has not as many cells"),
        ('case0,"1', "after line 1: .*Save it as CSV again"),
        ("", "no line below its header"),
    ],
)
def test_a_wrong_row_is_named(rows: str, text: str) -> None:
    with pytest.raises(SessionError, match=text):
        truths(f"case_id,label\n{rows}\n")


@pytest.mark.parametrize(
    "boxes",
    ["1 0.1 0.2 0.3", "0 0.1 0.2 0.3 0.4", "1 a b c d", "1 nan 0 0 0", "3 0 0 1 1", "1 0.9 0 0.2 0.1"],
)
def test_a_wrong_box_is_named_by_its_row(boxes: str) -> None:
    with pytest.raises(SessionError, match="line 3.*box"):
        truths(f"case_id,label,boxes\ncase1,0,\ncase0,1,{boxes}\n")


def test_an_unknown_finding_is_named_by_its_row() -> None:
    with pytest.raises(SessionError, match="line 2: 'cat' is no finding. Expected any of fracture"):
        truths("case_id,label,findings\ncase0,1,fracture cat\n")


@pytest.mark.parametrize("header", ["case_id", "label", "case_id,label,colour", "case_id,label,label", ""])
def test_a_wrong_header_is_named(header: str) -> None:
    with pytest.raises(SessionError, match="line 1: the columns are"):
        read_truth(f"{header}\ncase0,1\n".encode(), "t.csv")


def test_other_encodings_and_other_files_are_named() -> None:
    with pytest.raises(SessionError, match="line 2, is not UTF-8.*CSV UTF-8"):
        read_truth("case_id,label\n손목,1\n".encode("cp949"), "t.csv")
    with pytest.raises(SessionError, match="larger than 8 MiB"):
        read_truth(bytes(9 * 1024**2), "t.csv")


def test_truth_at_the_top_of_a_folder_is_found_and_a_given_file_goes_before_it(tmp_path: Path) -> None:
    folder = tmp_path / "XR_WRIST" / "patient00001" / "study1_positive"
    folder.mkdir(parents=True)
    (folder / "image1.png").write_bytes(png_bytes(phantom(96, 80)))
    name = "XR_WRIST/patient00001/study1_positive"
    (tmp_path / "truth.csv").write_text(f"case_id,label,findings\n{name},1,fracture\n")
    [case] = open_cases(tmp_path).cases
    assert case.truth == Truth(1, frozenset({Finding.FRACTURE}))
    given = tmp_path / "other.csv"
    given.write_text(f"case_id,label\n{name},0\n")
    source = open_cases(tmp_path, given)
    assert source.cases[0].truth == Truth(0)
    assert [entry.name for entry in source.refused] == ["other.csv"]
    with pytest.raises(SessionError, match="cannot be read"):
        open_cases(tmp_path, tmp_path / "absent.csv")


def test_a_line_for_a_study_whose_films_were_refused_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_bytes(phantom(96, 80)))
    (tmp_path / "b.png").write_bytes(b"text")
    (tmp_path / "truth.csv").write_text("case_id,label\na.png,1\nb.png,0\n")
    assert open_cases(tmp_path).cases[0].truth == Truth(1)
