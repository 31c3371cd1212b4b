"""From what a reader asks of the archive to what the card shows. Knows nothing of Gradio's components.

The browser never chooses an address: it sends search words and a study's number, both checked in mura_core.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from demo.handlers import MAX_VIEWS, Tray, log_without_content
from mura_core.errors import MuraError
from mura_core.pacs.qido import Query
from mura_core.pacs.results import build_results, encode, read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from demo.handlers import OpenStudy
    from demo.wording import Wording
    from mura_core.pacs.dicomweb import Archive
    from mura_core.pacs.qido import StudyEntry

_SHOWN = 50


@dataclass(frozen=True)
class Card:
    """What the card shows, and which study may get results; lives in the server's memory only.

    Attributes:
        studies: The list, as the card shows it.
        note: The line under it.
        alert: Whether the line says that something failed.
        fetched: Number of the study that was fetched and has no results stored yet.
    """

    studies: tuple[Mapping[str, str], ...] = ()
    note: str = ""
    alert: bool = False
    fetched: str = ""

    def payload(self, kept: OpenStudy | None) -> dict[str, Any]:
        """What goes to the browser."""
        return {
            "studies": list(self.studies),
            "note": self.note,
            "alert": self.alert,
            "storable": may_store(self, kept),
        }


def search(archive: Archive, asked: Mapping[str, object], card: Card, words: Wording) -> Card:
    """List the studies that a reader asks for.

    Args:
        archive: Where.
        asked: From the browser, untrusted: "from", "to", "patient", "part".
        card: As it was.
        words: The page's language.
    """

    def ask() -> Card:
        start, end = (str(asked.get(name) or "").replace("-", "") for name in ("from", "to"))
        query = Query(
            date=f"{start}-{end}" if start != end else start,
            patient_id=str(asked.get("patient") or "").strip(),
            body_part=str(asked.get("part") or "").strip(),
            limit=_SHOWN,
        )
        found = archive.list_studies(query)
        count = len(found.studies)
        if found.more:
            note = words.text("search.more", count=count)
        else:
            note = words.counted("search.found", count) if count else words["search.none"]
        lines = tuple(_line(study, words) for study in found.studies)
        return replace(card, studies=lines, note=note, alert=False)

    return _tried(ask, card, words)


def fetch(archive: Archive, uid: object, card: Card, words: Wording) -> tuple[Card, Tray | None]:
    """Fetch a study's films; gives the card, and the films to analyse or None."""
    films: list[Tray] = []

    def ask() -> Card:
        films.append(Tray(files=archive.fetch_study(str(uid), MAX_VIEWS)))
        return replace(card, note=words["search.fetched"], alert=False, fetched=str(uid))

    card = _tried(ask, replace(card, fetched=""), words)
    return card, films[0] if films else None


def store(archive: Archive, kept: OpenStudy | None, card: Card, words: Wording) -> Card:
    """Store the open study's results, once."""
    if kept is None or not may_store(card, kept):
        return replace(card, note=words["search.not_this"], alert=True)

    def ask() -> Card:
        results = encode(build_results(read_sources(kept.files), kept.read_study(), kept.result))
        count = archive.store(results, card.fetched)
        return replace(card, note=words.text("search.stored", count=count), alert=False, fetched="")

    return _tried(ask, card, words)


def may_store(card: Card, kept: OpenStudy | None) -> bool:
    """Tell whether the study on screen is the one that was fetched, whole, and not stored yet."""
    if kept is None or not kept.whole or not card.fetched:
        return False
    try:
        return str(read_sources(kept.files)[0].StudyInstanceUID) == card.fetched
    except MuraError:
        return False


def _tried(ask: Callable[[], Card], card: Card, words: Wording) -> Card:
    try:
        return ask()
    except MuraError as error:
        return replace(card, note=words.text("search.refused", reason=error), alert=True)
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return replace(card, note=words["page.internal"], alert=True)


def _line(study: StudyEntry, words: Wording) -> dict[str, str]:
    date = study.date
    shown = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else words["search.undated"]
    images = words.counted("search.images", study.images)
    return {
        "uid": study.uid,
        "what": " · ".join(filter(None, [shown, study.body_part or study.description, images])),
        "who": " · ".join(filter(None, [study.patient_name or words["search.unnamed"], study.patient_id])),
    }
