"""Where a session's films are: a folder or a ZIP, looked through once and read film by film."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from mura_core.decoding import MAX_BYTES
from mura_core.errors import SessionError
from mura_core.review.archive import ZipFilms
from mura_core.review.names import Entry, is_litter, natural
from mura_core.review.types import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mura_core.review.types import Case

MAX_FILES = 50_000
"""More files in a folder are no session but a whole disk; MURA has 40,561."""


class Films(Protocol):
    """A folder or a ZIP while it is looked through."""

    def entries(self) -> tuple[tuple[Entry, ...], tuple[Refused, ...]]:
        """Give the files in natural order, without what systems leave behind, and those that are refused."""
        ...

    def read(self, name: str, limit: int = ...) -> bytes:
        """Read a file's first `limit` bytes.

        Raises:
            SessionError: It cannot be read.
        """
        ...


@contextmanager
def open_films(source: Path) -> Iterator[Films]:
    """Open a folder or a ZIP.

    Raises:
        SessionError: It is neither, or a ZIP that is not safe to read.
    """
    if source.is_dir():
        yield FolderFilms(source)
    elif source.is_file():
        with ZipFilms.open(source) as archive:
            yield archive
    else:
        raise SessionError(f"There is no {source}. Give the path of a folder or ZIP with radiographs.")


def read_view(source: Path, case: Case, index: int) -> bytes:
    """Read the file of one view of a case, up to one byte over the limit of `read_radiograph`.

    Args:
        source: The session's folder or ZIP.
        case: A case of it.
        index: Of the view, from 0.

    Raises:
        SessionError: There is no such view, or its file is gone or cannot be read. The text names no file: a
            reader gets it, and a folder's name may tell the truth (as "study1_positive" in MURA).
    """
    if not 0 <= index < len(case.views):
        raise SessionError(f"There is no view {index + 1} in this study of {len(case.views)}.")
    try:
        with open_films(source) as films:
            return films.read(case.views[index])
    except SessionError as error:
        raise SessionError(
            f"The file of view {index + 1} is gone, cannot be read or lies outside the session's folder. "
            "Whoever keeps the films must put it back where it was when the session was made."
        ) from error


class FolderFilms:
    """The files of a folder and of those below it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self) -> tuple[tuple[Entry, ...], tuple[Refused, ...]]:
        """Give the files; links are followed, each folder once."""
        found: list[tuple[str, ...]] = []
        refused: list[Refused] = []
        seen = {self._root.resolve()}

        def name_it(error: OSError) -> None:
            refused.append(Refused(str(error.filename), f"the folder cannot be read ({error.strerror})"))

        for folder, below, names in os.walk(self._root, onerror=name_it, followlinks=True):
            here = Path(folder)
            above = here.relative_to(self._root).parts
            below[:] = [name for name in below if not is_litter((name,)) and _first_time(here / name, seen)]
            for name in names:
                if is_litter((name,)):
                    continue
                if not (here / name).is_file():
                    refused.append(Refused("/".join((*above, name)), "no file, or a link to nowhere"))
                    continue
                found.append((*above, name))
            if len(found) > MAX_FILES:
                raise SessionError(
                    f"{self._root} holds more than {MAX_FILES} files. Give the folder of the studies."
                )
        return tuple(Entry("/".join(parts), parts) for parts in sorted(found, key=natural)), tuple(refused)

    def read(self, name: str, limit: int = MAX_BYTES + 1) -> bytes:
        """Read a file's first `limit` bytes; a name that leads out of the folder is refused.

        Raises:
            SessionError: It cannot be read, or is refused.
        """
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise SessionError(f"{name} lies outside the session's folder. Go back to a copy of the session.")
        try:
            with (self._root / parts).open("rb") as file:
                return file.read(limit)
        except OSError as error:
            raise SessionError(
                f"The film {self._root / parts} cannot be read ({error.strerror}). "
                "Put it back where it was when the session was made."
            ) from error


def _first_time(folder: Path, seen: set[Path]) -> bool:
    """Tell whether a folder was not walked yet under any name; a link may lead round in a circle."""
    real = folder.resolve()
    if real in seen:
        return False
    seen.add(real)
    return True
