"""Studies of drawn DICOM films with the headers that archives send, and the validator that judges results."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage

from mura_core.images import read_radiograph
from mura_core.pacs.results import build_results, encode, read_sources
from mura_core.study import Study, StudyResult, View
from tests.fake_predictor import FakePredictor
from tests.radiograph_files import dicom_bytes, phantom

STUDY_UID, SERIES_UID = "1.2.826.0.1.3680043.8.498.1001", "1.2.826.0.1.3680043.8.498.1002"
KOREAN = "Hong^Gildong=洪^吉洞=홍^길동"

IDENTITY: dict[str, Any] = {
    "StudyInstanceUID": STUDY_UID,
    "SeriesInstanceUID": SERIES_UID,
    "PatientSex": "F",
    "PatientAge": "054Y",
    "StudyDate": "20250102",
    "StudyTime": "101112.5",
    "StudyID": "S1",
    "StudyDescription": "Wrist two views",
    "AccessionNumber": "ACC-1",
    "ReferringPhysicianName": "Who^Doctor",
}
BARE: dict[str, Any] = {
    "StudyInstanceUID": STUDY_UID,
    "SeriesInstanceUID": SERIES_UID,
    **dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate")),
}
"""A header with the identifiers alone: nothing that is optional, nothing of the patient."""


def dx_film(index: int = 1, *, height: int = 400, width: int = 320, **tags: Any) -> bytes:
    """A 12-bit DX film with everything one likes to have: orientation, spacing, side."""
    return dicom_bytes(
        phantom(height, width, bits=12, seed=index),
        **{
            **IDENTITY,
            "SOPInstanceUID": f"{SERIES_UID}.{index}",
            "BitsStored": 12,
            "HighBit": 11,
            "PatientOrientation": ["R", "F"],
            "ImagerPixelSpacing": [0.15, 0.15],
            "ViewPosition": ("PA", "LL")[index % 2],
            "BodyPartExamined": "WRIST",
            "ImageLaterality": "L",
            "BurnedInAnnotation": "NO",
            **tags,
        },
    )


def cr_film(index: int = 1, **tags: Any) -> bytes:
    """A MONOCHROME1 CR film with identifiers alone, unless tags say more."""
    return dicom_bytes(
        phantom(360, 300, bits=12, bright_background=True, seed=index),
        **{
            **BARE,
            "SOPClassUID": ComputedRadiographyImageStorage,
            "SOPInstanceUID": f"{SERIES_UID}.{index}",
            "Modality": "CR",
            "PhotometricInterpretation": "MONOCHROME1",
            "BitsStored": 12,
            "HighBit": 11,
            **tags,
        },
    )


STUDIES: dict[str, tuple[bytes, ...]] = {
    "two DX films of one wrist": (dx_film(1), dx_film(2)),
    "a CR film with identifiers alone": (cr_film(1),),
    "a CR film with calibrated spacing": (
        cr_film(1, PixelSpacing=[0.2, 0.2], PixelSpacingCalibrationType="FIDUCIAL"),
    ),
    "a CR film with described spacing": (
        cr_film(
            1,
            PixelSpacing=[0.2, 0.2],
            PixelSpacingCalibrationType="FIDUCIAL",
            PixelSpacingCalibrationDescription="a coin",
        ),
    ),
    "both hands": (
        dx_film(1, ImageLaterality="L"), dx_film(2, ImageLaterality="R", SeriesInstanceUID="1.2.3.4"),
    ),
    "a Korean name in Unicode": (dx_film(1, SpecificCharacterSet="ISO_IR 192", PatientName=KOREAN),),
    "a Korean name in KS X 1001": (
        dx_film(1, SpecificCharacterSet=["", "ISO 2022 IR 149"], PatientName="Hong^Gildong==홍^길동"),
    ),
    "a large film": (dx_film(1, height=3000, width=2500),),
    "a tiny film": (dx_film(1, height=96, width=64),),
    "a lossy digitised film": (
        dicom_bytes(
            phantom(),
            **{
                **IDENTITY,
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
                "SOPInstanceUID": f"{SERIES_UID}.1",
                "Modality": "OT",
                "LossyImageCompression": "01",
                "LossyImageCompressionRatio": "12",
                "LossyImageCompressionMethod": "ISO_10918_1",
                "BurnedInAnnotation": "YES",
            },
        ),
    ),
}  # fmt: skip
"""Name and files of studies whose results have to be valid."""


def analysed(files: tuple[bytes, ...], *probabilities: float) -> tuple[list[Dataset], Study, StudyResult]:
    """Read a study and let the stand-in call its views with the probabilities given."""
    named = [(f"film {index}.dcm", content) for index, content in enumerate(files, 1)]
    study = Study(tuple(View(name, read_radiograph(content)) for name, content in named))
    return read_sources(named), study, FakePredictor(*probabilities).predict(study)


@cache
def results_of(name: str) -> dict[str, bytes]:
    """The files of one of `STUDIES`' results, as `predict --dicom` writes them."""
    return encode(build_results(*analysed(STUDIES[name])))


def errors_and_warnings(file: Path) -> tuple[list[str], list[str]]:
    """What dciodvfy has to say against a file."""
    tool = installed("dciodvfy", "dicom3tools")
    # Unknown character sets and the like come as warnings on the same stream.
    ended = subprocess.run([tool, str(file)], capture_output=True, text=True, check=False, errors="replace")
    said = (ended.stdout + ended.stderr).splitlines()
    return [line for line in said if "Error" in line], [line for line in said if "Warning" in line]


def installed(tool: str, package: str) -> str:
    """The path of a validator; skips where it is not installed, fails where it has to be."""
    path = shutil.which(tool)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed; .ci/run has to install {package}")
    if path is None:
        pytest.skip(f"{tool} is not installed (Debian: apt-get install {package})")
    return path
