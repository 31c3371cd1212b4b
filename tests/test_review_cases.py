"""From folders to cases: what makes a study, what is refused by name."""

from __future__ import annotations

import os
import shutil
import struct
import tracemalloc
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from mura_core.errors import SessionError
from mura_core.review import cases, headers, studies
from mura_core.review.cases import check_films, open_cases
from mura_core.review.sources import read_view
from mura_core.review.types import Finding, Truth
from tests.films import fracatlas_folder
from tests.mura_tree import draw_mura_tree
from tests.radiograph_files import PATIENT, dicom_bytes, write_dicom
from tests.review_sources import FILM, PNG, put, reasons, views

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_of_films_is_a_study_and_a_film_at_the_top_is_one_too(tmp_path: Path) -> None:
    put(tmp_path, "b/2.png", "b/10.png", "b/1.png", "a/deep/1.png", "9.png", "10.png")
    source = open_cases(tmp_path)
    assert views(source) == {
        "9.png": ("9.png",),
        "10.png": ("10.png",),
        "a/deep": ("a/deep/1.png",),
        "b": ("b/1.png", "b/2.png", "b/10.png"),
    }
    assert all(case.patient_id == case.case_id and case.truth is None for case in source.cases)
    assert source.refused == ()


def test_dicom_is_grouped_by_study_wherever_it_lies_and_ordered_by_series_and_instance(
    tmp_path: Path,
) -> None:
    tags = [("x/3", "1.2", 2, 1), ("y/1", "1.2", 1, 2), ("x/2", "1.2", 1, 1), ("x/4", "1.3", 1, 1)]
    for name, study, series, instance in tags:
        put(tmp_path, name)
        write_dicom(
            tmp_path / name,
            FILM,
            StudyInstanceUID=study,
            SeriesNumber=series,
            InstanceNumber=instance,
            SOPInstanceUID=f"1.9.{series}.{instance}.{study}",
            BodyPartExamined="WRIST",
        )
    source = open_cases(tmp_path)
    assert views(source) == {"1.2": ("x/2", "y/1", "x/3"), "1.3": ("x/4",)}
    assert {case.body_part for case in source.cases} == {"wrist"}
    assert len({case.patient_id for case in source.cases}) == 1


def test_nothing_of_the_patient_is_kept_and_the_hash_leads_nowhere(tmp_path: Path) -> None:
    for number, patient in enumerate(["4711", "4711", "4712"]):
        write_dicom(
            tmp_path / f"{number}",
            FILM,
            StudyInstanceUID=f"1.{number}",
            PatientID=patient,
            SOPInstanceUID=f"1.{number}",
        )
    first, second = open_cases(tmp_path), open_cases(tmp_path)
    ids = [case.patient_id for case in first.cases]
    assert ids[0] == ids[1] != ids[2]
    assert ids != [case.patient_id for case in second.cases]
    kept = repr([asdict(case) for case in first.cases])
    for secret in ("4711", "4712", "19700101", *PATIENT.split("^")):
        assert secret not in kept


def test_a_study_of_two_body_parts_is_mixed_and_one_of_two_patients_is_nobodys(tmp_path: Path) -> None:
    for number, (part, patient) in enumerate([("HAND", "1"), ("KNEE", "2")]):
        write_dicom(
            tmp_path / f"{number}",
            FILM,
            StudyInstanceUID="1.5",
            BodyPartExamined=part,
            PatientID=patient,
            SOPInstanceUID=f"1.{number}",
        )
    [case] = open_cases(tmp_path).cases
    assert (case.body_part, case.patient_id) == ("mixed", "1.5")


def test_the_header_is_found_in_deflated_files_and_behind_large_elements() -> None:
    name = headers.patient_hash()
    deflated = dicom_bytes(FILM, DeflatedExplicitVRLittleEndian, StudyInstanceUID="1.2.3")
    assert headers.read_header(deflated, name).study == "1.2.3"
    assert headers.read_header(dicom_bytes(FILM, StudyInstanceUID="1.2.3")[:2000], name).study == "1.2.3"
    foreign = dicom_bytes(FILM, StudyInstanceUID="1.2.345").replace(b"1.2.345", b"../../x")
    assert headers.read_header(foreign, name).study == ""


def test_a_deflated_bomb_is_not_inflated() -> None:
    nothing = np.zeros((5000, 5000), np.uint16)
    bomb = dicom_bytes(nothing, DeflatedExplicitVRLittleEndian, StudyInstanceUID="1.2.3")
    assert len(bomb) < 10**6
    tracemalloc.start()
    try:
        assert headers.read_header(bomb, headers.patient_hash()).study == "1.2.3"
        assert tracemalloc.get_traced_memory()[1] < nothing.nbytes // 4
    finally:
        tracemalloc.stop()


def test_a_study_number_behind_a_megabyte_of_something_else_is_found(tmp_path: Path) -> None:
    data = dicom_bytes(FILM, StudyInstanceUID="1.2.3", InstanceCreatorUID=None)
    meta_end = 144 + struct.unpack("<I", data[140:144])[0]
    large = struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, 2 * 1024**2) + bytes(2 * 1024**2)
    # Private elements of group 9 stand between groups 8 and 16.
    group_16 = data.index(struct.pack("<HH2s", 0x0010, 0x0010, b"PN"), meta_end)
    (tmp_path / "film").write_bytes(data[:group_16] + large + data[group_16:])
    assert list(views(open_cases(tmp_path))) == ["1.2.3"]


def test_what_is_refused_is_named_and_what_systems_leave_is_not(tmp_path: Path) -> None:
    put(tmp_path, "wrist/1.png")
    put(tmp_path, "wrist/notes.txt", content=b"fracture")
    put(tmp_path, "wrist/inner.zip", content=b"PK\x03\x04rest")
    put(tmp_path, ".DS_Store", "wrist/._1.png", "__MACOSX/a.png", "wrist/Thumbs.db", "DICOMDIR")
    (tmp_path / "wrist" / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "wrist" / "pipe")
    source = open_cases(tmp_path)
    assert views(source) == {"wrist": ("wrist/1.png",)}
    found = reasons(source)
    assert found.keys() == {"wrist/notes.txt", "wrist/inner.zip", "wrist/gone.png", "wrist/pipe"}
    assert "text file" in found["wrist/notes.txt"]
    assert "ZIP" in found["wrist/inner.zip"]


def test_the_same_image_twice_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_dicom(tmp_path / name, FILM, StudyInstanceUID="1.2")
    source = open_cases(tmp_path)
    assert views(source) == {"1.2": ("a",)}
    assert "same image as a" in reasons(source)["b"]


def test_a_folder_with_too_many_films_for_one_study_is_named(tmp_path: Path) -> None:
    put(tmp_path, "one/1.png", *(f"many/{number}.png" for number in range(studies.MAX_VIEWS + 1)))
    source = open_cases(tmp_path)
    assert list(views(source)) == ["one"]
    assert "13 films" in reasons(source)["many"]


def test_too_many_studies_need_a_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MAX_CASES", 3)
    put(tmp_path, *(f"{number}.png" for number in range(8)))
    with pytest.raises(SessionError, match="8 studies; a session has at most 3"):
        open_cases(tmp_path)
    drawn = open_cases(tmp_path, count=3, seed=1)
    assert len(drawn.cases) == 3
    assert drawn == open_cases(tmp_path, count=3, seed=1)
    assert "3 of 8 studies" in drawn.notes[0]
    assert len({tuple(views(open_cases(tmp_path, count=3, seed=seed))) for seed in range(6)}) > 1


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, "study/1.png")
    (tmp_path / "study" / "round").symlink_to(tmp_path)
    assert views(open_cases(tmp_path)) == {"study": ("study/1.png",)}


def test_a_source_without_a_film_says_why(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", content=b"hello")
    with pytest.raises(SessionError, match=r"no radiograph.*a\.txt.*text file"):
        open_cases(tmp_path)
    with pytest.raises(SessionError, match="There is no"):
        open_cases(tmp_path / "absent")


def test_films_that_cannot_be_decoded_are_taken_out_by_name_before_anybody_reads(tmp_path: Path) -> None:
    put(tmp_path, "wrist/1.png", content=PNG[:200])
    put(tmp_path, "wrist/2.png", "hand/1.png")
    put(tmp_path, "elbow/1.png", content=dicom_bytes(FILM)[:150])
    (tmp_path / "truth.csv").write_text("case_id,label,boxes\nwrist,1,1 0 0 0.5 0.5|2 0.1 0.2 0.3 0.4\n")
    seen: list[tuple[int, int]] = []
    source = check_films(open_cases(tmp_path), lambda done, total: seen.append((done, total)))
    assert views(source) == {"hand": ("hand/1.png",), "wrist": ("wrist/2.png",)}
    truth = source.cases[1].truth
    assert truth is not None
    assert truth.boxes is not None
    assert [(box.view, box.top) for box in truth.boxes] == [(0, 0.1)]
    assert reasons(source).keys() == {"wrist/1.png", "elbow/1.png", "elbow"}
    assert seen[-1] == (4, 4)


def test_mura_brings_patient_body_part_and_truth(tmp_path: Path) -> None:
    home = draw_mura_tree(tmp_path, patients=6)
    source = open_cases(home / "train")
    assert len(source.cases) == 8
    for case in source.cases:
        part, patient, study = case.case_id.split("/")
        assert case.patient_id == patient
        assert case.body_part == part.removeprefix("XR_").lower()
        assert case.truth == Truth(int(study.endswith("positive")))
    assert source.notes == ()


def test_of_a_whole_mura_the_valid_folder_is_read_and_that_is_said(tmp_path: Path) -> None:
    home = draw_mura_tree(tmp_path, patients=6)
    source = open_cases(home)
    assert {case.case_id.partition("/")[0] for case in source.cases} == {"valid"}
    assert "valid folder" in source.notes[0]
    assert source.refused == ()
    packed = open_cases(
        tmp_path / shutil.make_archive(str(tmp_path / "MURA-v1.1"), "zip", tmp_path, "MURA-v1.1")
    )
    assert [case.case_id for case in packed.cases] == [case.case_id for case in source.cases]
    assert [case.truth for case in packed.cases] == [case.truth for case in source.cases]


def test_fracatlas_brings_the_test_split_with_flags_and_boxes_in_fractions() -> None:
    folder = fracatlas_folder()
    source = open_cases(folder)
    assert len(source.cases) == 438
    truths = {case.case_id: case.truth for case in source.cases}
    assert sum(truth.label for truth in truths.values() if truth) == 84
    boxed = [truth for truth in truths.values() if truth and truth.boxes]
    assert len(boxed) > 20
    for truth in boxed:
        assert Finding.FRACTURE in truth.findings
        for box in truth.boxes or ():
            assert 0 <= box.top < box.top + box.height <= 1 + 1e-9
            assert 0 <= box.left < box.left + box.width <= 1 + 1e-9
    assert "test split" in source.notes[0]
    assert read_view(folder, source.cases[0], 0).startswith(b"\xff\xd8")


def test_a_view_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "in/1.png", "secret.png")
    [case, *_] = open_cases(tmp_path / "in").cases
    for name in ("../secret.png", str(tmp_path / "secret.png")):
        with pytest.raises(SessionError, match="outside"):
            read_view(tmp_path / "in", replace(case, views=(name,)), 0)
    with pytest.raises(SessionError, match="no view 2"):
        read_view(tmp_path / "in", case, 1)
    (tmp_path / "in" / "1.png").unlink()
    with pytest.raises(SessionError, match="put it back"):
        read_view(tmp_path / "in", case, 0)
