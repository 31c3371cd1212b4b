"""The rules of a session, as questions to its file: what is wanted, what stands, how far a reader is."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.history import PlaceState, Step, wanted
from mura_core.review.types import Condition, Mode, Place, Progress, Reading

if TYPE_CHECKING:
    from mura_core.review.tables import Rows


def look(rows: Rows, reader: str, place: int) -> tuple[Place, PlaceState]:
    """Find a place and what happened there.

    Raises:
        SessionError: There is no such reader or place.
    """
    return rows.place(reader, place), rows.state(reader, place)


def wanted_at(rows: Rows, mode: Mode, place: Place, state: PlaceState) -> Condition | None:
    """Say which call a place still wants; None when it is complete."""
    return wanted(mode, state, ai_failed=place.case_id in rows.ai_failures())


def first_incomplete(rows: Rows, mode: Mode, reader: str) -> Place | None:
    """Give the first place of a reader's list that wants a call."""
    failed, states = rows.ai_failures(), rows.states(reader)
    for place in rows.places(reader):
        state = states.get(place.number, PlaceState())
        if wanted(mode, state, ai_failed=place.case_id in failed) is not None:
            return place
    return None


def pause_later(rows: Rows, mode: Mode, reader: str, place: int) -> None:
    """Stop the clocks of the places behind one that is read again."""
    for where in rows.places(reader)[place + 1 :]:
        state = rows.state(reader, where.number)
        running = state.opened is not None and state.paused is None
        if running and wanted_at(rows, mode, where, state) is not None:
            rows.add_pause(rows.clock(state), reader, where.number)


def refuse_early(rows: Rows, mode: Mode, reader: str, place: int) -> None:
    """Refuse to open a place before those ahead of it are complete.

    Raises:
        SessionError: One is not.
    """
    first = first_incomplete(rows, mode, reader)
    if first is not None and place > first.number:
        raise SessionError(f"Study {place + 1} of the list opens once study {first.number + 1} is called.")


def refuse_unwanted(condition: Condition, needed: Condition | None, state: PlaceState) -> None:
    """Refuse a call that the place does not want now.

    Raises:
        SessionError: The text says why.
    """
    if state.opened is None:
        raise SessionError("This study was not opened yet. Open it, then make the call.")
    if needed is None:
        raise SessionError("This study is called already. Undo the call first to change it.")
    if condition is not needed:
        raise SessionError(f"The call was given as {condition}; the study wants an {needed} one now.")
    if condition is Condition.AIDED and state.revealed is None:
        raise SessionError("The model's result was not shown yet. Look at it, then make the call.")


def refuse_paused(state: PlaceState) -> None:
    """Refuse what needs the film on the screen while the place is paused.

    Raises:
        SessionError: It is.
    """
    if state.paused is not None:
        raise SessionError("The reading of this study is paused. Go on with it first.")


def standing_readings(rows: Rows, reader: str | None) -> tuple[Reading, ...]:
    """Give the calls that stand, of one reader or of all, in the order they were made."""
    found = []
    for name in rows.readers() if reader is None else (reader,):
        places = rows.places(name)
        for number, state in rows.states(name).items():
            calls = state.standing.values()
            found += [(call.event.number, as_reading(places[number], state, call)) for call in calls]
    return tuple(reading for _, reading in sorted(found, key=lambda entry: entry[0]))


def as_reading(place: Place, state: PlaceState, step: Step) -> Reading:
    """Turn the event of a call into what is handed out.

    Raises:
        SessionError: The history was tampered with.
    """
    event = step.event
    if state.opened is None or event.call is None or event.condition is None or event.reading_s is None:
        raise SessionError("The session has a call without its opening. Go back to a copy of the file.")
    return Reading(
        reader=event.reader,
        place=place,
        condition=event.condition,
        call=event.call,
        opened_at=state.opened.event.at,
        committed_at=event.at,
        reading_s=event.reading_s,
    )


def progress_of(rows: Rows, mode: Mode, reader: str) -> Progress:
    """Say how far a reader is, and how long the rest takes at the reader's median pace."""
    places, failed, states = rows.places(reader), rows.ai_failures(), rows.states(reader)
    spent = []
    for place in places:
        state = states.get(place.number, PlaceState())
        if wanted(mode, state, ai_failed=place.case_id in failed) is None:
            spent.append(sum(step.event.reading_s or 0.0 for step in state.standing.values()))
    left_s = median(spent) * (len(places) - len(spent)) if spent else None
    return Progress(len(spent), len(places), left_s)
