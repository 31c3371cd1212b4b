"""FracAtlas in its official layout; whatever is wrong in it is named with its place."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from mura_core.datasets import is_arm
from mura_core.errors import DatasetError
from mura_core.fracatlas import ANNOTATIONS, FLAGS, read_fracatlas
from mura_core.study import Box
from tests.atlas_tree import write_tables
from tests.edit import edit_line

# One line an image: split, flags, and the boxes as (left, top, width, height) in an image of 30 x 40 px.
ATLAS: dict[str, tuple[str, str, list[list[float]]]] = {
    "a.jpg": ("train", "hand fractured frontal", [[2, 3, 10, 5], [-4, 30.5, 50, 20]]),
    "b.jpg": ("train", "leg hardware lateral", []),
    "c.jpg": ("train", "hand shoulder mixed oblique", []),
    "d.jpg": ("train", "hip leg mixed fractured", []),
    "e.jpg": ("valid", "shoulder", []),
    "f.jpg": ("test", "hip fractured multiscan", [[1, 1, 2, 2]]),
}
ASSIGNMENT = {name: split for name, (split, _, _) in ATLAS.items()}


@pytest.fixture
def atlas(tmp_path: Path) -> Path:
    """Draw a FracAtlas of six listed images and one that the split list does not name."""
    rows, images, annotations = [], [], []
    for number, (name, (_, flags, boxes)) in enumerate([*ATLAS.items(), ("x.jpg", ("", "", []))]):
        shown = flags.split()
        rows.append({"image_id": name, **{flag: int(flag in shown) for flag in FLAGS}})
        path = tmp_path / "images" / ("Fractured" if "fractured" in shown else "Non_fractured") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30, 40), 90).save(path)
        images.append({"id": number, "file_name": name, "width": 30, "height": 40})
        annotations += [{"image_id": number, "bbox": box} for box in boxes]
    write_tables(tmp_path, rows, images, annotations)
    return tmp_path


def test_fracatlas_flags_become_label_body_part_and_tags(atlas: Path) -> None:
    fractured, hardware, mixed, both = read_fracatlas(atlas, "train", ASSIGNMENT)
    assert [study.label for study in (fractured, hardware, mixed, both)] == [1, 1, 0, 1]
    assert [study.body_part for study in (fractured, hardware, mixed, both)] == [
        "hand",
        "leg",
        "mixed",
        "mixed",
    ]
    assert [is_arm(study) for study in (fractured, hardware, mixed, both)] == [True, False, True, False]
    assert fractured.views[0].tags == {"hand", "fractured", "frontal"}
    assert (fractured.study_id, fractured.patient_id) == ("a", "a")
    assert fractured.views[0].path == atlas / "images" / "Fractured" / "a.jpg"


def test_fracatlas_boxes_are_clipped_to_the_image(atlas: Path) -> None:
    fractured = read_fracatlas(atlas, "train", ASSIGNMENT)[0]
    assert fractured.views[0].boxes == (
        Box(top=3, left=2, height=5, width=10),
        Box(top=30.5, left=0, height=9.5, width=30),
    )


def test_no_box_means_none_drawn_or_not_annotated(atlas: Path) -> None:
    _, hardware, whole, unannotated = read_fracatlas(atlas, "train", ASSIGNMENT)
    assert hardware.views[0].boxes == ()
    assert whole.views[0].boxes == ()
    assert unannotated.views[0].boxes is None


def test_boxes_drawn_on_a_turned_image_are_not_used(atlas: Path) -> None:
    path = atlas / "images" / "Fractured" / "a.jpg"
    Image.new("L", (40, 30), 90).save(path)
    assert read_fracatlas(atlas, "train", ASSIGNMENT)[0].views[0].boxes is None
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (40, 30), 90).save(path, exif=exif)
    assert len(read_fracatlas(atlas, "train", ASSIGNMENT)[0].views[0].boxes or ()) == 2


@pytest.mark.parametrize("box", [[31, 1, 5, 5], [1, 1, 0, 5], [1, 1, -3, 5], [1, 1, float("nan"), 5]])
def test_a_box_that_covers_nothing_is_an_error(atlas: Path, box: list[float]) -> None:
    content = json.loads((atlas / ANNOTATIONS).read_text())
    content["annotations"][1]["bbox"] = box
    (atlas / ANNOTATIONS).write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=r"annotation 1 \(a.jpg\): .* covers nothing"):
        read_fracatlas(atlas, "train", ASSIGNMENT)


BAD_ANNOTATIONS = {
    "{": "line 1, column 2",
    "[]": "no lists",
    '{"images": [], "annotations": [{"image_id": 7, "bbox": [1, 1, 1, 1]}]}': "annotation 0: KeyError 7",
    '{"images": [{"id": 1}], "annotations": []}': "image 0: KeyError 'file_name'",
    '{"images": [{"id": 0, "file_name": "a.jpg", "width": 30, "height": 40}],'
    ' "annotations": [{"image_id": 0, "bbox": [1, 2, 3]}]}': "annotation 0: ValueError",
}


@pytest.mark.parametrize("text", BAD_ANNOTATIONS)
def test_bad_annotations_are_named_with_their_place(atlas: Path, text: str) -> None:
    (atlas / ANNOTATIONS).write_text(text)
    with pytest.raises(DatasetError, match=re.escape(BAD_ANNOTATIONS[text])):
        read_fracatlas(atlas, "train", ASSIGNMENT)


BAD_TABLES = {
    "a flag of 2": (2, lambda line: line.replace("1", "2", 1), "line 2: hand is '2'"),
    "a short line": (2, lambda _: "a.jpg,1,0\n", "line 2: hip is None"),
    "no body part": (2, lambda line: line.replace("1", "0", 1), "line 2: no body part"),
    "an image twice": (2, lambda line: line + line, "line 3: a.jpg is listed a second time"),
    "a line lost": (2, lambda _: "", "no line for a.jpg"),
    "another header": (1, lambda line: line.replace("leg", "foot"), "line 1: no column leg"),
    "the wrong folder": (3, lambda line: line.replace("hardware", "").replace(",0", ",1"), "contradicts"),
}


@pytest.mark.parametrize("fault", BAD_TABLES)
def test_a_bad_fracatlas_line_is_named(atlas: Path, fault: str) -> None:
    number, change, found = BAD_TABLES[fault]
    edit_line(atlas / "dataset.csv", number, change)
    with pytest.raises(DatasetError, match=re.escape(found)):
        read_fracatlas(atlas, "train", ASSIGNMENT)


@pytest.mark.parametrize("name", ["dataset.csv", ANNOTATIONS, "images/Non_fractured/c.jpg"])
def test_a_missing_fracatlas_file_is_named(atlas: Path, name: str) -> None:
    (atlas / name).unlink()
    with pytest.raises(DatasetError, match=re.escape(str(atlas / name))):
        read_fracatlas(atlas, "train", ASSIGNMENT)


def test_an_annotated_image_that_is_no_image_is_named(atlas: Path) -> None:
    path = atlas / "images" / "Fractured" / "a.jpg"
    path.write_text("not an image")
    with pytest.raises(DatasetError, match=r"a\.jpg cannot be opened as an image"):
        read_fracatlas(atlas, "train", ASSIGNMENT)
