"""How long a call took, over pauses, undone calls, crashes and clocks set back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mura_core.review.clock import Moment
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, EventKind, Mode
from tests.session_case import CALL, OTHER_CALL, new_session

if TYPE_CHECKING:
    from pathlib import Path


UNAIDED, AIDED = Condition.UNAIDED, Condition.AIDED


@dataclass
class Clock:
    """A clock that a test sets; `boot` changes when the machine restarts."""

    second: float = 0.0
    calendar: str = "2026-03-01T10:00"
    boot: str = "first"

    def __call__(self) -> Moment:
        return Moment(f"{self.calendar}:{self.second % 60:09.6f}+00:00", self.boot, self.second)


def timed(tmp_path: Path, mode: Mode) -> tuple[SessionStore, Clock]:
    new_session(tmp_path, mode).disconnect()
    clock = Clock()
    store = SessionStore(tmp_path / "s.sqlite", clock)
    store.join("kim")
    store.start("kim", 0)
    return store, clock


def test_progress_counts_complete_places_and_foresees_the_rest(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        assert (store.progress("kim").done, store.progress("kim").left_s) == (0, None)
        for place, seconds in enumerate((4, 10, 30)):
            store.start("kim", place)
            clock.second += seconds
            store.commit("kim", place, UNAIDED, CALL)
        progress = store.progress("kim")
        assert (progress.done, progress.total, progress.left_s) == (3, 8, 50)
        following = store.next_place("kim")
        assert following is not None
        assert following.number == 3
        store.undo("kim", 1)
        following = store.next_place("kim")
        assert following is not None
        assert following.number == 1


def test_reading_time_runs_from_the_first_opening(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second = 7
        store.start("kim", 0)
        clock.second = 12.5
        reading = store.commit("kim", 0, UNAIDED, CALL)
    assert reading.reading_s == 12.5
    assert reading.opened_at == "2026-03-01T10:00:00.000000+00:00"
    assert reading.committed_at == "2026-03-01T10:00:12.500000+00:00"


def test_the_second_call_of_a_sequential_place_is_timed_from_the_reveal(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.SEQUENTIAL)
    with store:
        clock.second = 10
        assert store.commit("kim", 0, UNAIDED, CALL).reading_s == 10
        clock.second = 13
        store.reveal("kim", 0)
        clock.second = 15
        store.reveal("kim", 0)
        clock.second = 20
        assert store.commit("kim", 0, AIDED, CALL).reading_s == 7


def test_the_time_from_a_withdrawn_call_to_its_undo_does_not_count(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second = 10
        store.commit("kim", 0, UNAIDED, CALL)
        clock.second = 50
        store.undo("kim", 0)
        clock.second = 53
        reading = store.commit("kim", 0, UNAIDED, OTHER_CALL)
        assert reading.reading_s == 13
        assert store.readings() == (reading,)


def test_a_study_that_waits_while_an_earlier_one_is_read_again_costs_no_time(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second = 10
        store.commit("kim", 0, UNAIDED, CALL)
        store.start("kim", 1)
        clock.second = 15
        store.undo("kim", 0)
        clock.second = 115
        store.commit("kim", 0, UNAIDED, OTHER_CALL)
        store.start("kim", 1)
        clock.second = 120
        assert store.commit("kim", 1, UNAIDED, CALL).reading_s == 5 + 5


def test_pauses_do_not_count(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        for second, step in ((4, store.pause), (9, store.resume), (11, store.pause), (30, store.resume)):
            clock.second = second
            step("kim", 0)
        clock.second = 33
        reading = store.commit("kim", 0, UNAIDED, CALL)
        assert reading.reading_s == 4 + 2 + 3
        assert store.readings() == (reading,)


def test_a_second_pause_or_going_on_changes_nothing(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        store.resume("kim", 0)
        for second, step in ((4, store.pause), (6, store.pause), (10, store.resume), (13, store.resume)):
            clock.second = second
            step("kim", 0)
            assert store.paused("kim", 0) is (step == store.pause)
        clock.second = 15
        assert store.commit("kim", 0, UNAIDED, CALL).reading_s == 4 + 5
        kinds = [event.kind for event in store.events("kim")]
    assert kinds == [EventKind.OPENED, EventKind.PAUSED, EventKind.RESUMED, EventKind.COMMITTED]


def test_pauses_of_the_second_call_and_after_an_undo_do_not_count(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.SEQUENTIAL)

    def pause(begin: float, end: float) -> None:
        clock.second = begin
        store.pause("kim", 0)
        clock.second = end
        store.resume("kim", 0)

    with store:
        pause(2, 5)
        clock.second = 10
        assert store.commit("kim", 0, UNAIDED, CALL).reading_s == 7
        pause(12, 18)
        clock.second = 20
        store.reveal("kim", 0)
        pause(21, 41)
        clock.second = 44
        assert store.commit("kim", 0, AIDED, CALL).reading_s == 1 + 3
        clock.second = 50
        store.undo("kim", 0)
        pause(52, 80)
        clock.second = 81
        assert store.commit("kim", 0, AIDED, OTHER_CALL).reading_s == 4 + 2 + 1


@pytest.mark.parametrize("calendar", ["2026-03-01T18:00", "1999-01-01T00:00"])
def test_a_crash_during_a_pause_ends_it_at_the_next_opening(tmp_path: Path, calendar: str) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second = 6
        store.pause("kim", 0)
    # The machine restarts: ticks begin anew, and its calendar may be wrong.
    clock.boot, clock.second, clock.calendar = "second", 2, calendar
    with SessionStore(tmp_path / "s.sqlite", clock) as again:
        assert again.paused("kim", 0)
        again.start("kim", 0)
        assert not again.paused("kim", 0)
        clock.second = 5
        assert again.commit("kim", 0, UNAIDED, CALL).reading_s == 6 + 3


def test_ticks_that_go_back_never_make_a_time_negative(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second = 3
        store.pause("kim", 0)
        clock.second = 50
        store.resume("kim", 0)
        clock.second = 20
        assert store.commit("kim", 0, UNAIDED, CALL).reading_s == 3


def test_a_calendar_set_back_changes_no_time(tmp_path: Path) -> None:
    store, clock = timed(tmp_path, Mode.UNAIDED)
    with store:
        clock.second, clock.calendar = 20, "1999-01-01T00:00"
        reading = store.commit("kim", 0, UNAIDED, CALL)
    assert reading.reading_s == 20
    assert reading.committed_at >= reading.opened_at


def test_after_a_restart_of_the_machine_the_calendar_decides_and_never_goes_below_zero(
    tmp_path: Path,
) -> None:
    for calendar, seconds in (("2026-03-01T10:02", 125.0), ("2026-02-01T10:00", 0.0)):
        folder = tmp_path / calendar.replace(":", "")
        store, clock = timed(folder, Mode.UNAIDED)
        with store:
            clock.boot, clock.second, clock.calendar = "second", 5, calendar
            reading = store.commit("kim", 0, UNAIDED, CALL)
            assert reading.reading_s == seconds
            assert reading.committed_at >= reading.opened_at
