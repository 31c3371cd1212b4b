"""Draw the example studies: phantoms made of cylinders, no patient behind them.

A ray through a cylinder of radius r at distance d from its axis passes 2 sqrt(r^2 - d^2) of it. Bone is an
outer cylinder less most of an inner one, which gives the bright cortex and the darker marrow of a real film.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXAMPLES = ("hand", "forearm", "leg")
"""Name of each example study; its title is a text of the page."""

Point = tuple[float, float]
"""Row and column."""

_HEIGHT, _WIDTH = 1000, 760
_LABEL = "DRAWN PHANTOM"


@dataclass
class _Canvas:
    """Thickness of tissue in px of ray, water-equivalent by weight."""

    thickness: NDArray[np.float32]

    def add(self, start: Point, end: Point, radius: float, weight: float, flare: float = 0.0) -> None:
        """Add a cylinder with round ends from `start` to `end`, `flare` times wider at its ends."""
        reach = radius * (1 + max(flare, 0)) + 1
        top, bottom = (
            _inside(edge, _HEIGHT) for edge in (min(start[0], end[0]) - reach, max(start[0], end[0]) + reach)
        )
        left, right = (
            _inside(edge, _WIDTH) for edge in (min(start[1], end[1]) - reach, max(start[1], end[1]) + reach)
        )
        rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
        axis = np.subtract(end, start).astype(np.float32)
        along = ((rows - start[0]) * axis[0] + (columns - start[1]) * axis[1]) / np.float32(axis @ axis)
        part = np.clip(along, 0, 1)
        distance = np.hypot(rows - start[0] - part * axis[0], columns - start[1] - part * axis[1])
        width = radius * (1 + flare * (2 * part - 1) ** 4)
        ray = 2 * np.sqrt(np.maximum(width**2 - distance**2, 0))
        self.thickness[top:bottom, left:right] += (weight * ray).astype(np.float32)

    def add_bone(self, start: Point, end: Point, radius: float, flare: float = 0.5) -> None:
        """Add a long bone: a cortex of about a third of the radius around lighter marrow."""
        self.add(start, end, radius, 3.2, flare)
        self.add(start, end, radius * 0.66, -2.3, flare)


def draw_example(name: str) -> tuple[tuple[str, bytes], ...]:
    """Draw one example study.

    Args:
        name: One of EXAMPLES.

    Returns:
        (file name, content) of each view; the same bytes at every call.
    """
    return {"hand": _hand_study, "forearm": _forearm_study, "leg": _leg_study}[name]()


def _hand_study() -> tuple[tuple[str, bytes], ...]:
    return (
        ("phantom-hand-frontal.png", _png(_film(_hand(spread=1.0), seed=1, bit_depth=8))),
        ("phantom-hand-oblique.png", _png(_film(_hand(spread=0.62), seed=2, bit_depth=8))),
    )


def _forearm_study() -> tuple[tuple[str, bytes], ...]:
    views = ((1.0, 3, "AP"), (0.55, 4, "LL"))
    return tuple(
        (f"phantom-forearm-{view}.dcm", _dicom(_film(_forearm(spread), seed=seed, bit_depth=12), view))
        for spread, seed, view in views
    )


def _leg_study() -> tuple[tuple[str, bytes], ...]:
    return (("phantom-leg-plate.png", _png(_film(_leg(), seed=5, bit_depth=16))),)


def _inside(edge: float, size: int) -> int:
    return min(max(round(edge), 0), size)


def _empty() -> _Canvas:
    return _Canvas(np.zeros((_HEIGHT, _WIDTH), np.float32))


def _hand(spread: float) -> _Canvas:
    canvas = _empty()
    middle = _WIDTH / 2
    canvas.add((560, middle), (1010, middle), 150 * (0.5 + spread / 2), 0.55)
    # Per finger: column at the base, column at the tip, row of the tip, length of the thumb's bones differs.
    for base, tip, top in (
        (-112, -250, 330),
        (-62, -112, 150),
        (-6, 4, 105),
        (50, 118, 150),
        (104, 212, 250),
    ):
        foot = (700.0, middle + base * spread)
        head = (float(top), middle + tip * spread)
        _finger(canvas, foot, head)
    for row, offset in ((760, -78), (752, -26), (754, 26), (764, 76), (812, -62), (806, -10), (812, 44)):
        centre = (float(row), middle + offset * spread)
        canvas.add(centre, (centre[0] + 4, centre[1] + 4), 31, 1.5)
    canvas.add_bone((858, middle - 46 * spread), (1080, middle - 46 * spread), 40, 0.35)
    canvas.add_bone((864, middle + 48 * spread), (1080, middle + 46 * spread), 28, 0.3)
    return canvas


def _finger(canvas: _Canvas, foot: Point, head: Point) -> None:
    """Add a metacarpal and three phalanges along one line, in their sleeve of soft tissue."""
    joints = (0, 0.4, 0.43, 0.68, 0.71, 0.86, 0.89, 1)
    at = [(foot[0] + t * (head[0] - foot[0]), foot[1] + t * (head[1] - foot[1])) for t in joints]
    canvas.add(at[1], (head[0] - 6, head[1]), 33, 0.7)
    for start, end, radius in ((0, 1, 17), (2, 3, 15), (4, 5, 13), (6, 7, 11)):
        canvas.add_bone(at[start], at[end], radius)


def _forearm(spread: float) -> _Canvas:
    canvas = _empty()
    middle = _WIDTH / 2
    canvas.add((-60, middle), (1060, middle), 175, 0.5, -0.12)
    canvas.add_bone((40, middle - 66 * spread), (940, middle - 60 * spread), 38, 0.4)
    broken = _empty()
    broken.add_bone((60, middle + 66 * spread), (950, middle + 60 * spread), 33, 0.3)
    canvas.thickness += _break(broken.thickness, middle + 60 * spread)
    canvas.add_bone((985, middle - 20), (1060, middle + 30), 40, 0.1)
    return canvas


def _break(bone: NDArray[np.float32], column: float) -> NDArray[np.float32]:
    """Cut a bone along a slanted line, shift the part below it sideways and leave a gap."""
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    below = rows - 560 - 0.55 * (columns - column)
    upper = np.where(below < -5, bone, 0)
    lower = np.roll(np.where(below > 5, bone, 0), 15, axis=1)
    return (upper + lower).astype(np.float32)


def _leg() -> _Canvas:
    canvas = _empty()
    middle = _WIDTH / 2
    canvas.add((-60, middle), (1060, middle), 205, 0.5, -0.15)
    canvas.add_bone((-80, middle - 30), (900, middle - 20), 62, 0.35)
    canvas.add_bone((-80, middle + 110), (915, middle + 86), 22, 0.4)
    canvas.add((300, middle - 92), (640, middle - 84), 8, 22.0)
    for row in range(330, 640, 60):
        canvas.add((row, middle - 96), (row + 2, middle + 24), 5, 16.0)
    canvas.add((985, middle - 60), (1000, middle + 60), 66, 1.2)
    return canvas


def _film(canvas: _Canvas, *, seed: int, bit_depth: int) -> NDArray[np.uint16]:
    """Expose a film: thickness to grey values, with blur, noise and the label that no one can miss."""
    grey = 1 - np.exp(-np.maximum(canvas.thickness, 0) / 330)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.3)
    noise = np.random.default_rng(seed).normal(0, 1, grey.shape).astype(np.float32)
    grey = 0.02 + 0.94 * grey + 0.008 * cv2.GaussianBlur(noise, (0, 0), 0.8)
    label = np.zeros(grey.shape, np.uint8)
    cv2.putText(label, _LABEL, (18, _HEIGHT - 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 230, 2, cv2.LINE_AA)
    grey = np.clip(np.maximum(grey, label / 255), 0, 1)
    film: NDArray[np.uint16] = np.rint(grey * ((1 << bit_depth) - 1)).astype(np.uint16)
    return film


def _png(film: NDArray[np.uint16]) -> bytes:
    image = film.astype(np.uint8) if film.max() < 256 else film
    done, content = cv2.imencode(".png", image)
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return content.tobytes()


def _uid(name: str) -> UID:
    """The same identifier every time, from pydicom's own root."""
    return generate_uid(entropy_srcs=["drawn forearm phantom", name])


def _dicom(film: NDArray[np.uint16], view_position: str) -> bytes:
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = _uid(view_position)
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid("study"), _uid("series")
    dataset.Modality = "CR"
    dataset.PatientName, dataset.PatientID = "PHANTOM^DRAWN", "PHANTOM"
    dataset.BodyPartExamined = "FOREARM"
    dataset.ViewPosition = view_position
    dataset.Rows, dataset.Columns = film.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 1900, 3600
    dataset.PixelSpacing = ["0.3", "0.3"]
    dataset.PixelData = film.astype("<u2").tobytes()
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
