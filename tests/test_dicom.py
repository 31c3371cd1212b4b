"""DICOM radiographs: the pixel that every flag of the header asks for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from mura_core.images import read_radiograph
from mura_core.window import apply_window
from tests.radiograph_files import dicom_bytes, lut_item, phantom, raw_text, write_dicom

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
"""Every 12-bit value once: pixel number i holds i."""


BITS_12 = {"BitsStored": 12, "HighBit": 11}
FULL = {"WindowCenter": 2048, "WindowWidth": 4096}
MONO1 = {"PhotometricInterpretation": "MONOCHROME1"}
FILM = phantom(96, 80)
FILM_12 = phantom(96, 80, bits=12)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# name: tags, {pixel number: expected pixel}. The ramp makes the pixel number the stored value.
PIXELS: dict[str, tuple[dict[str, Any], dict[int, float]]] = {
    "full window": (FULL, {0: 0, 1: 1 / 4095, 2048: 2048 / 4095, 4095: 1}),
    "MONOCHROME1 is inverted once": ({**FULL, **MONO1}, {0: 1, 1: 4094 / 4095, 2048: 2047 / 4095, 4095: 0}),
    "narrow window": (
        {"WindowCenter": 1000, "WindowWidth": 201},
        {0: 0, 899: 0, 900: 0.0025, 999: 0.4975, 1099: 0.9975, 1100: 1, 4095: 1},
    ),
    "narrow window of MONOCHROME1": (
        {"WindowCenter": 1000, "WindowWidth": 201, **MONO1},
        {0: 1, 899: 1, 900: 0.9975, 999: 0.5025, 1099: 0.0025, 1100: 0, 4095: 0},
    ),
    "exact window": (
        {"WindowCenter": 1000, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"},
        {900: 0, 950: 0.25, 1000: 0.5, 1100: 1},
    ),
    "sigmoid": (
        {"WindowCenter": 2000, "WindowWidth": 1000, "VOILUTFunction": "SIGMOID"},
        {0: sigmoid(-8), 1500: sigmoid(-2), 2000: 0.5, 2500: sigmoid(2), 4095: sigmoid(8.38)},
    ),
    "sigmoid of MONOCHROME1": (
        {"WindowCenter": 2000, "WindowWidth": 1000, "VOILUTFunction": "SIGMOID", **MONO1},
        {1500: sigmoid(2), 2000: 0.5, 2500: sigmoid(-2)},
    ),
    "first of two windows": (
        {"WindowCenter": [1000, 3000], "WindowWidth": [201, 50]},
        {899: 0, 999: 0.4975, 1100: 1},
    ),
    "rescale, then window": (
        {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 1000, "WindowWidth": 2001},
        {499: 0, 500: 0.00025, 1000: 0.50025, 1500: 1},
    ),
    "fractional rescale": (
        {"RescaleSlope": 0.5, "RescaleIntercept": 10, "WindowCenter": 510.5, "WindowWidth": 1001},
        {0: 0, 1000: 0.5, 2000: 1},
    ),
    "falling rescale": (
        {"RescaleSlope": -1, "RescaleIntercept": 4095, **FULL},
        {0: 1, 1: 4094 / 4095, 4095: 0},
    ),
    "falling rescale of MONOCHROME1": (
        {"RescaleSlope": -1, "RescaleIntercept": 4095, **FULL, **MONO1},
        {0: 0, 1: 1 / 4095, 4095: 1},
    ),
    "modality table, then window": (
        {
            "ModalityLUTSequence": [lut_item(1000, np.arange(2000, dtype=np.uint16)[::-1])],
            "WindowCenter": 1000,
            "WindowWidth": 2000,
        },
        {0: 1, 1000: 1, 1001: 1998 / 1999, 2998: 1 / 1999, 2999: 0, 4095: 0},
    ),
    "VOI table": (
        {"VOILUTSequence": [lut_item(1000, (4 * np.arange(1024)).astype(np.uint16), bits=12)]},
        {0: 0, 1000: 0, 1001: 4 / 4095, 2023: 4092 / 4095, 4095: 4092 / 4095},
    ),
    "VOI table of MONOCHROME1": (
        {"VOILUTSequence": [lut_item(1000, (4 * np.arange(1024)).astype(np.uint16), bits=12)], **MONO1},
        {0: 1, 1001: 4091 / 4095, 4095: 3 / 4095},
    ),
    "a VOI table goes before a window": (
        {"VOILUTSequence": [lut_item(0, np.arange(4096, dtype=np.uint16) // 16, bits=8)], **FULL},
        {0: 0, 15: 0, 16: 1 / 255, 4095: 1},
    ),
    "rescale, then VOI table": (
        {
            "RescaleSlope": 2,
            "RescaleIntercept": -100,
            "VOILUTSequence": [lut_item(0, np.arange(256, dtype=np.uint16), bits=8)],
        },
        {0: 0, 50: 0, 51: 2 / 255, 100: 100 / 255, 178: 1, 4095: 1},
    ),
}


def read_ramp(tags: dict[str, Any]) -> Any:
    return read_radiograph(dicom_bytes(RAMP, **{**BITS_12, **tags}))


@pytest.mark.parametrize("name", PIXELS)
def test_every_flag_gives_its_pixels(name: str) -> None:
    tags, expected = PIXELS[name]
    pixels = read_ramp(tags).pixels.ravel()
    assert {at: float(pixels[at]) for at in expected} == pytest.approx(expected, abs=1.6e-5)


@pytest.mark.parametrize("name", PIXELS)
def test_pixels_are_the_values_through_the_window(name: str) -> None:
    film = read_ramp(PIXELS[name][0])
    np.testing.assert_array_equal(film.pixels, apply_window(film.values, film.window))
    assert int(film.values.max()) < 2**film.bit_depth


# pydicom turns the grey scale of a falling rescale upside down once more than PS3.3 C.11.2 asks for, and
# counts places in a table of 8-bit entries with 8-bit numbers, which wrap.
NOT_LIKE_PYDICOM = ("falling", "a VOI table goes", "rescale, then VOI")
REFERENCE = [name for name in PIXELS if not name.startswith(NOT_LIKE_PYDICOM)]


@pytest.mark.parametrize("name", REFERENCE)
def test_the_pipeline_agrees_with_pydicom(name: str, tmp_path: Path) -> None:
    ds = pydicom.dcmread(write_dicom(tmp_path / "film", RAMP, **{**BITS_12, **PIXELS[name][0]}))
    shown = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds).astype(np.float64)
    low, high = float(shown.min()), float(shown.max())
    expected = (shown - low) / (high - low)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        expected = 1 - expected
    film = read_ramp(PIXELS[name][0])
    # pydicom has no [0, 1]: both are stretched to it before they are compared.
    stretched = (film.pixels - film.pixels.min()) / (film.pixels.max() - film.pixels.min())
    np.testing.assert_allclose(stretched, expected, atol=5e-4)


STORED: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "signed": (RAMP.astype(np.int16) - 2048, {"WindowCenter": 0}),
    "signed with its sign bits cut off": ((RAMP ^ 2048).view(np.int16), {"WindowCenter": 0}),
    "an overlay in the unused bits": (RAMP | 0xA000, {}),
    "high bits": (RAMP << 4 | 5, {"HighBit": 15}),
}


@pytest.mark.parametrize("name", STORED)
def test_only_the_stored_bits_count(name: str) -> None:
    stored, tags = STORED[name]
    film = read_radiograph(dicom_bytes(stored, **{**BITS_12, **FULL, **tags}))
    np.testing.assert_array_equal(film.values, RAMP)
    assert (film.bit_depth, film.warnings) == (12, ())
    assert float(film.pixels[0, 0]) == 0
    assert float(film.pixels[-1, -1]) == 1


SYNTAXES = [
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLossless, uid.JPEGLosslessSV1,
    uid.JPEGLSLossless, uid.JPEG2000Lossless,
]  # fmt: skip


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_every_lossless_syntax_gives_the_stored_values(syntax: uid.UID, bits: int) -> None:
    stored = phantom(96, 80, bits=bits)
    film = read_radiograph(dicom_bytes(stored, syntax, BitsStored=bits, HighBit=bits - 1))
    np.testing.assert_array_equal(film.values, stored)
    assert film.bit_depth == bits


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_every_lossless_syntax_keeps_the_sign_and_the_polarity(syntax: uid.UID) -> None:
    stored = (4095 - FILM_12).astype(np.int16) - 2048
    film = read_radiograph(dicom_bytes(stored, syntax, **BITS_12, **MONO1))
    np.testing.assert_array_equal(film.values, FILM_12)


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEG2000])
def test_lossy_syntaxes_give_nearly_the_stored_values(syntax: uid.UID) -> None:
    film = read_radiograph(dicom_bytes(FILM, syntax))
    assert np.abs(film.values.astype(int) - FILM).max() <= 4


def test_a_film_without_a_window_shows_the_range_in_use_and_says_so() -> None:
    film = read_radiograph(dicom_bytes(FILM_12 // 4 + 900, **BITS_12))
    assert (float(film.pixels.min()), float(film.pixels.max())) == (0, 1)
    assert any("no usable display window" in note for note in film.warnings)


@pytest.mark.parametrize("width", [0, -5, 1, "1e999", "nan"])
def test_an_unusable_window_is_not_used_and_this_is_said(width: object) -> None:
    film = read_radiograph(
        raw_text(dicom_bytes(FILM_12, **BITS_12, WindowCenter=2048, WindowWidth="777777"), width)
    )
    assert np.isfinite(film.pixels).all()
    assert (float(film.pixels.min()), float(film.pixels.max())) == (0, 1)
    assert any("no usable display window" in note for note in film.warnings)


def test_a_window_beside_the_film_is_not_used_and_this_is_said() -> None:
    film = read_radiograph(dicom_bytes(FILM_12, **BITS_12, WindowCenter=40000, WindowWidth=400))
    assert float(film.pixels.std()) > 0.1
    assert any("shows nothing of this film" in note for note in film.warnings)


@pytest.mark.parametrize("slope", [0, "nan", "inf"])
def test_an_unusable_slope_is_not_used_and_this_is_said(slope: object) -> None:
    data = dicom_bytes(FILM_12, **BITS_12, **FULL, RescaleSlope="777777", RescaleIntercept=0)
    film = read_radiograph(raw_text(data, slope))
    np.testing.assert_array_equal(film.values, FILM_12)
    assert any("rescale slope" in note for note in film.warnings)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "padding", [{"PixelPaddingValue": 4000}, {"PixelPaddingValue": 4040, "PixelPaddingRangeLimit": 3990}]
)
def test_padding_is_black_and_sets_no_window(kind: str, padding: dict[str, int]) -> None:
    stored = FILM_12 // 4 + 500
    stored[:20] = 4000
    film = read_radiograph(dicom_bytes(stored, **BITS_12, PhotometricInterpretation=kind, **padding))
    np.testing.assert_array_equal(film.values[:20], 0)
    np.testing.assert_array_equal(film.pixels[:20], 0)
    assert film.window.width < 1100


def test_signed_padding_is_found() -> None:
    stored = FILM_12.astype(np.int16) - 2048
    stored[:20] = -2000
    data = dicom_bytes(stored, **BITS_12, WindowCenter=0, WindowWidth=4096, PixelPaddingValue=-2000)
    film = read_radiograph(data)
    np.testing.assert_array_equal(film.values[:20], 0)


def test_colour_secondary_captures_become_grey() -> None:
    rgb = np.dstack([FILM] * 3)
    planar = np.stack([FILM] * 3).reshape(96, 80, 3)
    luma = np.dstack([FILM, np.full_like(FILM, 128), np.full_like(FILM, 128)])
    palette = {
        "PhotometricInterpretation": "PALETTE COLOR",
        **{f"{name}PaletteColorLookupTableDescriptor": [256, 0, 16] for name in ("Red", "Green", "Blue")},
        **{
            f"{name}PaletteColorLookupTableData": (np.arange(256)[::-1] * 257).astype("<u2").tobytes()
            for name in ("Red", "Green", "Blue")
        },
    }
    for stored, tags in [
        (rgb, {"Modality": "OT"}),
        (planar, {"PlanarConfiguration": 1}),
        (luma, {"PhotometricInterpretation": "YBR_FULL"}),
    ]:
        film = read_radiograph(dicom_bytes(stored, **tags))
        np.testing.assert_array_equal(film.values, FILM)
        assert (film.bit_depth, film.warnings) == (8, ())
    film = read_radiograph(dicom_bytes(255 - FILM, **palette))
    np.testing.assert_array_equal(film.values, FILM.astype(np.uint16) * 257)
    assert film.bit_depth == 16


def test_a_colour_capture_of_a_bright_background_film_is_inverted_like_a_png() -> None:
    film = read_radiograph(dicom_bytes(np.dstack([255 - FILM] * 3)))
    np.testing.assert_array_equal(film.values, FILM)
    assert any("inverted" in note for note in film.warnings)


def test_a_grey_dicom_keeps_the_polarity_it_states_even_if_it_looks_wrong() -> None:
    film = read_radiograph(dicom_bytes(255 - FILM))
    np.testing.assert_array_equal(film.values, 255 - FILM)
    assert any("polarity was left as the file has it" in note for note in film.warnings)
