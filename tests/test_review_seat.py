"""A seat left in an open tab, and the log-in of whoever sits there now. No browser, no Gradio."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from demo import review_close, review_results
from demo import review_payloads as payloads
from demo.review_desk import Desk
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor
from demo.wording import Wording
from mura_core.review.session import films_of
from mura_core.review.store import SessionStore
from mura_core.review.types import AiResult, AiView, Case, EventKind, Mode, Truth
from mura_core.study import Call as AiCall
from tests.fake_predictor import FakePredictor, png

if TYPE_CHECKING:
    from pathlib import Path

ANN, BOB, SIGNED_OUT = Visitor(login="Ann"), Visitor(login="Bob"), Visitor(asked=True)
CALL = {
    "place": 0,
    "condition": "unaided",
    "verdict": "normal",
    "confidence": 10,
    "findings": [],
    "marks": [],
}


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """A server with one session, `Wrists`, of one study whose folder tells the truth, as in MURA."""
    films = tmp_path / "films"
    (films / "study1_positive").mkdir(parents=True)
    (films / "study1_positive" / "image1.png").write_bytes(png())
    case = Case("study1_positive", "p", "wrist", ("study1_positive/image1.png",), Truth(1))
    SessionStore.create(
        tmp_path / "sessions" / "Wrists.sqlite",
        [case],
        source=str(films),
        mode=Mode.SEQUENTIAL,
        seed=0,
        repeats=0,
    ).disconnect()
    return Steps(Desk(tmp_path / "sessions", FakePredictor()), Wording("en"))


def sit(steps: Steps) -> Seat:
    seat = steps.sit(ANN, "Wrists", "Ann")[0]
    assert seat is not None
    return seat


@pytest.mark.parametrize("visitor", [BOB, SIGNED_OUT])
def test_nobody_goes_on_in_the_seat_of_another(steps: Steps, visitor: Visitor) -> None:
    seat = sit(steps)
    for name, sent in (("commit", CALL), ("undo", {"place": 0}), ("go", {"to": "here"})):
        kept, viewer, panel, _ = review_results.step(steps, name, visitor, seat, sent)
        assert (kept, viewer, panel["stage"]) == (None, None, "lobby")
        assert panel["refused"]
    assert steps.think(visitor, seat) is None
    assert [screen[0] for screen in review_close.close(steps, visitor, seat)] == [None]
    store = steps.desk.store("Wrists")
    assert not store.readings()
    assert not store.closed


def test_the_reader_goes_on_in_the_own_seat(steps: Steps) -> None:
    saved = review_results.step(steps, "commit", ANN, sit(steps), CALL)[2]["saved"]
    assert saved
    assert [reading.reader for reading in steps.desk.store("Wrists").readings()] == ["Ann"]


def test_a_film_that_is_gone_does_not_tell_the_truth_by_its_name(steps: Steps) -> None:
    shutil.rmtree(films_of(steps.desk.store("Wrists")))
    _, viewer, panel = steps.sit(ANN, "Wrists", "Ann")
    assert viewer is None
    assert "view 1" in panel["refused"]
    assert "positive" not in str(panel)


def test_films_out_of_reach_are_no_failure_of_the_model_and_no_study_to_call(steps: Steps) -> None:
    store = steps.desk.store("Wrists")
    films = films_of(store)
    away = films.with_name("away")
    films.rename(away)
    seat = sit(steps)
    steps.think(ANN, seat)
    assert steps.commit(ANN, seat, CALL)[2]["refused"]
    assert not store.readings()
    assert store.model.failure("study1_positive") is None
    away.rename(films)
    steps.think(ANN, seat)
    assert store.model.result("study1_positive") is not None
    assert steps.commit(ANN, seat, CALL)[2]["saved"]
    assert len(store.readings()) == 1


def test_a_result_of_other_weights_is_not_put_down_as_shown(steps: Steps) -> None:
    store = steps.desk.store("Wrists")
    view = AiView("1", 0.9, AiCall.ABNORMAL, 0.5, 0.5, 0.9)
    store.model.save("study1_positive", AiResult(0.9, AiCall.ABNORMAL, (view,), "older network"))
    seat = sit(steps)
    steps.commit(ANN, seat, CALL)
    steps.think(ANN, seat)
    assert EventKind.REVEALED not in [event.kind for event in store.events()]
    assert store.can_undo("Ann", 0)


def test_results_are_not_for_who_did_not_sign_in_where_readers_do(steps: Steps) -> None:
    seat = sit(steps)
    steps.commit(ANN, seat, CALL)
    steps.desk.store("Wrists").close()
    wanted = {"kind": "csv", "session": "Wrists"}
    assert "file" in review_results.download(steps, ANN, wanted)
    assert review_results.show(steps, ANN, "Wrists")[3] is not None
    refused = steps.words["review.sign_in_first"]
    assert review_results.download(steps, SIGNED_OUT, wanted) == {"refused": refused}
    assert review_results.show(steps, SIGNED_OUT, "Wrists")[3] is None


def test_a_broken_session_is_named_without_where_it_lies(steps: Steps, tmp_path: Path) -> None:
    (tmp_path / "sessions" / "Torn.sqlite").write_bytes(b"no database")
    for visitor in (Visitor(), ANN, Visitor(local=True)):
        shown = steps.lobby(visitor)
        (broken,) = [session for session in shown["sessions"] if session["state"] == "broken"]
        assert "Torn.sqlite" in broken["facts"]
        _, _, refused = steps.sit(visitor, "Torn", "Ann")
        assert "Torn.sqlite" in refused["refused"]
        for text in (str(shown), str(refused)):
            assert str(tmp_path) not in text
            assert "/sessions" not in text


def test_no_sentence_says_where_on_the_disk_films_lie(steps: Steps) -> None:
    films = films_of(steps.desk.store("Wrists"))
    said = f"{films} holds no a.png; see {films}/b.png, /srv/films/c.png, and 1/2 of it. Go to https://a.example/b."
    told = payloads.without_places(steps.desk, said)
    assert told == "films holds no a.png; see films/b.png, c.png, and 1/2 of it. Go to https://a.example/b."
