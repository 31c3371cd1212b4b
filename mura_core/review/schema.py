"""The file of a session: its tables, its version, how it is opened, and what its errors mean."""

from __future__ import annotations

import errno
import os
import sqlite3
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mura_core.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

APPLICATION_ID = 0x4D555253
"""Marks a SQLite file as a session ("MURS"), at byte 68 of its header."""

VERSION = 2
"""Raised when a table changes its meaning; at byte 60 of the header.

1: the first. 2: events may be pauses; apart from them the same, so that both are read, and a file of format 1
becomes one of format 2 with its first pause.
"""

BUSY_S = 30.0
"""How long one process waits for another one's transaction."""

_HEADER = b"SQLite format 3\0"

TABLES = """
CREATE TABLE session (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL, mode TEXT NOT NULL, seed INTEGER NOT NULL, repeats INTEGER NOT NULL,
    refused TEXT NOT NULL, notes TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE cases (
    number INTEGER PRIMARY KEY, case_id TEXT NOT NULL UNIQUE, patient_id TEXT NOT NULL,
    body_part TEXT NOT NULL, views TEXT NOT NULL, truth TEXT
) STRICT;
CREATE TABLE readers (reader TEXT PRIMARY KEY, joined_at TEXT NOT NULL) STRICT;
CREATE TABLE places (
    reader TEXT NOT NULL REFERENCES readers, number INTEGER NOT NULL,
    case_id TEXT NOT NULL REFERENCES cases (case_id), repeat INTEGER NOT NULL,
    PRIMARY KEY (reader, number)
) STRICT;
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, at TEXT NOT NULL, boot TEXT NOT NULL, ticks REAL NOT NULL,
    reader TEXT, place INTEGER, condition TEXT, call TEXT, reading_s REAL CHECK (reading_s >= 0),
    undoes INTEGER UNIQUE REFERENCES events,
    FOREIGN KEY (reader, place) REFERENCES places (reader, number)
) STRICT;
CREATE INDEX events_of_place ON events (reader, place);
CREATE UNIQUE INDEX closed_once ON events (kind) WHERE kind = 'closed';
CREATE TABLE ai (
    case_id TEXT PRIMARY KEY REFERENCES cases (case_id), at TEXT NOT NULL, result TEXT, failure TEXT,
    CHECK ((result IS NULL) <> (failure IS NULL))
) STRICT;
"""

_KEPT = ("session", "cases", "readers", "places", "events", "ai")


def create_file(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make a session's file: it is there whole, with what `fill` put in, or not at all.

    Raises:
        SessionError: There is a file already, or none can be written there.
    """
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with speaking_of(path):
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with speaking_of(path):
            connection = sqlite3.connect(staging, isolation_level=None)
            try:
                _write_tables(connection, fill)
            finally:
                connection.close()
            _place(staging, path)
    finally:
        staging.unlink(missing_ok=True)


def connect(path: Path) -> sqlite3.Connection:
    """Open a session's file for reading and writing; every commit is on the disk when it returns.

    Raises:
        SessionError: The file is missing, foreign, of a newer version, damaged or cannot be written.
    """
    with speaking_of(path):
        check_header(path)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("SELECT id FROM session").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


def is_database(path: Path) -> bool:
    """Tell whether a path is a file of SQLite's, a session's or another's."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except OSError:
        return False


def check_header(path: Path) -> None:
    """Tell a session's file by its first bytes, before SQLite could change anything in a foreign one.

    Raises:
        SessionError: It is no session, or one of a newer version.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(100)
    found = "another program's database" if head.startswith(_HEADER) else "no database"
    if not head.startswith(_HEADER) or int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise SessionError(
            f"{path} is no review session (it is {found}). Give a session's file, a folder or a ZIP."
        )
    version = int.from_bytes(head[60:64], "big")
    if not 1 <= version <= VERSION:
        raise SessionError(
            f"{path} is a session of format {version}; this program reads formats up to {VERSION}. "
            "Open it with the version of the program that made it."
        )


@contextmanager
def speaking_of(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into what failed and what to do.

    Raises:
        SessionError: In place of any sqlite3.Error or OSError.
    """
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        advice = next((text for code, text in _ADVICE.items() if name.startswith(code)), _ANY_ADVICE)
        raise SessionError(f"The session {path} {advice} (SQLite: {error})") from error
    except FileExistsError:
        raise SessionError(
            f"There is a session {path} already. Open that one, or choose another name."
        ) from None
    except OSError as error:
        raise SessionError(
            f"The session {path} cannot be opened or written ({error.strerror}). "
            "Check that the path is right, that you may write there and that the disk has room."
        ) from error


_ADVICE = {
    "SQLITE_BUSY": "is held by another program for too long. Close what else has it open, then try again.",
    "SQLITE_FULL": "could not be written: the disk is full. Nothing confirmed is lost. Make room, try again.",
    "SQLITE_READONLY": "cannot be written: the file or its folder is read-only. Allow writing and try again.",
    "SQLITE_CANTOPEN": "cannot be opened. Check the path, and that its folder may be written.",
    "SQLITE_IOERR": "could not be read or written: the disk reports an error. Check the disk and its room.",
    "SQLITE_CORRUPT": "is damaged. Go back to a copy of the file.",
    "SQLITE_NOTADB": "is damaged or no session. Go back to a copy of the file.",
}
_ANY_ADVICE = "could not be read or written. Try again, or go back to a copy of the file."


def _write_tables(connection: sqlite3.Connection, fill: Callable[[sqlite3.Connection], None]) -> None:
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # One transaction: the script leaves open what it begins.
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES}")
    for table in _KEPT:
        for change in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'a session only ever grows'); END"
            )
    fill(connection)
    connection.execute("COMMIT")


def _place(staging: Path, path: Path) -> None:
    """Give the finished file its name, unless that is taken; two programs cannot both get it."""
    try:
        os.link(staging, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if path.exists():
            raise FileExistsError(path) from None
        staging.rename(path)
    if os.name != "posix":
        return  # a folder cannot be synchronised there
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
