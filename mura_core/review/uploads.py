"""A session from uploaded files: they are kept in the session's own folder, so that it opens again."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import IO, TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.names import is_litter
from mura_core.review.schema import speaking_of
from mura_core.review.session import STUDIES, Wish, create_session, is_name, session_file
from mura_core.review.studies import TRUTH_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mura_core.review.store import SessionStore

OWNER = "owner"
"""File beside the uploads that names whoever made the session."""

MAX_UPLOADS = 2000
_MAKING = ".making"
"""There, and locked, while a session is made beside its uploads."""

_MAX_PART = 100
_MAX_PART_BYTES = 200
"""Of a name as the disk keeps it; common ones take 255."""

_MAX_PARTS = 8
"""Folders in a name, the file's own included; those above them are dropped."""

_UNSAFE = frozenset('/\\:*?"<>|')
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True)
class _Kept:
    """Where uploads were put: the films, the name a ZIP had or "", and the truth file."""

    source: Path
    wrapper: str
    truth: Path | None


def create_from_uploads(
    sessions: Path,
    name: str,
    files: Iterable[tuple[str, bytes]],
    wish: Wish | None = None,
    on_film: Callable[[int, int], None] | None = None,
    *,
    owner: str = "",
) -> SessionStore:
    """Make a session of uploaded files; it is there whole or not at all.

    Args:
        sessions: Where sessions live.
        name: The session's, as `is_name` allows.
        files: (name, content), each taken from the iterator once. Folders in a name count as folders of
            studies. One ZIP makes a session of its own; one CSV is the truth file.
        wish: What the session shall be.
        on_film: As for `check_films`.
        owner: Who makes it, to be kept beside the uploads.

    Raises:
        SessionError: The name is taken or not allowed, there are too many files, several ZIPs or CSVs, a ZIP
            beside films, nothing can be read, or the folder cannot be written.
    """
    if not is_name(name):
        raise SessionError(f"{name!r} cannot be a session's name. Use letters, digits, blanks and hyphens.")
    folder, file = sessions / name, session_file(sessions, name)
    if file.exists():
        raise SessionError(f"There is a session {name} already. Open that one, or choose another name.")
    with speaking_of(folder):
        sessions.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    with _whole_or_gone(folder):
        with speaking_of(file):
            kept = _keep(files, folder)
            (folder / OWNER).write_text(owner, encoding="utf-8")
        if kept.truth is not None:
            wish = replace(wish or Wish(), truth=kept.truth)
        return create_session(file, kept.source, wish, on_film, wrapper=kept.wrapper)


def remove_unfinished(sessions: Path) -> None:
    """Delete uploads whose session was never finished, as what made it was killed; not those of now."""
    for mark in sessions.glob(f"*/{_MAKING}"):
        if not session_file(sessions, mark.parent.name).exists():
            with suppress(OSError), mark.open("rb") as held:
                if _lock(held):
                    shutil.rmtree(mark.parent)


def _lock(file: IO[bytes]) -> bool:
    """Hold a file that no other process holds; tells whether it does. On Windows it never does."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _whole_or_gone(folder: Path) -> Iterator[None]:
    """Remove the folder if what follows fails; if it is killed, `remove_unfinished` knows the folder."""
    mark = folder / _MAKING
    try:
        with speaking_of(folder), mark.open("wb") as held:
            _lock(held)
            yield
        with suppress(OSError):
            mark.unlink()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def safe_parts(name: str) -> tuple[str, ...]:
    r"""Reduce a client's file name to folders and a name that stay where they are put.

    >>> safe_parts("../wrist 1\\film.png"), safe_parts("C:/x/a\n.png"), safe_parts("..")
    (('wrist 1', 'film.png'), ('x', 'a.png'), ('unnamed',))
    """
    path = PureWindowsPath(name)
    kept = []
    for part in path.parts[1 if path.anchor else 0 :]:
        letters = (letter for letter in part if letter.isprintable() and letter not in _UNSAFE)
        shown = "".join(letters).strip()
        if shown.strip("."):
            kept.append(_short(shown))
    return tuple(kept[-_MAX_PARTS:]) or ("unnamed",)


def _short(part: str) -> str:
    """Leave out the middle of a long name."""
    if len(part) <= _MAX_PART and len(part.encode()) <= _MAX_PART_BYTES:
        return part
    half = 40 if part.isascii() else _MAX_PART_BYTES // 8
    return part[:half] + part[-half:]


def _keep(files: Iterable[tuple[str, bytes]], folder: Path) -> _Kept:
    """Write the files below a folder.

    Raises:
        SessionError: They are too many, or do not go together.
        OSError: They cannot be written.
    """
    zips, tables, films = [], [], 0
    taken: dict[Path, int] = {}
    for number, (name, content) in enumerate(files, 1):
        if number > MAX_UPLOADS:
            raise SessionError(f"More than {MAX_UPLOADS} files were given. Put them in a ZIP.")
        parts = safe_parts(name)
        if is_litter(parts):
            continue
        if content.startswith(_ZIP):
            zips.append(Path(parts[-1]).stem)
            _write(folder / f"{STUDIES}.zip", content)
        elif parts[-1].lower().endswith(".csv"):
            tables.append(parts[-1])
            _write(folder / TRUTH_NAME, content)
        else:
            films += 1
            _write(_free(folder.joinpath(STUDIES, *parts), taken), content)
    if len(tables) > 1:
        raise SessionError(f"{len(tables)} CSV files were given ({', '.join(tables[:3])}). Give one.")
    if len(zips) > 1 or bool(zips) == bool(films):
        raise SessionError("Give films, or one ZIP of them. Neither, both or several ZIPs make no session.")
    source = folder / (f"{STUDIES}.zip" if zips else STUDIES)
    return _Kept(source, zips[0] if zips else "", folder / TRUTH_NAME if tables else None)


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise SessionError(
            f"{path.parent.name} was given as a file and as a folder. Rename one of them."
        ) from error
    path.write_bytes(content)


def _free(path: Path, taken: dict[Path, int]) -> Path:
    """Give a path that is not taken: discs call every study's first film the same.

    Args:
        path: The one that is wanted.
        taken: The number that each path was last given with; kept from file to file.
    """
    number, free = taken.get(path, 1), path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    taken[path] = number
    return free
