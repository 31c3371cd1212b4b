"""What the reader's panel and the viewer are sent; nothing of the model before its time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from demo.handlers import study_payload, with_result
from mura_core.errors import MuraError
from mura_core.review.session import films_of
from mura_core.review.types import Condition, Mode
from mura_core.study import Study

if TYPE_CHECKING:
    from demo.review_desk import Desk
    from demo.wording import Wording
    from mura_core.review.store import SessionStore
    from mura_core.review.types import Place, ReaderCall, Reading
    from mura_core.study import StudyResult


_FOLDERS = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:)?(?:/[^\s/]+)+/(?=[^\s/])")


def lobby(
    desk: Desk, words: Wording, *, login: str, chosen: str, told: str = "", refused: str = ""
) -> dict[str, Any]:
    """The list of sessions; of other readers it says nothing."""
    return {
        "stage": "lobby",
        "turn": desk.next_number(),
        "sessions": [_session(desk, words, name) for name in desk.names()],
        "chosen": chosen,
        "reader": login,
        "reader_fixed": bool(login),
        "told": told,
        "refused": refused,
    }


def about_seat(
    words: Wording, store: SessionStore, session: str, reader: str, *, may_close: bool, owner: str
) -> dict[str, Any]:
    """What every screen of a seated reader says. How far the others are is told only to who may close."""
    progress = store.progress(reader)
    counts = [(name, store.progress(name)) for name in store.readers()] if may_close else []
    return {
        "session": session,
        "reader": reader,
        "mode": words[f"review.mode_{store.mode}"],
        "done": progress.done,
        "total": progress.total,
        "left": _left(words, progress.left_s),
        "may_close": may_close,
        "who_closes": "" if may_close else _who_closes(words, owner),
        "readers": ", ".join(f"{name} {done.done}/{done.total}" for name, done in counts),
        **_undo(words, store, reader),
    }


def reading(
    words: Wording, store: SessionStore, reader: str, place: Place, *, shown: bool, failed: bool
) -> dict[str, Any]:
    """The study that waits for a call.

    Args:
        words: The page's language.
        store: The session.
        reader: Who reads.
        place: Where in the reader's list.
        shown: Whether the model's result is on the screen.
        failed: Whether the model could not read the study.
    """
    needs = store.needs(reader, place.number)
    first = first_call(store, reader, place)
    if failed:
        hint = "model_none"
    elif needs is Condition.AIDED:
        hint = ("revise" if first else "read_aided") if shown else "model_reads"
    else:
        hint = "read_unaided" if store.mode is Mode.UNAIDED else "read_first"
    return {
        "stage": "reading",
        "place": place.number,
        "needs": str(needs),
        "ready": needs is Condition.UNAIDED or shown,
        "hint": words[f"review.{hint}"],
        "first": call_payload(first) if first else None,
    }


def first_call(store: SessionStore, reader: str, place: Place) -> ReaderCall | None:
    """The call that may be revised at a place, now that the model's result is shown."""
    if store.mode is not Mode.SEQUENTIAL or store.needs(reader, place.number) is not Condition.AIDED:
        return None
    here = (each for each in store.readings(reader) if each.place.number == place.number)
    return next((each.call for each in here if each.condition is Condition.UNAIDED), None)


def call_payload(call: ReaderCall) -> dict[str, Any]:
    """A call that the reader made, for the form."""
    marks = [
        {"view": mark.view, "top": mark.top, "left": mark.left, "height": mark.height, "width": mark.width}
        for mark in call.marks
    ]
    return {
        "verdict": str(call.verdict),
        "confidence": call.confidence,
        "findings": sorted(call.findings),
        "marks": marks,
    }


def viewer(words: Wording, study: Study, number: int) -> dict[str, Any]:
    """The films alone, under names that say no more than the panel does; `number` counts from 0."""
    name = words.text("review.study", number=number + 1)
    views = tuple(replace(view, name=name) for view in study.views)
    return {**study_payload(Study(views), words), "marking": True, "blind": True}


def waiting_viewer(words: Wording, study: Study, number: int) -> dict[str, Any]:
    """The films, and that the model's result is on its way."""
    status = words["review.model_reads"]
    return {**viewer(words, study, number), "blind": False, "status": status, "busy": True}


def aided_viewer(words: Wording, study: Study, number: int, result: StudyResult) -> dict[str, Any]:
    """The films with the model's result."""
    films = viewer(words, study, number)
    views = tuple(
        replace(view, name=film["name"]) for view, film in zip(result.views, films["views"], strict=True)
    )
    return {**with_result(films, replace(result, views=views), words), "blind": False}


def with_marks(films: dict[str, Any], call: ReaderCall | None) -> dict[str, Any]:
    """The same with what the reader marked in the first call."""
    if call is None:
        return films
    marks = call_payload(call)["marks"]
    views = [
        {**view, "marks": [_place(mark) for mark in marks if mark["view"] == index]}
        for index, view in enumerate(films["views"])
    ]
    return {**films, "views": views}


def saved(words: Wording, kept: Reading) -> str:
    """Say what was kept."""
    verdict = words[f"review.{kept.call.verdict}"].lower()
    return words.text(
        "review.saved", number=kept.place.number + 1, verdict=verdict, value=kept.call.confidence
    )


def undo_place(store: SessionStore, reader: str) -> int | None:
    """The place of the reader's latest call, if that may be withdrawn."""
    mine = store.readings(reader)
    if not mine:
        return None
    number = mine[-1].place.number
    return number if store.can_undo(reader, number) else None


def _undo(words: Wording, store: SessionStore, reader: str) -> dict[str, Any]:
    number = undo_place(store, reader)
    if number is None:
        return {"undo": "", "undo_place": None}
    return {"undo": words.text("review.undo", number=number + 1), "undo_place": number}


def without_places(desk: Desk, text: str) -> str:
    """Leave out of a sentence where on the server's disk something lies; its name stays."""
    for store in desk.open_stores():
        films = films_of(store)
        text = text.replace(str(films), films.name)
    for folder in (desk.folder, desk.folder.absolute(), desk.folder.resolve()):
        text = text.replace(f"{folder}/", "")
    return _FOLDERS.sub("", text)


def _session(desk: Desk, words: Wording, name: str) -> dict[str, Any]:
    try:
        store = desk.store(name)
        state = "closed" if store.closed else "open"
        if state == "closed":
            count = words.counted("review.studies", len(store.cases))
        else:
            # As "Study n of all" counts later: a difference would tell that some come twice.
            count = words.counted("review.to_read", len(store.cases) + store.repeats)
        facts = f"{count} · {words['review.mode']}: {words[f'review.mode_{store.mode}']}"
    except MuraError as error:
        state, facts = "broken", without_places(desk, str(error))
    return {"name": name, "state": state, "facts": facts}


def _place(mark: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mark.items() if key != "view"}


def _left(words: Wording, left_s: float | None) -> str:
    if left_s is None:
        return ""
    minutes = round(left_s / 60)
    return words.text("review.left", minutes=minutes) if minutes else words["review.left_short"]


def _who_closes(words: Wording, owner: str) -> str:
    return words.text("review.who_closes", owner=owner) if owner else words["review.who_closes_local"]
