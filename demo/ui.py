"""The page's layout and events."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import AsyncIterator  # not only for the types: Gradio reads them of an event's function
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import about, handlers, page, review
from demo.analysing import analyse
from demo.archive import build_archive, connect_archive
from demo.examples.draw import EXAMPLES, draw_example
from demo.handlers import IDLE_S, Tray, UploadedFile
from demo.headers import frame_ancestors
from demo.memory import make_room
from demo.pacs import build_pacs, connect_pacs
from demo.serving import app_arguments, end_on_signal
from demo.turns import SLOTS, Turns
from demo.uploads import UploadFolder
from demo.viewer import build_viewer, connect_questions
from demo.wording import LANGUAGES, Wording
from mura_core.glibc import share_arenas

if TYPE_CHECKING:
    from demo.login import Door
    from demo.review_desk import Desk
    from mura_core.pacs.dicomweb import Archive
    from mura_core.predictor import Predictor

_FOLDER = Path(__file__).parent

# Korean letters by the system's own fonts: the page fetches none.
_KOREAN_FONTS = ("Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", "NanumGothic")
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", *_KOREAN_FONTS, "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", *_KOREAN_FONTS, "monospace")
_HEAD = '<meta name="color-scheme" content="dark"><meta name="referrer" content="no-referrer">'
_EVENTS = 2000
_SESSIONS = 500
"""Pages whose waiting files and open study the server keeps; each takes 0.2 MB without them."""

_DARK = "() => document.body.classList.add('dark')"
# Says at once that the click was heard.
_TELL_VIEWER = "(...inputs) => { document.dispatchEvent(new Event('mura-waiting')); return inputs; }"


@dataclass(frozen=True)
class Parts:
    """What of one page takes part in events.

    Attributes:
        tray: State, a Tray: the files waiting.
        opened: State, an OpenStudy or None: the study on screen.
        waiting: The list of files waiting.
        viewer: The viewer.
        upload: The upload field.
        analyse: The button.
        clear: The button.
        archive: The results as DICOM.
        pacs: The card of the archive, None where there is none.
        examples: Name of an example study to its button.
    """

    tray: gr.State
    opened: gr.State
    waiting: gr.HTML
    viewer: gr.HTML
    upload: gr.File
    analyse: gr.Button
    clear: gr.Button
    archive: gr.HTML
    pacs: gr.HTML | None
    examples: dict[str, gr.Button]


def build_ui(predictor: Predictor, desk: Desk | None = None, pacs: Archive | None = None) -> gr.Blocks:
    """Lay out the page in every language and connect it to a predictor.

    Args:
        predictor: Anything with the Predictor's `sidecar` and its thread-safe `predict(study)`.
        desk: The review sessions; None leaves their page out.
        pacs: An archive to fetch studies from; None leaves its card out. Whoever sees the page sees names.

    Returns:
        The page at `/`, at `/ko` in Korean, and that of the review sessions; `launch` serves it.
    """
    share_arenas()
    first, *others = (Wording(language) for language in LANGUAGES)
    turns = desk.turns if desk is not None else Turns()
    ui = gr.Blocks(
        title=first["page.title"], analytics_enabled=False, delete_cache=(60, IDLE_S), fill_width=True
    )
    with ui:
        _build_page(ui, predictor, turns, first, pacs, reviews=desk is not None)
        _forget_on_closing(ui, turns)
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


def launch(
    ui: gr.Blocks,
    *,
    host: str | None = None,
    port: int | None = None,
    door: Door | None = None,
    embed: str | None = None,
    block: bool = True,
) -> str:
    """Serve the page, with nothing shared, recorded or sent elsewhere.

    Args:
        ui: What `build_ui` returned.
        host: Address to listen on; None for 127.0.0.1.
        port: Port to listen on; None for the first free one from 7860.
        door: Who lets readers in; None lets everybody in.
        embed: Who may show the page in a frame, see `demo.headers.frame_ancestors`.
        block: Whether to stay until interrupted.

    Returns:
        The local address.

    Raises:
        MuraError: `embed` names no origins.
    """
    ancestors = frame_ancestors(embed)
    uploads = UploadFolder()
    uploads.take_in(ui)
    atexit.register(uploads.remove)
    _, address, _ = ui.launch(
        server_name=host,
        server_port=port,
        # Gradio awaits a coroutine function, though its types do not say so; `admit`, a bound method, is one.
        auth=door.admit if door else None,  # type: ignore[arg-type]
        auth_message="<br>".join(
            Wording(language)[key] for language in LANGUAGES for key in ("page.notice", "login.waits")
        ),
        app_kwargs=app_arguments(uploads, ancestors),
        prevent_thread_lock=True,
        max_file_size=f"{handlers.MAX_FILE_MB}mb",
        state_session_capacity=_SESSIONS,
        max_threads=SLOTS,
        theme=gr.themes.Base(font=_FONTS, font_mono=_MONO),
        css_paths=[_FOLDER / "page.css", _FOLDER / "review_page.css"],
        js=_DARK,
        head=_HEAD,
        footer_links=[],
        quiet=True,
        share=False,
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
    )
    if block:
        end_on_signal()
        print(f"{ui.title}: {address}", flush=True)
        try:
            ui.block_thread()
        finally:
            uploads.remove()
    return address


def _build_page(
    ui: gr.Blocks, predictor: Predictor, turns: Turns, words: Wording, pacs: Archive | None, *, reviews: bool
) -> None:
    parts = _lay_out(predictor, words, archived=pacs is not None, reviews=reviews)
    running = _connect_model(ui, predictor, turns, parts, words)
    _connect_tray(ui, parts, words, running)
    connect_questions(predictor, turns, parts.viewer, parts.opened, words)
    connect_archive(parts.archive, parts.opened, words)
    if pacs is not None and parts.pacs is not None:
        connect_pacs(ui, pacs, predictor, turns, parts.pacs, parts.viewer, parts.opened, words)
    page.speak(ui, words, words["page.title"])


def _lay_out(predictor: Predictor, words: Wording, *, archived: bool, reviews: bool) -> Parts:
    tray = gr.State(Tray(), time_to_live=IDLE_S)
    opened = gr.State(None, time_to_live=IDLE_S)
    with gr.Row(elem_id="page"):
        with gr.Column(elem_id="side", min_width=260):
            _html(about.heading(words, {language: _address(language) for language in LANGUAGES}))
            with gr.Column(elem_id="intake", min_width=0):
                pacs = build_pacs(words) if archived else None
                label = words["page.upload_label"]
                upload = gr.File(label=label, file_count="multiple", elem_id="upload", height=112)
                waiting = _tray_list(words)
                with gr.Row(elem_id="actions"):
                    analyse = gr.Button(
                        words["page.analyse"], variant="primary", elem_id="analyse", interactive=False
                    )
                    clear = gr.Button(words["page.clear"], elem_id="clear", min_width=80)
                archive = build_archive(words)
                _html(about.upload_notes(words))
            with gr.Column(elem_id="more", min_width=0):
                if reviews:
                    _html(review.way_in(words))
                _html(about.examples_heading(words))
                examples = {
                    name: gr.Button(words[f"page.example_{name}"], elem_classes="example", size="sm")
                    for name in EXAMPLES
                }
                _html(about.model_panel(predictor.sidecar, words))
        with gr.Column(elem_id="view", min_width=320):
            viewer = build_viewer(words, predictor.sidecar, predictor.measured, asks=True)
    return Parts(tray, opened, waiting, viewer, upload, analyse, clear, archive, pacs, examples)


def _connect_model(
    ui: gr.Blocks, predictor: Predictor, turns: Turns, parts: Parts, words: Wording
) -> list[Any]:
    """Let the model answer the buttons, in turn."""

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

    in_turn: dict[str, Any] = {
        "concurrency_id": "model",
        "concurrency_limit": None,
        "js": _TELL_VIEWER,
        "show_progress": "hidden",
        "api_visibility": "undocumented",
    }
    shown = [parts.viewer, parts.opened]
    running = [
        parts.analyse.click(
            read_tray,
            parts.tray,
            [*shown, parts.tray, parts.waiting, parts.analyse],
            api_name=_api_name("analyse", words),
            **in_turn,
        )
    ]
    for name, button in parts.examples.items():
        api_name = _api_name(f"example_{name}", words)
        running.append(button.click(example(name), None, shown, api_name=api_name, **in_turn))
    return running


def _connect_tray(ui: gr.Blocks, parts: Parts, words: Wording, running: list[Any]) -> None:
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


def _forget_on_closing(ui: gr.Blocks, turns: Turns) -> None:
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


def _address(language: str) -> str:
    """Address of the page in a language, relative to the app's root."""
    return "." if language == LANGUAGES[0] else language


def _api_name(name: str, words: Wording) -> str:
    """Names of endpoints are unique in the whole app; English has the plain ones."""
    return name if words.language == LANGUAGES[0] else f"{name}_{words.language}"


def _tray_list(words: Wording) -> gr.HTML:
    return gr.HTML(
        html_template=_text("tray.html"),
        css_template=_text("tray.css"),
        js_on_load=_text("tray.js"),
        apply_default_css=False,
        elem_id="tray",
        words=words.words("tray"),
    )


def _html(content: str) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False)


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
