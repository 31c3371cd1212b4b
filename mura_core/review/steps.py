"""What each step of a reader at a place asks, refuses and puts down; each runs in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review import history
from mura_core.review.checks import check_call
from mura_core.review.protocol import (
    as_reading,
    look,
    pause_later,
    refuse_early,
    refuse_paused,
    refuse_unwanted,
    wanted_at,
)
from mura_core.review.types import Condition, EventKind, Mode

if TYPE_CHECKING:
    from mura_core.review.tables import Rows
    from mura_core.review.types import AiResult, Case, ReaderCall, Reading


def start(rows: Rows, mode: Mode, reader: str, place: int) -> None:
    """See `SessionStore.start`."""
    rows.refuse_closed()
    state = look(rows, reader, place)[1]
    if state.opened is None:
        refuse_early(rows, mode, reader, place)
    kind = EventKind.OPENED if state.opened is None else EventKind.REOPENED
    rows.add(kind, rows.clock(state), reader, place)


def pause(rows: Rows, mode: Mode, reader: str, place: int) -> None:
    """See `SessionStore.pause`."""
    rows.refuse_closed()
    where, state = look(rows, reader, place)
    if state.opened is None or wanted_at(rows, mode, where, state) is None:
        raise SessionError("This study is not being read: it was not opened, or is called already.")
    if state.paused is None:
        rows.add_pause(rows.clock(state), reader, place)


def resume(rows: Rows, reader: str, place: int) -> None:
    """See `SessionStore.resume`."""
    rows.refuse_closed()
    state = look(rows, reader, place)[1]
    if state.paused is not None:
        rows.add(EventKind.RESUMED, rows.clock(state), reader, place)


def reveal(rows: Rows, mode: Mode, reader: str, place: int) -> AiResult:
    """See `SessionStore.reveal`."""
    where, state = look(rows, reader, place)
    closed = rows.is_closed()
    if not closed:
        refuse_paused(state)
    if not closed and not history.may_reveal(mode, state):
        raise SessionError("The model's result is not shown before your own call. Make the call first.")
    result = rows.ai(where.case_id)
    if result is None:
        raise SessionError("The model has no result for this study yet. Wait for it, then try again.")
    if not closed and state.revealed is None:
        rows.add(EventKind.REVEALED, rows.clock(state), reader, place)
    return result


def commit(
    rows: Rows,
    mode: Mode,
    reader: str,
    place: int,
    condition: Condition,
    call: ReaderCall,
    cases: dict[str, Case],
) -> Reading:
    """See `SessionStore.commit`; `cases` are the session's by their ids."""
    rows.refuse_closed()
    where, state = look(rows, reader, place)
    check_call(call, views=len(cases[where.case_id].views))
    needed = wanted_at(rows, mode, where, state)
    refuse_unwanted(condition, needed, state)
    refuse_paused(state)
    second = mode is Mode.SEQUENTIAL and condition is Condition.AIDED
    moment = rows.clock(state)
    step = rows.add(
        EventKind.REVISED if second else EventKind.COMMITTED,
        moment,
        reader,
        place,
        condition=condition,
        call=call,
        reading_s=history.reading_seconds(mode, state, condition, moment),
    )
    return as_reading(where, state, step)


def undo(rows: Rows, mode: Mode, reader: str, place: int) -> None:
    """See `SessionStore.undo`."""
    rows.refuse_closed()
    state = look(rows, reader, place)[1]
    if not state.standing:
        raise SessionError("There is no call to undo at this study.")
    refuse_paused(state)
    if not history.may_undo(mode, state):
        raise SessionError(
            "The first call stands: the model's result was shown after it. Revise it with the second."
        )
    condition, latest = next(reversed(state.standing.items()))
    undoes = latest.event.number
    moment = rows.clock(state)
    rows.add(EventKind.UNDONE, moment, reader, place, condition=condition, undoes=undoes)
    pause_later(rows, mode, reader, place)
