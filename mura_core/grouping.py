"""Which files make one study: by StudyInstanceUID for DICOM, by folder for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from mura_core.decoding import MAX_BYTES
from mura_core.errors import ImageError
from mura_core.images import sniff
from mura_core.review.headers import HEAD_BYTES, Header, patient_hash, read_header
from mura_core.review.layouts import is_fracatlas
from mura_core.review.names import Entry, is_litter, natural

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILM_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".ima"})
"""A file of such a name belongs to a study even if it is no film: it is refused by name later."""

_OTHER_SERIES = (2**31, 2**31)


class Read(Protocol):
    """Reads the first `limit` bytes of a file by its name in the source."""

    def __call__(self, name: str, limit: int, /) -> bytes:
        """Give the bytes; may raise errors of its own."""
        ...


@dataclass(frozen=True)
class Film:
    """A file that begins like a radiograph; `header` is None for anything but DICOM."""

    entry: Entry
    header: Header | None = None

    @property
    def rank(self) -> tuple[tuple[int, int], list[tuple[tuple[str, int], ...]]]:
        """Its place among the films of its study: series and instance, then name."""
        return (self.header.order if self.header else _OTHER_SERIES), natural(self.entry.parts)

    @property
    def study(self) -> str:
        """Its study: by StudyInstanceUID, else the folder it lies in, else, lying loose, itself."""
        if self.header is not None and self.header.study:
            return self.header.study
        return "/".join(self.entry.parts[:-1] or self.entry.parts)


@dataclass(frozen=True)
class StudyFiles:
    """The files of one study, named relative to the folder with "/" between folders, in reading order."""

    study_id: str
    files: tuple[str, ...]


def look_at(entry: Entry, read: Read, name_patient: Callable[[str], str]) -> Film:
    """Look at a file's first bytes.

    Args:
        entry: The file.
        read: Reads it.
        name_patient: From `headers.patient_hash`.

    Raises:
        ImageError: It is no radiograph, or a damaged DICOM.
    """
    head = read(entry.name, HEAD_BYTES)
    if sniff(head) != "dicom":
        return Film(entry)
    header = read_header(head, name_patient)
    if not header.study and len(head) == HEAD_BYTES:
        # Something large stands before the study's number.
        header = read_header(read(entry.name, MAX_BYTES), name_patient)
    return Film(entry, header)


def group_folder(folder: Path) -> list[StudyFiles]:
    """Find the studies of a folder.

    DICOM, told by content, goes by StudyInstanceUID wherever it lies, in order of series and instance.
    Pictures that lie in one folder are a study (so MURA's study folders are). Pictures that lie loose at the
    top, and all those of FracAtlas, are studies of one view. Files of other kinds are left out.

    Args:
        folder: Looked through with the folders below it; links to folders are not followed.

    Returns:
        The studies, by their names in natural order.
    """
    one_each = is_fracatlas(folder)
    studies: dict[str, list[Film]] = {}
    name_patient = patient_hash()

    def read(name: str, limit: int) -> bytes:
        with (folder / name).open("rb") as file:
            return file.read(limit)

    for path in folder.rglob("*"):
        entry = _entry(folder, path)
        film = _film(entry, read, name_patient) if entry else None
        if film is not None:
            study = film.entry.name if one_each and film.header is None else film.study
            studies.setdefault(study, []).append(film)
    return [
        StudyFiles(study, tuple(film.entry.name for film in sorted(studies[study], key=attrgetter("rank"))))
        for study in sorted(studies, key=lambda name: natural(tuple(name.split("/"))))
    ]


def _entry(folder: Path, path: Path) -> Entry | None:
    parts = path.relative_to(folder).parts
    return Entry("/".join(parts), parts) if path.is_file() and not is_litter(parts) else None


def _film(entry: Entry, read: Read, name_patient: Callable[[str], str]) -> Film | None:
    """Give None for what is no film and is not called like one."""
    try:
        return look_at(entry, read, name_patient)
    except (ImageError, OSError):
        named_like_one = PurePosixPath(entry.name).suffix.lower() in FILM_SUFFIXES
        return Film(entry) if named_like_one else None
