"""The line before the model: its order, its bounds, who leaves it, and that no turn is ever lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from demo.line import Line, Rank
from demo.turns import BusyError, Turns
from demo.wording import Wording
from tests.occupied import LIMIT_S, occupied

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.ticket import Ticket

WORDS = Wording("en")


def served(turns: Turns, wanted: list[tuple[str, Rank]]) -> list[str]:
    """Let all come while the model is at work; gives them in the order they were read."""
    order: list[str] = []

    def work(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    with occupied(turns):
        tickets = [
            turns.join(user, work(f"{user}{index}"), rank=rank) for index, (user, rank) in enumerate(wanted)
        ]
    for ticket in tickets:
        ticket.answer.result(LIMIT_S)
    return order


def test_a_reader_with_many_requests_keeps_nobody_waiting() -> None:
    wanted = [("a", Rank.STUDY)] * 4 + [("b", Rank.STUDY), ("c", Rank.STUDY), ("b", Rank.STUDY)]
    assert served(Turns(), wanted) == ["a0", "b4", "c5", "a1", "b6", "a2", "a3"]


def test_readers_with_one_request_each_come_in_the_order_they_came() -> None:
    assert served(Turns(), [(name, Rank.STUDY) for name in "ecadb"]) == ["e0", "c1", "a2", "d3", "b4"]


def test_studies_come_first_and_what_ranks_later_still_comes() -> None:
    wanted = [("z", Rank.LATER)] * 2 + [(name, Rank.STUDY) for name in "abcdefgh"]
    # The study that kept the model at work was the first of four.
    assert served(Turns(), wanted) == ["a2", "b3", "c4", "z0", "d5", "e6", "f7", "g8", "z1", "h9"]


def test_the_line_as_shown_is_the_order_in_which_it_is_served() -> None:
    turns = Turns()
    line: Line[Ticket[Any]] = Line()
    users = "abcaabdcaabbe"
    for index, user in enumerate(users):
        rank = Rank.LATER if index % 4 == 3 else Rank.STUDY
        line.add(turns.join(user, int, rank=rank, patient=True))
    shown = line.in_order()
    taken = [line.take() for _ in users]
    assert shown == taken
    assert line.take() is None


def test_the_line_is_bounded_and_says_how_long_it_is() -> None:
    turns = Turns(most_waiting=3)
    with occupied(turns):
        tickets = [turns.join(f"{index}", int, views=2) for index in range(3)]
        with pytest.raises(BusyError) as caught:
            turns.join("late", int)
        assert caught.value.waiting == 3
        # Three studies of two views, and the rest of the one that is being read.
        assert 1.8 <= caught.value.seconds <= 2.1
        places = [ticket.place() for ticket in tickets]
        assert [(place.number, place.count) for place in places if place] == [(1, 3), (2, 3), (3, 3)]
        waits = [place.seconds for place in places if place]
        assert waits == sorted(waits)
        turns.join("few", int, patient=True)
    assert all(ticket.answer.result(LIMIT_S) == 0 for ticket in tickets)


def test_who_was_sent_away_and_comes_again_goes_before_who_was_just_read() -> None:
    turns = Turns(most_waiting=4)
    with occupied(turns):
        mine = [turns.join(f"regular {index}", int) for index in range(4)]
        for late in ("first", "second", "third"):
            with pytest.raises(BusyError):
                turns.join(late, int)
        for ticket in mine[:3]:
            ticket.leave()
        # One waits, and half the line is kept for three who were told to come again.
        turns.join("regular 0", int)
        with pytest.raises(BusyError):
            turns.join("regular 1", int)
        for late in ("first", "second"):
            turns.join(late, int)
        with pytest.raises(BusyError):
            turns.join("third", int)
        assert turns.waiting() == 4


def test_no_place_is_kept_for_who_does_not_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(most_waiting=2)
    monkeypatch.setattr("demo.turns._GRACE_S", -60.0)
    with occupied(turns):
        tickets = [turns.join(f"{index}", int) for index in range(2)]
        with pytest.raises(BusyError):
            turns.join("gone", int)
        tickets[0].leave()
        assert turns.join("other", int).place()


def test_nobody_fills_the_line_alone() -> None:
    turns = Turns(most_each=2)
    with occupied(turns):
        for _ in range(2):
            turns.join("greedy", int)
        with pytest.raises(BusyError):
            turns.join("greedy", int)
        turns.join("modest", int)
        assert turns.waiting() == 3


def test_the_line_is_bounded_by_what_its_files_take() -> None:
    turns = Turns()
    with occupied(turns):
        # One may always come, whatever it takes.
        turns.join("a", int, size_bytes=2 << 30)
        with pytest.raises(BusyError):
            turns.join("b", int, size_bytes=1)


def test_the_expected_wait_follows_the_times_of_recent_studies() -> None:
    turns = Turns()
    pause = threading.Event()
    turns.run("a", lambda: pause.wait(0.2), views=2)
    with occupied(turns):
        place = turns.join("b", int, views=10).place()
    assert place
    # A tenth of a second a view, at least, for ten views and what is left of the one that is being read.
    assert place.seconds >= 1.0


def test_who_leaves_the_line_is_not_in_it_and_is_never_read() -> None:
    turns = Turns()
    read: list[str] = []
    with occupied(turns):
        first = turns.join("a", lambda: read.append("a"))
        with turns.join("b", lambda: read.append("b")) as second:
            place = second.place()
            assert place
            assert place.number == 2
            first.leave()
            place = second.place()
            assert place
            assert (place.number, place.count) == (1, 1)
        assert turns.waiting() == 0
        assert first.answer.cancelled()
        assert second.answer.cancelled()
        mine = [turns.join("c", lambda: read.append("c")) for _ in range(3)]
        turns.join("d", lambda: read.append("d"))
        turns.leave("c")
        assert turns.waiting() == 1
    turns.run("e", lambda: read.append("e"))
    assert all(ticket.answer.cancelled() for ticket in mine)
    assert read == ["d", "e"]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
def test_whatever_the_work_raises_the_next_one_has_its_turn(error: BaseException) -> None:
    turns = Turns()

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        turns.run("a", fail)
    assert turns.run("b", lambda: "read") == "read"
