"""An archive over DICOMweb: list studies (QIDO-RS), fetch films (WADO-RS), store results (STOW-RS)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import dcmread

from mura_core.decoding import quiet_decoders
from mura_core.pacs.connection import ArchiveError, check_url, errors_in_words, open_client
from mura_core.pacs.identity import is_own_result
from mura_core.pacs.qido import (
    Entry,
    Query,
    StudyEntry,
    check_query,
    check_uid,
    entries,
    number,
    study_entry,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

FILM_MODALITIES = frozenset({"CR", "DX", "DR", "RG"})
"""Modality values of a radiograph. Digitised film may be one of `CAPTURES`."""

CAPTURES = frozenset({"SC", "OT"})
"""Read where a study has nothing else: results that were stored before may be among them."""

_PAGE = 100
_MOST_LOOKED_AT = 2000
_FIELDS = ("BodyPartExamined", "StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedInstances")


@dataclass(frozen=True)
class StudyList:
    """Studies found, and whether the archive may have more."""

    studies: tuple[StudyEntry, ...]
    more: bool


class Archive:
    """A DICOMweb service. Safe among threads; holds nothing of a patient."""

    def __init__(self, url: str) -> None:
        """Take the service's address; nothing is sent yet.

        Raises:
            ArchiveError: The address or the credentials in the environment are not as expected.
        """
        check_url(url)
        open_client(url)
        self.url = url

    def list_studies(self, query: Query) -> StudyList:
        """Find studies with radiographs.

        Body part and modality are looked at here as well: many archives cannot search for them.

        Raises:
            ArchiveError: A value is not as DICOM writes it, or the archive does not answer.
        """
        check_query(query)
        found: list[StudyEntry] = []
        for looked_at, entry in enumerate(self._search(query), start=1):
            study = study_entry(entry)
            if study is not None and self._wanted(study, query):
                if len(found) == query.limit:
                    return StudyList(tuple(found), more=True)
                found.append(study)
            if looked_at == _MOST_LOOKED_AT:
                return StudyList(tuple(found), more=True)
        return StudyList(tuple(found), more=False)

    def fetch_study(self, uid: str, most: int) -> tuple[tuple[str, bytes], ...]:
        """Fetch the radiographs of a study, as they are stored.

        Args:
            uid: StudyInstanceUID.
            most: Films at most.

        Returns:
            (name, content) of each film, in order of series and instance.

        Raises:
            ArchiveError: There is no such study or no film in it, it has too many or too large ones, or the
                archive does not answer.
        """
        check_uid(uid)
        with errors_in_words("The archive has no such study. List its studies again."):
            client = open_client(self.url)
            series = entries(client.search_for_series(uid))
            if not series:
                raise ArchiveError("The archive has no such study. List its studies again.")
            kinds = {text(entry, "00080060").upper() for entry in series}
            wanted = kinds & FILM_MODALITIES or kinds & CAPTURES
            places = []
            for entry in sorted(series, key=lambda entry: number(entry, "00200011")):
                if text(entry, "00080060").upper() in wanted:
                    series_uid = text(entry, "0020000E")
                    images = entries(client.search_for_instances(uid, series_uid))
                    images.sort(key=lambda image: number(image, "00200013"))
                    places += [(series_uid, text(image, "00080018")) for image in images]
            if len(places) > most:
                raise ArchiveError(f"The study has {len(places)} films; at most {most} are read at a time.")
            stored = [client.retrieve_instance(uid, *place) for place in places]
        with quiet_decoders():
            films = [_encode(film) for film in stored if not is_own_result(film)]
        if not films:
            raise ArchiveError("The study has no radiograph. Choose one with a CR or DX series.")
        return tuple((f"film-{number}.dcm", film) for number, film in enumerate(films, start=1))

    def store(self, results: Mapping[str, bytes], uid: str) -> int:
        """Store results under a study.

        Args:
            results: DICOM files, from `results.encode`.
            uid: StudyInstanceUID that all of them have.

        Returns:
            How many were stored: all of them.

        Raises:
            ArchiveError: The archive does not answer, or did not take every one.
        """
        check_uid(uid)
        datasets = [dcmread(BytesIO(content)) for content in results.values()]
        with errors_in_words("The archive takes no results at this address (no STOW-RS)."):
            answer = open_client(self.url).store_instances(datasets, study_instance_uid=uid)
            failed = answer.get("FailedSOPSequence") or ()
            taken = answer.get("ReferencedSOPSequence") or ()
            stored = {str(item.ReferencedSOPInstanceUID) for item in taken}
        missing = [data for data in datasets if data.SOPInstanceUID not in stored]
        if failed or missing:
            reasons = sorted({f"{int(item.get('FailureReason', 0)):04X}" for item in failed})
            told = f" (reason {', '.join(reasons)})" if reasons else ""
            raise ArchiveError(
                f"The archive did not take {len(missing)} of {len(datasets)} results{told}. "
                "Its operator can say why."
            )
        return len(datasets)

    def _search(self, query: Query) -> Iterator[Entry]:
        """Page through what the archive finds."""
        asked = {
            "StudyDate": query.date,
            "PatientID": query.patient_id,
            "ModalitiesInStudy": query.modality.upper(),
        }
        filters = {name: value for name, value in asked.items() if value}
        offset, seen = 0, set()
        while True:
            with errors_in_words("There is no DICOMweb service at the archive's address (HTTP 404)."):
                page = entries(
                    open_client(self.url).search_for_studies(
                        search_filters=filters, fields=_FIELDS, limit=_PAGE, offset=offset
                    )
                )
            # An archive that knows no offset would send its first page for ever.
            new = [entry for entry in page if text(entry, "0020000D") not in seen]
            seen |= {text(entry, "0020000D") for entry in new}
            yield from new
            if not new:
                return
            offset += len(page)

    def _wanted(self, study: StudyEntry, query: Query) -> bool:
        kinds = {query.modality.upper()} if query.modality else FILM_MODALITIES
        if study.modalities and not kinds & set(study.modalities):
            return False
        if not query.body_part:
            return True
        parts = {study.body_part.upper()} if study.body_part else self._body_parts(study.uid)
        return query.body_part.upper() in parts

    def _body_parts(self, uid: str) -> set[str]:
        """Ask for the series of a study whose own line names no body part."""
        with errors_in_words("The archive cannot list a study's series."):
            series = entries(open_client(self.url).search_for_series(uid, fields=["BodyPartExamined"]))
        return {text(entry, "00180015").upper() for entry in series}


def _encode(film: Dataset) -> bytes:
    buffer = BytesIO()
    film.save_as(buffer)
    return buffer.getvalue()
