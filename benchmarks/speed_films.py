"""Drawn films of 2.7 megapixels for the speed benchmark, as PNG, JPEG and DICOM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = ("png", "jpg", "dcm")
SHAPE = (1900, 1420)
"""Height and width, px."""


def draw_files(folder: Path, kind: str, count: int) -> list[Path]:
    """Draw films that differ, and write them as files of one kind; DICOM has 12 bits."""
    return [_write(folder / f"view{index}.{kind}", kind, _draw(index)) for index in range(count)]


def _draw(seed: int) -> NDArray[np.float32]:
    """A limb-like phantom with noise in [0, 1], so that it compresses and decodes as a film does."""
    height, width = SHAPE
    image = Image.new("L", (width, height), 20)
    pen = ImageDraw.Draw(image)
    pen.rectangle((width * 0.3, 0, width * 0.7, height * 0.9), fill=90)
    pen.rectangle((width * (0.42 + 0.01 * seed), 0, width * 0.56, height * 0.85), fill=190)
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(6)), dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0, 3, smooth.shape)
    return np.clip((smooth + noise) / 255, 0, 1).astype(np.float32)


def _write(path: Path, kind: str, film: NDArray[np.float32]) -> Path:
    if kind == "dcm":
        _write_dicom(path, np.round(film * 4095).astype(np.uint16))
    else:
        Image.fromarray(np.round(film * 255).astype(np.uint8)).save(path, quality=92)
    return path


def _write_dicom(path: Path, values: NDArray[np.uint16]) -> None:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = generate_uid()
    dataset.Modality, dataset.BodyPartExamined = "DX", "WRIST"
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelData = values.tobytes()
    dataset.save_as(path, enforce_file_format=True)
