"""What the events of one place add up to: which calls stand, what is wanted next, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mura_core.review.clock import seconds_between
from mura_core.review.types import Condition, EventKind, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mura_core.review.clock import Moment
    from mura_core.review.types import Event


_SHOWS_THE_FILM = (EventKind.OPENED, EventKind.REOPENED, EventKind.RESUMED)


@dataclass(frozen=True)
class Step:
    """An event with its time by both clocks."""

    event: Event
    moment: Moment


@dataclass
class PlaceState:
    """Where a reader stands at one place of the list.

    Attributes:
        opened: The first opening.
        revealed: The first time the model's result was sent.
        standing: The calls that stand, by condition, in the order they were made.
        withdrawn: By condition, the call that was undone last, and its undo.
        pauses: Each pause that is over: its begin, and the going on or opening that ended it.
        paused: The begin of a pause that lasts.
        last_at: Time of the last event, ISO 8601; "" before any.
    """

    opened: Step | None = None
    revealed: Step | None = None
    standing: dict[Condition, Step] = field(default_factory=dict)
    withdrawn: dict[Condition, tuple[Step, Step]] = field(default_factory=dict)
    pauses: list[tuple[Step, Step]] = field(default_factory=list)
    paused: Step | None = None
    last_at: str = ""


def fold(steps: Iterable[Step]) -> PlaceState:
    """Add up the events of one place, given in the order they happened."""
    state = PlaceState()
    for step in steps:
        _add(state, step)
    return state


def _add(state: PlaceState, step: Step) -> None:
    event = step.event
    state.last_at = event.at
    if event.kind is EventKind.PAUSED:
        state.paused = state.paused or step
    elif event.kind in _SHOWS_THE_FILM:
        if state.paused is not None:
            # Also after a crash during the pause: nobody went on, but the place was opened again.
            state.pauses.append((state.paused, step))
            state.paused = None
        if event.kind is EventKind.OPENED:
            state.opened = state.opened or step
    elif event.kind is EventKind.REVEALED:
        state.revealed = state.revealed or step
    elif event.condition is not None:
        if event.kind is EventKind.UNDONE:
            state.withdrawn[event.condition] = (state.standing.pop(event.condition), step)
        else:
            state.standing[event.condition] = step


def wanted(mode: Mode, state: PlaceState, *, ai_failed: bool = False) -> Condition | None:
    """Say which call a place still wants; None when it is complete.

    Args:
        mode: The session's.
        state: The place's.
        ai_failed: The model could not read the case: it is called without, whatever the mode.
    """
    if mode is Mode.AIDED and not ai_failed:
        return None if Condition.AIDED in state.standing else Condition.AIDED
    if Condition.UNAIDED not in state.standing:
        return Condition.UNAIDED
    if mode is Mode.SEQUENTIAL and not ai_failed and Condition.AIDED not in state.standing:
        return Condition.AIDED
    return None


def may_reveal(mode: Mode, state: PlaceState) -> bool:
    """Tell whether the model's result may be sent to this reader at this place, while the session is open."""
    if state.opened is None or mode is Mode.UNAIDED:
        return False
    return mode is Mode.AIDED or Condition.UNAIDED in state.standing


def may_undo(mode: Mode, state: PlaceState) -> bool:
    """Tell whether the latest call can be withdrawn: a first call cannot once the result was seen."""
    if not state.standing:
        return False
    latest = next(reversed(state.standing))
    return not (mode is Mode.SEQUENTIAL and latest is Condition.UNAIDED and state.revealed is not None)


def reading_seconds(mode: Mode, state: PlaceState, condition: Condition, moment: Moment) -> float:
    """Seconds of a call made at `moment`, without pauses and the time from a withdrawn call to its undo."""
    if condition in state.withdrawn:
        call, undo = state.withdrawn[condition]
        return (call.event.reading_s or 0.0) + _running_seconds(state, undo, moment)
    second = mode is Mode.SEQUENTIAL and condition is Condition.AIDED
    start = state.revealed if second else state.opened
    return _running_seconds(state, start, moment) if start is not None else 0.0


def _running_seconds(state: PlaceState, start: Step, end: Moment) -> float:
    """Seconds from an event to `end` in which the clock ran.

    The stretches between the pauses are added, each at least 0, rather than the pauses taken away: a machine
    that restarts, or a calendar that is corrected, during a pause changes nothing.
    """
    passed, since = 0.0, start.moment
    for begin, over in state.pauses:
        if begin.event.number > start.event.number:
            passed += seconds_between(since, begin.moment)
            since = over.moment
    return passed + seconds_between(since, end)
