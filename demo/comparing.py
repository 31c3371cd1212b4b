"""What the model sees, as JSON for the viewer: each step of the preparation with its probability."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from demo.asking import Question
from demo.wording import SYMBOLS
from mura_core.study import probability_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.asking import Work
    from demo.handlers import OpenStudy
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.predictor import Predictor
    from mura_core.study import OperatingPoints
    from mura_core.variants import Variant

_STEPS = 3


async def compare_in_turn(
    predictor: Predictor, opened: OpenStudy | None, asked: object, words: Wording, turns: Turns, user: str
) -> dict[str, Any]:
    """Read the study on screen under each step of its preparation, once the model is free.

    Args:
        predictor: The model.
        opened: The study; None where it has left the server's memory.
        asked: The number the page gave its question; not trusted.
        words: The page's language.
        turns: The line before the model.
        user: Who asks.

    Returns:
        What every answer has, see `Question`, and `variants` in order, the released one last.
    """
    return await _question(opened, asked, words).in_turn(_work(predictor, words), turns, user, _STEPS)


def compare(predictor: Predictor, opened: OpenStudy | None, asked: object, words: Wording) -> dict[str, Any]:
    """Do the same at once."""
    return _question(opened, asked, words).answer(_work(predictor, words))


def _question(opened: OpenStudy | None, asked: object, words: Wording) -> Question:
    return Question(opened, asked, words, {"variants": []})


def _work(predictor: Predictor, words: Wording) -> Work:
    def work(kept: OpenStudy) -> dict[str, Any]:
        points, variants = kept.result.operating_points, predictor.compare(kept.read_study())
        return {"variants": [encode_variant(variant, points, words) for variant in variants]}

    return work


def encode_variant(variant: Variant, points: OperatingPoints, words: Wording) -> dict[str, Any]:
    """Encode one step: its name, the call it would give, and each film as the network saw it."""
    title = words[f"viewer.variant_{_step(variant)}"]
    views = []
    for index, film in enumerate(variant.films):
        text, call = probability_text(variant.view_probabilities[index], points), variant.calls[index]
        said = {"call": words.call(call), "probability": text, "variant": title, "index": index + 1}
        views.append(
            {
                "picture": _picture(film),
                "alt": words.text("viewer.variant_alt", **said),
                "caption": f"{index + 1}  {SYMBOLS[call]} {text}",
                "call": str(call),
            }
        )
    return {
        "title": title,
        "note": words["viewer.variant_released" if variant.released else "viewer.variant_other"],
        "released": variant.released,
        "call": str(variant.call),
        "word": words.call(variant.call),
        "symbol": SYMBOLS[variant.call],
        "probability_text": probability_text(variant.study_probability, points),
        "views": views,
    }


def _step(variant: Variant) -> str:
    if variant.options.roi:
        return "roi_enhanced" if variant.options.enhance else "roi"
    return "enhanced" if variant.options.enhance else "original"


def _picture(film: NDArray[np.float32]) -> str:
    """A film (S, S) in [0, 1] as a data URI; PNG keeps its steps of 1/255 as they are."""
    _, content = cv2.imencode(".png", np.rint(film * 255).astype(np.uint8))
    return "data:image/png;base64," + base64.b64encode(content.tobytes()).decode("ascii")
