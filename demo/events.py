"""What happens on the page of a single study: files come and go, the model answers, a page closes."""

from __future__ import annotations

from collections.abc import AsyncIterator  # not only for the types: Gradio reads them of an event's function
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import handlers
from demo.analysing import analyse
from demo.examples.draw import draw_example
from demo.handlers import Tray, UploadedFile
from demo.memory import make_room
from demo.wording import LANGUAGES

if TYPE_CHECKING:
    from demo.layout import Parts
    from demo.turns import Turns
    from demo.wording import Wording
    from mura_core.predictor import Predictor

# Says at once that the click was heard.
_TELL_VIEWER = "(...inputs) => { document.dispatchEvent(new Event('mura-waiting')); return inputs; }"
_IN_TURN: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": None,
    "js": _TELL_VIEWER,
    "show_progress": "hidden",
    "api_visibility": "undocumented",
}


def connect_model(
    ui: gr.Blocks, predictor: Predictor, turns: Turns, parts: Parts, words: Wording
) -> list[Any]:
    """Let the model answer the buttons, in turn; gives the events that Clear ends."""

    async def read_tray(kept: Tray, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        make_room(ui)
        async for payload, opened in analyse(predictor, kept, words, turns, request.session_hash or ""):
            # Who finds the line full keeps the files for the next try.
            left = kept if "again_s" in payload else Tray()
            yield (payload, opened, *_tray_state(left))

    def example(name: str) -> Any:
        async def read_example(request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
            make_room(ui)
            tray = Tray(files=draw_example(name))
            async for step in analyse(predictor, tray, words, turns, request.session_hash or ""):
                yield step

        return read_example

    shown = [parts.viewer, parts.opened]
    running = [
        parts.analyse.click(
            read_tray,
            parts.tray,
            [*shown, parts.tray, parts.waiting, parts.analyse],
            api_name=_api_name("analyse", words),
            **_IN_TURN,
        )
    ]
    for name, button in parts.examples.items():
        api_name = _api_name(f"example_{name}", words)
        running.append(button.click(example(name), None, shown, api_name=api_name, **_IN_TURN))
    return running


def connect_tray(ui: gr.Blocks, parts: Parts, words: Wording, running: list[Any]) -> None:
    """Move what is dropped into memory at once, and let it be taken out again."""
    shown = [parts.tray, parts.waiting, parts.analyse]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "undocumented"}

    def add(files: list[dict[str, Any]] | None, kept: Tray) -> tuple[Any, ...]:
        make_room(ui)
        uploads = [
            UploadedFile(file["orig_name"] or file["path"], Path(file["path"])) for file in files or []
        ]
        return (None, *_tray_state(handlers.take_uploads(uploads, kept, words)))

    def remove(kept: Tray, event: gr.EventData) -> tuple[Any, ...]:
        return _tray_state(handlers.remove_file(kept, getattr(event, "index", None)))

    def forget() -> tuple[Any, ...]:
        return (None, None, None, *_tray_state(Tray()))

    # Without `preprocess`, which would leave an empty temporary file for each upload. Gradio has checked by
    # then that every path lies in its upload folder.
    parts.upload.upload(
        add,
        [parts.upload, parts.tray],
        [parts.upload, *shown],
        api_name=_api_name("add", words),
        preprocess=False,
        **quiet,
    )
    parts.waiting.remove(remove, parts.tray, shown, api_name=False, show_progress="hidden")
    parts.clear.click(
        forget,
        None,
        [parts.viewer, parts.opened, parts.upload, *shown],
        api_name=_api_name("clear", words),
        cancels=running,
        **quiet,
    )


def forget_on_closing(ui: gr.Blocks, turns: Turns) -> None:
    """Delete what a reader's page kept when it is closed; Gradio alone would keep it for an hour."""

    def forget_session(request: gr.Request) -> None:
        if request.session_hash:
            turns.leave(request.session_hash)
            ui.state_holder.delete_state(request.session_hash)
            # A session that once was closed keeps for an hour even what comes later: after a broken
            # connection, or from an analysis that was running. What comes now finds a new session.
            ui.state_holder.session_data.pop(request.session_hash, None)

    ui.unload(forget_session)


def _tray_state(tray: Tray) -> tuple[Tray, dict[str, Any], gr.Button]:
    return tray, handlers.tray_payload(tray), gr.Button(interactive=bool(tray.files or tray.refused))


def _api_name(name: str, words: Wording) -> str:
    """Names of endpoints are unique in the whole app; English has the plain ones."""
    return name if words.language == LANGUAGES[0] else f"{name}_{words.language}"
