"""Which files make one study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.grouping import group_folder
from mura_core.mura import read_mura
from tests.mura_tree import draw_mura_tree
from tests.radiograph_files import phantom, write_dicom

if TYPE_CHECKING:
    from pathlib import Path


def grouped(folder: Path) -> dict[str, list[str]]:
    return {study.study_id: list(study.files) for study in group_folder(folder)}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"content")


def test_folders_of_pictures_are_studies_and_loose_pictures_studies_of_one_view(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a.JPG", "wrist/2.png", "wrist/1.png", "wrist/notes.txt")
    assert grouped(tmp_path) == {
        "a.JPG": ["a.JPG"],
        "b.png": ["b.png"],
        "wrist": ["wrist/1.png", "wrist/2.png"],
    }


def test_dicom_goes_by_study_wherever_it_lies_and_whatever_it_is_called(tmp_path: Path) -> None:
    film = phantom(96, 80)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    write_dicom(tmp_path / "one" / "IM2", film, StudyInstanceUID="1.2.3", SeriesNumber=1, InstanceNumber=10)
    write_dicom(
        tmp_path / "two" / "IM1.png", film, StudyInstanceUID="1.2.3", SeriesNumber=1, InstanceNumber=9
    )
    write_dicom(tmp_path / "two" / "IM3", film, StudyInstanceUID="1.2.4")
    touch(tmp_path, "two/DICOMDIR", "two/readme")
    assert grouped(tmp_path) == {"1.2.3": ["two/IM1.png", "one/IM2"], "1.2.4": ["two/IM3"]}


def test_a_damaged_dicom_stays_with_its_folder_to_be_refused_by_name(tmp_path: Path) -> None:
    touch(tmp_path, "knee/a.dcm", "knee/b.png")
    write_dicom(tmp_path / "knee" / "c.dcm", phantom(96, 80), StudyInstanceUID=None)
    assert grouped(tmp_path) == {"knee": ["knee/c.dcm", "knee/a.dcm", "knee/b.png"]}


def test_each_film_of_fracatlas_is_a_study(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "dataset.csv",
        "images/Fractured/1.jpg",
        "images/Fractured/2.jpg",
        "images/Non_fractured/3.jpg",
    )
    assert [len(files) for files in grouped(tmp_path).values()] == [1, 1, 1]


def test_mura_comes_out_as_its_studies(tmp_path: Path) -> None:
    home = draw_mura_tree(tmp_path, patients=3)
    records = [record for split in ("train", "valid", "test") for record in read_mura(home, split)]
    expected = {record.study_id: [view.path for view in record.views] for record in records}
    found = {name: [home / file for file in files] for name, files in grouped(home).items()}
    assert found == {name: sorted(paths) for name, paths in expected.items()}


def test_hidden_files_are_not_films(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.png", "a/._1.png", "__MACOSX/a/1.png", ".cache/2.png")
    assert grouped(tmp_path) == {"a": ["a/1.png"]}
