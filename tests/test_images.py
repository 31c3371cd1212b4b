"""PNG and JPEG come out bone bright at their own depth, and nothing else comes out at all."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from mura_core.decoding import MAX_BYTES, quiet_decoders
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.window import apply_window
from tests.films import fracatlas_folder
from tests.radiograph_files import (
    dicom_bytes,
    jpeg_bytes,
    phantom,
    png_bytes,
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


def png_chunks(width: int, height: int, bits: int, kind: int, packed: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def palette_png() -> bytes:
    """A palette whose entries run backwards: the index is not the grey."""
    image = Image.fromarray(255 - FILM).convert("P")
    image.putpalette([level for index in range(256) for level in [255 - index] * 3])
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


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


def animated() -> bytes:
    buffer = BytesIO()
    first, second = Image.fromarray(FILM), Image.fromarray(255 - FILM)
    first.save(buffer, "PNG", save_all=True, append_images=[second])
    return buffer.getvalue()


def other_picture(kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(FILM).save(buffer, kind)
    return buffer.getvalue()


REFUSED = {
    "empty": (b"", "it is empty"),
    "text": (b"dear doctor, the film follows by post", "a text file"),
    "a page": (b"<!DOCTYPE html><html></html>", "a text file"),
    "PDF": (b"%PDF-1.7\n\x00\x01", "a PDF document"),
    "archive": (b"PK\x03\x04\0\0\0\0", "a ZIP archive"),
    "GIF": (other_picture("GIF"), "a GIF picture"),
    "TIFF": (other_picture("TIFF"), "a TIFF picture"),
    "BMP": (other_picture("BMP"), "a BMP picture"),
    "noise": (bytes(range(1, 32)) * 20, "first bytes 01 02 03 04"),
    "DICOM without its mark": (dicom_bytes(FILM)[132:], "without the DICM mark"),
    "too small": (png_bytes(phantom(96, 80)[:96, :63]), "63 x 96 pixels; each side must be at least 64"),
    "too long": (png_bytes(phantom(640, 64)), "64 x 640 pixels; a radiograph's long side is at most 8 times"),
    "blank": (png_bytes(np.full((96, 80), 7, np.uint8)), "every pixel has the value 7"),
    "bilevel": (png_bytes(FILM, "1"), "1 bits a sample; 8 or 16 are read"),
    "animated": (animated(), "2 frames; expected one"),
    "wholly transparent": (
        png_bytes(np.dstack([COLOUR, np.zeros_like(FILM)])),
        "every pixel has the value 0",
    ),
    "JPEG without a frame": (b"\xff\xd8\xff\xd9" + b"\0" * 64, "it has no size header"),
    "PNG without a header": (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "it has no size header"),
    "12-bit JPEG": (
        jpeg_bytes(FILM).replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c"),
        "12 bits a sample",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_radiograph_is_refused_by_what_was_found(name: str) -> None:
    data, found = REFUSED[name]
    with pytest.raises(ImageError) as refusal:
        read_radiograph(data)
    assert found in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_pixels_are_counted_before_they_are_decoded() -> None:
    # 65535 x 65535 by its header, no data behind it: a decoder would ask for gigabytes or find damage.
    with pytest.raises(ImageError, match="65535 x 65535 pixels; at most 64 million"):
        read_radiograph(png_chunks(65535, 65535, 8, 0, b""))
    jpeg = jpeg_bytes(FILM)
    at = jpeg.index(b"\xff\xc0") + 5
    with pytest.raises(ImageError, match="65000 x 65000 pixels; at most 64 million"):
        read_radiograph(jpeg[:at] + struct.pack(">HH", 65000, 65000) + jpeg[at + 4 :])


def test_bytes_are_counted_before_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="at most 60 MiB"):
        read_radiograph(b"\x89PNG\r\n\x1a\n" + bytes(MAX_BYTES))
    sparse = tmp_path / "large.png"
    with sparse.open("wb") as file:
        file.truncate(10 * MAX_BYTES)
    with pytest.raises(ImageError, match="more than 60 MiB"):
        read_radiograph(sparse)


@pytest.mark.parametrize("path", ["absent.png", ".", "nul\0byte.png"])
def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ImageError):
        read_radiograph(tmp_path / path)


@pytest.mark.parametrize(
    "data", [png_bytes(FILM), png_bytes(DEEP), jpeg_bytes(FILM), jpeg_bytes(COLOUR, progressive=True)]
)
@pytest.mark.parametrize("tolerant", [False, True])
def test_a_truncated_picture_is_never_accepted(
    data: bytes, tolerant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Someone else's global switch must not soften this reader.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", tolerant)
    # The last bytes are check sums and end marks: without them the pixels are whole.
    whole = len(data) - 40
    for kept in [*range(0, whole, max(1, whole // 60)), whole]:
        with pytest.raises(ImageError):
            read_radiograph(data[:kept])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is tolerant


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


def test_no_damage_raises_anything_but_an_image_error() -> None:
    generator = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    for data in (
        png_bytes(FILM, exif=exif),
        palette_png(),
        jpeg_bytes(FILM, exif=exif),
        jpeg_bytes(FILM, "CMYK"),
    ):
        for _ in range(60):
            damaged = bytearray(data)
            for place in generator.integers(0, min(len(data), 1000), 3):
                damaged[place] = generator.integers(256)
            try:
                film = read_radiograph(bytes(damaged))
            except ImageError:
                continue
            assert np.isfinite(film.pixels).all()


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
