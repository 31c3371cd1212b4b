"""The viewer as a component of a page, and what it asks the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo.comparing import compare_in_turn
from demo.handlers import OpenStudy  # not for types alone: Gradio resolves a handler's annotations
from demo.stability import say_measured, stability_in_turn
from demo.worth import counts_studies, encode_worth

if TYPE_CHECKING:
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.predictor import Predictor
    from mura_core.sidecar import Sidecar
    from mura_core.stability import Measured

_FOLDER = Path(__file__).parent
# What all components share, then the parts, in any order: what puts them together comes last.
_SCRIPTS = (_FOLDER / "elements.js", *sorted(_FOLDER.glob("viewer_*.js")), _FOLDER / "viewer.js")
_STYLES = (_FOLDER / "viewer.css", *sorted(_FOLDER.glob("viewer_*.css")))
_TELL = """watch("value", () => {
  document.dispatchEvent(new CustomEvent("mura-answer-" + props.asks, { detail: props.value }));
});"""
_QUESTIONS = {"compare": compare_in_turn, "stability": stability_in_turn}


def build_viewer(
    words: Wording, sidecar: Sidecar | None = None, measured: Measured | None = None, *, asks: bool = False
) -> gr.HTML:
    """Make a viewer; its value is what `handlers.analyse` yields, with two flags more where they are true.

    `marking`: a reader may mark points and boxes; every change is the event `marks`, with the view's index
    and its marks in fractions of the film. `blind`: no sign of the model, not even of its controls.

    Args:
        words: The page's language.
        sidecar: Whose figures say what another threshold and what the call stand for; None leaves that out.
        measured: What the stability reading was worth on labelled studies; None leaves that out.
        asks: Whether `connect_questions` will answer what a reader asks beyond the call.
    """
    by_study = sidecar is not None and counts_studies(sidecar.metrics)
    return gr.HTML(
        html_template=(_FOLDER / "viewer.html").read_text(encoding="utf-8"),
        css_template="\n".join(path.read_text(encoding="utf-8") for path in _STYLES),
        js_on_load="\n".join(path.read_text(encoding="utf-8") for path in _SCRIPTS),
        apply_default_css=False,
        elem_id="viewer",
        words=words.words("viewer"),
        curve=None if sidecar is None else _curve(sidecar),
        worth=None if sidecar is None else encode_worth(sidecar.metrics, words),
        asks=asks,
        stability_measured=say_measured(measured, words, by_study=by_study),
    )


def connect_questions(
    predictor: Predictor, turns: Turns, viewer: gr.HTML, opened: gr.State, words: Wording
) -> None:
    """Let the viewer ask more of the open study; the films on screen stay as they are."""
    for name in _QUESTIONS:
        _connect(name, predictor, turns, viewer, opened, words)


def _connect(
    name: str, predictor: Predictor, turns: Turns, viewer: gr.HTML, opened: gr.State, words: Wording
) -> None:
    async def ask(kept: OpenStudy | None, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        user, asked = request.session_hash or "", getattr(event, "asked", 0)
        return await _QUESTIONS[name](predictor, kept, asked, words, turns, user)

    # A component of its own for each answer: the viewer's value is the study.
    answer = gr.HTML(html_template="<div hidden></div>", js_on_load=_TELL, apply_default_css=False, asks=name)
    getattr(viewer, name)(
        ask,
        opened,
        answer,
        concurrency_id="model",
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
        # Or a question goes nowhere while an earlier one, perhaps lost or of another study, has no answer.
        trigger_mode="multiple",
    )


def _curve(sidecar: Sidecar) -> dict[str, Any] | None:
    """[threshold, sensitivity, specificity] on the test split; None where it was not measured."""
    group = sidecar.metrics.get("groups", {}).get("all", {})
    if not group.get("curve"):
        return None
    return {"points": group["curve"], "studies": group["studies"], "abnormal": group["abnormal"]}
