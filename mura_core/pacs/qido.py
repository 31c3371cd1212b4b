"""What is asked of an archive, and its answer: DICOM JSON (PS3.18 F) read with suspicion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mura_core.pacs.connection import ArchiveError

MAX_STUDIES = 200
_MAX_TEXT = 64
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_DATE = re.compile(r"\d{8}|\d{8}-|-\d{8}|\d{8}-\d{8}")
_PATIENT = re.compile(r"[^\\\x00-\x1f*?]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9 _-]{1,16}")

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Query:
    """What to look for; "" is anything.

    Attributes:
        date: YYYYMMDD, or a range of two with a hyphen, of which one may be missing.
        patient_id: As the archive has it.
        body_part: As DICOM writes it, in any case: WRIST.
        modality: CR, DX, ...; "" is any radiograph.
        limit: Studies at most.
    """

    date: str = ""
    patient_id: str = ""
    body_part: str = ""
    modality: str = ""
    limit: int = 50


@dataclass(frozen=True)
class StudyEntry:
    """One line of a list of studies. Patient's name and number are for the screen alone, never for a log."""

    uid: str
    date: str
    modalities: tuple[str, ...]
    body_part: str
    description: str
    images: int
    patient_name: str
    patient_id: str


def check_uid(uid: str) -> None:
    """Refuse what is no UID (PS3.5 9.1).

    Raises:
        ArchiveError: It is none.
    """
    if len(uid) > 64 or not _UID.fullmatch(uid):
        raise ArchiveError("This is no StudyInstanceUID. Expected up to 64 digits and dots, from the list.")


def check_query(query: Query) -> None:
    """Refuse values that are not as DICOM writes them.

    Raises:
        ArchiveError: One is not; none is repeated, for it may name a patient.
    """
    if query.date and not _DATE.fullmatch(query.date):
        raise ArchiveError("The date is not understood. Expected YYYYMMDD or YYYYMMDD-YYYYMMDD.")
    if query.patient_id and not _PATIENT.fullmatch(query.patient_id):
        raise ArchiveError("The patient's number is not understood. Expected up to 64 letters and digits.")
    for value in (query.body_part, query.modality):
        if value and not _CODE.fullmatch(value):
            raise ArchiveError("Body part and modality are words such as WRIST and DX.")
    if not 1 <= query.limit <= MAX_STUDIES:
        raise ArchiveError(f"{query.limit} studies were asked for. Expected 1 to {MAX_STUDIES}.")


def entries(answer: Any) -> list[Entry]:
    """Take an answer for what it should be.

    Raises:
        TypeError, AttributeError: It is no list of data sets.
    """
    if not isinstance(answer, list):
        raise TypeError("no list")
    for entry in answer:
        for element in entry.values():
            if not isinstance(element.get("Value", []), list):
                raise TypeError("no DICOM element")
    return answer


def study_entry(entry: Entry) -> StudyEntry | None:
    """Read one study of an answer; None where it has no valid number."""
    uid = text(entry, "0020000D")
    if not _UID.fullmatch(uid):
        return None
    return StudyEntry(
        uid=uid,
        date=text(entry, "00080020"),
        modalities=tuple(sorted(kind.upper() for kind in _texts(entry, "00080061"))),
        body_part=text(entry, "00180015"),
        description=text(entry, "00081030"),
        images=number(entry, "00201208"),
        patient_name=text(entry, "00100010").replace("^", " ").strip(),
        patient_id=text(entry, "00100020"),
    )


def _texts(entry: Entry, tag: str) -> list[str]:
    """Read an attribute of DICOM JSON (PS3.18 F.2) as texts fit for the screen."""
    values = entry.get(tag, {}).get("Value") or []
    texts = []
    for value in values:
        plain = (
            value.get("Ideographic") or value.get("Alphabetic") or "" if isinstance(value, dict) else value
        )
        texts.append("".join(letter for letter in str(plain) if letter.isprintable())[:_MAX_TEXT].strip())
    return [found for found in texts if found]


def text(entry: Entry, tag: str) -> str:
    """Read an attribute's first value, "" where there is none."""
    return next(iter(_texts(entry, tag)), "")


def number(entry: Entry, tag: str) -> int:
    """Read a whole number, 0 where there is none."""
    written = text(entry, tag)
    return int(written) if written.isascii() and written.isdecimal() else 0
