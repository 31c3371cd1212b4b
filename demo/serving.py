"""What surrounds Gradio's server: the gate, the headers, the folder of uploads, the end."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sys
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from demo.gate import Gate
from demo.headers import PagePolicy, SecureHeaders
from demo.login import MIDDLEWARE
from demo.quiet import keep_logs_quiet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from demo.uploads import UploadFolder

MAX_UPLOAD_BYTES = 2 << 30
"""Of one request: a review session's films come in one."""

_SWEEP_S = 20


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
