"""What the viewer gets of each step of the preparation, and what the films carry for it."""

from __future__ import annotations

import base64
from dataclasses import replace

import cv2
import numpy as np
import pytest

from demo import comparing, render
from demo.handlers import OpenStudy
from demo.wording import Wording
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.study import Study, View
from tests.fake_predictor import FakePredictor, png

WORDS = Wording("en")


def opened(predictor: FakePredictor, count: int = 2) -> OpenStudy:
    files = tuple((f"{seed}.png", png(seed)) for seed in range(count))
    study = Study(tuple(View(name, read_radiograph(content)) for name, content in files))
    return OpenStudy(files, ("png",) * count, predictor.predict(study))


def test_the_last_step_is_the_call_on_screen() -> None:
    predictor = FakePredictor(0.86, 0.2)
    kept = opened(predictor)
    answer = comparing.compare(predictor, kept, 3, WORDS)
    assert (answer["asked"], answer["error"]) == (3, "")
    assert [variant["released"] for variant in answer["variants"]] == [False, False, True]
    last, on_screen = answer["variants"][-1], render.encode_verdict(kept.result, WORDS)
    for key in ("call", "word", "symbol", "probability_text"):
        assert last[key] == on_screen[key]
    assert [view["caption"] for view in last["views"]] == ["1  ▲ 0.86", "2  ● 0.20"]


def test_a_picture_is_the_film_the_network_saw_to_the_bit() -> None:
    predictor = FakePredictor(51 / 255)
    variant = comparing.compare(predictor, opened(predictor, 1), 0, WORDS)["variants"][-1]
    kind, _, data = variant["views"][0]["picture"].partition(",")
    assert kind == "data:image/png;base64"
    film = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(film, np.full((32, 32), 51, np.uint8))


def test_a_study_that_has_left_the_memory_is_said_so_in_both_languages() -> None:
    for language, said in (("en", "no longer in memory"), ("ko", "메모리에 없습니다")):
        answer = comparing.compare(FakePredictor(), None, 1, Wording(language))
        assert said in answer["error"]
        assert answer["variants"] == []


def test_an_error_keeps_its_text_only_where_it_was_written_for_readers() -> None:
    kept = opened(FakePredictor())
    for error, said in (
        (ImageError("Too thin."), "Too thin."),
        (ValueError("/home/x"), WORDS["page.internal"]),
    ):
        assert comparing.compare(FakePredictor(error=error), kept, 1, WORDS)["error"] == said


@pytest.mark.parametrize("asked", ["<b>", None, 1.5, {"a": 1}])
def test_only_a_number_is_sent_back(asked: object) -> None:
    assert comparing.compare(FakePredictor(), None, asked, WORDS)["asked"] == 0


def test_a_film_carries_its_spacing_for_the_ruler() -> None:
    film = read_radiograph(png())
    assert render.encode_film(film)["spacing_mm"] is None
    assert render.encode_film(replace(film, pixel_spacing_mm=(0.2, 0.1)))["spacing_mm"] == (0.2, 0.1)
