"""The steps of a reader as the server holds them, whatever a browser sends. No browser, no Gradio."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from demo import review_results
from demo.review_handlers import Steps
from demo.wording import Wording
from mura_core.errors import ImageError
from mura_core.review.types import Condition, Mode, Verdict
from tests.review_steps import AWAY, FIRST_PIXEL, assert_blind, call, leaves, make, sit

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_of_the_model_is_sent_before_the_first_call(sequential: Steps) -> None:
    seat, viewer, panel = sit(sequential)
    assert_blind(viewer, panel, sequential.lobby(AWAY))
    assert sequential.think(AWAY, seat) is None
    assert sequential.desk.predictor.studies, "the model has read the study, on the server"
    _, viewer, panel = sequential.screen(AWAY, seat)
    assert_blind(viewer, panel)
    assert viewer is not None
    assert viewer["blind"]
    _, viewer, panel = sequential.commit(AWAY, seat, call(panel, verdict="maybe"))
    assert_blind(viewer, panel)


def test_the_first_call_reveals_the_model_and_may_be_revised(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    first = call(
        panel,
        "normal",
        20,
        findings=["other"],
        marks=[{"view": 1, "top": 0.1, "left": 0.2, "height": 0, "width": 0}],
    )
    seat2, viewer, panel = sequential.commit(AWAY, seat, first)
    assert viewer is not None
    assert viewer["verdict"]["probability"] == pytest.approx(FIRST_PIXEL / 255)
    assert viewer["views"][0]["result"]["heatmap"]["data"]
    assert panel["saved"] == "Saved: study 1, normal, 20"
    assert panel["first"] == {key: first[key] for key in ("verdict", "confidence", "findings", "marks")}
    assert panel["place"] == 0
    _, viewer, panel = sequential.commit(AWAY, seat2, call(panel, "abnormal", 70))
    assert panel["place"] == 1
    assert_blind(viewer, panel)
    kept = sequential.desk.store("Wrists").readings("Ann")
    assert [(one.condition, one.call.verdict) for one in kept] == [
        (Condition.UNAIDED, Verdict.NORMAL),
        (Condition.AIDED, Verdict.ABNORMAL),
    ]


def test_a_slow_model_is_waited_for_and_then_revealed(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    seat, viewer, panel = sequential.commit(AWAY, seat, call(panel))
    assert panel["saved"]
    assert not panel["ready"]
    assert viewer is not None
    assert viewer["busy"]
    assert_blind({key: viewer[key] for key in ("views", "verdict")})
    changed = sequential.think(AWAY, seat)
    assert changed is not None
    _, viewer, panel = changed
    assert viewer is not None
    assert viewer["verdict"]
    assert panel["ready"]


def test_an_unaided_session_never_shows_the_model(tmp_path: Path, review_films: Path) -> None:
    steps = make(tmp_path, review_films, Mode.UNAIDED)
    seat, viewer, panel = sit(steps)
    for _ in range(3):
        assert steps.think(AWAY, seat) is None
        assert_blind(viewer, panel)
        moved, viewer, panel = steps.commit(AWAY, seat, call(panel))
        assert moved is not None
        seat = moved
    assert panel["stage"] == "finished"
    assert all(steps.desk.store("Wrists").model.result(f"secret-{n}") for n in range(3)), "for the results"


def test_an_aided_session_shows_the_model_with_the_film(tmp_path: Path, review_films: Path) -> None:
    steps = make(tmp_path, review_films, Mode.AIDED)
    seat, viewer, panel = sit(steps)
    assert viewer is not None
    assert viewer["verdict"] is None
    assert not panel["ready"]
    _, _, refused = steps.commit(AWAY, seat, call(panel))
    assert "not shown yet" in refused["refused"]
    changed = steps.think(AWAY, seat)
    assert changed is not None
    assert changed[1] is not None
    assert changed[1]["verdict"]
    _, _, panel = steps.commit(AWAY, seat, call(changed[2]))
    assert panel["place"] == 1


def test_what_the_model_cannot_read_is_called_without_it(tmp_path: Path, review_films: Path) -> None:
    steps = make(tmp_path, review_films, Mode.AIDED, error=ImageError("too small"))
    seat, _, _ = sit(steps)
    changed = steps.think(AWAY, seat)
    assert changed is not None
    assert changed[2]["needs"] == "unaided"
    assert changed[2]["hint"] == steps.words["review.model_none"]
    _, _, panel = steps.commit(AWAY, seat, call(changed[2]))
    assert panel["place"] == 1


def test_repeats_look_like_any_study(tmp_path: Path, review_films: Path) -> None:
    steps = make(tmp_path, review_films, Mode.UNAIDED, repeats=2)
    seat, viewer, panel = sit(steps)
    shapes = set()
    while panel["stage"] == "reading":
        assert panel["total"] == 5
        assert viewer is not None
        names = {view.pop("name") for view in viewer["views"]}
        assert names == {f"Study {panel['place'] + 1}"}
        shapes.add(tuple(sorted(path for path, _ in leaves([viewer, panel]))))
        moved, viewer, panel = steps.commit(AWAY, seat, call(panel))
        assert moved is not None
        seat = moved
    # The first study has nothing to undo and no time left yet, so its payload may differ in values alone.
    assert len(shapes) == 1


def test_texts_of_both_languages_have_the_same_placeholders() -> None:
    english, korean = Wording("en"), Wording("ko")
    for file in ("review", "results"):
        for key, text in english.words(file).items():
            found = [set(re.findall(r"{\w+}", each)) for each in (text, korean[f"{file}.{key}"])]
            assert found[0] == found[1], key


def test_a_late_result_never_brings_back_a_study_that_was_called(
    sequential: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, _, panel = sit(sequential)
    waiting, _, panel = sequential.commit(AWAY, seat, call(panel))
    changed = sequential.think(AWAY, waiting)
    assert changed is not None
    assert "saved" not in changed[2], "what the screen says of the commit stands"

    def call_meanwhile(*_: object) -> None:
        assert sequential.commit(AWAY, waiting, call(changed[2]))[2]["place"] == 1

    # A second thought about the first study, still under way when the reader goes on.
    monkeypatch.setattr(sequential.desk, "result", call_meanwhile)
    assert sequential.think(AWAY, waiting) is None


def test_what_nobody_foresaw_leads_back_to_the_list(
    sequential: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, _, panel = sit(sequential)
    monkeypatch.setattr(sequential, "commit", lambda *_: 1 / 0)
    _, viewer, shown, _ = review_results.step(sequential, "commit", AWAY, seat, call(panel))
    assert viewer is None
    assert shown["refused"] == sequential.words["review.internal"]
    monkeypatch.undo()
    assert sit(sequential)[2]["place"] == 0


def test_a_page_that_an_answer_did_not_reach_can_ask_again(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.commit(AWAY, seat, call(panel, "normal", 5))
    _, viewer, panel, _ = review_results.go(sequential, AWAY, seat, {"to": "here"})
    assert viewer is not None
    assert (panel["saved"], panel["needs"], panel["asked"]) == ("Saved: study 1, normal, 5", "aided", True)
