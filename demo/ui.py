"""The page's layout and events."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import about, handlers, wording
from demo.examples.draw import EXAMPLES, draw_example
from demo.handlers import Tray, UploadedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mura_core.predictor import Predictor

_FOLDER = Path(__file__).parent
_VIEWER_SCRIPTS = ("viewer_film.js", "viewer_heatmap.js", "viewer_stage.js", "viewer_input.js", "viewer.js")
_IDLE_S = 900
"""After this many seconds, waiting files leave the server's memory and forgotten uploads its disk."""

_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "monospace")
_HEAD = '<meta name="color-scheme" content="dark"><meta name="referrer" content="no-referrer">'
_DARK = "() => document.body.classList.add('dark')"
# Says at once that the click was heard; the server's first answer may have to wait for the model's turn.
_TELL_VIEWER = "(...inputs) => { document.dispatchEvent(new Event('mura-waiting')); return inputs; }"


def build_ui(predictor: Predictor) -> gr.Blocks:
    """Lay out the page and connect it to a predictor.

    Args:
        predictor: Anything with the Predictor's `sidecar` and its thread-safe `predict(study)`.

    Returns:
        The page; `launch` serves it.
    """
    ui = gr.Blocks(title=wording.TITLE, analytics_enabled=False, delete_cache=(60, _IDLE_S), fill_width=True)
    with ui:
        tray = gr.State(Tray(), time_to_live=_IDLE_S)
        with gr.Row(elem_id="page"):
            with gr.Column(elem_id="side", min_width=260):
                _html(about.heading())
                with gr.Column(elem_id="intake", min_width=0):
                    upload = gr.File(
                        label=wording.UPLOAD_LABEL, file_count="multiple", elem_id="upload", height=112
                    )
                    waiting = _tray_list()
                    with gr.Row(elem_id="actions"):
                        analyse = gr.Button(
                            wording.ANALYSE, variant="primary", elem_id="analyse", interactive=False
                        )
                        clear = gr.Button(wording.CLEAR, elem_id="clear", min_width=80)
                    _html(about.upload_notes())
                with gr.Column(elem_id="more", min_width=0):
                    _html(about.examples_heading())
                    buttons = {
                        name: gr.Button(title, elem_classes="example", size="sm")
                        for name, title in EXAMPLES.items()
                    }
                    _html(about.model_panel(predictor.sidecar))
            with gr.Column(elem_id="view", min_width=320):
                viewer = _viewer()
        running = _connect_model(predictor, tray, waiting, viewer, analyse, buttons)
        _connect_tray(tray, waiting, viewer, upload, analyse, clear, running)
    ui.queue(max_size=64, default_concurrency_limit=4)
    return ui


def launch(
    ui: gr.Blocks,
    *,
    host: str | None = None,
    port: int | None = None,
    auth: list[tuple[str, str]] | None = None,
    block: bool = True,
) -> str:
    """Serve the page, with nothing shared, recorded or sent elsewhere.

    Args:
        ui: What `build_ui` returned.
        host: Address to listen on; None for 127.0.0.1.
        port: Port to listen on; None for the first free one from 7860.
        auth: (user, password) pairs that may enter; None lets everybody in.
        block: Whether to stay until interrupted.

    Returns:
        The local address.
    """
    _, address, _ = ui.launch(
        server_name=host,
        server_port=port,
        auth=auth,
        auth_message=wording.NOTICE,
        prevent_thread_lock=True,
        max_file_size=f"{handlers.MAX_FILE_MB}mb",
        state_session_capacity=200,
        theme=gr.themes.Base(font=_FONTS, font_mono=_MONO),
        css_paths=_FOLDER / "page.css",
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
        print(f"{wording.TITLE}: {address}", flush=True)
        ui.block_thread()
    return address


def _connect_model(
    predictor: Predictor,
    tray: gr.State,
    waiting: gr.HTML,
    viewer: gr.HTML,
    analyse: gr.Button,
    buttons: dict[str, gr.Button],
) -> list[Any]:
    """Let the model answer the buttons, one study at a time."""

    def read_tray(kept: Tray) -> Iterator[tuple[Any, ...]]:
        for payload in handlers.analyse(predictor, kept):
            yield (payload, *_tray_state(Tray()))

    def read_example(name: str) -> Iterator[dict[str, Any]]:
        yield from handlers.analyse(predictor, Tray(files=draw_example(name)))

    one_at_a_time: dict[str, Any] = {
        "concurrency_id": "model",
        "concurrency_limit": 1,
        "js": _TELL_VIEWER,
        "show_progress": "hidden",
        "api_visibility": "undocumented",
    }
    running = [
        analyse.click(read_tray, tray, [viewer, tray, waiting, analyse], api_name="analyse", **one_at_a_time)
    ]
    for name, button in buttons.items():
        running.append(
            button.click(
                partial(read_example, name), None, viewer, api_name=f"example_{name}", **one_at_a_time
            )
        )
    return running


def _connect_tray(
    tray: gr.State,
    waiting: gr.HTML,
    viewer: gr.HTML,
    upload: gr.File,
    analyse: gr.Button,
    clear: gr.Button,
    running: list[Any],
) -> None:
    """Move what is dropped into memory at once, and let it be taken out again."""
    shown = [tray, waiting, analyse]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "undocumented"}

    def add(files: list[dict[str, Any]] | None, kept: Tray) -> tuple[Any, ...]:
        uploads = [
            UploadedFile(file["orig_name"] or file["path"], Path(file["path"])) for file in files or []
        ]
        return (None, *_tray_state(handlers.take_uploads(uploads, kept)))

    def remove(kept: Tray, event: gr.EventData) -> tuple[Any, ...]:
        return _tray_state(handlers.remove_file(kept, getattr(event, "index", None)))

    def forget() -> tuple[Any, ...]:
        return (None, None, *_tray_state(Tray()))

    # Without `preprocess`, which would leave an empty temporary file for each upload. Gradio has checked by
    # then that every path lies in its upload folder.
    upload.upload(add, [upload, tray], [upload, *shown], api_name="add", preprocess=False, **quiet)
    waiting.remove(remove, tray, shown, api_name=False, show_progress="hidden")
    clear.click(forget, None, [viewer, upload, *shown], api_name="clear", cancels=running, **quiet)


def _tray_state(tray: Tray) -> tuple[Tray, dict[str, Any], gr.Button]:
    return tray, handlers.tray_payload(tray), gr.Button(interactive=bool(tray.files or tray.refused))


def _tray_list() -> gr.HTML:
    return gr.HTML(
        html_template=_text("tray.html"),
        css_template=_text("tray.css"),
        js_on_load=_text("tray.js"),
        apply_default_css=False,
        elem_id="tray",
        words=wording.TRAY_WORDS,
    )


def _viewer() -> gr.HTML:
    return gr.HTML(
        html_template=_text("viewer.html"),
        css_template=_text("viewer.css"),
        js_on_load="\n".join(_text(name) for name in _VIEWER_SCRIPTS),
        apply_default_css=False,
        elem_id="viewer",
        words=wording.VIEWER_WORDS,
        keys=wording.KEYS,
    )


def _html(content: str) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False)


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
