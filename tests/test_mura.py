"""MURA v1.1 as on disk; whatever is wrong in it is named with its place."""

import re
from pathlib import Path

import pytest

from mura_core.datasets import SPLITS, is_arm, read_split
from mura_core.errors import DatasetError
from mura_core.mura import is_tuning_patient
from mura_core.study import BODY_PARTS
from tests.edit import edit_line
from tests.mura_tree import draw_mura_tree


@pytest.fixture
def mura(tmp_path: Path) -> Path:
    return draw_mura_tree(tmp_path)


def test_no_mura_patient_crosses_a_split_and_none_is_lost(mura: Path) -> None:
    patients = {split: {study.patient_id for study in read_split(mura, "mura", split)} for split in SPLITS}
    assert not patients["train"] & patients["valid"]
    assert not (patients["train"] | patients["valid"]) & patients["test"]
    on_disk = {path.name for path in mura.glob("*/XR_*/patient*")}
    assert set().union(*patients.values()) == on_disk
    assert all(patients.values())


def test_mura_test_split_is_the_official_valid_folder(mura: Path) -> None:
    assert {study.study_id.split("/")[0] for study in read_split(mura, "mura", "test")} == {"valid"}
    tuning = read_split(mura, "mura", "train") + read_split(mura, "mura", "valid")
    assert {study.study_id.split("/")[0] for study in tuning} == {"train"}


def test_mura_studies_say_what_their_folders_say(mura: Path) -> None:
    studies = [study for split in SPLITS for study in read_split(mura, "mura", split)]
    for study in studies:
        _, part, patient, folder = study.study_id.split("/")
        assert study.body_part == part.removeprefix("XR_").lower()
        assert study.patient_id == patient
        assert study.label == int(folder.endswith("_positive"))
        assert {view.path for view in study.views} == set((mura / study.study_id).iterdir())
        assert is_arm(study)
        assert all(view.boxes is None for view in study.views)
    assert {study.body_part for study in studies} == set(BODY_PARTS)
    assert {len(study.views) for study in studies} == {1, 2, 3}


def test_mura_is_found_from_its_parent_folder_and_under_another_name(mura: Path) -> None:
    ids = [study.study_id for study in read_split(mura, "mura", "train")]
    assert [study.study_id for study in read_split(mura.parent, "mura", "train")] == ids
    renamed = mura.rename(mura.parent / "elsewhere")
    assert [study.study_id for study in read_split(renamed, "mura", "train")] == ids


def test_mura_lists_with_windows_line_ends_and_a_byte_order_mark_are_read(mura: Path) -> None:
    before = read_split(mura, "mura", "test")
    for path in mura.glob("valid_*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_split(mura, "mura", "test") == before


def test_about_a_tenth_of_the_patients_is_held_out_for_tuning() -> None:
    held_out = sum(is_tuning_patient(f"patient{number:05d}") for number in range(1, 11185))
    assert 0.09 < held_out / 11184 < 0.11


@pytest.mark.parametrize("name", ["valid_image_paths.csv", "valid_labeled_studies.csv"])
def test_a_missing_mura_list_is_named(mura: Path, name: str) -> None:
    (mura / name).unlink()
    with pytest.raises(DatasetError, match=name):
        read_split(mura, "mura", "test")


BAD_LINES = {
    "a header": ("valid_labeled_studies.csv", lambda _: "study,label\n", "'study,label'"),
    "no label": ("valid_labeled_studies.csv", lambda line: line.replace(",", ""), "<0|1>"),
    "label 2": ("valid_labeled_studies.csv", lambda line: line[:-2] + "2\n", ",2'"),
    "label against the folder": (
        "valid_labeled_studies.csv",
        lambda line: line[:-2] + ("0\n" if line[-2] == "1" else "1\n"),
        "contradicts the folder name",
    ),
    "a label of the other folder": (
        "valid_labeled_studies.csv",
        lambda line: line.replace("/valid/", "/train/"),
        "/valid/",
    ),
    "a patient without number": (
        "valid_image_paths.csv",
        lambda line: re.sub("patient[0-9]+", "patientX", line),
        "patient<N>",
    ),
    "a study twice": ("valid_labeled_studies.csv", lambda line: line + line, "a second time"),
    "an image twice": ("valid_image_paths.csv", lambda line: line + line, "a second time"),
    "the other folder": ("valid_image_paths.csv", lambda line: line.replace("valid/", "train/"), "/valid/"),
    "no MURA part": ("valid_image_paths.csv", lambda line: re.sub("XR_[A-Z]+", "XR_KNEE", line), "XR_KNEE"),
    "a path upwards": ("valid_image_paths.csv", lambda line: line.replace("image", "../image"), "Expected"),
    "no image": ("valid_image_paths.csv", lambda line: line.replace(".png", ".csv"), "image<J>.png"),
    "a study without label": (
        "valid_image_paths.csv",
        lambda line: re.sub("patient[0-9]+", "patient99999", line),
        "has no label",
    ),
}


@pytest.mark.parametrize("fault", BAD_LINES)
def test_a_bad_mura_line_is_named_with_file_and_number(mura: Path, fault: str) -> None:
    name, change, found = BAD_LINES[fault]
    edit_line(mura / name, 2, change)
    number = 3 if fault.endswith("twice") else 2
    with pytest.raises(DatasetError, match=re.escape(f"{name}, line {number}: ")) as error:
        read_split(mura, "mura", "test")
    assert found in str(error.value)


def test_a_labelled_mura_study_without_images_is_an_error(mura: Path) -> None:
    study = read_split(mura, "mura", "test")[0].study_id
    listing = mura / "valid_image_paths.csv"
    kept = [line for line in listing.read_text().splitlines(keepends=True) if study not in line]
    listing.write_text("".join(kept))
    with pytest.raises(DatasetError, match=f"names no image of {study}"):
        read_split(mura, "mura", "test")


def test_an_absent_mura_image_is_named_and_the_others_are_counted(mura: Path) -> None:
    absent = [view.path for study in read_split(mura, "mura", "test") for view in study.views][1:4]
    for path in absent:
        path.unlink()
    with pytest.raises(DatasetError, match=re.escape(f"{absent[0]} (and 2 more) is listed in")):
        read_split(mura, "mura", "test")


def test_a_list_that_is_not_text_is_refused(mura: Path) -> None:
    (mura / "valid_image_paths.csv").write_bytes(b"MURA\xff\xfe")
    with pytest.raises(DatasetError, match="is not UTF-8 text"):
        read_split(mura, "mura", "test")
