"""From the files waiting to the call on screen, step by step, while other readers' studies are read too."""

from __future__ import annotations

import math
import threading
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from demo.handlers import (
    OpenStudy,
    Refusal,
    failure,
    log_without_content,
    refused_payload,
    study_payload,
    with_result,
)
from demo.ticket import Place, Ticket
from demo.turns import BusyError, Turns
from mura_core.cores import side_by_side
from mura_core.errors import ImageError, MuraError
from mura_core.images import read_radiograph
from mura_core.study import Study, View

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from demo.handlers import Tray
    from demo.wording import Wording
    from mura_core.predictor import Predictor
    from mura_core.study import StudyResult

Step = tuple[dict[str, Any], OpenStudy | None]
"""What the viewer shows, and the study to keep: None until it has a result."""

_LOOK_S = 0.2
"""How often the place in line is looked at."""

_NEWS_S = 1.0
"""How often at most a new place is sent."""

_SIGN_S = 2.0
"""After so long a step is sent even where nothing changed: only then does the server see a reader gone."""


class Films:
    """The waiting files of one study, unpacked once, by whoever needs them first. Safe among threads.

    Attributes:
        given: How many files the reader chose.
        size_bytes: What they take.
        shown: What the viewer shows of them; empty until they are packed for it.
    """

    def __init__(self, tray: Tray) -> None:
        self.shown: dict[str, Any] = {}
        self.given = len(tray.files) + len(tray.refused)
        self.size_bytes = sum(len(content) for _, content in tray.files)
        self._tray = tray
        self._lock = threading.Lock()
        self._read: tuple[tuple[tuple[str, bytes], ...], Study, tuple[Refusal, ...]] | None = None

    def unpack(self) -> tuple[tuple[tuple[str, bytes], ...], Study, tuple[Refusal, ...]]:
        """Read each file: those that are films, their study, and who was refused and why."""
        with self._lock:
            if self._read is None:
                self._read = read_views(self._tray)
            return self._read


def read_views(tray: Tray) -> tuple[tuple[tuple[str, bytes], ...], Study, tuple[Refusal, ...]]:
    """Read each waiting file; one that is no radiograph is refused by name, and the others are still read."""
    read = side_by_side(_read_file, tray.files, decodes=True)
    files = tuple(file for file, seen in zip(tray.files, read, strict=True) if isinstance(seen, View))
    views = tuple(seen for seen in read if isinstance(seen, View))
    refused = tuple(seen for seen in read if isinstance(seen, Refusal))
    return files, Study(views), (*tray.refused, *refused)


def _read_file(file: tuple[str, bytes]) -> View | Refusal:
    name, content = file
    try:
        return View(name, read_radiograph(content))
    except ImageError as error:
        return Refusal(name, str(error))


async def analyse(
    predictor: Predictor, tray: Tray, words: Wording, turns: Turns, user: str
) -> AsyncGenerator[Step]:
    """Let the waiting files be read in their turn; takes no thread while it waits.

    The films come first, as soon as the turn is near; then the call; then the heatmaps. A reader who has gone
    leaves the line: when this is closed or cancelled, and at `turns.leave(user)`.

    Args:
        predictor: The model.
        tray: The files; not changed.
        words: The page's language.
        turns: The line before the model.
        user: Whose study it is.

    Yields:
        At each step, what the viewer shows, and the study to keep.
    """
    if not tray.files and not tray.refused:
        yield failure(words["page.let_go" if tray.let_go else "page.no_files"]), None
        return
    films = Films(tray)
    work = partial(_read, predictor, films)
    try:
        ticket = turns.join(user, work, views=max(1, len(tray.files)), size_bytes=films.size_bytes)
    except BusyError as busy:
        yield busy_payload(busy, words), None
        return
    async with aclosing(_in_line(ticket, films, words, turns)) as waiting:
        async for payload in waiting:
            yield payload, None
    if films.shown and not films.shown["views"]:
        yield films.shown, None
    elif not ticket.answer.cancelled():
        async for step in _called(ticket, films, words, turns):
            yield step


async def _in_line(
    ticket: Ticket[Any], films: Films, words: Wording, turns: Turns
) -> AsyncGenerator[dict[str, Any]]:
    """What the viewer shows until there is an answer, or the reader has gone."""
    last, told_s = None, -math.inf
    with ticket:
        while not ticket.answer.cancelled():
            if not films.shown and ticket.may_unpack():
                films.shown, told_s = await turns.beside(_show, films, ticket, words), -math.inf
                if not films.shown["views"]:
                    return
            place = ticket.place()
            if time.monotonic() - told_s >= (_SIGN_S if place == last else _NEWS_S):
                last, told_s = place, time.monotonic()
                yield _waiting(films, place, words)
            if await ticket.wait(_LOOK_S):
                return


async def _called(
    ticket: Ticket[StudyResult | None], films: Films, words: Wording, turns: Turns
) -> AsyncGenerator[Step]:
    """The call as soon as it is there, and the heatmaps after it; or why there is none."""
    base = films.shown or await turns.beside(_show, films, ticket, words)
    try:
        result = ticket.answer.result()
    except MuraError as error:
        yield {**base, "error": str(error)}, None
        return
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        yield {**base, "error": words["page.internal"]}, None
        return
    if result is None:
        yield base, None
        return
    files, study, refused = films.unpack()
    formats = tuple(view.radiograph.source_format for view in study.views)
    opened = OpenStudy(files, formats, result, whole=not refused)
    yield with_result(base, result, words, maps=False), opened
    yield await turns.beside(with_result, base, result, words), opened


def busy_payload(busy: BusyError, words: Wording) -> dict[str, Any]:
    """Say that the line is full, and when to try again: for readers, and in seconds for programs."""
    return {**failure(busy_text(busy, words)), "again_s": _whole(busy.seconds)}


def busy_text(busy: BusyError, words: Wording) -> str:
    """Say that the line is full, in the page's language."""
    return words.counted("page.busy", busy.waiting, seconds=_whole(busy.seconds))


def _read(predictor: Predictor, films: Films) -> StudyResult | None:
    """What the model says of the films; None where there is none."""
    study = films.unpack()[1]
    return predictor.predict(study) if study.views else None


def _show(films: Films, ticket: Ticket[Any], words: Wording) -> dict[str, Any]:
    """The films for the viewer, and which files are none."""
    _, study, refused = films.unpack()
    pictures = [view.radiograph for view in study.views]
    ticket.held_bytes = sum(picture.pixels.nbytes + picture.values.nbytes for picture in pictures)
    return {
        **study_payload(study, words),
        "refused": refused_payload(refused),
        "rests": words.rests_on(len(study.views), films.given),
    }


def _waiting(films: Films, place: Place | None, words: Wording) -> dict[str, Any]:
    """The films if they are there, and how long it takes."""
    shown = films.shown or failure("")
    if place is None:
        status = words.counted("page.analysing", len(shown["views"]) or films.given)
        return {**shown, "status": status, "busy": True}
    status = words.text("page.line", place=place.number, count=place.count, seconds=_whole(place.seconds))
    return {**shown, "status": status, "busy": True, "place": place.number}


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
