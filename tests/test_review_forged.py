"""What a browser may not send to a review session: calls, sessions and names that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from demo import review_close, review_results
from demo.review_desk import RuleError
from demo.review_handlers import Steps
from demo.review_seat import Visitor, name_of
from tests.review_steps import AWAY, HERE, assert_blind, call, read_all, sit


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"place": 1}, "wrong_place"),
        ({"place": -1}, "wrong_place"),
        ({"place": "0"}, "wrong_place"),
        ({"condition": "aided"}, "wrong_place"),
        ({"verdict": "maybe"}, "wrong_call"),
        ({"verdict": ["normal"]}, "wrong_call"),
        ({"confidence": 101}, "wrong_call"),
        ({"confidence": True}, "wrong_call"),
        ({"confidence": None}, "wrong_call"),
        ({"findings": ["tumour"]}, "wrong_call"),
        ({"findings": 3}, "wrong_call"),
        ({"marks": [{"view": 0}]}, "wrong_call"),
        ({"marks": "abc"}, "wrong_call"),
    ],
)
def test_a_forged_call_is_refused_and_nothing_is_kept(
    sequential: Steps, wrong: dict[str, Any], key: str
) -> None:
    seat, _, panel = sit(sequential)
    _, viewer, panel = sequential.commit(AWAY, seat, {**call(panel), **wrong})
    assert panel["refused"] == sequential.words[f"review.{key}"]
    assert panel["saved"] == ""
    assert sequential.desk.store("Wrists").readings() == ()
    assert_blind(viewer)


@pytest.mark.parametrize(
    "mark", [{"view": 2, "top": 0.5}, {"view": 0, "top": 1.5}, {"view": 0, "top": float("nan")}]
)
def test_a_mark_outside_the_films_is_refused(sequential: Steps, mark: dict[str, Any]) -> None:
    seat, _, panel = sit(sequential)
    whole = {"left": 0.5, "height": 0.0, "width": 0.0, **mark}
    _, _, panel = sequential.commit(AWAY, seat, call(panel, marks=[whole]))
    assert panel["refused"]
    assert sequential.desk.store("Wrists").readings() == ()


@pytest.mark.parametrize(("verdict", "confidence"), [("normal", 51), ("abnormal", 49), ("unsure", 81)])
def test_a_confidence_against_the_verdict_is_refused(
    sequential: Steps, verdict: str, confidence: int
) -> None:
    seat, _, panel = sit(sequential)
    _, _, panel = sequential.commit(AWAY, seat, call(panel, verdict, confidence))
    assert f"{confidence}" in panel["refused"]
    assert sequential.desk.store("Wrists").readings() == ()


@pytest.mark.parametrize(
    "name", ["../Wrists", "Wrists.sqlite", "/etc/passwd", "", "Ankles", "..", None, 7, ["Wrists"]]
)
def test_a_session_is_a_name_in_the_folder_and_no_path(sequential: Steps, name: object) -> None:
    seat, viewer, panel = sequential.sit(AWAY, name, "Ann")
    assert (seat, viewer) == (None, None)
    assert panel["refused"] == sequential.words["review.no_session"]
    shown = review_results.show(sequential, AWAY, name)
    assert shown[3] is None
    assert "file" not in review_results.download(sequential, HERE, {"kind": "csv", "session": name})


@pytest.mark.parametrize("reader", ["", "   ", "a" * 61, None, 3, "a\x00b"])
def test_a_reader_has_a_name(sequential: Steps, reader: object) -> None:
    seat, _, panel = sequential.sit(AWAY, "Wrists", reader)
    assert seat is None
    assert panel["refused"] == sequential.words["review.no_name"]


def test_a_log_in_reads_under_its_own_name_alone(sequential: Steps) -> None:
    seat, _, panel = sequential.sit(Visitor("ann"), "Wrists", "bob")
    assert seat is None
    assert panel["refused"] == sequential.words["review.wrong_reader"]
    seat, _, _ = sequential.sit(Visitor("ann"), "Wrists", "")
    assert seat is not None
    assert seat.reader == "ann"


def test_who_must_sign_in_neither_reads_nor_creates_under_a_typed_name(sequential: Steps) -> None:
    stranger, known = Visitor(asked=True), Visitor("ann", asked=True)
    seat, _, panel = sequential.sit(stranger, "Wrists", "ann")
    assert seat is None
    assert panel["refused"] == sequential.words["review.sign_in_first"]
    with pytest.raises(RuleError, match="sign_in_first"):
        name_of(stranger, "ann")
    assert name_of(known, "") == "ann"


def test_without_a_seat_every_step_leads_back_to_the_list(sequential: Steps) -> None:
    told = sequential.words["review.lost"]
    assert sequential.commit(AWAY, None, {"place": 0})[2]["refused"] == told
    assert sequential.undo(AWAY, None, {"place": 0})[2]["refused"] == told
    assert next(iter(review_close.close(sequential, HERE, None)))[2]["refused"] == told
    assert sequential.think(AWAY, None) is None
    assert review_results.go(sequential, AWAY, None, {"to": "resume"})[2]["refused"] == told


def test_a_reader_sees_nothing_of_the_others_before_the_end(sequential: Steps) -> None:
    read_all(sequential, "Zebulon")
    seat, viewer, panel = sit(sequential, "Ann")
    assert "Zebulon" not in json.dumps([viewer, panel, sequential.lobby(AWAY)])
    assert panel["done"] == 0
    for kind in ("csv", "report"):
        refused = review_results.download(sequential, HERE, {"kind": kind, "session": "Wrists"})
        assert refused == {"refused": sequential.words["review.not_closed"]}
    shown = review_results.show(sequential, HERE, "Wrists")
    assert shown[3] is None
    assert shown[2]["refused"] == sequential.words["review.not_closed"]
    assert seat.reader == "Ann"
