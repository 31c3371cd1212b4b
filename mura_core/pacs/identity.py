"""Whose film it is: the header facts that results copy from their source, and nothing else of it."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
from pydicom.valuerep import DA, TM

from mura_core.decoding import quiet_decoders
from mura_core.dicom import OWN_MANUFACTURER
from mura_core.dicom_file import LimitedBytes, check_meta, check_values
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Sequence

MANUFACTURER = OWN_MANUFACTURER
MODEL_NAME = "Musculoskeletal radiograph reader"
RESEARCH_ONLY = "Research only, not for clinical use."

SOURCE_CLASSES = {
    ComputedRadiographyImageStorage: "CR",
    DigitalXRayImageStorageForPresentation: "DX",
    DigitalXRayImageStorageForProcessing: "DX",
    SecondaryCaptureImageStorage: "SC",
}
"""Kinds of film that results may refer to: single-frame images of projection radiography."""

PATIENT = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
)  # fmt: skip
STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber",
    "IssuerOfAccessionNumberSequence", "ReferringPhysicianName",
)  # fmt: skip
NEEDED_EVEN_IF_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Type 2 in every object that is built here (PS3.3 C.7.1.1, C.7.2.1)."""

_UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_FILM = (
    "SpecificCharacterSet", "Modality", "Rows", "Columns", "PatientOrientation", "BodyPartExamined",
    "Laterality", "ImageLaterality", "ViewPosition", "PixelSpacing", "PixelSpacingCalibrationType",
    "PixelSpacingCalibrationDescription", "ImagerPixelSpacing", "BurnedInAnnotation",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "Manufacturer",
)  # fmt: skip
_WANTED = (*PATIENT, *STUDY, *_UIDS, *_FILM)


def new_uid() -> str:
    """Make a UID that nobody has to be asked for: of the UUID kind (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def named_uid(name: str) -> str:
    """Make the UID that a name always has.

    >>> named_uid("densenet169 1.0") == named_uid("densenet169 1.0") != named_uid("densenet169 1.1")
    True
    """
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, name).int}"


def read_header(data: bytes) -> Dataset:
    """Read of a DICOM film what its results copy or refer to; the pixels stay where they are.

    Args:
        data: A file that `read_radiograph` accepted.

    Raises:
        MuraError: It is no DICOM, no kind of film that results can refer to, or it lacks an identifier.
    """
    if data[128:132] != b"DICM":
        raise MuraError("It is not DICOM, so it belongs to no study of an archive.")
    try:
        with quiet_decoders():
            check_meta(data)
            header = dcmread(LimitedBytes(data), specific_tags=list(_WANTED), stop_before_pixels=True)
            check_values(header)
            for element in header.iterall():
                _ = element.value
    except Exception as error:  # noqa: BLE001 - pydicom raises anything on damaged files
        # `from None`: the cause's text may quote the patient's data.
        raise MuraError(f"Its header is damaged ({type(error).__name__}). Export the file again.") from None
    _check(header)
    return header


def check_one_study(headers: Sequence[Dataset]) -> None:
    """Refuse films that are not of one study of one patient, or that are there twice.

    Raises:
        MuraError: They are not.
    """
    if not headers:
        raise MuraError("There is no film. Expected the DICOM files of one study.")
    studies = {str(header.StudyInstanceUID) for header in headers}
    if len(studies) > 1:
        raise MuraError(
            f"The films belong to {len(studies)} studies (StudyInstanceUID). Results are made for one study: "
            "analyse the films of each on their own."
        )
    if (
        len({(str(header.get("PatientID", "")), str(header.get("PatientName", ""))) for header in headers})
        > 1
    ):
        raise MuraError(
            "The films of the study name different patients (PatientID, PatientName). "
            "Have the study corrected in the archive before results go under it."
        )
    if len({str(header.SOPInstanceUID) for header in headers}) < len(headers):
        raise MuraError("Two of the files are the same DICOM image (SOPInstanceUID). Leave one of them out.")


def bare_reference(header: Dataset) -> Dataset:
    """Give what a result needs to refer to a film, with the patient left empty.

    highdicom writes values that it finds odd into its log, and refuses some that archives are full of, so
    it never sees the patient; `stamp` puts the patient in afterwards.
    """
    bare = Dataset()
    for keyword in (*_UIDS, "Rows", "Columns", "Modality"):
        setattr(bare, keyword, header[keyword].value if keyword in header else "")
    for keyword in NEEDED_EVEN_IF_EMPTY:
        setattr(bare, keyword, None)
    return bare


def stamp(made: Dataset, header: Dataset) -> None:
    """Copy patient and study from a film's header into a result, byte for byte in its character set.

    Dates, times and a sex that DICOM does not know are left empty. Everything else a result says is ASCII,
    which every character set of DICOM holds.

    Args:
        made: The result; changed.
        header: From `read_header`; not changed.
    """
    for keyword in (*PATIENT, *STUDY, "SpecificCharacterSet"):
        if keyword in made:
            del made[keyword]
        if keyword in header:
            made.add(deepcopy(header[keyword]))
    for keyword, kind in (("PatientBirthDate", DA), ("StudyDate", DA), ("StudyTime", TM)):
        try:
            kind(str(made.get(keyword, None) or ""))
        except ValueError:
            setattr(made, keyword, None)
    if made.get("PatientSex") not in ("M", "F", "O"):
        made.PatientSex = None
    for keyword in NEEDED_EVEN_IF_EMPTY:
        if keyword not in made:
            setattr(made, keyword, None)


def is_own_result(header: Dataset) -> bool:
    """Tell a picture that this package made from a film."""
    return str(header.get("Manufacturer", "")) == MANUFACTURER


def view_title(header: Dataset, index: int, count: int) -> str:
    """Name a view as a reader of the archive knows it, in ASCII: "View 1 of 2 (PA)".

    The file's name is left out: it may hold anything.
    """
    position = re.sub(r"[^A-Z0-9 ]+", "", str(header.get("ViewPosition") or "").upper())[:16].strip()
    return f"View {index} of {count}" + (f" ({position})" if position else "")


def _check(header: Dataset) -> None:
    missing = [
        keyword for keyword in _UIDS if not re.fullmatch(r"[0-9.]{1,64}", str(header.get(keyword, "")))
    ]
    if missing:
        raise MuraError(
            f"It has no valid {', '.join(missing)}, so nothing can refer to it. "
            "Export it from the archive again."
        )
    if header.SOPClassUID not in SOURCE_CLASSES:
        raise MuraError(
            f"It is of the kind {header.SOPClassUID.name}; expected a CR, DX or secondary capture image."
        )
    if is_own_result(header):
        raise MuraError("It is itself a result of this program. Choose the film.")
