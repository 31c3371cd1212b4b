"""A model at work, so that whoever comes stands in line."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_S = 60
"""For a busy machine; no test waits unless something is wrong."""


@contextmanager
def occupied(turns: Turns) -> Iterator[None]:
    """Keep the model at work, so that whoever comes now stands in line."""
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(LIMIT_S)

    ticket = turns.join("somebody else", work)
    assert begun.wait(LIMIT_S)
    try:
        yield
    finally:
        go_on.set()
        ticket.answer.result(LIMIT_S)
