"""The few questions and additions to a session's tables that its transactions are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mura_core.errors import SessionError
from mura_core.review import codec
from mura_core.review.clock import Moment, now
from mura_core.review.history import PlaceState, Step, fold
from mura_core.review.schema import VERSION
from mura_core.review.types import Case, Condition, Event, EventKind, Mode, Place, Refused

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from mura_core.review.types import AiResult, ReaderCall

_EVENTS = (
    "SELECT number, kind, at, reader, place, condition, call, reading_s, undoes, boot, ticks FROM events"
)


@dataclass(frozen=True)
class Settings:
    """What a session is made with, once; as `SessionStore.create` takes it."""

    source: str
    mode: Mode
    seed: int
    repeats: int
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]


def put_in(connection: sqlite3.Connection, settings: Settings, cases: Sequence[Case]) -> None:
    """Fill the tables of a new session."""
    refused = codec.dump([[entry.name, entry.reason] for entry in settings.refused])
    connection.execute(
        "INSERT INTO session VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (
            settings.source,
            settings.mode,
            settings.seed,
            settings.repeats,
            refused,
            codec.dump(settings.notes),
            now().at,
        ),
    )
    for number, case in enumerate(cases):
        truth = codec.truth_text(case.truth)
        views = codec.dump(case.views)
        values = (number, case.case_id, case.patient_id, case.body_part, views, truth)
        connection.execute("INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?)", values)


class Rows:
    """The file within one transaction."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], Moment]) -> None:
        self._connection = connection
        self._clock = clock

    def _ask(self, query: str, *values: Any) -> list[Any]:
        return self._connection.execute(query, values).fetchall()

    def settings(self) -> Settings:
        """Give what the session was made with."""
        source, mode, seed, repeats, refused, notes = self._ask(
            "SELECT source, mode, seed, repeats, refused, notes FROM session"
        )[0]
        entries = tuple(Refused(*entry) for entry in json.loads(refused))
        return Settings(source, Mode(mode), seed, repeats, entries, tuple(json.loads(notes)))

    def cases(self) -> tuple[Case, ...]:
        """Give the cases in the order they were put in."""
        found = self._ask("SELECT case_id, patient_id, body_part, views, truth FROM cases ORDER BY number")
        return tuple(
            Case(case_id, patient_id, part, tuple(json.loads(views)), codec.parse_truth(truth))
            for case_id, patient_id, part, views, truth in found
        )

    def readers(self) -> tuple[str, ...]:
        """Name the readers in the order they joined."""
        return tuple(reader for (reader,) in self._ask("SELECT reader FROM readers ORDER BY rowid"))

    def add_reader(self, reader: str, places: Sequence[Place]) -> None:
        """Put down a reader and the list that holds from now on."""
        self._ask("INSERT INTO readers VALUES (?, ?)", reader, self._clock().at)
        for place in places:
            values = (reader, place.number, place.case_id, place.repeat)
            self._ask("INSERT INTO places VALUES (?, ?, ?, ?)", *values)

    def places(self, reader: str) -> tuple[Place, ...]:
        """Give a reader's list.

        Raises:
            SessionError: There is no such reader.
        """
        found = self._ask(
            "SELECT number, case_id, repeat FROM places WHERE reader = ? ORDER BY number", reader
        )
        if not found:
            raise SessionError("There is no such reader in this session. Join it first.")
        return tuple(Place(*row) for row in found)

    def place(self, reader: str, number: int) -> Place:
        """Give one place of a reader's list.

        Raises:
            SessionError: There is no such reader or place.
        """
        places = self.places(reader)
        if not 0 <= number < len(places):
            raise SessionError(f"There is no study {number + 1} in this list of {len(places)}.")
        return places[number]

    def state(self, reader: str, place: int) -> PlaceState:
        """Add up the events of one place."""
        found = self._ask(f"{_EVENTS} WHERE reader = ? AND place = ? ORDER BY number", reader, place)
        return fold(_step(row) for row in found)

    def states(self, reader: str) -> dict[int, PlaceState]:
        """Add up the events of each of a reader's places that has any, by place."""
        steps: dict[int, list[Step]] = {}
        for row in self._ask(f"{_EVENTS} WHERE reader = ? ORDER BY number", reader):
            step = _step(row)
            if step.event.place is not None:
                steps.setdefault(step.event.place, []).append(step)
        return {place: fold(found) for place, found in steps.items()}

    def events(self, reader: str | None) -> tuple[Event, ...]:
        """Give the history of one reader or of all."""
        found = self._ask(f"{_EVENTS} WHERE ?1 IS NULL OR reader = ?1 ORDER BY number", reader)
        return tuple(_step(row).event for row in found)

    def count(self) -> int:
        """Count what was put down: events, readers, results of the model."""
        tables = ("events", "readers", "ai")
        return sum(self._ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables)  # noqa: S608

    def is_closed(self) -> bool:
        """Tell whether the session was ended."""
        return bool(self._ask("SELECT 1 FROM events WHERE kind = ?", EventKind.CLOSED))

    def refuse_closed(self) -> None:
        """Refuse a change to a session that was ended.

        Raises:
            SessionError: It was.
        """
        if self.is_closed():
            raise SessionError("The session is closed: it takes no calls any more. Look at its results.")

    def clock(self, state: PlaceState) -> Moment:
        """Read the clock; at one place the calendar's time never goes back."""
        moment = self._clock()
        return Moment(max(moment.at, state.last_at), moment.boot, moment.ticks)

    def add(
        self,
        kind: EventKind,
        moment: Moment,
        reader: str | None = None,
        place: int | None = None,
        *,
        condition: Condition | None = None,
        call: ReaderCall | None = None,
        reading_s: float | None = None,
        undoes: int | None = None,
    ) -> Step:
        """Put down an event."""
        text = None if call is None else codec.call_text(call)
        [(number,)] = self._ask(
            "INSERT INTO events (kind, at, boot, ticks, reader, place, condition, call, reading_s, undoes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
            *(kind, moment.at, moment.boot, moment.ticks, reader, place, condition, text, reading_s, undoes),
        )
        event = Event(number, kind, moment.at, reader or "", place, condition, call, reading_s, undoes)
        return Step(event, moment)

    def add_pause(self, moment: Moment, reader: str, place: int) -> None:
        """Put down the begin of a pause; programs that know none refuse the file from then on."""
        self._ask(f"PRAGMA user_version={VERSION}")
        self.add(EventKind.PAUSED, moment, reader, place)

    def ai(self, case_id: str) -> AiResult | None:
        """Give the model's result of a case, None where there is none."""
        found = self._ask("SELECT result FROM ai WHERE case_id = ? AND result IS NOT NULL", case_id)
        return codec.parse_ai(found[0][0]) if found else None

    def ai_failures(self) -> dict[str, str]:
        """Give the reason by case for each that the model could not read."""
        return dict(self._ask("SELECT case_id, failure FROM ai WHERE failure IS NOT NULL"))

    def add_ai(self, case_id: str, result: AiResult | None, failure: str | None) -> None:
        """Put down the model's result of a case, or why there is none."""
        text = None if result is None else codec.ai_text(result)
        self._ask("INSERT INTO ai VALUES (?, ?, ?, ?)", case_id, self._clock().at, text, failure)


def _step(row: Any) -> Step:
    number, kind, at, reader, place, condition, call, reading_s, undoes, boot, ticks = row
    event = Event(
        number=number,
        kind=EventKind(kind),
        at=at,
        reader=reader or "",
        place=place,
        condition=None if condition is None else Condition(condition),
        call=None if call is None else codec.parse_call(call),
        reading_s=reading_s,
        undoes=undoes,
    )
    return Step(event, Moment(at, boot, ticks))
