"""A session's rules: which call is taken when, what stands, who may see the result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mura_core.errors import SessionError
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, EventKind, Finding, Mark, Mode, ReaderCall, Refused, Verdict
from tests.session_case import AI, CALL, CASES, OTHER_CALL, new_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


UNAIDED, AIDED = Condition.UNAIDED, Condition.AIDED


@pytest.fixture
def sequential(tmp_path: Path) -> Iterator[SessionStore]:
    with new_session(tmp_path) as store:
        store.join("kim")
        yield store


def test_a_session_opens_again_with_all_that_was_put_in(tmp_path: Path) -> None:
    with SessionStore.create(
        tmp_path / "new" / "s.sqlite",
        CASES,
        source="/films",
        mode=Mode.AIDED,
        seed=5,
        repeats=1,
        refused=[Refused("a.txt", "a text file")],
        notes=["A note."],
    ) as made:
        made.join("kim")
        made.join("이 선생")
        lists = [made.places(reader) for reader in made.readers()]
    with SessionStore.open(tmp_path / "new" / "s.sqlite") as store:
        assert store.cases == CASES
        assert (store.source, store.mode, store.seed, store.repeats) == ("/films", Mode.AIDED, 5, 1)
        assert store.refused == (Refused("a.txt", "a text file"),)
        assert store.notes == ("A note.",)
        assert store.readers() == ("kim", "이 선생")
        assert [store.places(reader) for reader in store.readers()] == lists
        assert not store.closed


def test_joining_again_changes_nothing(sequential: SessionStore) -> None:
    places = sequential.places("kim")
    sequential.join("kim")
    assert (sequential.readers(), sequential.places("kim")) == (("kim",), places)
    assert len(places) == 8


def test_a_sequential_place_wants_the_unaided_call_then_the_aided_one(sequential: SessionStore) -> None:
    sequential.start("kim", 0)
    assert sequential.needs("kim", 0) is UNAIDED
    assert not sequential.ai_allowed("kim", 0)
    with pytest.raises(SessionError, match="before your own call"):
        sequential.reveal("kim", 0)
    with pytest.raises(SessionError, match="wants an unaided"):
        sequential.commit("kim", 0, AIDED, CALL)
    sequential.commit("kim", 0, UNAIDED, CALL)
    assert sequential.needs("kim", 0) is AIDED
    assert sequential.ai_allowed("kim", 0)
    with pytest.raises(SessionError, match="was not shown yet"):
        sequential.commit("kim", 0, AIDED, CALL)
    assert sequential.reveal("kim", 0) == AI
    sequential.commit("kim", 0, AIDED, OTHER_CALL)
    assert sequential.needs("kim", 0) is None
    assert [(reading.condition, reading.call) for reading in sequential.readings("kim")] == [
        (UNAIDED, CALL),
        (AIDED, OTHER_CALL),
    ]


def test_an_unaided_session_never_shows_the_model(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, UNAIDED, CALL)
        assert not store.ai_allowed("kim", 0)
        with pytest.raises(SessionError):
            store.reveal("kim", 0)
        assert store.needs("kim", 0) is None


def test_an_aided_session_shows_the_model_once_the_place_is_open(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.AIDED) as store:
        store.join("kim")
        assert not store.ai_allowed("kim", 0)
        store.start("kim", 0)
        assert store.needs("kim", 0) is AIDED
        assert store.reveal("kim", 0) == AI
        with pytest.raises(SessionError, match="wants an aided"):
            store.commit("kim", 0, UNAIDED, CALL)
        assert store.commit("kim", 0, AIDED, CALL).condition is AIDED


def test_a_case_that_the_model_cannot_read_is_called_without(tmp_path: Path) -> None:
    for mode in Mode:
        with new_session(tmp_path, mode, ai=False, name=mode) as store:
            store.join("kim")
            case_id = store.places("kim")[0].case_id
            store.model.save_failure(case_id, "no film")
            store.model.save_failure(case_id, "another reason")
            assert store.model.failure(case_id) == "no film"
            store.start("kim", 0)
            with pytest.raises(SessionError):
                store.reveal("kim", 0)
            assert store.needs("kim", 0) is UNAIDED
            store.commit("kim", 0, UNAIDED, CALL)
            assert store.needs("kim", 0) is None
            with pytest.raises(SessionError, match="that stands"):
                store.model.save(case_id, AI)


def test_the_first_result_of_the_model_stays(sequential: SessionStore) -> None:
    assert sequential.model.save("case0", replace(AI, probability=0.9)) == AI
    assert sequential.model.result("case0") == AI
    with pytest.raises(SessionError, match="1 views where the study has 2"):
        sequential.model.save("case0", replace(AI, views=AI.views[:1]))


def test_a_place_opens_only_after_those_before_it(sequential: SessionStore) -> None:
    with pytest.raises(SessionError, match="study 1 is called"):
        sequential.start("kim", 1)
    with pytest.raises(SessionError, match="not opened"):
        sequential.commit("kim", 0, UNAIDED, CALL)


def test_a_second_call_needs_an_undo_first(sequential: SessionStore) -> None:
    sequential.start("kim", 0)
    first = sequential.commit("kim", 0, UNAIDED, CALL)
    sequential.undo("kim", 0)
    assert sequential.readings() == ()
    assert sequential.needs("kim", 0) is UNAIDED
    assert not sequential.ai_allowed("kim", 0)
    second = sequential.commit("kim", 0, UNAIDED, OTHER_CALL)
    assert sequential.readings() == (second,)
    kinds = [event.kind for event in sequential.events("kim")]
    assert kinds == [EventKind.OPENED, EventKind.COMMITTED, EventKind.UNDONE, EventKind.COMMITTED]
    calls = [event.call for event in sequential.events("kim") if event.call]
    assert calls == [first.call, second.call]


def test_after_the_reveal_only_the_revision_can_be_undone(sequential: SessionStore) -> None:
    sequential.start("kim", 0)
    sequential.commit("kim", 0, UNAIDED, CALL)
    assert sequential.can_undo("kim", 0)
    sequential.reveal("kim", 0)
    assert not sequential.can_undo("kim", 0)
    with pytest.raises(SessionError, match="first call stands"):
        sequential.undo("kim", 0)
    sequential.commit("kim", 0, AIDED, OTHER_CALL)
    sequential.undo("kim", 0)
    assert [reading.call for reading in sequential.readings()] == [CALL]
    with pytest.raises(SessionError, match="first call stands"):
        sequential.undo("kim", 0)
    assert sequential.commit("kim", 0, AIDED, CALL).condition is AIDED


def test_there_must_be_a_call_to_undo(sequential: SessionStore) -> None:
    sequential.start("kim", 0)
    with pytest.raises(SessionError, match="no call to undo"):
        sequential.undo("kim", 0)


def test_a_closed_session_takes_no_calls_and_shows_all(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, UNAIDED, CALL)
        store.close()
        store.close()
        assert store.closed
        assert [event.kind for event in store.events()].count(EventKind.CLOSED) == 1
        for forbidden in (
            lambda: store.start("kim", 1),
            lambda: store.commit("kim", 0, UNAIDED, CALL),
            lambda: store.undo("kim", 0),
            lambda: store.join("lee"),
        ):
            with pytest.raises(SessionError, match="closed"):
                forbidden()
        store.join("kim")
        assert store.next_place("kim") is None
        assert store.needs("kim", 1) is None
        assert store.ai_allowed("kim", 5)
        assert store.reveal("kim", 5) == AI
        assert len(store.readings()) == 1


def test_readers_have_their_own_places_and_calls(sequential: SessionStore) -> None:
    sequential.join("lee")
    sequential.start("kim", 0)
    sequential.commit("kim", 0, UNAIDED, CALL)
    assert sequential.readings("lee") == ()
    assert sequential.needs("lee", 0) is UNAIDED
    assert not sequential.ai_allowed("lee", 0)
    assert [reading.reader for reading in sequential.readings()] == ["kim"]


def test_a_paused_place_takes_nothing_until_the_reader_goes_on(sequential: SessionStore) -> None:
    with pytest.raises(SessionError, match="not opened"):
        sequential.pause("kim", 0)
    sequential.start("kim", 0)
    sequential.pause("kim", 0)
    with pytest.raises(SessionError, match="is paused"):
        sequential.commit("kim", 0, UNAIDED, CALL)
    sequential.resume("kim", 0)
    sequential.commit("kim", 0, UNAIDED, CALL)
    sequential.pause("kim", 0)
    for step in (sequential.reveal, sequential.undo):
        with pytest.raises(SessionError, match="is paused"):
            step("kim", 0)
    sequential.start("kim", 0)
    sequential.reveal("kim", 0)
    sequential.commit("kim", 0, AIDED, CALL)
    with pytest.raises(SessionError, match="called already"):
        sequential.pause("kim", 0)
    sequential.close()
    for change in (sequential.pause, sequential.resume):
        with pytest.raises(SessionError, match="closed"):
            change("kim", 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (replace(CALL, confidence=101), "confidence is 101"),
        (replace(CALL, confidence=-1), "confidence"),
        (replace(CALL, confidence=True), "confidence"),
        (replace(CALL, confidence=50.5), "confidence"),
        (replace(CALL, verdict="perhaps"), "perhaps"),
        (replace(CALL, findings=frozenset({"cat"})), "cat"),
        (replace(CALL, marks=(Mark(2, 0.5, 0.5),)), "no view"),
        (replace(CALL, marks=(Mark(0, 0.5, 1.5),)), "no view"),
        (replace(CALL, marks=(Mark(0, float("nan"), 0.5),)), "no view"),
        (replace(CALL, marks=(Mark(0, 0.9, 0.5, 0.2, 0.1),)), "no view"),
        (replace(CALL, marks=(Mark(0, 0.5, 0.5),) * 101), "101 marks"),
    ],
)
def test_a_call_that_no_page_sends_is_refused(sequential: SessionStore, call: ReaderCall, text: str) -> None:
    sequential.start("kim", 0)
    with pytest.raises(SessionError, match=text):
        sequential.commit("kim", 0, UNAIDED, call)
    assert sequential.readings() == ()


@pytest.mark.parametrize("name", ["", " kim", "a" * 65, "a\nb"])
def test_what_is_no_name_cannot_join(sequential: SessionStore, name: str) -> None:
    with pytest.raises(SessionError, match="name has 1 to 64"):
        sequential.join(name)


def test_unknown_readers_places_and_cases_are_named(sequential: SessionStore) -> None:
    with pytest.raises(SessionError, match="no such reader"):
        sequential.places("nobody")
    for place in (-1, 8):
        with pytest.raises(SessionError, match="list of 8"):
            sequential.needs("kim", place)
    with pytest.raises(SessionError, match="no such case"):
        sequential.model.result("case9")


def test_every_call_comes_back_as_it_was_given(tmp_path: Path) -> None:
    call = ReaderCall(Verdict.UNSURE, 50, frozenset(Finding), (Mark(1, 1 / 3, 2 / 3, 0.1, 0.2),))
    with new_session(tmp_path) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, UNAIDED, call)
    with SessionStore.open(tmp_path / "s.sqlite") as store:
        assert store.readings()[0].call == call
