"""Where sessions live, and how one is opened.

The session NAME is the file `NAME.sqlite` in the sessions folder; films that were uploaded lie in the folder
`NAME` beside it, in `studies` or `studies.zip`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.cases import check_films, open_cases
from mura_core.review.schema import is_database, speaking_of
from mura_core.review.sources import read_view
from mura_core.review.store import SessionStore
from mura_core.review.types import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mura_core.review.types import Case

ENDING = ".sqlite"
STUDIES = "studies"
"""Folder of uploaded films, or with ".zip" the ZIP, beside the session's file."""

DEFAULT_MODE = Mode.SEQUENTIAL

_NAME = re.compile(r"[^\W_][\w -]{0,58}[\w-]|[^\W_]")


@dataclass(frozen=True)
class Wish:
    """What a new session shall be; None leaves a choice to the default, or to the session that is there.

    Attributes:
        mode: When readers see the model's result; sequential by default. A folder has one session of each.
        seed: For the readers' orders and the draw; 0 by default.
        repeats: Cases that each reader sees a second time; 0 by default.
        count: Studies to draw from a larger source; all by default.
        truth: A CSV with the truth; `truth.csv` at the top of the source by default.
    """

    mode: Mode | None = None
    seed: int | None = None
    repeats: int | None = None
    count: int | None = None
    truth: Path | None = None


def is_name(name: object) -> bool:
    """Tell whether a session may have this name. It becomes a folder's, so nothing leads elsewhere.

    >>> is_name("Wrists 2"), is_name("../etc"), is_name(".hidden"), is_name("")
    (True, False, False, False)
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def session_names(sessions: Path) -> tuple[str, ...]:
    """Name the sessions there are, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in sessions.glob(f"*{ENDING}") if is_name(path.stem)))


def session_file(sessions: Path, name: str) -> Path:
    """Say where the file of a session is, or would be."""
    return sessions / f"{name}{ENDING}"


def open_session(
    path: Path,
    sessions: Path,
    wish: Wish | None = None,
    on_film: Callable[[int, int], None] | None = None,
) -> SessionStore:
    """Open what `--session` names; a second time, the session goes on where it was left.

    Args:
        path: A session's file, or a folder or ZIP of studies.
        sessions: Where the session of a folder or ZIP is kept.
        wish: What a new session shall be.
        on_film: As for `check_films`, which a new session begins with.

    Raises:
        SessionError: There is no such path, no study in it, the session cannot be opened or written, or it is
            there already and was made otherwise than wished.
        DatasetError: As `open_cases`.
    """
    wish = wish or Wish()
    if is_database(path):
        return _as_wished(SessionStore.open(path), wish)
    if not path.exists():
        raise SessionError(f"There is no {path}. Give a folder or ZIP of studies, or a session's file.")
    mode = wish.mode or DEFAULT_MODE
    kept = session_file(sessions, name_of_source(path, mode))
    if kept.exists():
        return _as_wished(SessionStore.open(kept), wish)
    return create_session(kept, path, wish, on_film)


def create_session(
    file: Path,
    source: Path,
    wish: Wish | None = None,
    on_film: Callable[[int, int], None] | None = None,
    *,
    wrapper: str = "",
) -> SessionStore:
    """Make the session of a folder or ZIP of studies, after a look at every film.

    Args:
        file: The session's; its folder is made if need be.
        source: The studies. Below the file's folder they are found again after that was moved as a whole.
        wish: What the session shall be.
        on_film: As for `check_films`.
        wrapper: As for `open_cases`.

    Raises:
        SessionError: Nothing in it can be read, a wish cannot be fulfilled, or the session is there already.
        DatasetError: As `open_cases`.
    """
    wish = wish or Wish()
    seed = wish.seed or 0
    found = open_cases(source, wish.truth, count=wish.count, seed=seed, wrapper=wrapper)
    found = check_films(found, on_film)
    home, films = file.parent.resolve(), source.resolve()
    return SessionStore.create(
        file,
        found.cases,
        source=films.relative_to(home).as_posix() if films.is_relative_to(home) else str(films),
        mode=wish.mode or DEFAULT_MODE,
        seed=seed,
        repeats=wish.repeats or 0,
        refused=found.refused,
        notes=found.notes,
    )


def name_of_source(source: Path, mode: Mode) -> str:
    """Name the session of a folder or ZIP: the same for the same place, another for each mode.

    >>> name_of_source(Path("/films/Wrists (May)"), Mode.AIDED)
    'Wrists-May-f8a898-aided'
    """
    readable = re.sub(r"[^\w]+|_+", "-", source.resolve().stem).strip("-")[:30].strip("-") or "session"
    place = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:6]
    return f"{readable}-{place}-{mode}"


def films_of(store: SessionStore) -> Path:
    """Say where a session's films are."""
    # A source that is named absolutely stays what it is.
    return store.path.parent / store.source


def read_film(store: SessionStore, case: Case, index: int) -> bytes:
    """Read the file of one view of a case.

    Raises:
        SessionError: It is gone or cannot be read.
    """
    return read_view(films_of(store), case, index)


def keeps_films(store: SessionStore) -> bool:
    """Tell whether the session holds films of its own: uploaded ones, not forgotten yet."""
    own = store.path.parent / store.path.stem
    return films_of(store) in {own / STUDIES, own / f"{STUDIES}.zip"} and films_of(store).exists()


def forget_films(store: SessionStore) -> None:
    """Delete the uploaded films of a closed session; the calls stay. Films elsewhere are not touched.

    Raises:
        SessionError: The session is still open, or the films cannot be deleted.
    """
    if not store.closed:
        raise SessionError("The session is still open: its readers need the films. Close it first.")
    if keeps_films(store):
        with speaking_of(store.path):
            films = films_of(store)
            shutil.rmtree(films) if films.is_dir() else films.unlink()


def _as_wished(store: SessionStore, wish: Wish) -> SessionStore:
    """Refuse to open a session under another wish than it was made with.

    Raises:
        SessionError: They differ; the store is let go.
    """
    pairs = (
        ("mode", wish.mode, store.mode),
        ("seed", wish.seed, store.seed),
        ("repeats", wish.repeats, store.repeats),
    )
    differing = [
        f"{name} {there}, not {wished}" for name, wished, there in pairs if wished not in (None, there)
    ]
    if wish.count is not None and wish.count < len(store.cases):
        differing.append(f"{len(store.cases)} studies, not {wish.count}")
    if wish.truth is not None:
        differing.append("the truth it had then")
    if differing:
        store.disconnect()
        raise SessionError(
            f"The session {store.path} was made with {' and '.join(differing)}. Leave that out to go on, "
            "or keep a new one in another sessions folder."
        )
    return store
