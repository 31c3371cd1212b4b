"""Which body part's figures the viewer is given, and which of them a film belongs to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.wording import LANGUAGES, Wording
from demo.worth import encode_worth, recognised_group, stated_part
from mura_core.images import read_radiograph
from mura_core.study import BodyPart, Study, View
from tests.fake_predictor import FakePredictor, png

WEIGHTS = Path(__file__).parents[1] / "weights"
EN = Wording("en")


def figures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WEIGHTS / "weights.json").read_text())["metrics"]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_viewer_gets_the_figures_of_the_released_weights_by_body_part(language: str) -> None:
    operating, words = figures()["operating"], Wording(language)  # type: ignore[arg-type]
    worth = encode_worth(figures(), words)
    assert worth is not None
    assert [group["name"] for group in worth["groups"]] == ["all", "hand", "hip", "leg", "mixed", "shoulder"]
    assert len({group["title"] for group in worth["groups"]}) == 6
    for shown in worth["groups"]:
        group = operating["groups"][shown["name"]]
        assert (shown["studies"], shown["enough"]) == (group["studies"], group["enough"]["predictive"])
        for point, at in zip(shown["points"], group["at"].values(), strict=True):
            assert point["value"] == at["value"]
            if shown["enough"]:
                assert point["sensitivity"] == [at["sensitivity"], *at["sensitivity_ci95"]]
            else:
                assert point["ppv"] == [None]
    # Too few show a finding there, which is what the reader is told.
    assert not any(group["enough"] for group in worth["groups"] if group["abnormal"] < worth["least"])


def test_a_stated_part_leads_to_at_most_one_group_and_only_to_one_the_data_has() -> None:
    worth = encode_worth(figures(), EN)
    assert worth is not None
    covers = {group["name"]: group["covers"] for group in worth["groups"]}
    every = [part for parts in covers.values() for part in parts]
    assert len(every) == len(set(every))
    assert "wrist" in covers["hand"]
    assert "ankle" in covers["leg"]
    assert covers["all"] == covers["mixed"] == []
    # In MURA a wrist is a wrist, and no hand.
    mura = {**figures(), "dataset": {"format": "mura"}}
    found = encode_worth(mura, EN)
    assert found is not None
    assert {group["name"]: group["covers"] for group in found["groups"]}["hand"] == ["hand"]


def test_where_the_data_names_no_patients_the_page_is_told_so() -> None:
    for patients, by_study in ((438, True), (400, False)):
        found = figures()
        found["groups"]["all"]["patients"] = patients
        worth = encode_worth(found, EN)
        assert worth is not None
        assert worth["by_study"] is by_study


def test_without_figures_there_is_nothing_to_show() -> None:
    assert encode_worth({}, EN) is None


@pytest.mark.parametrize(
    ("part", "strangeness", "compared", "group"),
    [
        (BodyPart("arm", 0.95, 700), 0.3, True, "hand"),
        (BodyPart("arm+shoulder", 0.95, 100), 0.3, True, "mixed"),
        (BodyPart("wrist", 0.95, 100), 0.3, True, "wrist"),
        (BodyPart("leg", 0.89, 700), 0.3, True, ""),
        (BodyPart("leg", 0.95, 700), 1.0, True, ""),
        (BodyPart("leg", 0.95, 700), 0.3, False, ""),
        (None, 0.3, True, ""),
        (BodyPart("leg", 0.95, 700), None, True, ""),
    ],
)
def test_a_film_belongs_where_the_network_is_sure_of_it(
    part: BodyPart | None, strangeness: float | None, compared: bool, group: str
) -> None:
    view = FakePredictor().predict(Study((View("a.png", read_radiograph(png())),))).views[0]
    seen = replace(view, body_part=part, strangeness=strangeness)
    assert recognised_group(seen, compared=compared) == group


def test_a_stated_part_is_taken_by_its_letters() -> None:
    assert (stated_part("lower leg"), stated_part("t-spine"), stated_part(None)) == ("lowerleg", "tspine", "")
