"""Logs without content: where an unexpected error arose, never its message, which may quote a file's name."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from typing import Any, TextIO

import gradio.queueing
import gradio.routes


class WithoutMessages(logging.Filter):
    """Keeps an exception's type and frames, and drops its message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it is always kept."""
        if record.exc_info:
            record.exc_text = describe(record.exc_info[1])
            # With a text there, no formatter writes its own; without the exception, none can.
            record.exc_info = None
        return True


def describe(error: BaseException | None) -> str:
    """Say what kind of error it was and where it arose, causes included, without any message."""
    parts = []
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{type(error).__name__} at\n{frames}")
        error = error.__cause__ or error.__context__
    return "<- ".join(parts[:5]).rstrip()


class _Traceback:
    """What Gradio calls of the module `traceback`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    @staticmethod
    def print_exc(*_: object, **__: object) -> None:
        """Print the exception being handled."""
        print(describe(sys.exc_info()[1]), file=sys.stderr)


def _show_place(
    message: Warning | str,  # noqa: ARG001 - what warnings hand over
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,  # noqa: ARG001
) -> None:
    print(f"{filename}:{lineno}: {category.__name__}", file=file or sys.stderr)


def keep_logs_quiet() -> None:
    """Let neither Gradio, the web server nor a reader of files write an error's message anywhere."""
    # It quotes what a header holds, a patient's name for one.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.showwarning = _show_place
    for module in (gradio.queueing, gradio.routes):
        # Gradio prints what an event raised, and has no setting against it.
        module.traceback = _Traceback()  # type: ignore[attr-defined]
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(kept, WithoutMessages) for kept in logger.filters):
            logger.addFilter(WithoutMessages())
