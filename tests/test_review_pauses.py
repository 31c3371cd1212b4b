"""A reader takes a call back, pauses, leaves, and goes on in another tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo import review_results
from demo.review_desk import Desk
from demo.review_handlers import Steps
from demo.wording import Wording
from mura_core.review.types import EventKind
from tests.fake_predictor import FakePredictor
from tests.review_steps import AWAY, call, sit

if TYPE_CHECKING:
    from pathlib import Path


def test_undo_withdraws_a_commit_but_no_first_call_after_the_reveal(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    assert panel["undo_place"] is None
    seat2, _, panel = sequential.commit(AWAY, seat, call(panel))
    assert panel["undo_place"] is None
    _, _, refused = sequential.undo(AWAY, seat2, {"place": 0})
    assert refused["refused"] == sequential.words["review.no_undo"]
    seat3, _, panel = sequential.commit(AWAY, seat2, call(panel, confidence=60))
    assert (panel["place"], panel["undo_place"]) == (1, 0)
    _, _, refused = sequential.undo(AWAY, seat3, {"place": 1})
    assert refused["refused"] == sequential.words["review.no_undo"]
    _, viewer, panel = sequential.undo(AWAY, seat3, {"place": 0})
    assert (panel["place"], panel["needs"]) == (0, "aided")
    assert viewer is not None
    assert viewer["verdict"]
    kinds = [event.kind for event in sequential.desk.store("Wrists").events("Ann")]
    assert EventKind.UNDONE in kinds


def test_another_seat_goes_on_where_the_reader_stopped(tmp_path: Path, sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    sequential.commit(AWAY, seat, call(panel))
    anew = Steps(Desk(tmp_path / "sessions", FakePredictor(told_by_film=True)), Wording("en"))
    seat, viewer, panel = sit(anew)
    assert (panel["place"], panel["needs"], panel["ready"]) == (0, "aided", False)
    assert viewer is not None
    assert viewer["busy"]
    assert panel["first"]["verdict"] == "abnormal"


def test_a_pause_puts_the_film_away(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    paused, viewer, away, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    assert viewer is None
    assert away["stage"] == "paused"
    _, _, refused = sequential.commit(AWAY, paused, call(panel))
    assert refused["stage"] == "paused"
    assert refused["refused"] == sequential.words["review.wrong_place"]
    _, viewer, again, _ = review_results.go(sequential, AWAY, paused, {"to": "resume"})
    assert viewer is not None
    assert again["place"] == 0


def kinds_of(steps: Steps, reader: str) -> list[EventKind]:
    return [event.kind for event in steps.desk.store("Wrists").events(reader)]


def test_a_pause_stops_the_clock_until_the_reader_goes_on(sequential: Steps) -> None:
    seat, _, _ = sit(sequential)
    store = sequential.desk.store("Wrists")
    paused, _, _, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    assert store.paused("Ann", 0)
    _, _, panel, _ = review_results.go(sequential, AWAY, paused, {"to": "resume"})
    assert panel["stage"] == "reading"
    assert not store.paused("Ann", 0)
    assert kinds_of(sequential, "Ann") == [EventKind.OPENED, EventKind.PAUSED, EventKind.RESUMED]


def test_who_left_during_a_pause_goes_on_by_sitting_down(sequential: Steps) -> None:
    seat, _, _ = sit(sequential)
    paused, _, _, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    review_results.go(sequential, AWAY, paused, {"to": "leave"})
    assert sequential.desk.store("Wrists").paused("Ann", 0)
    _, _, panel = sit(sequential)
    assert panel["stage"] == "reading"
    assert kinds_of(sequential, "Ann") == [EventKind.OPENED, EventKind.PAUSED, EventKind.REOPENED]


def test_another_tab_and_the_model_respect_a_pause(sequential: Steps) -> None:
    here, _, panel = sit(sequential)
    there, _, _ = sit(sequential)
    first, _, panel = sequential.commit(AWAY, here, call(panel))
    review_results.go(sequential, AWAY, first, {"to": "pause"})
    # The model's answer was on its way when the reader paused: `first` is the seat from before.
    answered = sequential.think(AWAY, first)
    assert answered is not None
    assert answered[1] is None
    assert answered[2]["stage"] == "paused"
    seat, viewer, refused = sequential.commit(AWAY, there, call(panel))
    assert (viewer, refused["stage"]) == (None, "paused")
    assert refused["refused"] == sequential.words["review.wrong_place"]
    _, viewer, panel, _ = review_results.go(sequential, AWAY, seat, {"to": "resume"})
    assert viewer is not None
    assert panel["needs"] == "aided"
