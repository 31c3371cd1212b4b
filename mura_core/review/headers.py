"""To which study a DICOM file says it belongs, from its first bytes; the patient's own data is not kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from mura_core.dicom_file import LimitedBytes, check_meta, check_values, refusing_damage

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_BYTES = 1024**2
"""What is read of a file at first; the elements that are wanted lie far in front of the pixels."""

_INFLATED_BYTES = 4 * HEAD_BYTES
_LAST = Tag("InstanceNumber")
_WANTED: list[BaseTag | int] = [
    Tag(keyword)
    for keyword in (
        "SOPInstanceUID", "PatientID", "IssuerOfPatientID", "BodyPartExamined", "StudyInstanceUID",
        "SeriesNumber", "InstanceNumber",
    )
]  # fmt: skip
_MAX_UID = 64
_UID = re.compile(r"[0-9.]*[0-9][0-9.]*")
"""Looser than the standard, as files are; but a number it must be, as it becomes the study's name."""


@dataclass(frozen=True)
class Header:
    """What is kept of a DICOM file.

    Attributes:
        study: StudyInstanceUID, "" where there is none.
        image: SOPInstanceUID, "" where there is none.
        patient: The same for the same patient in one call of `patient_hash`, "" where none is named.
        body_part: In lower case, "" where it is not stated.
        order: (SeriesNumber, InstanceNumber), 0 where not stated.
    """

    study: str
    image: str
    patient: str
    body_part: str
    order: tuple[int, int]


def patient_hash() -> Callable[[str], str]:
    """Build a function that names patients by what nobody can trace back: its key is never kept.

    >>> name = patient_hash()
    >>> name("4711") == name("4711"), name("4711") == name("4712"), name("4711") == patient_hash()("4711")
    (True, False, False)
    """
    key = secrets.token_bytes(32)
    return lambda patient: hashlib.blake2b(patient.encode(), key=key, digest_size=8).hexdigest()


def read_header(data: bytes, name_patient: Callable[[str], str]) -> Header:
    """Read a DICOM file's first elements.

    Args:
        data: The file or its first bytes, known to hold the DICM mark.
        name_patient: From `patient_hash`.

    Raises:
        ImageError: The file is damaged.
    """
    with refusing_damage():
        ds = _read(data)
        patient = "\n".join((_text(ds, "IssuerOfPatientID"), _text(ds, "PatientID")))
        return Header(
            study=_uid(ds, "StudyInstanceUID"),
            image=_uid(ds, "SOPInstanceUID"),
            patient=name_patient(patient) if _text(ds, "PatientID") else "",
            body_part=" ".join(_text(ds, "BodyPartExamined").lower().split())[:16],
            order=(_number(ds, "SeriesNumber"), _number(ds, "InstanceNumber")),
        )


def _read(data: bytes) -> Dataset:
    check_meta(data)
    deflated = DeflatedExplicitVRLittleEndian.encode() in data[:1024]
    ds = (
        _read_deflated(data)
        if deflated
        else read_partial(LimitedBytes(data), _is_after, specific_tags=_WANTED)
    )
    check_values(ds)
    return ds


def _read_deflated(data: bytes) -> Dataset:
    """Inflate the first of it; pydicom would inflate all of it, whatever it grows to."""
    start = 144 + int.from_bytes(data[140:144], "little")
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start:], _INFLATED_BYTES)
    return read_dataset(LimitedBytes(inflated), False, True, stop_when=_is_after, specific_tags=_WANTED)


def _is_after(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return bool(tag > _LAST)


def _text(ds: Dataset, keyword: str) -> str:
    value = ds.get(keyword)
    text = str("" if value is None else value)
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _uid(ds: Dataset, keyword: str) -> str:
    text = _text(ds, keyword)
    return text if len(text) <= _MAX_UID and _UID.fullmatch(text) else ""


def _number(ds: Dataset, keyword: str) -> int:
    try:
        return int(_text(ds, keyword) or 0)
    except ValueError:
        return 0
