"""The steps of a review session: from what a browser sends to what it gets. Knows nothing of components.

Nothing that a browser sends is trusted: the seat is the server's own, and the store says what is allowed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from demo import review_payloads as payloads
from demo.handlers import log_without_content
from demo.review_call import read_call
from demo.review_desk import RuleError
from demo.review_seat import Seat, Visitor, name_of
from mura_core.errors import MuraError
from mura_core.review.ai import model_of
from mura_core.review.types import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.review_desk import Desk
    from demo.wording import Wording
    from mura_core.review.store import SessionStore
    from mura_core.review.types import Place

Screen = tuple[Seat | None, dict[str, Any] | None, dict[str, Any]]
"""The seat, what the viewer shows (None: nothing), what the panel shows."""


class Steps:
    """The steps, in one language."""

    def __init__(self, desk: Desk, words: Wording) -> None:
        self.desk = desk
        self.words = words

    def lobby(
        self, visitor: Visitor, *, chosen: object = "", told: str = "", refused: str = ""
    ) -> dict[str, Any]:
        """List the sessions."""
        wanted = chosen if isinstance(chosen, str) and chosen else self.desk.chosen
        return payloads.lobby(
            self.desk, self.words, login=visitor.login, chosen=wanted, told=told, refused=refused
        )

    def sit(self, visitor: Visitor, session: object, reader: object) -> Screen:
        """Let a reader take a seat at a session, where the reader stopped."""
        try:
            store = self.desk.store(str(session))
            name = name_of(visitor, reader)
            if visitor.login and isinstance(reader, str) and reader.strip() not in ("", visitor.login):
                raise RuleError("wrong_reader")
            if store.closed:
                raise RuleError("is_closed")
            store.join(name)
        except MuraError as error:
            return None, None, self.lobby(visitor, chosen=session, refused=self.reason(error))
        return self.screen(visitor, Seat(str(session), name))

    def screen(
        self,
        visitor: Visitor,
        seat: Seat | None,
        *,
        refused: str = "",
        saved: str | None = "",
        told: str = "",
    ) -> Screen:
        """Show the study that waits for the reader's call, or that there is none.

        Args:
            visitor: Who asks.
            seat: Whose screen; None for a browser that the server does not know.
            refused: What could not be done.
            saved: What was kept; None leaves standing what the screen says of it.
            told: Anything else.
        """
        if seat is None:
            return None, None, self.lobby(visitor, refused=refused or self.words["review.lost"])
        with self.desk.turn(seat.session, seat.reader):
            shown, viewer, panel = self._screen(visitor, seat, refused=refused, saved=saved, told=told)
            turn = {"turn": self.desk.next_number()}
            return shown, viewer and {**viewer, **turn}, {**panel, **turn}

    def _screen(self, visitor: Visitor, seat: Seat, *, refused: str, saved: str | None, told: str) -> Screen:
        store = self.desk.store(seat.session)
        if store.closed:
            told = self.words["review.is_closed"]
            return None, None, self.lobby(visitor, chosen=seat.session, told=told, refused=refused)
        said = {"refused": refused, "told": told, **({} if saved is None else {"saved": saved})}
        place = store.next_place(seat.reader)
        if place is None or self._away(seat, store, place):
            stage = "paused" if place else "finished"
            seat = replace(seat, paused=place is not None)
            return seat, None, {**self._about(visitor, seat, store), **said, "stage": stage}
        if seat.opened != place.number:
            store.start(seat.reader, place.number)
            seat = replace(seat, opened=place.number)
        viewer, shown = None, False
        try:
            viewer, shown = self._viewer(seat, store, place)
        except MuraError as error:
            said["refused"] = self.words.text("review.no_film", reason=self.reason(error))
        failed = store.model.failure(place.case_id) is not None
        panel = payloads.reading(self.words, store, seat.reader, place, shown=shown, failed=failed)
        return replace(seat, shown=shown), viewer, {**self._about(visitor, seat, store), **said, **panel}

    def again(self, visitor: Visitor, seat: Seat) -> Screen:
        """Show the study once more to a page that an answer did not reach, with what was kept last."""
        mine = self.desk.store(seat.session).readings(seat.reader)
        kept = payloads.saved(self.words, mine[-1]) if mine else ""
        shown, viewer, panel = self.screen(visitor, seat, saved=kept)
        return shown, viewer, {**panel, "asked": True}

    def pause(self, visitor: Visitor, seat: Seat) -> Screen:
        """Put the film away and stop its clock, until the reader goes on or opens the study anew."""
        store = self.desk.store(seat.session)
        with self.desk.turn(seat.session, seat.reader):
            place = store.next_place(seat.reader)
            # What only another tab has open goes on there.
            if place is not None and seat.opened == place.number:
                store.pause(seat.reader, place.number)
            return self.screen(visitor, replace(seat, paused=True))

    def resume(self, visitor: Visitor, seat: Seat) -> Screen:
        """Show the film again and let its clock go on."""
        store = self.desk.store(seat.session)
        with self.desk.turn(seat.session, seat.reader):
            place = store.next_place(seat.reader)
            if place is not None and seat.opened == place.number:
                store.resume(seat.reader, place.number)
            return self.screen(visitor, replace(seat, paused=False))

    def commit(self, visitor: Visitor, seat: Seat | None, sent: Mapping[str, Any]) -> Screen:
        """Keep a call; only when the store has it does the screen say so."""
        if seat is None:
            return self.screen(visitor, None)
        store = self.desk.store(seat.session)
        with self.desk.turn(seat.session, seat.reader):
            try:
                place = self._place(store, seat, sent)
                call = read_call(sent)
                condition = store.needs(seat.reader, place.number)
                if condition is None or sent.get("condition") != condition:
                    raise RuleError("wrong_place")
                # Nobody calls a study whose films could not be shown.
                self.desk.study(seat.session, place.case_id)
                reading = store.commit(seat.reader, place.number, condition, call)
            except MuraError as error:
                return self.screen(visitor, seat, refused=self.reason(error))
            return self.screen(visitor, seat, saved=payloads.saved(self.words, reading))

    def undo(self, visitor: Visitor, seat: Seat | None, sent: Mapping[str, Any]) -> Screen:
        """Withdraw the reader's latest call, unless it is a first call after which the model's was shown."""
        if seat is None:
            return self.screen(visitor, None)
        store = self.desk.store(seat.session)
        with self.desk.turn(seat.session, seat.reader):
            try:
                number = payloads.undo_place(store, seat.reader)
                if number is None or seat.paused or sent.get("place") != number:
                    raise RuleError("no_undo")
                store.undo(seat.reader, number)
            except MuraError as error:
                return self.screen(visitor, seat, refused=self.reason(error))
            return self.screen(visitor, seat, saved=self.words.text("review.undone", number=number + 1))

    def think(self, visitor: Visitor, seat: Seat | None) -> Screen | None:
        """Let the model read the study on the screen; gives a new screen if the reader may see the result."""
        if seat is None or not seat.is_of(visitor) or seat.paused or seat.shown:
            return None
        store = self.desk.store(seat.session)
        place = store.next_place(seat.reader)
        if place is None:
            return None
        refused = ""
        try:
            self.desk.result(seat.session, place.case_id)
        except MuraError:
            # A failure of the model is kept in the session; films out of reach are told by the screen.
            pass
        except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
            log_without_content(error)
            refused = self.words["review.internal"]
        with self.desk.turn(seat.session, seat.reader):
            # The reader may have gone on in the meantime; what waits now is shown by the step that went on.
            if store.next_place(seat.reader) != place or not self._changes_screen(seat, store, place):
                return None
            return self.screen(visitor, seat, refused=refused, saved=None)

    def reason(self, error: MuraError) -> str:
        """Say in the page's language why something was refused; what the core says stays English."""
        if isinstance(error, RuleError):
            return self.words.text(f"review.{error.key}", **error.values)
        return payloads.without_places(self.desk, str(error))

    def _place(self, store: SessionStore, seat: Seat, sent: Mapping[str, Any]) -> Place:
        place = store.next_place(seat.reader)
        if place is None or self._away(seat, store, place) or sent.get("place") != place.number:
            raise RuleError("wrong_place")
        return place

    def _away(self, seat: Seat, store: SessionStore, place: Place) -> bool:
        """Whether the film is put away, also from another tab or while the model read it."""
        opened = seat.opened == place.number
        return seat.paused or (opened and store.paused(seat.reader, place.number))

    def _about(self, visitor: Visitor, seat: Seat, store: SessionStore) -> dict[str, Any]:
        owner = self.desk.owner(seat.session)
        may_close = visitor.may_close(owner, seat.reader)
        return payloads.about_seat(
            self.words, store, seat.session, seat.reader, may_close=may_close, owner=owner
        )

    def _viewer(self, seat: Seat, store: SessionStore, place: Place) -> tuple[dict[str, Any], bool]:
        """What the viewer shows, and whether the model's result is in it."""
        study, number = self.desk.study(seat.session, place.case_id), place.number
        if not store.ai_allowed(seat.reader, number) or store.model.failure(place.case_id) is not None:
            return payloads.viewer(self.words, study, number), False
        first = payloads.first_call(store, seat.reader, place)
        result = self.desk.known_result(seat.session, place.case_id)
        if result is None:
            films = payloads.waiting_viewer(self.words, study, number)
            return payloads.with_marks(films, first), False
        kept, now = store.model.result(place.case_id), model_of(result)
        if kept is not None and kept.model != now:
            raise RuleError("other_model", kept=kept.model, now=now)
        store.reveal(seat.reader, number)
        return payloads.with_marks(payloads.aided_viewer(self.words, study, number, result), first), True

    def _changes_screen(self, seat: Seat, store: SessionStore, place: Place) -> bool:
        """Whether the end of the model's work changes what this reader may see."""
        allowed = store.ai_allowed(seat.reader, place.number)
        return allowed or (store.mode is Mode.AIDED and store.model.failure(place.case_id) is not None)
