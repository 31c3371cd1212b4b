"""What the viewer gets of the stability reading: the sentence, the numbers of the chart, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from demo.handlers import OpenStudy
from demo.stability import encode_stability, say, say_measured, stability_in_turn
from demo.turns import Turns
from demo.wording import Wording
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.stability import CHANGES, ChangedReading, Errors, Measured, Stability
from mura_core.study import Study, View
from tests.fake_predictor import POINTS, FakePredictor, png

if TYPE_CHECKING:
    from demo.wording import Language

WORDS = Wording("en")


def opened(predictor: FakePredictor) -> OpenStudy:
    study = Study((View("a.png", read_radiograph(png())),))
    return OpenStudy((("a.png", png()),), ("png",), predictor.predict(study))


def stability(*probabilities: float) -> Stability:
    return Stability(
        tuple(
            ChangedReading(change, (value,), value, POINTS.call(value))
            for change, value in zip(CHANGES, probabilities, strict=False)
        )
    )


def ask(predictor: FakePredictor, kept: OpenStudy | None, asked: object = 1) -> dict[str, Any]:
    return asyncio.run(stability_in_turn(predictor, kept, asked, WORDS, Turns(), "reader"))


@pytest.mark.parametrize(
    ("probabilities", "said"),
    [
        ((0.1, 0.08, 0.14), "All 3 readings say normal: 0.08 to 0.14."),
        ((0.001, 0.002), "All 2 readings say normal: <0.01."),
        ((0.5, 0.6), "All 2 readings say doubt: 0.50 to 0.60."),
        ((0.7, 0.6, 0.9), "1 of 2 changes alters the call: 0.60 to 0.90. Look again."),
        ((0.3, 0.4, 0.7), "2 of 2 changes alter the call: 0.30 to 0.70. Look again."),
        ((0.4, 0.3, 0.3), "2 of 2 changes alter the call: 0.30 to 0.40. It stays in doubt."),
        # Just below the point at 0.65: the text does not contradict the call.
        ((0.5, 0.6499), "All 2 readings say doubt: 0.50 to 0.6499."),
    ],
)
def test_the_sentence_says_whether_the_call_stands(probabilities: tuple[float, ...], said: str) -> None:
    assert say(stability(*probabilities), POINTS, WORDS) == said


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_reading_has_its_name_number_and_call(language: Language) -> None:
    words = Wording(language)
    values = [0.7 - 0.01 * number for number in range(len(CHANGES))]
    answer = encode_stability(stability(*values), POINTS, words)
    readings = answer["readings"]
    assert [reading["probability"] for reading in readings] == values
    assert [reading["altered"] for reading in readings] == [value < 0.65 for value in values]
    assert len({reading["title"] for reading in readings}) == len(CHANGES)
    assert [reading["word"] for reading in readings] == [words.call(POINTS.call(value)) for value in values]
    assert (answer["call"], answer["lowest"], answer["highest"]) == ("abnormal", min(values), max(values))


def test_the_open_study_is_read_and_the_answer_names_its_question() -> None:
    predictor = FakePredictor(0.86)
    answer = ask(predictor, opened(predictor), 7)
    assert (answer["asked"], answer["error"]) == (7, "")
    assert len(answer["readings"]) == len(CHANGES)
    assert predictor.studies[-1].views[0].name == "a.png"


def test_a_question_counts_with_the_files_it_holds() -> None:
    """Of the memory that may wait in line."""
    sizes = []

    class Watched(Turns):
        def join(self, *given: Any, **options: Any) -> Any:
            sizes.append(options["size_bytes"])
            return super().join(*given, **options)

    predictor = FakePredictor(0.86)
    kept = opened(predictor)
    asyncio.run(stability_in_turn(predictor, kept, 1, WORDS, Watched(), "reader"))
    assert sizes == [len(png())]


def test_a_study_that_is_gone_or_cannot_be_read_is_said_so_without_a_reading() -> None:
    predictor = FakePredictor()
    kept = opened(predictor)
    for failing, given, said in (
        (predictor, None, "no longer in memory"),
        (FakePredictor(error=ImageError("Too thin.")), kept, "Too thin."),
        (FakePredictor(error=ValueError("/home/x")), kept, WORDS["page.internal"]),
    ):
        answer = ask(failing, given)
        assert said in answer["error"]
        assert (answer["said"], answer["readings"]) == ("", [])


def test_what_was_never_measured_is_not_said() -> None:
    some, none = Errors(3, 12), Errors(0, 0)
    for measured in (None, Measured(12, some, none), Measured(12, none, some)):
        assert say_measured(measured, WORDS, by_study=False) == ""
    said = say_measured(Measured(50, Errors(1, 30), some), WORDS, by_study=False)
    assert "of 12 calls that a change altered 25.0 % were wrong, of the 30 others 3.3 %" in said
    assert "points" not in said


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(
    ("span", "shown"), [((-0.037, 0.127), False), ((0.01, 0.2), True), ((-0.2, -0.01), True)]
)
def test_the_two_shares_come_with_their_difference_and_whether_it_was_shown(
    language: Language, span: tuple[float, float], shown: bool
) -> None:
    words = Wording(language)
    measured = Measured(443, Errors(24, 183), Errors(21, 119), span)
    said = say_measured(measured, words, by_study=False)
    assert "17.6 %" in said
    assert "13.1 %" in said
    assert f"[{100 * span[0]:.1f}, {100 * span[1]:.1f}]" in said
    assert "4.5" in said
    assert (words["viewer.stability_not_shown"] in said) != shown
    # Films without named patients have no interval over patients.
    by_study = say_measured(measured, words, by_study=True)
    assert ("over patients" in said or "환자 단위" in said) != (
        "over patients" in by_study or "환자 단위" in by_study
    )
    assert f"[{100 * span[0]:.1f}, {100 * span[1]:.1f}]" in by_study
