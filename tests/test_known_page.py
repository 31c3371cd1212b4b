"""What the page is told of films that the model does not know, and of body parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo import render
from demo.wording import LANGUAGES, Wording
from mura_core.images import read_radiograph
from mura_core.study import BodyPart, Remark, Study, StudyResult, View, ViewResult
from tests.fake_predictor import FakePredictor, png

EN = Wording("en")


def result(**fields: object) -> StudyResult:
    """A study of two views, the second one with the fields given."""
    views = tuple(View(f"{index}.png", read_radiograph(png(index))) for index in range(2))
    plain = replace(FakePredictor().predict(Study(views)), compared=True)
    first, second = (replace(view, strangeness=0.4) for view in plain.views)
    return replace(plain, views=(first, replace(second, **fields)))  # type: ignore[arg-type]


def facts(view: ViewResult, *, compared: bool = True) -> str:
    return "; ".join(text for _, text in EN.seen(view, compared=compared))


@pytest.mark.parametrize("remark", [one for one in Remark if one.grave])
def test_the_call_names_the_view_that_it_should_not_be_relied_on_for(remark: Remark) -> None:
    found = result(remarks=(remark,))
    assert EN.caution(found.views) == EN.text("remarks.caution", views="2")
    shown = [render.encode_view_result(view, found, 1, EN, maps=False) for view in found.views]
    assert [one["grave"] for one in shown] == [False, True]
    assert [len(one["remarks"]) for one in shown] == [0, 1]
    assert render.encode_verdict(found, EN)["caution"] == EN.caution(found.views)


@pytest.mark.parametrize("remark", [one for one in Remark if not one.grave])
def test_a_remark_that_is_not_grave_leaves_the_call_alone(remark: Remark) -> None:
    assert EN.caution(result(remarks=(remark,)).views) == ""


def test_a_view_says_how_it_was_turned_before_it_was_read() -> None:
    found = result(turned=270, remarks=(Remark.TURNED,))
    upright, turned = (render.encode_view_result(view, found, 1, EN, maps=False) for view in found.views)
    assert upright["read_turned"] == ""
    assert turned["read_turned"] == "the model read it turned 90° left"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_remark_has_a_sentence_but_the_one_that_the_film_says_itself(language: str) -> None:
    words = Wording(language)  # type: ignore[arg-type]
    view = result(remarks=tuple(Remark), body_part=BodyPart("hip", 0.95, 60)).views[1]
    said = words.remarks(view)
    assert len(set(said)) == len(Remark) - 1
    assert sum("60" in one for one in said) == 1


def test_a_body_part_is_shown_only_where_it_is_sure() -> None:
    part = BodyPart("arm+shoulder", 0.9, 127)
    assert "arm (hand to elbow) + shoulder, 0.90" in facts(result(body_part=part).views[1])
    for unsure in ({"probability": 0.89}, {"name": "leg", "probability": 0.2}):
        view = result(body_part=replace(part, **unsure)).views[1]  # type: ignore[arg-type]
        assert facts(view) == EN["remarks.known"]
    strange = result(body_part=part, strangeness=1.0, remarks=(Remark.UNFAMILIAR,)).views[1]
    assert facts(strange) == EN["remarks.unknown"]


def test_no_film_is_certain_to_show_a_part() -> None:
    assert "leg, 0.99" in facts(result(body_part=BodyPart("leg", 1.0, 900)).views[1])


def test_what_was_not_compared_says_so() -> None:
    assert facts(result().views[1], compared=False) == EN["remarks.unchecked"]
    assert facts(replace(result().views[1], strangeness=None)) == EN["remarks.unchecked"]


def test_a_part_of_another_dataset_is_named_as_it_is() -> None:
    assert (EN.part("wrist"), EN.part("tail")) == ("wrist", "tail")
    assert Wording("ko").part("shoulder") != "shoulder"
