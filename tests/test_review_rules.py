"""What the results of a session count, on cases made for it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from sklearn import metrics as sk

from mura_core.review.agreement import kappa
from mura_core.review.marks import MARGIN, hits_a_box, is_at_peak
from mura_core.review.results import summarise
from mura_core.review.store import SessionStore
from mura_core.review.types import (
    AiResult,
    AiView,
    Case,
    Condition,
    Finding,
    Mark,
    Mode,
    ReaderCall,
    Truth,
    Verdict,
)
from mura_core.study import Call
from tests.made_up_session import values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mura_core.review.results import Results

TRUTHS = (1, 1, 0, 0)


def read(
    folder: Path,
    calls: Sequence[tuple[ReaderCall, ...]],
    *,
    truths: Sequence[int | None] = TRUTHS,
    case: Callable[[Case], Case] = lambda case: case,
    ai: Sequence[float] = (0.9, 0.1, 0.9, 0.1),
) -> Results:
    """The results of one reader's calls of cases in order of their number, one or two calls a case."""
    some = [
        case(Case(f"c{index}", f"p{index}", "", ("a.png",), None if label is None else Truth(label)))
        for index, label in enumerate(truths)
    ]
    mode = Mode.SEQUENTIAL if len(calls[0]) > 1 else Mode.UNAIDED
    path = folder / "session.sqlite"
    store = SessionStore.create(path, some, source="films", mode=mode, seed=0, repeats=0)
    for index, probability in enumerate(ai[: len(some)]):
        call = Call.ABNORMAL if probability > 0.7 else Call.NORMAL if probability < 0.3 else Call.DOUBT
        view = AiView("a.png", probability, call, 0.5, 0.5, probability)
        store.model.save(f"c{index}", AiResult(probability, call, (view,), "m"))
    store.join("ann")
    for place in store.places("ann"):
        store.start("ann", place.number)
        for one in calls[int(place.case_id[1:])]:
            condition = store.needs("ann", place.number)
            assert condition is not None
            if condition is Condition.AIDED:
                store.reveal("ann", place.number)
            store.commit("ann", place.number, condition, one)
    return summarise(store)


def said(verdict: str, confidence: int, *marks: Mark) -> ReaderCall:
    return ReaderCall(Verdict(verdict), confidence, marks=marks)


def test_unsure_counts_as_abnormal_from_half_and_is_counted(tmp_path: Path) -> None:
    calls = [(said("unsure", 50),), (said("unsure", 49),), (said("unsure", 49),), (said("normal", 90),)]
    figures = read(tmp_path, calls).everyone.figures[Condition.UNAIDED]
    assert figures.measures["sensitivity"].value == 0.5
    # A verdict stands whatever the confidence says.
    assert figures.measures["specificity"].value == 1.0
    assert (figures.n, figures.abnormal, figures.unsure) == (4, 2, 3)


def test_the_models_doubt_counts_by_the_same_rule(tmp_path: Path) -> None:
    calls = [(said("normal", 0),)] * 4
    found = read(tmp_path, calls, ai=(0.5, 0.49, 0.6, 0.1)).everyone.ai
    assert found is not None
    assert (found.measures["sensitivity"].value, found.measures["specificity"].value) == (0.5, 0.5)
    assert found.unsure == 3


def test_switches_tell_better_from_worse_and_whose_fault_it_was(tmp_path: Path) -> None:
    normal, abnormal = said("normal", 10), said("abnormal", 90)
    calls = [(normal, abnormal), (abnormal, normal), (normal, abnormal), (abnormal, abnormal)]
    switches = read(tmp_path, calls).everyone.switches
    assert switches is not None
    assert (switches.n, switches.better, switches.worse) == (4, 1, 2)
    assert (switches.stayed_right, switches.stayed_wrong) == (0, 1)
    assert (switches.better_abnormal, switches.worse_abnormal) == (1, 1)
    # The model missed c1 and flagged c2: both losses followed a wrong model.
    assert switches.worse_with_wrong_ai == 2


def test_without_truth_nothing_is_measured_against_it(tmp_path: Path) -> None:
    results = read(tmp_path, [(said("normal", 0), said("abnormal", 90))] * 4, truths=(None,) * 4)
    everyone = results.everyone
    assert (everyone.figures, everyone.ai, everyone.difference, everyone.switches) == ({}, None, None, None)
    assert (everyone.marks, everyone.curves, results.with_truth) == ({}, {}, 0)
    assert everyone.times[Condition.UNAIDED].n == 4


def test_with_one_class_what_needs_both_is_none(tmp_path: Path) -> None:
    results = read(tmp_path, [(said("normal", 0),)] * 4, truths=(0,) * 4)
    found = values(results.everyone.figures[Condition.UNAIDED])
    assert found == {
        "sensitivity": None,
        "specificity": 1.0,
        "auroc": None,
        "accuracy": 1.0,
        "cohen_kappa": None,
    }
    assert results.everyone.curves == {}
    json.dumps(results.as_json(), allow_nan=False)


def test_a_session_nobody_read_has_empty_results(tmp_path: Path) -> None:
    case = Case("c", "p", "hand", ("a.png",), Truth(1, frozenset({Finding.FRACTURE})))
    results = summarise(
        SessionStore.create(
            tmp_path / "s.sqlite", [case], source="films", mode=Mode.UNAIDED, seed=0, repeats=0
        )
    )
    assert (results.readers, results.intra, results.inter) == ((), (), ())
    assert (results.everyone.figures, results.everyone.times) == ({}, {})
    assert [group.name for group in results.groups] == ["hand", "fracture"]


def test_a_mark_hits_a_box_by_its_centre_within_the_margin() -> None:
    box = Mark(0, 0.4, 0.4, 0.2, 0.2)
    assert hits_a_box([Mark(0, 0.4 - MARGIN + 0.001, 0.5)], [box])
    assert not hits_a_box([Mark(0, 0.4 - MARGIN - 0.001, 0.5)], [box])
    # A box drawn over half of the film does not hit by size alone.
    assert not hits_a_box([Mark(0, 0.4, 0.0, 0.6, 0.5)], [Mark(0, 0.9, 0.45, 0.05, 0.04)])
    assert not hits_a_box([Mark(1, 0.5, 0.5)], [box])


def test_a_mark_is_at_the_models_peak_of_its_own_view() -> None:
    views = tuple(AiView(str(top), 0.9, Call.ABNORMAL, top, 0.5, 0.9) for top in (0.2, 0.8))
    ai = AiResult(0.9, Call.ABNORMAL, views, "m")
    assert is_at_peak(Mark(0, 0.2 + MARGIN - 0.001, 0.5), ai)
    assert not is_at_peak(Mark(1, 0.2, 0.5), ai)
    assert is_at_peak(Mark(1, 0.7, 0.4, 0.2, 0.2), ai)
    assert not is_at_peak(Mark(7, 0.2, 0.5), ai)


def test_marks_are_counted_by_study(tmp_path: Path) -> None:
    box = Mark(0, 0.1, 0.1, 0.1, 0.1)

    def boxed(case: Case) -> Case:
        abnormal = case.truth is not None and case.truth.label == 1
        truth = Truth(1, boxes=(box,)) if abnormal else case.truth
        return Case(case.case_id, case.patient_id, "", case.views, truth)

    inside, peak = Mark(0, 0.15, 0.15), Mark(0, 0.5, 0.5)
    calls = [
        (said("abnormal", 90, peak, inside),),
        (said("normal", 9),),
        (said("abnormal", 90, inside),),
        (said("normal", 9),),
    ]
    marks = read(tmp_path, calls, case=boxed).everyone.marks[Condition.UNAIDED]
    assert (marks.boxed, marks.marked, marks.hit, marks.hit_rate.value) == (2, 1, 1, 1.0)
    assert (marks.ai_marked, marks.ai_hit, marks.ai_hit_rate.value) == (2, 0, 0.0)
    # c0 and c2 have marks and an abnormal call of the model; only c0 has one at its peak.
    assert (marks.compared, marks.near_ai, marks.near_ai_rate.value) == (2, 1, 0.5)


def test_kappa_of_two_readers_is_symmetric_and_undefined_for_one_class() -> None:
    one, other = [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]
    assert (
        kappa(one, other)
        == pytest.approx(kappa(other, one))
        == pytest.approx(sk.cohen_kappa_score(one, other))
    )
    assert kappa([0, 0, 0], [0, 1, 0]) == kappa([0, 1, 0], [0, 0, 0]) == 0.0
    assert math.isnan(kappa([1, 1], [1, 1]))
