"""The archive's card in the side column: search, open a study, store its results."""

from __future__ import annotations

from collections.abc import AsyncIterator  # for good, as below
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import pacs_handlers, page
from demo.analysing import analyse

# Gradio looks up the types of a handler's arguments by name, so they are imported for good.
from demo.handlers import IDLE_S, OpenStudy, Tray
from demo.memory import make_room
from demo.pacs_handlers import Card

if TYPE_CHECKING:
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.pacs.dicomweb import Archive
    from mura_core.predictor import Predictor


def build_pacs(words: Wording) -> gr.HTML:
    """Make the card."""
    return page.part("pacs", words.words("search"))


def connect_pacs(
    ui: gr.Blocks,
    archive: Archive,
    predictor: Predictor,
    turns: Turns,
    panel: gr.HTML,
    viewer: gr.HTML,
    opened: gr.State,
    words: Wording,
) -> None:
    """Answer the card.

    Args:
        ui: The app.
        archive: Chosen by whoever started the server; the browser has no say in it.
        predictor: The model.
        turns: The line before it.
        panel: From `build_pacs`.
        viewer: Shows the study.
        opened: State, an OpenStudy or None.
        words: The page's language.
    """
    card = gr.State(Card(), time_to_live=IDLE_S)
    films = gr.State(None, time_to_live=IDLE_S)

    def search(shown: Card, kept: OpenStudy | None, event: gr.EventData) -> tuple[Any, ...]:
        asked = {name: getattr(event, name, "") for name in ("from", "to", "patient", "part")}
        shown = pacs_handlers.search(archive, asked, shown, words)
        return shown, shown.payload(kept)

    def fetch(shown: Card, kept: OpenStudy | None, event: gr.EventData) -> tuple[Any, ...]:
        shown, tray = pacs_handlers.fetch(archive, getattr(event, "uid", ""), shown, words)
        return shown, shown.payload(kept), tray

    def store(shown: Card, kept: OpenStudy | None) -> tuple[Any, ...]:
        shown = pacs_handlers.store(archive, kept, shown, words)
        return shown, shown.payload(kept)

    def follow(shown: Card, kept: OpenStudy | None) -> dict[str, Any]:
        return shown.payload(kept)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asking: dict[str, Any] = {"concurrency_id": "pacs", "concurrency_limit": 4, **quiet}
    panel.search(search, [card, opened], [card, panel], **asking)
    # Fetched first, so that a slow archive does not keep the model from other readers.
    panel.fetch(fetch, [card, opened], [card, panel, films], **asking).then(
        _reading(ui, predictor, turns, words),
        films,
        [viewer, opened, films],
        concurrency_id="model",
        concurrency_limit=None,
        **quiet,
    )
    panel.store(store, [card, opened], [card, panel], **asking)
    opened.change(follow, [card, opened], panel, **quiet)


def _reading(ui: gr.Blocks, predictor: Predictor, turns: Turns, words: Wording) -> Any:
    """What reads the films that were fetched, in turn, and then lets go of them."""

    async def read(tray: Tray | None, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        if tray is None:
            yield gr.skip(), gr.skip(), None
            return
        make_room(ui)
        async for payload, study in analyse(predictor, tray, words, turns, request.session_hash or ""):
            yield payload, study, None

    return read
