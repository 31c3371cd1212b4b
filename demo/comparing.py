"""What the model sees, as JSON for the viewer: each step of the preparation with its probability."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from demo.analysing import busy_text
from demo.handlers import log_without_content
from demo.line import Rank
from demo.turns import BusyError
from demo.wording import SYMBOLS
from mura_core.errors import MuraError
from mura_core.study import probability_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.handlers import OpenStudy
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.predictor import Predictor, Variant
    from mura_core.study import OperatingPoints


def compare(predictor: Predictor, opened: OpenStudy | None, asked: object, words: Wording) -> dict[str, Any]:
    """Read the study on screen under each step of its preparation.

    Args:
        predictor: The model.
        opened: The study; None where it has left the server's memory.
        asked: The number the page gave its question; not trusted.
        words: The page's language.

    Returns:
        `asked` again, so that the page tells this answer from one to an earlier question; `error`, empty
        where there is none; `variants` in order, the released one last.
    """
    answer = _answer(asked)
    if opened is None:
        return {**answer, "error": words["viewer.compare_gone"]}
    try:
        variants = predictor.compare(opened.read_study())
    except MuraError as error:
        return {**answer, "error": str(error)}
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return {**answer, "error": words["page.internal"]}
    points = opened.result.operating_points
    return {**answer, "variants": [encode_variant(variant, points, words) for variant in variants]}


async def compare_in_turn(
    predictor: Predictor, opened: OpenStudy | None, asked: object, words: Wording, turns: Turns, user: str
) -> dict[str, Any]:
    """Wait for the model, after the studies that readers wait for, and compare; takes no thread meanwhile.

    Args:
        predictor: The model.
        opened: The study; None where it has left the server's memory.
        asked: The number the page gave its question; not trusted.
        words: The page's language.
        turns: The line before the model.
        user: Who asks.
    """
    work = partial(compare, predictor, opened, asked, words)
    if opened is None:
        return work()
    try:
        ticket = turns.join(user, work, rank=Rank.LATER, views=3 * len(opened.files))
    except BusyError as busy:
        return {**_answer(asked), "error": busy_text(busy, words)}
    with ticket:
        return await ticket.outcome(_answer(asked))


def _answer(asked: object) -> dict[str, Any]:
    return {"asked": asked if isinstance(asked, int) else 0, "error": "", "variants": []}


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
