"""The end of a review session: who closes it, what it shows, who deletes its films."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from demo import review_close, review_create, review_results
from demo.review_desk import Desk
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor
from demo.wording import Wording
from mura_core.errors import MuraError
from mura_core.review.session import films_of
from mura_core.review.types import Mode
from tests.fake_predictor import FakePredictor, png
from tests.review_steps import AWAY, HERE, assert_blind, call, form, make, read_all, sit

if TYPE_CHECKING:
    from pathlib import Path


def test_only_the_creator_or_the_operator_closes(sequential: Steps) -> None:
    seat = read_all(sequential, "Ann")
    assert [panel["refused"] for _, _, panel in review_close.close(sequential, AWAY, seat)] == [
        sequential.words["review.may_not_close"]
    ]
    assert not sequential.desk.store("Wrists").closed
    *_, (_, _, panel) = review_close.close(sequential, HERE, seat)
    assert panel["told"] == sequential.words["review.is_closed"]
    assert sequential.desk.store("Wrists").closed


def test_closing_lets_the_model_read_the_rest_and_shows_the_results(sequential: Steps) -> None:
    seat, _, panel = sit(sequential, "Ann", HERE)
    steps = list(review_close.close(sequential, HERE, seat))
    assert len(steps) == 4
    assert all(sequential.desk.store("Wrists").model.result(f"secret-{n}") for n in range(3))
    for _, viewer, _ in steps:
        if viewer is not None:
            assert_blind(viewer)
    _, _, refused = sequential.commit(HERE, seat, call(panel))
    assert refused["refused"]
    assert refused["stage"] == "lobby"
    seat_now, _, panel = sequential.sit(AWAY, "Wrists", "Ann")
    assert seat_now is None
    assert panel["refused"] == sequential.words["review.is_closed"]
    _, _, panel, results = review_results.show(sequential, AWAY, "Wrists")
    assert panel["stage"] == "results"
    assert results is not None
    json.dumps(results, allow_nan=False)
    csv = review_results.download(sequential, HERE, {"kind": "csv", "session": "Wrists"})
    assert csv["file"]["name"] == "Wrists.csv"
    for thumbnails in (True, False):
        wanted = {"kind": "report", "session": "Wrists", "thumbnails": thumbnails}
        report = review_results.download(sequential, HERE, wanted)["file"]["text"]
        assert ("data:image/" in report) == thumbnails


def uploaded(tmp_path: Path, steps: Steps, *, close: bool = True) -> Path:
    """A session `Ankles` that Cy made of two uploads and read; gives the folder of its films."""
    assert not review_create.create(steps, AWAY, form(tmp_path, png(1), png(2)))[0]["refused"]
    seat, _, panel = steps.sit(AWAY, "Ankles", "Cy")
    assert seat is not None
    seat, _, _ = steps.commit(AWAY, seat, call(panel))
    assert seat is not None
    if close:
        list(review_close.close(steps, AWAY, seat))
        assert steps.desk.store("Ankles").closed
    return films_of(steps.desk.store("Ankles"))


def results_of(
    steps: Steps, session: str, reader: str, visitor: Visitor = AWAY
) -> tuple[Seat, dict[str, Any]]:
    """The results as a browser gets them from the list."""
    sent = {"to": "results", "session": session, "reader": reader}
    seat, viewer, _, results = review_results.go(steps, visitor, None, sent)
    assert seat is not None
    assert results is not None
    assert viewer is None
    assert steps.think(visitor, seat) is None, "nothing to read"
    return seat, results


def test_who_may_close_a_session_deletes_its_films_and_the_calls_stay(
    tmp_path: Path, sequential: Steps
) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", "Cy")
    assert (results["films"], results["may_forget"]) == (True, True)
    wanted = {"kind": "report", "session": "Ankles", "thumbnails": True}
    assert "data:image/" in review_results.download(sequential, HERE, wanted)["file"]["text"]
    said = review_results.forget(sequential, AWAY, seat)
    assert said == {"told": sequential.words["results.forgotten"], "films": False, "may_forget": False}
    assert not films.exists()
    assert len(sequential.desk.store("Ankles").readings("Cy")) == 1
    csv = review_results.download(sequential, HERE, {"kind": "csv", "session": "Ankles"})["file"]["text"]
    assert "Cy" in csv
    # Neither from the disk nor from the server's memory.
    assert "data:image/" not in review_results.download(sequential, HERE, wanted)["file"]["text"]
    for case in sequential.desk.store("Ankles").cases:
        assert sequential.desk.known_result("Ankles", case.case_id) is None
        with pytest.raises(MuraError):
            sequential.desk.study("Ankles", case.case_id)
    again = review_results.forget(sequential, AWAY, seat)
    assert again == {"refused": sequential.words["review.nothing_to_forget"]}
    assert not results_of(sequential, "Ankles", "Cy")[1]["may_forget"]


@pytest.mark.parametrize(
    ("visitor", "reader"),
    [
        (AWAY, "Bo"),
        (AWAY, ""),
        (Visitor("bo"), "Cy"),
    ],
)
def test_nobody_else_deletes_films_even_by_a_forged_request(
    tmp_path: Path, sequential: Steps, visitor: Visitor, reader: str
) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", reader, visitor)
    assert not results["may_forget"], "no button"
    said = review_results.forget(sequential, visitor, seat)
    assert said == {"refused": sequential.words["review.may_not_forget"]}
    assert len(list(films.iterdir())) == 2
    kept, _ = results_of(sequential, "Ankles", "Cy")
    for other in (Visitor("bo"), Visitor(asked=True)):
        assert "refused" in review_results.forget(sequential, other, kept), "in the tab that Cy left open"
    assert "refused" in review_results.forget(sequential, HERE, None), "without a seat there is no session"
    assert len(list(films.iterdir())) == 2


def test_whoever_sits_at_the_server_deletes_films(tmp_path: Path, sequential: Steps) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", "", HERE)
    assert results["may_forget"]
    assert "told" in review_results.forget(sequential, HERE, seat)
    assert not films.exists()


def test_the_films_of_an_open_session_are_not_deleted(tmp_path: Path, sequential: Steps) -> None:
    films = uploaded(tmp_path, sequential, close=False)
    said = review_results.forget(sequential, HERE, Seat("Ankles", "Cy"))
    assert said == {"refused": sequential.words["review.not_closed"]}
    assert len(list(films.iterdir())) == 2


def test_films_that_were_not_uploaded_are_not_deleted(sequential: Steps, review_films: Path) -> None:
    seat, _, _ = sit(sequential, "Ann", HERE)
    *_, (left, _, panel, results) = review_results.end(sequential, HERE, seat)
    assert panel["stage"] == "results"
    assert results is not None
    assert (results["films"], results["may_forget"]) == (True, False)
    said = review_results.forget(sequential, HERE, left)
    assert said == {"refused": sequential.words["review.nothing_to_forget"]}
    assert len(list(review_films.rglob("*.png"))) == 6


def test_the_notice_names_the_button_that_deletes() -> None:
    for words in (Wording("en"), Wording("ko")):
        assert words["results.forget"] in words["review.notice"]


def test_at_the_results_nothing_asks_the_model(tmp_path: Path, sequential: Steps) -> None:
    uploaded(tmp_path, sequential, close=False)
    predictor = FakePredictor()
    steps = Steps(Desk(tmp_path / "sessions", predictor), Wording("en"))
    store = steps.desk.store("Ankles")
    store.close()
    # Cy left a study unread, and so did the model.
    seat, _ = results_of(steps, "Ankles", "Cy", HERE)
    before = store.changes()
    [(left, _, panel)] = review_close.close(steps, HERE, seat)
    assert left is None
    assert panel["told"] == steps.words["review.is_closed"]
    assert store.changes() == before
    assert predictor.studies == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_list_counts_the_studies_as_a_reader_will(
    tmp_path: Path, review_films: Path, language: Literal["en", "ko"]
) -> None:
    steps = make(tmp_path, review_films, Mode.UNAIDED, repeats=2)
    steps = Steps(steps.desk, Wording(language))
    [listed] = steps.lobby(AWAY)["sessions"]
    _, _, panel = sit(steps)
    # As the page says it: no number but the one of "Study n of 5".
    assert re.findall(r"\d+", listed["facts"]) == [str(panel["total"])] == ["5"]
    steps.desk.store("Wrists").close()
    [listed] = steps.lobby(AWAY)["sessions"]
    assert re.findall(r"\d+", listed["facts"]) == ["3"], "as the results count them"
