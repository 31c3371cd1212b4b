"""What stands in the line before the model: one piece of work, where it stands, and what comes of it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.line import Rank
    from demo.turns import Turns

Answer = TypeVar("Answer")

_LOOK_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where in the line: `number` counts from 1, `count` is how many wait, `seconds` until the answer."""

    number: int
    count: int
    seconds: float


class Ticket(Generic[Answer]):
    """One piece of work in line. As a context it leaves the line however the block ends.

    Attributes:
        user: Whose it is.
        rank: What comes first.
        views: How many films the model reads for it.
        size_bytes: What it takes while it waits.
        held_bytes: What its films take, once they are unpacked.
        answer: What comes of it; cancelled if it left the line.
    """

    def __init__(
        self, turns: Turns, user: str, work: Callable[[], Answer], rank: Rank, views: int, size_bytes: int
    ) -> None:
        self.user = user
        self.rank = rank
        self.views = views
        self.size_bytes = size_bytes
        self.held_bytes = 0
        self.answer: Future[Answer] = Future()
        self._turns = turns
        self._work: Callable[[], Answer] | None = work
        self._told: asyncio.Event | None = None

    def __enter__(self) -> Ticket[Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def place(self) -> Place | None:
        """Where it stands; None from the moment it is its turn."""
        return self._turns.place(self)

    def may_unpack(self) -> bool:
        """Tell whether its turn is near, and memory left, so that its films may be shown beforehand."""
        return self._turns.may_unpack(self)

    def leave(self) -> None:
        """Leave the line; what the model has begun it ends, and nobody hears of it."""
        self._turns.drop(self)

    async def wait(self, seconds: float) -> bool:
        """Wait for the answer, or so many seconds; takes no thread. Tells whether there is one."""
        if self._told is None:
            self._told = told = asyncio.Event()
            loop = asyncio.get_running_loop()

            def tell(_: Future[Answer]) -> None:
                # The loop is closed where nobody waits any more.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(told.set)

            self.answer.add_done_callback(tell)
        try:
            await asyncio.wait_for(self._told.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def outcome(self, left: Answer) -> Answer:
        """Wait for the answer however long it takes, without a thread; `left` if it has left the line.

        Raises:
            Exception: Whatever the work raised.
        """
        while not await self.wait(_LOOK_S):
            pass
        return left if self.answer.cancelled() else self.answer.result()

    def read(self) -> None:
        """Do the work, in the model's thread. Never raises."""
        work, self._work = self._work, None
        if work is None or not self.answer.set_running_or_notify_cancel():
            return
        try:
            self.answer.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the turn ends for whatever reason; the asker is told
            self.answer.set_exception(error)

    def forget(self) -> None:
        """Let go of the work, which holds the files."""
        self._work = None
        self.answer.cancel()
