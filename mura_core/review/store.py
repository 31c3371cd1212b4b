"""One review session in one SQLite file: what a method returned for is on the disk, and stays there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review import history, steps
from mura_core.review.checks import check_cases, check_reader
from mura_core.review.clock import Moment, now
from mura_core.review.ledger import Ledger
from mura_core.review.model_results import ModelResults
from mura_core.review.order import reading_list
from mura_core.review.protocol import first_incomplete, look, progress_of, standing_readings, wanted_at
from mura_core.review.schema import create_file, speaking_of
from mura_core.review.tables import Settings, put_in
from mura_core.review.types import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from mura_core.review.types import (
        AiResult,
        Case,
        Condition,
        Event,
        Mode,
        Place,
        Progress,
        ReaderCall,
        Reading,
        Refused,
    )


class SessionStore:
    """A session as its readers use it; safe among threads and processes.

    A reader's way through it: `join`, then again and again `next_place`, `start`, `needs`, `commit`. In a
    sequential session `needs` asks for the unaided call first; then `reveal` gives the model's result, once
    that call stands, and `commit` takes the aided one. In an aided session `reveal` comes right after
    `start`. Places are read in the order of the list; earlier ones may be opened again. `undo` withdraws the
    latest call of a place, except a first call after which the model's result was revealed: from then on
    only the revision can be withdrawn.

    Every method that changes something is one transaction, on the disk before it returns. Nothing is ever
    overwritten or removed: the tables refuse it.
    """

    def __init__(self, path: Path, clock: Callable[[], Moment] = now) -> None:
        """Open a session's file; see `open`."""
        self.path = path
        self._ledger = Ledger(path, clock)
        with self._ledger.reading() as rows:
            settings = rows.settings()
            self.cases = rows.cases()
        self.source, self.mode, self.seed = settings.source, settings.mode, settings.seed
        self.repeats, self.refused, self.notes = settings.repeats, settings.refused, settings.notes
        self._case_by_id = {case.case_id: case for case in self.cases}
        self.model = ModelResults(self._ledger, self.case)

    @classmethod
    def create(
        cls,
        path: Path,
        cases: Sequence[Case],
        *,
        source: str,
        mode: Mode,
        seed: int,
        repeats: int,
        refused: Sequence[Refused] = (),
        notes: Sequence[str] = (),
    ) -> SessionStore:
        """Make a session's file and open it; a crash leaves it whole or leaves none.

        Args:
            path: Where; its folder is made.
            cases: At least one, with different ids.
            source: Where the films are: a folder or ZIP, absolute, or relative to the file's folder.
            mode: When readers see the model's result.
            seed: For the readers' orders.
            repeats: How many cases each reader sees a second time.
            refused: Files that are no part of it, to be named to whoever opens the session.
            notes: Plain sentences on what was left out on purpose.

        Raises:
            SessionError: The file exists or cannot be written, or the cases or repeats make no session.
        """
        check_cases(cases)
        reading_list([case.case_id for case in cases], seed=seed, reader="", repeats=repeats)
        settings = Settings(source, mode, seed, repeats, tuple(refused), tuple(notes))
        create_file(path, lambda connection: put_in(connection, settings, cases))
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> SessionStore:
        """Open a session where it was left.

        Raises:
            SessionError: The file is missing, no session, of a newer version, damaged or cannot be written.
        """
        return cls(path)

    def disconnect(self) -> None:
        """Let go of the file. The session is neither closed nor changed."""
        self._ledger.disconnect()

    def __enter__(self) -> SessionStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    @property
    def closed(self) -> bool:
        """Whether the session takes no calls any more and shows everything to all."""
        with self._ledger.reading() as rows:
            return rows.is_closed()

    def case(self, case_id: str) -> Case:
        """Give a case of the session.

        Raises:
            SessionError: It has no such case.
        """
        if case_id not in self._case_by_id:
            raise SessionError("The session has no such case. Take a case out of the reader's list.")
        return self._case_by_id[case_id]

    def join(self, reader: str) -> None:
        """Take a reader in and settle the reading list; a second time changes nothing.

        Raises:
            SessionError: The name cannot be one, or the session is closed and the reader is not in it.
        """
        check_reader(reader)
        with self._ledger.writing() as rows:
            if reader in rows.readers():
                return
            rows.refuse_closed()
            ids = [case.case_id for case in self.cases]
            rows.add_reader(reader, reading_list(ids, seed=self.seed, reader=reader, repeats=self.repeats))

    def readers(self) -> tuple[str, ...]:
        """Name the readers in the order they joined."""
        with self._ledger.reading() as rows:
            return rows.readers()

    def places(self, reader: str) -> tuple[Place, ...]:
        """Give a reader's list.

        Raises:
            SessionError: There is no such reader.
        """
        with self._ledger.reading() as rows:
            return rows.places(reader)

    def next_place(self, reader: str) -> Place | None:
        """Give the first place that wants a call; None when all are complete or the session is closed."""
        with self._ledger.reading() as rows:
            return None if rows.is_closed() else first_incomplete(rows, self.mode, reader)

    def start(self, reader: str, place: int) -> None:
        """Open a place: its clock starts at the first time and goes on at every other. A pause ends.

        Raises:
            SessionError: The session is closed, or an earlier place still wants a call.
        """
        with self._ledger.writing() as rows:
            steps.start(rows, self.mode, reader, place)

    def pause(self, reader: str, place: int) -> None:
        """Stop the clock of an open place until `resume` or the next `start`; a second time changes nothing.

        Meanwhile the place takes no call, undo or reveal.

        Raises:
            SessionError: The session is closed, or the place was not opened or is complete.
        """
        with self._ledger.writing() as rows:
            steps.pause(rows, self.mode, reader, place)

    def resume(self, reader: str, place: int) -> None:
        """Let the clock of a place go on; where it is not paused, nothing changes.

        Raises:
            SessionError: The session is closed.
        """
        with self._ledger.writing() as rows:
            steps.resume(rows, reader, place)

    def paused(self, reader: str, place: int) -> bool:
        """Tell whether the clock of a place stands still now."""
        with self._ledger.reading() as rows:
            return look(rows, reader, place)[1].paused is not None

    def needs(self, reader: str, place: int) -> Condition | None:
        """Say which call a place still wants; None when it is complete or the session is closed."""
        with self._ledger.reading() as rows:
            where, state = look(rows, reader, place)
            return None if rows.is_closed() else wanted_at(rows, self.mode, where, state)

    def ai_allowed(self, reader: str, place: int) -> bool:
        """Tell whether the model's result of this place may be sent to this reader now.

        While the session is open: never in unaided mode, from the opening in aided mode, and in sequential
        mode only while the reader's own call stands. After closing, always.
        """
        with self._ledger.reading() as rows:
            state = look(rows, reader, place)[1]
            return rows.is_closed() or history.may_reveal(self.mode, state)

    def reveal(self, reader: str, place: int) -> AiResult:
        """Give the model's result to be shown to this reader, and put down that it was.

        The clock of a sequential place's second call starts at the first time.

        Raises:
            SessionError: It may not be shown now, the place is paused, or no result was saved for the case.
        """
        with self._ledger.writing() as rows:
            return steps.reveal(rows, self.mode, reader, place)

    def commit(self, reader: str, place: int, condition: Condition, call: ReaderCall) -> Reading:
        """Keep a call.

        Raises:
            SessionError: The call is not well formed, the place was not opened or is paused, or it does not
                want a call in this condition now; an aided one is taken only after `reveal`.
        """
        with self._ledger.writing() as rows:
            return steps.commit(rows, self.mode, reader, place, condition, call, self._case_by_id)

    def undo(self, reader: str, place: int) -> None:
        """Withdraw the latest call of a place; the history keeps it.

        A later place that is open already waits meanwhile: its clock stands still until its next `start`.

        Raises:
            SessionError: The session is closed, the place paused, no call stands, or it is a first call
                after which the model's result was revealed.
        """
        with self._ledger.writing() as rows:
            steps.undo(rows, self.mode, reader, place)

    def can_undo(self, reader: str, place: int) -> bool:
        """Tell whether `undo` would withdraw a call now."""
        with self._ledger.reading() as rows:
            state = look(rows, reader, place)[1]
            return not rows.is_closed() and history.may_undo(self.mode, state)

    def readings(self, reader: str | None = None) -> tuple[Reading, ...]:
        """Give the calls that stand, of one reader or of all, in the order they were made."""
        with self._ledger.reading() as rows:
            return standing_readings(rows, reader)

    def events(self, reader: str | None = None) -> tuple[Event, ...]:
        """Give the whole history, of one reader or of all, in the order it happened."""
        with self._ledger.reading() as rows:
            return rows.events(reader)

    def progress(self, reader: str) -> Progress:
        """Say how far a reader is, and how long the rest takes at the reader's median pace."""
        with self._ledger.reading() as rows:
            return progress_of(rows, self.mode, reader)

    def close(self) -> None:
        """End the session for all: no calls any more, results visible. A second time changes nothing."""
        with self._ledger.writing() as rows:
            if not rows.is_closed():
                rows.add(EventKind.CLOSED, rows.clock(history.PlaceState()))

    def changes(self) -> int:
        """Count what was put down so far: rises with every change."""
        with self._ledger.reading() as rows:
            return rows.count()

    def backup(self, path: Path) -> None:
        """Write a consistent copy of the session's file while readers go on.

        Raises:
            SessionError: It cannot be written.
        """
        with speaking_of(path), closing(sqlite3.connect(path)) as copy:
            self._ledger.backup(copy)
