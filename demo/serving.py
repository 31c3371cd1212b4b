"""Gradio's server and what surrounds it: the gate, the headers, the folder of uploads, the end."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sys
import threading
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import handlers
from demo.gate import Gate
from demo.headers import PagePolicy, SecureHeaders, frame_ancestors
from demo.login import MIDDLEWARE
from demo.quiet import keep_logs_quiet
from demo.turns import SLOTS
from demo.uploads import UploadFolder
from demo.wording import LANGUAGES, Wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from demo.login import Door

MAX_UPLOAD_BYTES = 2 << 30
"""Of one request: a review session's films come in one."""

_SWEEP_S = 20
_SESSIONS = 500
"""Pages whose waiting files and open study the server keeps; each takes 0.2 MB without them."""

_FOLDER = Path(__file__).parent
# Korean letters by the system's own fonts: the page fetches none.
_KOREAN_FONTS = ("Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", "NanumGothic")
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", *_KOREAN_FONTS, "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", *_KOREAN_FONTS, "monospace")
_LOOK: dict[str, Any] = {
    "theme": gr.themes.Base(font=_FONTS, font_mono=_MONO),
    "css_paths": [_FOLDER / "page.css", _FOLDER / "review_page.css"],
    "js": "() => document.body.classList.add('dark')",
    "head": '<meta name="color-scheme" content="dark"><meta name="referrer" content="no-referrer">',
    "footer_links": [],
}
_LIMITS: dict[str, Any] = {
    "max_file_size": f"{handlers.MAX_FILE_MB}mb",
    "state_session_capacity": _SESSIONS,
    "max_threads": SLOTS,
}
_NOTHING_BESIDES: dict[str, Any] = {
    "quiet": True,
    "share": False,
    "run_history": False,
    "enable_monitoring": False,
    "show_error": False,
    "ssr_mode": False,
    "pwa": False,
    "mcp_server": False,
}
"""Nothing is shared, recorded or offered beside the page."""


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
        auth_message=_said_at_the_door(),
        app_kwargs=app_arguments(uploads, ancestors),
        prevent_thread_lock=True,
        **_LOOK,
        **_LIMITS,
        **_NOTHING_BESIDES,
    )
    if block:
        _stay(ui, address, uploads)
    return address


def _said_at_the_door() -> str:
    """What the log-in says, in every language."""
    keys = ("page.notice", "login.waits")
    return "<br>".join(Wording(language)[key] for language in LANGUAGES for key in keys)


def _stay(ui: gr.Blocks, address: str, uploads: UploadFolder) -> None:
    """Name the address and stay until interrupted."""
    end_on_signal()
    print(f"{ui.title}: {address}", flush=True)
    try:
        ui.block_thread()
    finally:
        uploads.remove()


def app_arguments(uploads: UploadFolder | None, ancestors: tuple[str, ...]) -> dict[str, Any]:
    """Give what Gradio hands to FastAPI.

    Args:
        uploads: Where uploads lie; None where nothing is uploaded.
        ancestors: Origins that may frame the page, from `demo.headers.frame_ancestors`.
    """
    keep_logs_quiet()

    @asynccontextmanager
    async def alive(server: Any) -> AsyncIterator[None]:
        # Gradio puts middleware of its own around what it is given, such as the one that opens everything to
        # other origins. What has to be outermost goes around all of it once it is built.
        gate = Gate(server.middleware_stack, server, uploads, max_upload_bytes=MAX_UPLOAD_BYTES)
        server.middleware_stack = SecureHeaders(gate, ancestors)
        sweeping = asyncio.create_task(_sweep(uploads)) if uploads else None
        try:
            yield
        finally:
            if sweeping is not None:
                sweeping.cancel()
                with suppress(asyncio.CancelledError):
                    await sweeping

    return {"middleware": [MIDDLEWARE, (PagePolicy, (ancestors,), {})], "lifespan": alive}


def end_on_signal() -> None:
    """Let a polite kill end the program as Ctrl+C does, so that what it holds is cleared away."""

    def end(number: int, _: object) -> None:
        # Once all is cleared away, at once: to take a whole model apart in memory takes seconds.
        atexit.register(_leave, 128 + number)
        sys.exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), end)


def _leave(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def _sweep(uploads: UploadFolder) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        with suppress(OSError):
            await asyncio.to_thread(uploads.sweep)
