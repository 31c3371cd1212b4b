"""What is no single, whole DICOM radiograph is refused in words, however it is damaged."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import uid

from benchmarks.hostile.seeds import dicom as hostile_dicom
from benchmarks.hostile.seeds import encapsulated, frame, header, picture
from mura_core import dicom, dicom_file
from mura_core.codestream import read_stream_size
from mura_core.dicom_grey import NO_WINDOW_NOTE
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from tests.radiograph_files import dicom_bytes, lut_item, phantom

FILM = phantom(96, 80)
FILM_12 = phantom(96, 80, bits=12)
BITS_12 = {"BitsStored": 12, "HighBit": 11}
FULL = {"WindowCenter": 2048, "WindowWidth": 4096}
SYNTAXES = [
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.RLELossless, uid.JPEGLossless, uid.JPEGLosslessSV1,
    uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.JPEGBaseline8Bit,
]  # fmt: skip


def report() -> bytes:
    return dicom_bytes(FILM, PixelData=None, Rows=None, Columns=None, Modality=None)


REFUSED: dict[str, tuple[bytes, str]] = {
    "CT": (dicom_bytes(FILM, Modality="CT"), "its modality is CT; expected CR, DX, RG"),
    "mammogram": (dicom_bytes(FILM, Modality="MG"), "its modality is MG"),
    "several frames": (dicom_bytes(np.stack([FILM, FILM]), NumberOfFrames=2), "2 frames; expected one"),
    "report": (report(), "holds no image"),
    "blank": (dicom_bytes(np.full_like(FILM, 9)), "every pixel has the value 9"),
    "small": (dicom_bytes(FILM[:40]), "80 x 40 pixels; each side must be at least 64"),
    "huge": (dicom_bytes(FILM, Rows=60000, Columns=60000), "60000 x 60000 pixels; at most 64 million"),
    "32 bits": (dicom_bytes(FILM, BitsAllocated=32, BitsStored=32), "32 bits a sample in 32; 8 to 16 bits"),
    "one bit": (dicom_bytes(FILM, BitsAllocated=1, BitsStored=1), "1 bits a sample in 1"),
    "bits out of place": (dicom_bytes(FILM_12, BitsStored=12, HighBit=3), "12 bits stored up to bit 3 of 16"),
    "four samples": (dicom_bytes(FILM, SamplesPerPixel=4), "4 sample(s) a pixel as MONOCHROME2"),
    "unknown colours": (dicom_bytes(FILM, SamplesPerPixel=3, PhotometricInterpretation="CMYK"), "as CMYK"),
    "short pixel data": (dicom_bytes(FILM, PixelData=FILM.tobytes()[:-80]), "damaged or truncated"),
    "short table": (
        dicom_bytes(FILM_12, VOILUTSequence=[lut_item(0, np.arange(8, dtype=np.uint16))]).replace(
            b"\x08\0\0\0\x10\0", b"\x09\0\0\0\x10\0"
        ),
        "8 of 9 entries",
    ),
    "no rows": (dicom_bytes(FILM, Rows=None), "holds no image"),
    "nothing behind the mark": (bytes(128) + b"DICM", "holds no image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_single_radiograph_is_refused_by_what_was_found(name: str) -> None:
    data, found = REFUSED[name]
    with pytest.raises(ImageError) as refusal:
        read_radiograph(data)
    assert found in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_a_stream_that_contradicts_its_header_never_reaches_a_decoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = dicom_bytes(FILM_12, uid.JPEGLosslessSV1, **BITS_12)
    frame = data.index(b"\xff\xc3")
    monkeypatch.setattr(dicom, "_decode_pixels", lambda _: pytest.fail("decoded"))
    for place, value, found in [
        (4, 200, "80 x 96 of 200"),
        (5, 200, "80 x 51296"),
        (1, 0xC4, "damaged"),
        (13, 0, "damaged"),
    ]:
        damaged = bytearray(data)
        damaged[frame + place] = value
        with pytest.raises(ImageError, match=found):
            read_radiograph(bytes(damaged))


def test_a_deflated_bomb_is_refused_before_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_file, "MAX_BYTES", 1000)
    with pytest.raises(ImageError, match="inflates to over"):
        read_radiograph(dicom_bytes(FILM, uid.DeflatedExplicitVRLittleEndian))


@pytest.mark.parametrize("width", ["1e39", "1e308", "1e1000"])
@pytest.mark.parametrize("centre", ["2048", "-1e308"])
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom, while it writes such numbers
def test_a_window_wider_than_any_film_is_passed_over(width: str, centre: str) -> None:
    data = dicom_bytes(FILM_12, **BITS_12, WindowCenter="8" * 8, WindowWidth="9" * 8)
    film = read_radiograph(
        data.replace(b"8" * 8, centre.ljust(8).encode()).replace(b"9" * 8, width.ljust(8).encode())
    )
    assert NO_WINDOW_NOTE in film.warnings
    assert film.pixels.min() == 0
    assert film.pixels.max() == 1


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom, "_decode_pixels", lambda _: pytest.fail("decoded"))
    elements = header(uid.JPEGBaseline8Bit)
    with pytest.raises(ImageError, match="over 50 scans"):
        read_radiograph(hostile_dicom(uid.JPEGBaseline8Bit, elements, encapsulated(_scans(100))))
    with pytest.raises(ImageError, match="over 50 scans"):
        read_radiograph(_scans(100))


def _scans(count: int) -> bytes:
    data = picture("JPEG", "L")
    scan = data[data.index(b"\xff\xda") : -2]
    return data[:-2] + scan * count + data[-2:]


@pytest.mark.parametrize(
    ("place", "value"), [(40, 500), (24, 0), (24, 1)], ids=["components", "no tile", "tiles"]
)
def test_a_jpeg_2000_that_would_take_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch, place: int, value: int
) -> None:
    monkeypatch.setattr(dicom, "_decode_pixels", lambda _: pytest.fail("decoded"))
    stream = bytearray(frame(uid.JPEG2000Lossless))
    size = 2 if place == 40 else 4
    stream[place : place + size] = value.to_bytes(size, "big")
    if value == 1:
        stream[8:16] = (60000).to_bytes(4, "big") * 2
    with pytest.raises(ImageError, match="damaged or of an unknown kind"):
        read_radiograph(
            hostile_dicom(uid.JPEG2000Lossless, header(uid.JPEG2000Lossless), encapsulated(bytes(stream)))
        )


def test_a_boxed_jpeg_2000_is_known_by_the_stream_that_is_decoded() -> None:
    whole = frame(uid.JPEG2000Lossless)
    mark = b"\0\0\0\x0cjP  \r\n\x87\n"
    assert read_stream_size(mark + b"\0\0\0\0jp2c" + whole) == read_stream_size(whole)
    large = whole[:8] + (6000).to_bytes(4, "big") * 2 + whole[16:]
    decoy = (8 + len(whole)).to_bytes(4, "big") + b"free" + whole
    found = read_stream_size(mark + decoy + b"\0\0\0\0jp2c" + large)
    assert found is not None
    assert found.height == 6000
    assert read_stream_size(mark + decoy) is None


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_a_truncated_dicom_is_never_accepted(syntax: uid.UID) -> None:
    data = dicom_bytes(FILM, syntax)
    whole = len(data) - 24  # behind the pixels: a sequence delimiter, padding
    for kept in [*range(132, whole, whole // 40), whole]:
        with pytest.raises(ImageError):
            read_radiograph(data[:kept])


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_no_damage_raises_anything_but_an_image_error(syntax: uid.UID) -> None:
    generator = np.random.default_rng(0)
    tags = {**FULL, "PixelSpacing": [0.1, 0.1], "BodyPartExamined": "HAND", "PixelPaddingValue": 0}
    data = dicom_bytes(FILM, syntax, VOILUTSequence=[lut_item(0, np.arange(256, dtype=np.uint16))], **tags)
    for number in range(60):
        damaged = bytearray(data)
        for place in generator.integers(132, len(data) if number % 2 else 2000, 3):
            damaged[place] = generator.integers(256)
        try:
            film = read_radiograph(bytes(damaged))
        except ImageError:
            continue
        assert np.isfinite(film.pixels).all()
