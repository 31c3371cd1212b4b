"""Decoders that may crash do so in a process of their own; those of our own give what pydicom's give."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.filebase import DicomBytesIO
from pydicom.pixels.utils import pixel_array

from mura_core import gdcm_frames
from mura_core.dicom import PLUGINS
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from tests.radiograph_files import dicom_bytes, phantom

if TYPE_CHECKING:
    from collections.abc import Iterator

FILM = phantom(96, 80)
DEEP = phantom(96, 80, bits=12)
COLOUR = np.dstack([FILM, 255 - FILM, FILM // 2])
BITS_12 = {"BitsStored": 12, "HighBit": 11}
OURS = {syntax for syntax, plugin in PLUGINS.items() if plugin != "pillow"}


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[gdcm_frames.DecoderProcess]:
    process = gdcm_frames.DecoderProcess()
    monkeypatch.setattr(gdcm_frames, "DECODER", process)
    yield process
    process.close()


@pytest.mark.parametrize("syntax", sorted(OURS), ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("kind", ["8 bits", "12 bits", "signed", "colour"])
def test_a_whole_frame_comes_out_as_pydicom_decodes_it(syntax: uid.UID, kind: str) -> None:
    signed = (DEEP.astype(np.int32) - 2048).astype(np.int16)
    pixels, tags = {
        "8 bits": (FILM, {}),
        "12 bits": (DEEP, BITS_12),
        "signed": (signed, {}),
        "colour": (COLOUR, {}),
    }[kind]
    written = uid.JPEGLSLossless if syntax == uid.JPEGLSNearLossless else syntax
    ds = dcmread(DicomBytesIO(dicom_bytes(pixels, written, **tags)))
    ds.file_meta.TransferSyntaxUID = syntax
    theirs = pixel_array(ds, decoding_plugin="pydicom" if syntax == uid.RLELossless else "gdcm")
    ours = pixel_array(ds, decoding_plugin=PLUGINS[syntax])
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).all()


@pytest.mark.filterwarnings("ignore:The decoded RLE segment")  # pydicom, of the padding
def test_runs_of_rle_may_cross_rows_and_end_in_padding() -> None:
    data = dicom_bytes(FILM, uid.RLELossless)
    ds = dcmread(DicomBytesIO(data))
    runs = b"\x81\x20" * 30 + b"\x81\xd0" * 30 + b"\0\0"  # of 128 pixels, in rows of 80
    stream = np.array([1, 64, *[0] * 14], "<u4").tobytes() + runs
    ds.PixelData = b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0" + len(stream).to_bytes(4, "little") + stream
    theirs, ours = (pixel_array(ds, decoding_plugin=name) for name in ("pydicom", PLUGINS[uid.RLELossless]))
    assert (ours == theirs).all()
    assert set(np.unique(ours)) == {0x20, 0xD0}


@pytest.mark.parametrize(
    "header",
    [[0, 64], [2, 64, 65], [1, 63], [1, 10**6], [16, 64], [1], [2**32 - 1, 64]],
    ids=["none", "too many", "in the header", "behind the end", "sixteen", "nowhere", "billions"],
)
def test_a_damaged_rle_header_is_refused(header: list[int]) -> None:
    data = bytearray(dicom_bytes(FILM, uid.RLELossless))
    at = data.index(np.array([1, 64], "<u4").tobytes())
    data[at : at + 64] = np.array([*header, *[0] * (16 - len(header))], "<u4").tobytes()
    with pytest.raises(ImageError, match="RLE Lossless, "):
        read_radiograph(bytes(data))


@pytest.mark.parametrize(
    "program",
    ["import os; os.abort()", "import sys; sys.exit()", "import time; time.sleep(60)"],
    ids=["a crash", "an end", "a hang"],
)
def test_a_decoder_that_dies_costs_one_film(
    decoder: gdcm_frames.DecoderProcess, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    data = dicom_bytes(FILM, uid.JPEGLosslessSV1)
    with monkeypatch.context() as bad:
        bad.setattr(gdcm_frames, "COMMAND", (sys.executable, "-c", program))
        bad.setattr(gdcm_frames, "LIMIT_S", 1.0)
        start = time.monotonic()
        with pytest.raises(ImageError, match="could not be decoded"):
            read_radiograph(data)
        assert time.monotonic() - start < 15
    assert decoder.deaths == 1
    assert (read_radiograph(data).values == FILM).all()


def test_a_decoder_that_was_killed_between_films_is_started_anew(decoder: gdcm_frames.DecoderProcess) -> None:
    data = dicom_bytes(DEEP, uid.JPEGLSLossless, **BITS_12)
    first = read_radiograph(data)
    assert decoder._process is not None
    decoder._process.kill()
    decoder._process.wait()
    assert (read_radiograph(data).values == first.values).all()
    assert decoder.deaths == 0


def test_an_error_of_the_decoder_does_not_end_it(decoder: gdcm_frames.DecoderProcess) -> None:
    data = dicom_bytes(FILM, uid.JPEGLSLossless)
    read_radiograph(data)
    process = decoder._process
    at = data.index(b"\xff\xda") + 12
    with pytest.raises(ImageError, match="could not be decoded"):
        read_radiograph(data[:at] + bytes(len(data) - at - 40) + data[-40:])
    assert decoder._process is process
    assert decoder.deaths == 0


def test_the_decoder_gets_no_secret_from_the_environment(
    decoder: gdcm_frames.DecoderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    tell = "import os, sys; sys.exit('HF_TOKEN' in os.environ)"
    monkeypatch.setattr(gdcm_frames, "COMMAND", (sys.executable, "-c", tell))
    process = decoder._running()
    assert process.wait(30) == 0
