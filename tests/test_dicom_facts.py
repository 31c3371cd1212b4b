"""What is kept of a DICOM header beside its pixels, and nothing of the patient."""

from __future__ import annotations

import re

import pytest

from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from tests.radiograph_files import PATIENT, dicom_bytes, phantom, raw_text

BITS_12 = {"BitsStored": 12, "HighBit": 11}
FULL = {"WindowCenter": 2048, "WindowWidth": 4096}
FILM = phantom(96, 80)
FILM_12 = phantom(96, 80, bits=12)


def test_spacing_body_part_and_view_are_kept() -> None:
    film = read_radiograph(
        dicom_bytes(
            FILM,
            PixelSpacing=[0.2, 0.15],
            ImagerPixelSpacing=[0.3, 0.3],
            BodyPartExamined="HAND",
            ViewPosition="PA",
        )
    )
    assert (film.pixel_spacing_mm, film.body_part, film.view_position) == ((0.2, 0.15), "hand", "PA")
    bare = read_radiograph(dicom_bytes(FILM, PixelSpacing=[0, -1]))
    assert (bare.pixel_spacing_mm, bare.body_part, bare.view_position) == (None, None, None)


@pytest.mark.parametrize(
    ("stated", "detector", "spacing", "at_detector"),
    [
        (None, [0.3, 0.3], (0.3, 0.3), True),
        ([0.3, 0.3], [0.3, 0.3], (0.3, 0.3), True),
        ([0.2, 0.15], [0.3, 0.3], (0.2, 0.15), False),
        ([0.2, 0.15], None, (0.2, 0.15), False),
        (None, [0, -1], None, False),
    ],
)
def test_a_spacing_not_corrected_for_magnification_is_known_as_the_detectors(
    stated: list[float] | None, detector: list[float] | None, spacing: object, at_detector: bool
) -> None:
    tags = {"PixelSpacing": stated, "ImagerPixelSpacing": detector}
    film = read_radiograph(dicom_bytes(FILM, **{tag: value for tag, value in tags.items() if value}))
    assert (film.pixel_spacing_mm, film.spacing_at_detector) == (spacing, at_detector)


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom, while it writes such text
def test_text_tags_are_cleaned_and_bounded() -> None:
    film = read_radiograph(
        dicom_bytes(FILM, BodyPartExamined="<b>Hand</b>  &" + "x" * 300, ViewPosition="[31m")
    )
    assert film.body_part is not None
    assert re.fullmatch(r"[a-z0-9 _/.-]{1,16}", film.body_part)
    assert film.view_position == "31M"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("text", ["\x1b[31m", "HAND\x10\0\x10\0PN\x08\0DOE JANE", "DOE^JANE"])
def test_a_text_that_has_swallowed_its_neighbours_is_dropped_whole(text: str) -> None:
    assert read_radiograph(dicom_bytes(FILM, BodyPartExamined=text)).body_part is None
    with pytest.raises(ImageError, match="its modality is damaged"):
        read_radiograph(dicom_bytes(FILM, Modality=text))


def test_nothing_of_the_patient_is_kept_or_told(caplog: pytest.LogCaptureFixture) -> None:
    data = dicom_bytes(FILM_12, **BITS_12, **FULL, ImagerPixelSpacing="777777", BodyPartExamined="HAND")
    assert PATIENT.encode() in data
    film = read_radiograph(raw_text(data, "JANE"))  # where a number belongs; pydicom would quote it
    assert "JANE" not in repr(film)
    for damaged in (data[:-100], data[:500], raw_text(data, "JANE").replace(b"MONOCHROME2", b"MONO")):
        with pytest.raises(ImageError) as refusal:
            read_radiograph(damaged)
        assert "JANE" not in str(refusal.value)
        assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    assert caplog.text == ""
