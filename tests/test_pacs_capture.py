"""The Secondary Capture shows the overlay as the page does, and says in words and in tags what it is."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.overlay import CONTOUR_RGB, overlay
from mura_core.pacs.capture import LONGEST_SIDE_PX, build_captures
from mura_core.pacs.identity import RESEARCH_ONLY
from mura_core.pacs.legend import AMBER, NARROWEST_PX, with_legend
from mura_core.pacs.results import SOFTWARE, encode
from mura_core.study import Study, StudyResult
from tests.dicom_studies import STUDIES, analysed, cr_film, dx_film


def captures_of(*files: bytes) -> tuple[list[Dataset], Study, StudyResult]:
    """The captures as they are read back from their files."""
    sources, study, result = analysed(files)
    made = encode(build_captures(sources, study, result, software=SOFTWARE))
    return [pydicom.dcmread(BytesIO(content)) for content in made.values()], study, result


@pytest.mark.parametrize("film", [dx_film(1), cr_film(1)], ids=["DX", "MONOCHROME1 CR"])
def test_the_picture_is_the_overlay_and_the_words_cover_none_of_it(film: bytes) -> None:
    (capture,), study, result = captures_of(film)
    expected = overlay(study.views[0].radiograph.pixels, result.views[0].heatmap)
    height, width = expected.shape[:2]
    picture = capture.pixel_array
    np.testing.assert_array_equal(picture[:height, :width], expected)
    assert capture.SOPClassUID == SecondaryCaptureImageStorage
    assert (capture.PhotometricInterpretation, capture.SamplesPerPixel) == ("RGB", 3)
    assert picture.shape[0] > height
    assert (picture[height:] == AMBER).all(axis=2).any(), "the notice"
    assert (picture[height:] == CONTOUR_RGB).all(axis=2).any(), "the line's level on the scale"


def test_a_capture_is_not_taken_for_a_film() -> None:
    sources, study, result = analysed((dx_film(1),))
    (content,) = encode(build_captures(sources, study, result, software=SOFTWARE)).values()
    with pytest.raises(ImageError, match="a result of this program, not a radiograph"):
        read_radiograph(content)


def test_a_large_film_is_made_smaller_and_its_spacing_wider() -> None:
    film = dx_film(
        1,
        height=3000,
        width=2500,
        PixelSpacing=[0.1, 0.12],
        PixelSpacingCalibrationType="GEOMETRY",
        PixelSpacingCalibrationDescription="made up",
    )
    (capture,), _, _ = captures_of(film)
    picture = capture.pixel_array
    strip = np.flatnonzero((picture == AMBER).all(axis=2).any(axis=1)).max()
    assert capture.Columns == round(2500 * LONGEST_SIDE_PX / 3000)
    assert LONGEST_SIDE_PX < strip < capture.Rows
    assert [float(side) for side in capture.PixelSpacing] == pytest.approx(
        [0.1 * 3000 / LONGEST_SIDE_PX, 0.12 * 3000 / LONGEST_SIDE_PX]
    )
    assert capture.PixelSpacingCalibrationType == "GEOMETRY"


def test_the_spacing_at_the_detector_is_not_passed_off_as_the_bones() -> None:
    (capture,), _, _ = captures_of(dx_film(1))
    assert "PixelSpacing" not in capture


@pytest.mark.parametrize(("stated", "expected"), [("YES", "YES"), ("NO", "NO"), (None, None)])
def test_burned_in_annotation_is_what_the_film_says_of_the_patient(
    stated: str | None, expected: str | None
) -> None:
    (capture,), _, _ = captures_of(dx_film(1, BurnedInAnnotation=stated))
    assert capture.get("BurnedInAnnotation") == expected


def test_the_capture_says_where_it_comes_from_and_what_it_is_for() -> None:
    made, _, result = captures_of(*STUDIES["two DX films of one wrist"])
    for index, (capture, film) in enumerate(zip(made, STUDIES["two DX films of one wrist"], strict=True), 1):
        header = pydicom.dcmread(BytesIO(film))
        (source,) = capture.SourceImageSequence
        assert source.ReferencedSOPInstanceUID == header.SOPInstanceUID
        assert source.ReferencedSOPClassUID == header.SOPClassUID
        assert RESEARCH_ONLY in capture.DerivationDescription
        assert capture.ImageComments.startswith(RESEARCH_ONLY)
        view = result.views[index - 1]
        assert f"View {index} of 2 ({header.ViewPosition}): {view.call}, probability" in capture.ImageComments
        assert f"{result.model_name} {result.model_version}" in capture.ImageComments
        assert "film 1.dcm" not in capture.ImageComments
        assert list(capture.PatientOrientation) == ["R", "F"]
        assert (capture.Laterality, capture.BodyPartExamined) == ("L", "WRIST")
    assert len({capture.SeriesInstanceUID for capture in made}) == 1
    assert [int(capture.InstanceNumber) for capture in made] == [1, 2]


def test_a_rounded_probability_does_not_contradict_its_call() -> None:
    sources, study, result = analysed((dx_film(1),), 0.6499)
    (capture,) = build_captures(sources, study, result, software=SOFTWARE)
    assert "doubt, probability 0.6499" in capture.ImageComments
    assert "abnormal from 0.65)" in capture.ImageComments


def test_sides_that_differ_are_not_stated_for_the_series() -> None:
    made, _, _ = captures_of(*STUDIES["both hands"])
    assert [capture.Laterality or "" for capture in made] == ["", ""]


def test_the_loss_of_the_film_is_the_captures_too() -> None:
    (capture,), _, _ = captures_of(*STUDIES["a lossy digitised film"])
    assert capture.LossyImageCompression == "01"
    assert float(capture.LossyImageCompressionRatio) == 12
    (plain,), _, _ = captures_of(dx_film(1))
    assert "LossyImageCompression" not in plain


@pytest.mark.parametrize("width", [64, 480, 900, 2048])
def test_words_fit_the_picture_at_any_width(width: int) -> None:
    lines = (
        "View 1 of 2 (PA): abnormal, probability 0.86",
        "W" * 60,
        "densenet169 0.1.0-fracatlas, mura_core 0.1.0",
    )
    black = np.zeros((100, width, 3), np.uint8)
    full = with_legend(black, lines, RESEARCH_ONLY)
    assert full.shape[1] == max(width, NARROWEST_PX)
    strip = full[100:].max(axis=2)
    used = np.flatnonzero(strip.max(axis=0))
    assert used.min() > 0
    assert used.max() < full.shape[1] - 4, "a word runs out of the picture"
    rows = np.flatnonzero(strip.max(axis=1))
    assert rows.max() < len(strip) - 2, "a line runs out of the strip"


def test_letters_grow_with_the_film() -> None:
    def height_of_notice(width: int) -> int:
        full = with_legend(np.zeros((50, width, 3), np.uint8), ("a",), "RESEARCH")
        rows = np.flatnonzero((full == AMBER).all(axis=2).any(axis=1))
        return int(rows.max() - rows.min())

    small, large = height_of_notice(500), height_of_notice(2000)
    assert small >= 8
    assert large > 3 * small


def test_the_picture_is_not_changed() -> None:
    rng: Any = np.random.default_rng(0)
    picture = rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)
    before = picture.copy()
    with_legend(picture, ("a", "b"), "c")
    np.testing.assert_array_equal(picture, before)
    assert cv2.countNonZero(cv2.absdiff(before[:, :, 0], picture[:, :, 0])) == 0
