"""What a reader asks of the study on screen beyond its call: it waits for the model behind other studies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from demo.analysing import busy_text
from demo.handlers import log_without_content
from demo.line import Rank
from demo.turns import BusyError
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.handlers import OpenStudy
    from demo.turns import Turns
    from demo.wording import Wording

    Work = Callable[[OpenStudy], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Question:
    """One question about an open study.

    Every answer has `asked` again, so that the page tells it from one to an earlier question, and `error`,
    empty where there is none; what else is in it lies in `nothing`, with its value where there is no answer.

    Attributes:
        opened: The study; None where it has left the server's memory.
        asked: The number the page gave its question; not trusted.
        words: The page's language.
        nothing: The answer to a question that was not answered.
    """

    opened: OpenStudy | None
    asked: object
    words: Wording
    nothing: dict[str, Any]

    def unanswered(self, error: str = "") -> dict[str, Any]:
        """Answer nothing, and say why."""
        return {**self.nothing, "asked": self.asked if isinstance(self.asked, int) else 0, "error": error}

    def answer(self, work: Work) -> dict[str, Any]:
        """Let the model work on the study at once."""
        if self.opened is None:
            return self.unanswered(self.words["viewer.study_gone"])
        try:
            return {**self.unanswered(), **work(self.opened)}
        except MuraError as error:
            return self.unanswered(str(error))
        except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
            log_without_content(error)
            return self.unanswered(self.words["page.internal"])

    async def in_turn(self, work: Work, turns: Turns, user: str, readings: int) -> dict[str, Any]:
        """Wait for the model, after the studies that readers wait for; takes no thread meanwhile.

        Args:
            work: What the model is to do.
            turns: The line before the model.
            user: Who asks.
            readings: How often the model reads each film for it.
        """
        if self.opened is None:
            return self.answer(work)
        files = self.opened.files
        # The open study may be let go meanwhile; what waits here then holds its files alone.
        size_bytes = sum(len(content) for _, content in files)
        asked = partial(self.answer, work)
        try:
            ticket = turns.join(
                user, asked, rank=Rank.LATER, views=readings * len(files), size_bytes=size_bytes
            )
        except BusyError as busy:
            return self.unanswered(busy_text(busy, self.words))
        with ticket:
            return await ticket.outcome(self.unanswered())
