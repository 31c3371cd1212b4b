"""The app: the page of a single study in every language, and beside it that of the review sessions."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import gradio as gr

from demo import page, review
from demo.archive import connect_archive
from demo.events import connect_model, connect_tray, forget_on_closing
from demo.handlers import IDLE_S
from demo.layout import lay_out
from demo.pacs import connect_pacs
from demo.turns import Turns
from demo.viewer import connect_questions
from demo.wording import LANGUAGES, Wording
from mura_core.glibc import share_arenas

if TYPE_CHECKING:
    from demo.review_desk import Desk
    from mura_core.pacs.dicomweb import Archive
    from mura_core.predictor import Predictor

_EVENTS = 2000


def build_ui(predictor: Predictor, desk: Desk | None = None, pacs: Archive | None = None) -> gr.Blocks:
    """Lay out the page in every language and connect it to a predictor.

    Args:
        predictor: Anything with the Predictor's `sidecar` and its thread-safe `predict(study)`.
        desk: The review sessions; None leaves their page out.
        pacs: An archive to fetch studies from; None leaves its card out. Whoever sees the page sees names.

    Returns:
        The page at `/`, at `/ko` in Korean, and that of the review sessions; `demo.serving.launch` serves it.
    """
    share_arenas()
    first, *others = (Wording(language) for language in LANGUAGES)
    turns = desk.turns if desk is not None else Turns()
    ui = gr.Blocks(
        title=first["page.title"], analytics_enabled=False, delete_cache=(60, IDLE_S), fill_width=True
    )
    with ui:
        _build_page(ui, predictor, turns, first, pacs, reviews=desk is not None)
        forget_on_closing(ui, turns)
    for words in others:
        with ui.route(words["page.language"], f"/{words.language}", show_in_navbar=False):
            _build_page(ui, predictor, turns, words, pacs, reviews=desk is not None)
    if desk is not None:
        review.add_pages(ui, desk)
    # Readers wait in `turns`, where they are told their place. Gradio's own line refuses in English alone: it
    # is longer than any that forms there, since what goes through it takes milliseconds.
    # And after every event it would sum up the times of the last 10,000, for a page that is not served.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    ui.queue(max_size=_EVENTS, default_concurrency_limit=4, api_open=False)
    return ui


def _build_page(
    ui: gr.Blocks, predictor: Predictor, turns: Turns, words: Wording, pacs: Archive | None, *, reviews: bool
) -> None:
    parts = lay_out(predictor, words, archived=pacs is not None, reviews=reviews)
    running = connect_model(ui, predictor, turns, parts, words)
    connect_tray(ui, parts, words, running)
    connect_questions(predictor, turns, parts.viewer, parts.opened, words)
    connect_archive(parts.archive, parts.opened, words)
    if pacs is not None and parts.pacs is not None:
        connect_pacs(ui, pacs, predictor, turns, parts.pacs, parts.viewer, parts.opened, words)
    page.speak(ui, words, words["page.title"])
