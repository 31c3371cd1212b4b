"""Drawn films for the load test: quick to make, each with a probability of its own, no two files alike."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from mura_core.errors import MuraError
from mura_core.images import read_radiograph
from mura_core.study import Study, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mura_core.study import StudyResult

KINDS = ("png", "jpg", "dcm")
MOST_VIEWS = 6
SIZES = ((520, 400), (900, 760), (1250, 1000), (1600, 1240))
APART = 2e-3
"""How far the probabilities of two films are apart at least: it tells one from the other."""

_UID = "1.2.826.0.1.3680043.10.1521.100000000000"
"""Its last 11 figures are replaced in every copy."""


@dataclass(frozen=True)
class Film:
    """A film as a file, its ending, and the probability that the Predictor gives it alone."""

    content: bytes
    kind: str
    probability: float


@dataclass(frozen=True)
class Sent:
    """What one reader drops at once: (name, content) of each view, and the probability expected of it."""

    files: tuple[tuple[str, bytes], ...]
    expected: tuple[float, ...]


def draw_films(count: int, predict: Callable[[Study], StudyResult]) -> list[Film]:
    """Draw films of every kind and size in turn, and let the model read each alone.

    Raises:
        MuraError: The model gives too many of them the same probability, `APART` at least being wanted.
    """
    films: list[Film] = []
    for seed in range(10 * count):
        kind = KINDS[len(films) % len(KINDS)]
        content = _encode(_draw(SIZES[len(films) // len(KINDS) % len(SIZES)], seed), kind)
        probability = predict(Study((View("film", read_radiograph(content)),))).study_probability
        if all(abs(probability - film.probability) >= APART for film in films):
            films.append(Film(content, kind, probability))
        if len(films) == count:
            return films
    raise MuraError(f"Of {10 * count} drawn films this model tells {len(films)} apart; {count} are needed.")


def draw_study(films: list[Film], chance: random.Random, name: str) -> Sent:
    """Take 1 to 6 of the films under names, and with contents, that nobody else's are."""
    chosen = chance.sample(films, chance.randint(1, MOST_VIEWS))
    files = tuple(
        (f"{name}-{index}.{film.kind}", marked(film.content, film.kind, chance))
        for index, film in enumerate(chosen, 1)
    )
    return Sent(files, tuple(film.probability for film in chosen))


def marked(content: bytes, kind: str, chance: random.Random) -> bytes:
    """The same film in a file that differs from every other: a remark or a number in it, never a pixel."""
    number = f"{chance.randrange(10**11):011}".encode()
    if kind == "dcm":
        return content.replace(_UID.encode(), _UID.encode()[:-11] + number)
    if kind == "jpg":
        return content[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(number)) + number + content[2:]
    chunk = b"tEXtComment\0" + number
    # After the signature and the first chunk, the header.
    return (
        content[:33]
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + content[33:]
    )


def _draw(shape: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """A limb with bones, each film's own: a network tells them apart."""
    height, width = shape
    chance = np.random.default_rng(seed)
    film = np.full(shape, 20, np.uint8)
    middle = int(width * chance.uniform(0.4, 0.6))
    cv2.line(film, (middle, 0), (middle, height), 90, int(width * chance.uniform(0.3, 0.5)))
    for _ in range(int(chance.integers(1, 4))):
        ends = [(int(middle + width * chance.uniform(-0.15, 0.15)), int(height * at)) for at in (0, 1)]
        cv2.line(film, *ends, int(chance.integers(140, 220)), int(width * chance.uniform(0.05, 0.12)))
    for _ in range(int(chance.integers(0, 4))):
        centre = (int(middle + width * chance.uniform(-0.2, 0.2)), int(height * chance.uniform(0.2, 0.8)))
        cv2.circle(film, centre, int(width * chance.uniform(0.02, 0.1)), int(chance.integers(20, 255)), -1)
    smooth = cv2.GaussianBlur(film, (0, 0), width / 300).astype(np.float32)
    return np.clip(smooth + chance.normal(0, 3, shape), 0, 255).astype(np.uint8)


def _encode(film: NDArray[np.uint8], kind: str) -> bytes:
    if kind == "dcm":
        return _dicom(film)
    return bytes(cv2.imencode(f".{kind}", film)[1])


def _dicom(film: NDArray[np.uint8]) -> bytes:
    """12 bits, uncompressed."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = header.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = _UID
    header.StudyInstanceUID = header.SeriesInstanceUID = _UID
    header.Modality, header.PhotometricInterpretation = "DX", "MONOCHROME2"
    header.Rows, header.Columns = film.shape
    header.SamplesPerPixel, header.PixelRepresentation = 1, 0
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelData = (film.astype(np.uint16) << 4).tobytes()
    buffer = BytesIO()
    header.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
