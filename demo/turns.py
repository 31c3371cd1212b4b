"""When a study is read: one at a time, fairly among readers, and never more waiting than is bearable.

One study uses all cores, so a second one beside it would make both late and neither sooner. What is to be
read stands in line as a `Ticket`. Nobody's turn depends on a browser: a thread of its own takes the next one,
and what fails or is left there ends with it.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from demo.line import Line, Rank
from demo.ticket import Answer, Place, Ticket
from mura_core.glibc import give_back

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WAITING = 64
"""Studies in line: at half a second each, the last one waits half a minute, and few readers wait longer."""

MOST_EACH = 8
"""Studies in line of one reader, so that nobody fills the line alone."""

MOST_BYTES = 1 << 30
"""Files of all studies in line: 64 of six films of 2.7 megapixels come to about half of it."""

HELD_BYTES = 512 << 20
"""Films that are kept unpacked for studies whose turn is near."""

SLOTS = 2 * MOST_WAITING
"""Events that the server must be able to run at once: whoever waits here takes one there."""

REST_S = 20.0
"""After so long without a study, what the last ones freed goes back to the system."""

_NEAR = 3
_GRACE_S = 20.0
_REMEMBERED = 20
_FIRST_GUESS_S = 0.3


class BusyError(Exception):
    """The line is full: `waiting` studies, and about `seconds` until they are read. The page words it."""

    def __init__(self, waiting: int, seconds: float) -> None:
        super().__init__(waiting, seconds)
        self.waiting = waiting
        self.seconds = seconds


class Turns:
    """The line before one model. Safe to use from threads and from coroutines."""

    def __init__(
        self, most_waiting: int = MOST_WAITING, most_each: int = MOST_EACH, rest_s: float = REST_S
    ) -> None:
        self.most_waiting = most_waiting
        self.rest_s = rest_s
        self.most_each = most_each
        self._moved = threading.Condition()
        self._line: Line[Ticket[Any]] = Line()
        self._running: Ticket[Any] | None = None
        self._since = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._sent_away: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._aside = ThreadPoolExecutor(2, thread_name_prefix="films")

    def join(
        self,
        user: str,
        work: Callable[[], Answer],
        *,
        rank: Rank = Rank.STUDY,
        views: int = 1,
        size_bytes: int = 0,
        patient: bool = False,
    ) -> Ticket[Answer]:
        """Stand in line.

        Args:
            user: Whoever shares a name shares turns.
            work: What is to be done, in the model's thread.
            rank: What comes first.
            views: How many films the model reads for it.
            size_bytes: What it takes while it waits.
            patient: Whether to stand in line even if it is full; for callers that are few.

        Half the line is kept for those who found it full and come again about when they were told to.

        Raises:
            BusyError: The line is full, or full of this user's.
        """
        ticket = Ticket(self, user, work, rank, views, size_bytes)
        with self._moved:
            if not patient:
                self._refuse_if_full(ticket)
            self._line.add(ticket)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="model", daemon=True)
                self._thread.start()
            self._moved.notify()
        return ticket

    def run(
        self, user: str, work: Callable[[], Answer], *, rank: Rank = Rank.STUDY, views: int = 1
    ) -> Answer:
        """Stand in line however long it is, and wait in this thread."""
        with self.join(user, work, rank=rank, views=views, patient=True) as ticket:
            return ticket.answer.result()

    async def beside(self, work: Callable[..., Answer], *given: Any) -> Answer:
        """Unpack or pack films while the model reads, two studies at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work, *given)

    def leave(self, user: str) -> None:
        """Take everything of a reader who has gone out of the line."""
        with self._moved:
            mine = [ticket for ticket in self._line.in_order() if ticket.user == user]
        for ticket in mine:
            self.drop(ticket)

    def drop(self, ticket: Ticket[Any]) -> None:
        """Take one ticket out of the line, if it is still there."""
        with self._moved:
            waited = self._line.remove(ticket)
        if waited:
            ticket.forget()

    def waiting(self) -> int:
        """How many wait, without the one that is being read."""
        with self._moved:
            return len(self._line.in_order())

    def place(self, ticket: Ticket[Any]) -> Place | None:
        """Where a ticket stands; None once it is its turn, or it has left."""
        with self._moved:
            order = self._line.in_order()
            if ticket not in order:
                return None
            number = order.index(ticket) + 1
            return Place(number, len(order), self._seconds(order[:number]))

    def may_unpack(self, ticket: Ticket[Any]) -> bool:
        """Tell whether a ticket's turn is near, and memory left for its films."""
        with self._moved:
            order = self._line.in_order()
            held = sum(other.held_bytes for other in order if other is not ticket)
            return ticket not in order or (ticket in order[:_NEAR] and held < HELD_BYTES)

    def _refuse_if_full(self, ticket: Ticket[Any]) -> None:
        order, now = self._line.in_order(), time.monotonic()
        mine = sum(other.user == ticket.user for other in order)
        size_bytes = sum(other.size_bytes for other in order)
        too_large = bool(order) and size_bytes + ticket.size_bytes > MOST_BYTES
        self._sent_away = {user: until for user, until in self._sent_away.items() if until > now}
        # Who was sent away and comes again finds the places that those who came in have to leave free.
        back = ticket.user in self._sent_away
        free = 0 if back else min(len(self._sent_away), self.most_waiting // 2)
        full = len(order) >= self.most_waiting - free
        if full or mine >= self.most_each or too_large:
            seconds = self._seconds(order)
            if full and not mine and len(self._sent_away) < self.most_waiting:
                self._sent_away[ticket.user] = now + seconds + _GRACE_S
            raise BusyError(len(order), seconds)
        self._sent_away.pop(ticket.user, None)

    def _seconds(self, ahead: list[Ticket[Any]]) -> float:
        """How long the model has still to work on what it reads and on these."""
        spent_s = sum(seconds for seconds, _ in self._recent)
        each_s = spent_s / sum(views for _, views in self._recent) if self._recent else _FIRST_GUESS_S
        left_s = 0.0
        if self._running is not None:
            left_s = max(0.0, each_s * self._running.views - (time.monotonic() - self._since))
        return math.fsum((left_s, *(each_s * ticket.views for ticket in ahead)))

    def _serve(self) -> None:
        while True:
            with self._moved:
                ticket = self._line.take()
                if ticket is None and not self._moved.wait(self.rest_s):
                    give_back()
                while ticket is None and (ticket := self._line.take()) is None:
                    self._moved.wait()
                self._running, self._since = ticket, time.monotonic()
            ticket.read()
            with self._moved:
                self._recent.append((time.monotonic() - self._since, max(1, ticket.views)))
                self._running = None
            # While nobody comes, nothing of a study is kept here.
            del ticket
