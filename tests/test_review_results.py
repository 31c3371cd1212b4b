"""The results of a session against scikit-learn on its exported CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn import metrics as sk

from mura_core.review.agreement import kappa
from mura_core.review.export import csv_text
from mura_core.review.results import summarise
from mura_core.review.roc import mean_curve
from mura_core.review.store import SessionStore
from mura_core.review.types import (
    Condition,
    Finding,
)
from tests.made_up_session import made_up_session, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mura_core.review.reader_results import ReaderResults
    from mura_core.review.results import Results


Line = dict[str, str]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    return made_up_session(tmp_path_factory.mktemp("session") / "forty.sqlite")


@pytest.fixture(scope="module")
def results(session: SessionStore) -> Results:
    return summarise(session)


@pytest.fixture(scope="module")
def lines(session: SessionStore) -> list[Line]:
    """The exported CSV: all that these figures are computed from anew."""
    return list(csv.DictReader(io.StringIO(csv_text(session))))


def chosen(lines: Sequence[Line], **wanted: str) -> list[Line]:
    return [line for line in lines if all(line[key] == value for key, value in wanted.items())]


def decided(verdict: str, percent: float) -> int:
    return int(percent >= 50 if verdict in ("unsure", "doubt") else verdict == "abnormal")


def from_scratch(lines: Sequence[Line], *, ai: bool = False) -> dict[str, float]:
    """Five measures by scikit-learn, from the columns of the reader or of the model."""
    known = [line for line in lines if line["truth"]]
    truth = [int(line["truth"]) for line in known]
    if ai:
        scores = [100 * float(line["ai_probability"]) for line in known]
        calls = [decided(line["ai_call"], score) for line, score in zip(known, scores, strict=True)]
    else:
        scores = [float(line["confidence"]) for line in known]
        calls = [decided(line["verdict"], score) for line, score in zip(known, scores, strict=True)]
    return {
        "sensitivity": float(sk.recall_score(truth, calls)),
        "specificity": float(sk.recall_score(truth, calls, pos_label=0)),
        "auroc": float(sk.roc_auc_score(truth, scores)),
        "accuracy": float(sk.accuracy_score(truth, calls)),
        "cohen_kappa": float(sk.cohen_kappa_score(truth, calls)),
    }


def reader_of(results: Results, name: str) -> ReaderResults:
    return next(reader for reader in results.readers if reader.reader == name)


@pytest.mark.parametrize("reader", ["ann", "bob", "eve"])
@pytest.mark.parametrize("condition", list(Condition))
def test_a_readers_figures_are_scikit_learns_from_the_csv(
    results: Results, lines: list[Line], reader: str, condition: Condition
) -> None:
    mine = chosen(lines, reader=reader, condition=condition.value, showing="first")
    assert len(mine) == 24
    assert values(reader_of(results, reader).figures[condition]) == pytest.approx(from_scratch(mine))


def test_the_models_figures_are_scikit_learns_on_the_same_cases(results: Results, lines: list[Line]) -> None:
    once = list({line["case_id"]: line for line in lines}.values())
    expected = from_scratch(once, ai=True)
    assert values(results.everyone.ai) == pytest.approx(expected)
    assert values(reader_of(results, "ann").ai) == pytest.approx(expected)


def test_all_readers_together_are_the_mean_of_the_readers(results: Results, lines: list[Line]) -> None:
    for condition in Condition:
        each = [
            from_scratch(chosen(lines, reader=name, condition=condition.value, showing="first"))
            for name in ("ann", "bob", "eve")
        ]
        mean = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
        assert values(results.everyone.figures[condition]) == pytest.approx(mean)


def test_the_difference_is_aided_minus_unaided(results: Results, lines: list[Line]) -> None:
    before = from_scratch(chosen(lines, reader="eve", condition="unaided", showing="first"))
    after = from_scratch(chosen(lines, reader="eve", condition="aided", showing="first"))
    found = reader_of(results, "eve").difference
    assert found is not None
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {name: after[name] - before[name] for name in before}, abs=1e-12
    )


def test_a_body_parts_and_a_findings_figures_are_those_of_their_cases(
    results: Results, lines: list[Line]
) -> None:
    groups = {(group.kind, group.name): group for group in results.groups}
    assert {name for kind, name in groups if kind == "body part"} == {"hand", "wrist", "elbow", "shoulder"}
    mine = chosen(lines, reader="bob", condition="unaided", showing="first")
    hand = reader_of(groups["body part", "hand"], "bob")  # type: ignore[arg-type]
    assert values(hand.figures[Condition.UNAIDED]) == pytest.approx(
        from_scratch(chosen(mine, body_part="hand"))
    )
    fractures = [line for line in mine if line["truth"] == "0" or "fracture" in line["truth_findings"]]
    fracture = reader_of(groups["finding", "fracture"], "bob")  # type: ignore[arg-type]
    assert values(fracture.figures[Condition.UNAIDED]) == pytest.approx(from_scratch(fractures))


def test_agreement_is_scikit_learns_between_readers_and_with_oneself(
    results: Results, lines: list[Line]
) -> None:
    def calls(case_ids: Sequence[str], **wanted: str) -> list[int]:
        by_case = {line["case_id"]: line for line in chosen(lines, **wanted)}
        return [decided(by_case[case]["verdict"], float(by_case[case]["confidence"])) for case in case_ids]

    everything = [f"case-{index}" for index in range(24)]
    for pair in results.inter:
        one, other = (
            calls(everything, reader=name, condition=pair.condition.value, showing="first")
            for name in (pair.first, pair.second)
        )
        assert pair.kappa.value == pytest.approx(sk.cohen_kappa_score(one, other))
        assert pair.same_decision.value == pytest.approx(np.mean(np.equal(one, other)))
    assert len(results.inter) == 6
    assert {(own.first, own.condition) for own in results.intra} == {
        (name, condition) for name in ("ann", "bob", "eve") for condition in Condition
    }
    for own in results.intra:
        side = {"reader": own.first, "condition": own.condition.value}
        repeated = [line["case_id"] for line in chosen(lines, **side, showing="repeat")]
        first, second = (calls(repeated, **side, showing=showing) for showing in ("first", "repeat"))
        assert own.n == 6
        assert own.kappa.value == (
            None if len({*first, *second}) == 1 else pytest.approx(kappa(first, second))
        )


def test_times_and_switches_are_those_of_the_csv(results: Results, lines: list[Line]) -> None:
    eve = reader_of(results, "eve")
    seconds = [
        float(line["reading_s"]) for line in chosen(lines, reader="eve", condition="aided", showing="first")
    ]
    assert eve.times[Condition.AIDED].median_s == pytest.approx(np.median(seconds), abs=0.001)
    assert eve.times[Condition.AIDED].n == 24
    switches = results.everyone.switches
    assert switches is not None
    assert switches.n == 66
    parts = (switches.better, switches.worse, switches.stayed_right, switches.stayed_wrong)
    assert sum(parts) == switches.n
    accuracy = results.everyone.difference
    assert accuracy is not None
    assert (switches.better - switches.worse) / switches.n == pytest.approx(accuracy["accuracy"].value)


def test_every_interval_holds_its_value_and_json_holds_no_nan(results: Results) -> None:
    plain = json.loads(json.dumps(results.as_json(), allow_nan=False))
    assert plain == results.as_json()
    found = list(intervals(plain))
    assert len(found) > 300
    for one in found:
        if one["low"] is not None:
            assert one["low"] - 1e-9 <= one["value"] <= one["high"] + 1e-9


def intervals(plain: Any) -> Any:
    if isinstance(plain, dict):
        if plain.keys() == {"value", "low", "high"}:
            yield plain
        else:
            for part in plain.values():
                yield from intervals(part)
    elif isinstance(plain, list):
        for part in plain:
            yield from intervals(part)


def test_the_area_under_a_curve_is_the_auroc(results: Results) -> None:
    for reader in (*results.readers, results.everyone):
        for condition in Condition:
            x, y = np.transpose(reader.curves[condition])
            area = reader.figures[condition].measures["auroc"].value
            assert np.trapezoid(y, x) == pytest.approx(area)


def test_the_mean_of_curves_keeps_the_mean_area() -> None:
    straight = ((0.0, 0.0), (1.0, 1.0))
    perfect = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    late = ((0.0, 0.0), (0.5, 0.2), (0.5, 0.9), (1.0, 1.0))
    x, y = np.transpose(mean_curve([straight, perfect, late]))
    areas = [0.5, 1.0, 0.05 + 0.475]
    assert np.trapezoid(y, x) == pytest.approx(np.mean(areas))


def test_findings_given_are_measured_where_findings_are_known(results: Results, lines: list[Line]) -> None:
    mine = [
        line
        for line in chosen(lines, condition="unaided", showing="first")
        if line["truth"] == "0" or line["truth_findings"]
    ]
    truth = ["fracture" in line["truth_findings"].split("|") for line in mine]
    given = ["fracture" in line["findings"].split("|") for line in mine]
    fracture = next(
        tag for tag in results.everyone.tags[Condition.UNAIDED] if tag.finding is Finding.FRACTURE
    )
    assert fracture.n == len(mine) == 66
    assert fracture.sensitivity.value == pytest.approx(sk.recall_score(truth, given))
    assert fracture.specificity.value == pytest.approx(sk.recall_score(truth, given, pos_label=False))
