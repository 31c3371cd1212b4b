"""The one interface to the datasets, its census, and the counts on the real radiographs."""

from pathlib import Path

import pytest
from PIL import Image

import mura_core
from mura_core.datasets import SPLITS, census, census_table, is_arm, read_split
from mura_core.errors import DatasetError
from mura_core.fracatlas import shipped_split
from mura_core.study import BODY_PARTS
from tests.films import fracatlas_folder
from tests.mura_tree import draw_mura_tree


@pytest.fixture
def mura(tmp_path: Path) -> Path:
    return draw_mura_tree(tmp_path)


def test_an_empty_split_is_an_error(mura: Path) -> None:
    for path in mura.glob("valid_*.csv"):
        path.write_text("")
    with pytest.raises(DatasetError, match="no study in the split test"):
        read_split(mura, "mura", "test")


@pytest.mark.parametrize(
    ("dataset_format", "split", "named"),
    [("mura", "all", "'all'"), ("chexpert", "test", "'chexpert'"), ("mura", "train", "no folder")],
)
def test_an_unknown_format_split_or_folder_is_refused(dataset_format: str, split: str, named: str) -> None:
    with pytest.raises(DatasetError, match=named):
        read_split(Path("/nowhere"), dataset_format, split)


def test_a_patient_in_both_official_mura_folders_stops_the_census(mura: Path) -> None:
    stray = "valid/XR_HAND/patient00001/study9_negative"
    (mura / stray).mkdir(parents=True)
    Image.new("L", (6, 8)).save(mura / stray / "image1.png")
    with (mura / "valid_labeled_studies.csv").open("a") as labels:
        labels.write(f"MURA-v1.1/{stray}/,0\n")
    with (mura / "valid_image_paths.csv").open("a") as images:
        images.write(f"MURA-v1.1/{stray}/image1.png\n")
    with pytest.raises(DatasetError, match="patient00001 is in the splits train and test"):
        census_table(mura, "mura")


def test_the_census_counts_studies_views_patients_and_positives(mura: Path) -> None:
    records = read_split(mura, "mura", "train")
    rows = {row.group: row for row in census(records)}
    assert sum(rows[part].studies for part in BODY_PARTS) == rows["all"].studies == len(records)
    assert rows["all"].views == sum(len(study.views) for study in records)
    assert rows["all"].patients < rows["all"].studies
    assert rows["all"].positives == sum(study.label for study in records)
    assert "arm" not in rows
    lines = [line.split() for line in census_table(mura, "mura").splitlines()]
    whole = rows["all"]
    counts = [str(count) for count in (whole.studies, whole.views, whole.patients, whole.positives)]
    assert ["train", "all", *counts, f"{whole.positives / whole.studies:.1%}"] in lines


def test_no_image_is_listed_twice_in_the_shipped_split_list() -> None:
    listing = Path(mura_core.__file__).parent / "splits" / "fracatlas_split.csv"
    rows = [line for line in listing.read_text().splitlines() if line.startswith("IMG")]
    assert len(rows) == len({row.split(",")[0] for row in rows}) == len(shipped_split()) == 3203


def test_the_shipped_split_list_is_cut_in_blocks_of_neighbouring_ids() -> None:
    splits = shipped_split()
    blocks: dict[int, set[str]] = {}
    for name, split in splits.items():
        blocks.setdefault(int(name.removeprefix("IMG").removesuffix(".jpg")) // 40, set()).add(split)
    assert len(splits) == 3203
    assert all(len(found) == 1 for found in blocks.values())
    assert set(splits.values()) == set(SPLITS)


@pytest.mark.parametrize(
    ("split", "studies", "abnormal", "arm"),
    [("train", 2322, 368, 958), ("valid", 443, 88, 137), ("test", 438, 84, 169)],
)
def test_the_real_fracatlas_has_the_published_counts(
    split: str, studies: int, abnormal: int, arm: int
) -> None:
    records = read_split(fracatlas_folder(), "fracatlas", split)
    assert len(records) == studies
    assert sum(study.label for study in records) == abnormal
    assert sum(is_arm(study) for study in records) == arm


def test_every_real_fracture_is_boxed_but_one_drawn_on_a_turned_image() -> None:
    views = [
        study.views[0] for split in SPLITS for study in read_split(fracatlas_folder(), "fracatlas", split)
    ]
    fractured = [view for view in views if "fractured" in view.tags]
    assert len(fractured) == 540
    assert [view.path.stem for view in fractured if not view.boxes] == ["IMG0002628"]


def test_no_real_image_is_in_two_splits_and_the_census_says_what_a_patient_is() -> None:
    table = census_table(fracatlas_folder(), "fracatlas")
    assert "no patient ids" in table
    assert ["test", "arm", "169"] in [line.split()[:3] for line in table.splitlines()]
