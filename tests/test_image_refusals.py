"""What is no PNG or JPEG radiograph is refused in words, and nothing else comes out at all."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from mura_core.decoding import MAX_BYTES
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from tests.radiograph_files import (
    dicom_bytes,
    jpeg_bytes,
    palette_png,
    phantom,
    png_bytes,
    png_chunks,
)

FILM = phantom(96, 80)
DEEP = phantom(96, 80, bits=16)
COLOUR = np.dstack([FILM] * 3)


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
