"""How steady the call is, as JSON for the viewer: one reading for each small change of the films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.asking import Question
from demo.wording import SYMBOLS
from mura_core.stability import CHANGES
from mura_core.study import Call, probability_text

if TYPE_CHECKING:
    from demo.handlers import OpenStudy
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.predictor import Predictor
    from mura_core.stability import ChangedReading, Errors, Measured, Stability
    from mura_core.study import OperatingPoints


async def stability_in_turn(
    predictor: Predictor, opened: OpenStudy | None, asked: object, words: Wording, turns: Turns, user: str
) -> dict[str, Any]:
    """Read the study on screen under each small change, once the model is free; arguments as `Question` has.

    Returns:
        What every answer has, and `said`, a sentence; `call`, that of the films as they are; `lowest` and
        `highest` in [0, 1]; `readings` in order, that of the films as they are first.
    """

    def work(kept: OpenStudy) -> dict[str, Any]:
        stability = predictor.stability(kept.read_study())
        return encode_stability(stability, kept.result.operating_points, words)

    question = Question(opened, asked, words, {"said": "", "readings": []})
    return await question.in_turn(work, turns, user, len(CHANGES))


def encode_stability(stability: Stability, points: OperatingPoints, words: Wording) -> dict[str, Any]:
    """Encode the readings for the chart, and what they come to in words."""
    call = stability.readings[0].call
    return {
        "said": say(stability, points, words),
        "call": str(call),
        "lowest": stability.lowest,
        "highest": stability.highest,
        "readings": [_encode(reading, call, points, words) for reading in stability.readings],
    }


def say(stability: Stability, points: OperatingPoints, words: Wording) -> str:
    """Say in a sentence whether the call stands, and between which probabilities."""
    low, high = (probability_text(value, points) for value in (stability.lowest, stability.highest))
    span = low if low == high else words.text("viewer.stability_span", low=low, high=high)
    call, altering = stability.readings[0].call, len(stability.altering)
    if not altering:
        count = len(stability.readings)
        return words.text("viewer.stability_same", count=count, call=words.call(call), span=span)
    found = words.counted("viewer.stability_altered", altering, changes=stability.changes, span=span)
    remedy = "viewer.stability_still_doubt" if call is Call.DOUBT else "viewer.stability_doubtful"
    return f"{found} {words[remedy]}"


def say_measured(measured: Measured | None, words: Wording, *, by_study: bool) -> str:
    """Say how often steady and unsteady calls were wrong on labelled studies; empty where it is not known.

    Args:
        measured: Of the released weights.
        words: The page's language.
        by_study: The data names no patients, so that each study counts as one.
    """
    if measured is None or not (measured.steady.called and measured.unsteady.called):
        return ""
    altered, same = _percent(measured.unsteady), _percent(measured.steady)
    said = words.text(
        "viewer.stability_measured",
        studies=measured.studies,
        altered=measured.unsteady.called,
        altered_wrong=f"{altered:.1f}",
        same=measured.steady.called,
        same_wrong=f"{same:.1f}",
    )
    if measured.difference_ci95 is None:
        return said
    low, high = measured.difference_ci95
    span = {"low": f"{100 * low:.1f}", "high": f"{100 * high:.1f}"}
    key = "viewer.stability_difference_studies" if by_study else "viewer.stability_difference"
    said += " " + words.text(key, difference=f"{altered - same:.1f}", **span)
    return said if low > 0 or high < 0 else f"{said} {words['viewer.stability_not_shown']}"


def _percent(errors: Errors) -> float:
    return 100 * errors.wrong / errors.called


def _encode(reading: ChangedReading, call: Call, points: OperatingPoints, words: Wording) -> dict[str, Any]:
    return {
        "title": words[f"viewer.change_{reading.change}"],
        "probability": reading.study_probability,
        "probability_text": probability_text(reading.study_probability, points),
        "call": str(reading.call),
        "word": words.call(reading.call),
        "symbol": SYMBOLS[reading.call],
        "altered": reading.call != call,
    }
