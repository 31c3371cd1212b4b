"""The results of a closed session for the page and for download, and the ways from screen to screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo import review_close
from demo.handlers import log_without_content
from demo.review_desk import RuleError
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor, name_of
from mura_core.errors import MuraError
from mura_core.review.export import csv_text
from mura_core.review.session import films_of, keeps_films

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mura_core.review.store import SessionStore

Shown = tuple[Seat | None, dict[str, Any] | None, dict[str, Any], dict[str, Any] | None]
"""Seat, viewer, panel, results."""


def step(steps: Steps, name: str, visitor: Visitor, seat: Seat | None, sent: Mapping[str, Any]) -> Shown:
    """Take the step `go`, `commit` or `undo`; what nobody foresaw leads back to the list."""
    try:
        if seat is not None and not seat.is_of(visitor):
            if name != "go" or sent.get("to") in ("pause", "resume", "here"):
                raise RuleError("wrong_reader" if visitor.login else "sign_in_first")
            seat = None
        if name == "go":
            return go(steps, visitor, seat, sent)
        return (*(steps.commit if name == "commit" else steps.undo)(visitor, seat, sent), None)
    except MuraError as error:
        return None, None, steps.lobby(visitor, refused=steps.reason(error)), None
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return None, None, steps.lobby(visitor, refused=steps.words["review.internal"]), None


def go(steps: Steps, visitor: Visitor, seat: Seat | None, wanted: Mapping[str, Any]) -> Shown:
    """Go where the reader wants: lobby, sit, pause, resume, leave or results."""
    to, session = wanted.get("to"), wanted.get("session")
    if to == "sit":
        return (*steps.sit(visitor, session, wanted.get("reader")), None)
    if to in ("pause", "resume") and seat is not None:
        return (*(steps.pause if to == "pause" else steps.resume)(visitor, seat), None)
    if to in ("pause", "resume"):
        return (*steps.screen(visitor, None), None)
    if to == "here" and seat is not None:
        return (*steps.again(visitor, seat), None)
    if to == "results":
        return show(steps, visitor, session, wanted.get("reader"))
    return None, None, steps.lobby(visitor, chosen=session if to != "leave" else ""), None


def end(steps: Steps, visitor: Visitor, seat: Seat | None) -> Iterator[Shown]:
    """Close a session, and show what came of it."""
    for screen in review_close.close(steps, visitor, seat):
        yield (*screen, None)
    if seat is not None and steps.desk.store(seat.session).closed:
        yield show(steps, visitor, seat.session, seat.reader)


def show(steps: Steps, visitor: Visitor, session: object, reader: object = None) -> Shown:
    """Show the results of a closed session; the seat keeps under which name, with no study to read."""
    # Here, and below: with it comes scikit-learn, a second that the first page need not wait for.
    from mura_core.review.results import summarise

    try:
        _refuse_stranger(visitor)
        store = _closed(steps, session)
    except MuraError as error:
        return None, None, steps.lobby(visitor, chosen=session, refused=steps.reason(error)), None
    seat = Seat(str(session), _name(visitor, reader), paused=True)
    results = {
        "session": seat.session,
        **_about_films(steps, visitor, seat, store),
        "mode": steps.words["review.mode"] + ": " + steps.words[f"review.mode_{store.mode}"],
        "results": summarise(store).as_json(),
    }
    return seat, None, {"stage": "results", "turn": steps.desk.next_number()}, results


def forget(steps: Steps, visitor: Visitor, seat: Seat | None) -> dict[str, Any]:
    """Delete the uploaded films of the closed session at which a visitor looks; who may close it may do so.

    Returns:
        What the results say then: `told` or `refused`, and what is left of the films.
    """
    if seat is None:
        return {"refused": steps.words["review.lost"]}
    try:
        store = _closed(steps, seat.session)
        # In a tab that stayed open, somebody else may have signed in since.
        if not visitor.may_close(steps.desk.owner(seat.session), _name(visitor, seat.reader)):
            raise RuleError("may_not_forget")
        if not keeps_films(store):
            raise RuleError("nothing_to_forget")
        steps.desk.forget_films(seat.session)
    except MuraError as error:
        return {"refused": steps.reason(error)}
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return {"refused": steps.words["review.internal"]}
    return {"told": steps.words["results.forgotten"], **_about_films(steps, visitor, seat, store)}


def _about_films(steps: Steps, visitor: Visitor, seat: Seat, store: SessionStore) -> dict[str, Any]:
    """Whether there are films for thumbnails, and whether this visitor may delete them."""
    may = keeps_films(store) and visitor.may_close(steps.desk.owner(seat.session), seat.reader)
    return {"films": films_of(store).exists(), "may_forget": may}


def _name(visitor: Visitor, typed: object) -> str:
    """The name under which somebody looks at results; "" for nobody's."""
    try:
        return name_of(visitor, typed)
    except RuleError:
        return ""


def download(steps: Steps, visitor: Visitor, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give a closed session's CSV or report as text; the server keeps no copy."""
    session = wanted.get("session")
    try:
        _refuse_stranger(visitor)
        store = _closed(steps, session)
        if wanted.get("kind") == "csv":
            # The mark by which spreadsheets know UTF-8.
            text = "\ufeff" + csv_text(store)
            return {"file": {"name": f"{session}.csv", "type": "text/csv", "text": text}}
        thumbnails = wanted.get("thumbnails") is True and films_of(store).exists()
        text = _report(steps, str(session), store, thumbnails=thumbnails)
        return {"file": {"name": f"{session}.html", "type": "text/html", "text": text}}
    except MuraError as error:
        return {"refused": steps.reason(error)}


def _report(steps: Steps, session: str, store: SessionStore, *, thumbnails: bool) -> str:
    from mura_core.review import html_report
    from mura_core.review.results import summarise

    def read(case_id: str) -> Any:
        return [view.radiograph for view in steps.desk.study(session, case_id).views]

    return html_report.render(summarise(store), store, thumbnails=thumbnails, read_films=read)


def _refuse_stranger(visitor: Visitor) -> None:
    """Where readers sign in, results are for those who did: they name readers and may name patients."""
    if visitor.asked and not visitor.login:
        raise RuleError("sign_in_first")


def _closed(steps: Steps, session: object) -> SessionStore:
    store = steps.desk.store(session if isinstance(session, str) else "")
    if not store.closed:
        raise RuleError("not_closed")
    return store
