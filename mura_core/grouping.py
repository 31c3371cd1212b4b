"""Which files make one study: by StudyInstanceUID for DICOM, by folder for pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from mura_core.decoding import quiet_decoders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
"""A file of this name belongs to a study even if it turns out to be damaged: it is refused by name later."""

_FRACATLAS_LIST = "dataset.csv"
_FRACATLAS_IMAGES = "images"
_NO_FILMS = frozenset({"DICOMDIR"})
_LAST = 10**9
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class StudyFiles:
    """The files of one study.

    Attributes:
        study_id: The StudyInstanceUID, the folder, or the file where each file is a study of its own.
        files: Names relative to the source with "/" between folders, in reading order.
    """

    study_id: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class _Film:
    study_id: str
    rank: tuple[int, int, str]
    name: str


def find_files(folder: Path) -> list[str]:
    """Name every file below a folder, sorted; hidden ones are left out.

    Args:
        folder: Where to look; links are not followed out of it.

    Returns:
        Names relative to it, with "/" between folders.
    """
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not _hidden(path.parts))


def group_files(names: Iterable[str], open_file: Callable[[str], IO[bytes]]) -> list[StudyFiles]:
    """Put files that belong to one study together.

    DICOM, told by content, goes by StudyInstanceUID wherever it lies, in order of series and instance.
    Pictures that lie in one folder are a study (so MURA's study folders are). Pictures that lie loose at the
    top, and all those of the FracAtlas layout, are studies of one view. Files of other kinds are left out.

    Args:
        names: Relative to the source, with "/" between folders.
        open_file: Opens one for reading; may raise OSError, and the file is then grouped by its name.

    Returns:
        The studies in order of their first file's name.
    """
    names = sorted(name for name in names if not _hidden(PurePosixPath(name).parts))
    one_each = _FRACATLAS_LIST in names and any(name.startswith(f"{_FRACATLAS_IMAGES}/") for name in names)
    studies: dict[str, list[_Film]] = {}
    for name in names:
        film = _place(name, open_file, one_each=one_each)
        if film is not None:
            studies.setdefault(film.study_id, []).append(film)
    return [
        StudyFiles(study_id, tuple(film.name for film in sorted(films, key=lambda film: film.rank)))
        for study_id, films in studies.items()
    ]


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _place(name: str, open_file: Callable[[str], IO[bytes]], *, one_each: bool) -> _Film | None:
    path = PurePosixPath(name)
    if path.name in _NO_FILMS:
        return None
    film = _place_dicom(name, open_file)
    if film is not None or path.suffix.lower() not in PICTURE_SUFFIXES | DICOM_SUFFIXES:
        return film
    folder = path.parent.as_posix()
    return _Film(name if one_each or folder == "." else folder, (_LAST, _LAST, name), name)


def _place_dicom(name: str, open_file: Callable[[str], IO[bytes]]) -> _Film | None:
    """Read the few facts that place a DICOM file; None for anything else or where they are missing."""
    from pydicom import dcmread  # takes 0.2 s; folders of pictures need not wait

    try:
        with open_file(name) as file:
            if file.read(132)[128:] != b"DICM":
                return None
            file.seek(0)
            with quiet_decoders():
                tags = ["StudyInstanceUID", "SeriesNumber", "InstanceNumber"]
                facts = dcmread(file, stop_before_pixels=True, specific_tags=list(tags))
                study_id = str(facts.get("StudyInstanceUID") or "").strip()
                rank = (_whole(facts.get("SeriesNumber")), _whole(facts.get("InstanceNumber")), name)
    except Exception:  # noqa: BLE001 - pydicom raises anything on damaged files; reading it later says why
        return None
    return _Film(study_id, rank, name) if _UID.fullmatch(study_id) else None


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return _LAST
