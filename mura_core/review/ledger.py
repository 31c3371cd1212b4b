"""The transactions of a session's file, among the threads and processes that share it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.clock import Moment
from mura_core.review.schema import connect, speaking_of
from mura_core.review.tables import Rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class Ledger:
    """One connection to a session's file, shared by this process's threads."""

    def __init__(self, path: Path, clock: Callable[[], Moment]) -> None:
        """Open the file.

        Raises:
            SessionError: As `schema.connect`.
        """
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._connection = connect(path)
        self._file = _file_at(path)

    def disconnect(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def reading(self) -> AbstractContextManager[Rows]:
        """Look at one state of the file."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[Rows]:
        """Change the file: alone, after other processes; at the end it is on the disk, or nothing is."""
        return self._transaction("BEGIN IMMEDIATE")

    def backup(self, target: sqlite3.Connection) -> None:
        """Copy the file as it is now into an empty database, while others go on."""
        with self._lock, speaking_of(self.path):
            self._connection.backup(target)

    def _refuse_elsewhere(self) -> None:
        """Refuse to go on with a file that has lost its name: SQLite would, and no call would be seen again.

        Raises:
            SessionError: The file was deleted, moved or replaced.
        """
        if _file_at(self.path) != self._file:
            raise SessionError(
                f"The session {self.path} was deleted, moved or replaced while it was open: nothing more is "
                "kept in it. Put the file back, or start the program again to go on with what is there now."
            )

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Rows]:
        with self._lock, speaking_of(self.path):
            self._refuse_elsewhere()
            self._connection.execute(begin)
            try:
                yield Rows(self._connection, self._clock)
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


def _file_at(path: Path) -> tuple[int, int] | None:
    """Tell one file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
