"""How a session is closed: by whom, and only after the model has read what it had not read yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.handlers import log_without_content
from demo.line import Rank
from demo.review_desk import unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.review_handlers import Screen, Steps
    from demo.review_seat import Seat, Visitor


def close(steps: Steps, visitor: Visitor, seat: Seat | None) -> Iterator[Screen]:
    """Let the model read what it has not read yet, then close the session for good."""
    if seat is None or not seat.is_of(visitor):
        yield steps.screen(visitor, None)
        return
    store = steps.desk.store(seat.session)
    if store.closed:
        yield steps.screen(visitor, seat)
        return
    if not visitor.may_close(steps.desk.owner(seat.session), seat.reader):
        yield steps.screen(visitor, seat, refused=steps.words["review.may_not_close"])
        return
    left = unread(store)
    for done, case in enumerate(left):
        told = steps.words.text("review.closing", done=done, total=len(left))
        yield steps.screen(visitor, seat, told=told)
        try:
            steps.desk.result(seat.session, case.case_id, Rank.LATER)
        except Exception as error:  # noqa: BLE001 - one study without the model's result stops nothing
            log_without_content(error)
    store.close()
    yield None, None, steps.lobby(visitor, chosen=seat.session, told=steps.words["review.is_closed"])
