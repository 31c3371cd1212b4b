"""PNG and JPEG come out bone bright at their own depth."""

from __future__ import annotations

import logging
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from mura_core.decoding import quiet_decoders
from mura_core.images import read_radiograph
from mura_core.window import apply_window
from tests.films import fracatlas_folder
from tests.radiograph_files import (
    jpeg_bytes,
    palette_png,
    phantom,
    png_bytes,
    png_chunks,
    write_dicom,
    write_jpeg,
    write_png,
)

FILM = phantom(96, 80)
DEEP = phantom(96, 80, bits=16)
TWELVE = phantom(96, 80, bits=12)
COLOUR = np.dstack([FILM] * 3)
DEEP_COLOUR = np.dstack([DEEP] * 3)
OPAQUE = np.dstack([COLOUR, np.full_like(FILM, 255)])


def deep_png(samples: np.ndarray) -> bytes:
    """Encode (H, W, 2), (H, W, 3) or (H, W, 4) uint16, which Pillow cannot write."""
    kind = {2: 4, 3: 2, 4: 6}[samples.shape[2]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return png_chunks(samples.shape[1], samples.shape[0], 16, kind, zlib.compress(rows))


LOSSLESS = {
    "grey 8 bit": (png_bytes(FILM), FILM, 8),
    "grey 16 bit": (png_bytes(DEEP), DEEP, 16),
    "12 bits in 16": (png_bytes(TWELVE), TWELVE, 12),
    "8 bits in 16": (png_bytes(FILM.astype(np.uint16)), FILM, 8),
    "grey and alpha": (png_bytes(FILM, "LA"), FILM, 8),
    "RGB": (png_bytes(COLOUR), FILM, 8),
    "RGBA": (png_bytes(OPAQUE), FILM, 8),
    "RGB 16 bit": (deep_png(DEEP_COLOUR), DEEP, 16),
    "RGBA 16 bit": (deep_png(np.dstack([DEEP_COLOUR, np.full_like(DEEP, 65535)])), DEEP, 16),
    "grey and alpha 16 bit": (deep_png(np.dstack([DEEP, np.full_like(DEEP, 65535)])), DEEP, 16),
    "palette": (palette_png(), FILM, 8),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_png_values_are_kept_at_their_own_depth(name: str) -> None:
    data, expected, bits = LOSSLESS[name]
    film = read_radiograph(data)
    assert film.values.dtype == np.uint16
    np.testing.assert_array_equal(film.values, expected)
    assert (film.bit_depth, film.source_format, film.warnings) == (bits, "png", ())


@pytest.mark.parametrize("name", LOSSLESS)
def test_pixels_are_the_values_through_the_window(name: str) -> None:
    film = read_radiograph(LOSSLESS[name][0])
    assert film.pixels.dtype == np.float32
    assert film.pixels.shape == film.values.shape
    np.testing.assert_array_equal(film.pixels, apply_window(film.values, film.window))


def test_an_8_bit_film_is_value_over_255_exactly() -> None:
    np.testing.assert_array_equal(
        read_radiograph(png_bytes(FILM)).pixels, FILM.astype(np.float32) / np.float32(255)
    )


def test_a_grey_jpeg_is_the_decoded_value_over_255_exactly() -> None:
    data = jpeg_bytes(FILM)
    decoded = np.asarray(Image.open(BytesIO(data)))
    film = read_radiograph(data)
    np.testing.assert_array_equal(film.pixels, decoded.astype(np.float32) / np.float32(255))
    assert (film.source_format, film.bit_depth, film.warnings) == ("jpeg", 8, ())


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_a_colour_jpeg_of_a_grey_film_is_the_film(mode: str) -> None:
    film = read_radiograph(jpeg_bytes(FILM, mode))
    assert np.abs(film.values.astype(int) - FILM).mean() < 2
    assert film.warnings == ()


@pytest.mark.parametrize("bits", [12, 14])
def test_a_film_of_few_bits_in_a_16_bit_png_does_not_look_black(bits: int) -> None:
    usual = read_radiograph(png_bytes(phantom(96, 80))).pixels
    deep = read_radiograph(png_bytes(phantom(96, 80, bits=bits))).pixels
    assert deep.min() == 0
    assert deep.max() == 1
    assert abs(float(deep.mean()) - float(usual.mean())) < 0.05


def test_a_burnt_in_white_mark_does_not_set_the_window() -> None:
    marked = phantom(640, 512, bits=12)
    marked[:12, :12] = 65535
    assert read_radiograph(png_bytes(marked)).window.width <= 4096


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [png_bytes, jpeg_bytes])
def test_exif_rotation_is_applied_as_pillow_would(orientation: int, write: object) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = write(FILM, exif=exif)  # type: ignore[operator]
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))))
    film = read_radiograph(data)
    np.testing.assert_array_equal(film.values, expected)
    assert film.values.flags.c_contiguous


def test_transparency_becomes_black_and_is_stated() -> None:
    faded = OPAQUE.copy()
    faded[:48, :, 3] = 0
    faded[48:, :40, 3] = 51
    film = read_radiograph(png_bytes(faded))
    np.testing.assert_array_equal(film.values[:48], 0)
    np.testing.assert_array_equal(film.values[48:, 40:], FILM[48:, 40:])
    np.testing.assert_allclose(film.values[48:, :40], FILM[48:, :40] / 5, atol=0.5)
    assert any("Transparent" in note for note in film.warnings)


def test_a_colour_picture_is_read_with_a_warning() -> None:
    tinted = COLOUR.copy()
    tinted[..., 0] = 255 - tinted[..., 0]
    assert any("colour" in note for note in read_radiograph(png_bytes(tinted)).warnings)


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    assert read_radiograph(write_png(tmp_path / "film.dcm", FILM)).source_format == "png"
    assert read_radiograph(write_jpeg(tmp_path / "film.png", FILM)).source_format == "jpeg"
    assert read_radiograph(str(write_dicom(tmp_path / "film.jpg", FILM))).source_format == "dicom"


def test_films_are_decoded_side_by_side_and_the_switches_end_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    both, filters = Barrier(2, timeout=10), list(warnings.filters)

    def decode(_: int) -> bool:
        with quiet_decoders():
            both.wait()
            warnings.warn("Doe^Jane", UserWarning, stacklevel=1)
            return ImageFile.LOAD_TRUNCATED_IMAGES

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(decode, range(2))) == [False] * 2
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert warnings.filters == filters


@pytest.mark.parametrize("name", ["pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils"])
def test_what_a_decoder_says_is_dropped_and_what_others_say_meanwhile_is_heard(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger(name)

    def elsewhere() -> None:
        log.warning("heard")
        with pytest.raises(UserWarning):
            warnings.warn("heard", UserWarning, stacklevel=1)

    def decode() -> None:
        log.warning("Doe^Jane")
        warnings.warn("Doe^Jane", UserWarning, stacklevel=1)

    with ThreadPoolExecutor(1) as threads, quiet_decoders():
        decode()
        # A decoder that begins and ends inside another one changes nothing for it.
        with quiet_decoders():
            threads.submit(elsewhere).result(timeout=10)
        decode()
        # Nor does somebody who puts the filters back that were there before.
        with warnings.catch_warnings():
            warnings.resetwarnings()
            warnings.simplefilter("error")
            with quiet_decoders():
                decode()
    elsewhere()
    assert caplog.messages == ["heard", "heard"]


def test_the_switches_are_set_back_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    filters = list(warnings.filters)
    with pytest.raises(KeyError), quiet_decoders():
        raise KeyError
    logging.getLogger("pydicom").warning("heard")
    assert caplog.messages == ["heard"]
    assert warnings.filters == filters


def test_reading_leaves_no_trace_of_exif_text() -> None:
    exif = Image.Exif()
    exif[0x010E] = "DOE^JANE"
    assert "DOE" not in repr(read_radiograph(jpeg_bytes(FILM, exif=exif)))


def test_a_real_film_is_its_decoded_values() -> None:
    films = sorted((fracatlas_folder() / "images").rglob("*.jpg"))[:20]
    assert films
    for path in films:
        decoded = np.asarray(Image.open(path))
        film = read_radiograph(path)
        np.testing.assert_array_equal(film.pixels, decoded.astype(np.float32) / np.float32(255))
        assert film.warnings == ()
