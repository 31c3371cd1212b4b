"""What the archive's card shows, what it may store, and when the page has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import app
from demo.handlers import OpenStudy
from demo.pacs_handlers import Card, fetch, may_store, search, store
from demo.wording import Wording
from mura_core.pacs.connection import ArchiveError
from mura_core.pacs.dicomweb import StudyList
from mura_core.pacs.qido import StudyEntry
from tests.dicom_studies import STUDY_UID, dx_film
from tests.fake_predictor import FakePredictor, steps

if TYPE_CHECKING:
    from mura_core.pacs.qido import Query

WORDS = Wording("en")


class FakeArchive:
    """Holds one study; keeps what it was asked and given."""

    def __init__(self, *, error: Exception | None = None, more: bool = False) -> None:
        self.error, self.more = error, more
        self.asked: list[Query] = []
        self.stored: list[tuple[str, list[str]]] = []

    def list_studies(self, query: Query) -> StudyList:
        self.asked.append(query)
        if self.error:
            raise self.error
        study = StudyEntry(STUDY_UID, "20250102", ("DX",), "WRIST", "two views", 1, "DOE JANE", "4711")
        return StudyList((study,), self.more)

    def fetch_study(self, uid: str, most: int) -> tuple[tuple[str, bytes], ...]:
        if self.error:
            raise self.error
        assert uid == STUDY_UID
        return tuple((f"film-{index}.dcm", dx_film(index)) for index in range(1, 3))[:most]

    def store(self, results: dict[str, bytes], uid: str) -> int:
        if self.error:
            raise self.error
        self.stored.append((uid, sorted(results)))
        return len(results)


def opened(archive: Any) -> tuple[Card, OpenStudy]:
    """Fetch the archive's study and analyse it, as the page does."""
    card, tray = fetch(archive, STUDY_UID, Card(), WORDS)
    assert tray is not None
    *_, (_, study) = steps(FakePredictor(), tray, WORDS)
    assert study is not None
    return card, study


def test_a_search_asks_for_what_was_typed_and_shows_what_a_reader_chooses_by() -> None:
    archive = FakeArchive()
    asked = {"from": "2025-01-01", "to": "", "patient": " 4711 ", "part": "wrist"}
    card = search(archive, asked, Card(), WORDS)
    [query] = archive.asked
    assert (query.date, query.patient_id, query.body_part) == ("20250101-", "4711", "wrist")
    assert card.studies == (
        {"uid": STUDY_UID, "what": "2025-01-02 · WRIST · 1 image", "who": "DOE JANE · 4711"},
    )
    assert (card.note, card.alert) == ("1 study. Choose it to read it.", False)
    assert "may be more" in search(FakeArchive(more=True), {}, Card(), WORDS).note


@pytest.mark.parametrize(
    ("asked", "date"),
    [
        ({}, ""),
        ({"from": "2025-01-01", "to": "2025-01-01"}, "20250101"),
        ({"from": "2025-01-01", "to": "2025-02-01"}, "20250101-20250201"),
        ({"to": "2025-02-01"}, "-20250201"),
    ],
)
def test_dates_become_a_range_of_dicom(asked: dict[str, str], date: str) -> None:
    archive = FakeArchive()
    search(archive, asked, Card(), WORDS)
    assert archive.asked[0].date == date


def test_results_are_stored_once_and_under_the_study_that_was_fetched() -> None:
    archive = FakeArchive()
    card, study = opened(archive)
    assert may_store(card, study)
    after = store(archive, study, card, WORDS)
    assert after.note == "5 objects stored under this study."
    assert [uid for uid, _ in archive.stored] == [STUDY_UID]
    again = store(archive, study, after, WORDS)
    assert again.alert
    assert len(archive.stored) == 1


def test_another_study_or_a_part_of_one_is_not_stored() -> None:
    archive = FakeArchive()
    card, study = opened(archive)
    part = OpenStudy(study.files, study.formats, study.result, whole=False)
    other = OpenStudy((("a.dcm", dx_film(1, StudyInstanceUID="1.2.3")),), ("dicom",), study.result)
    for kept in (None, part, other):
        assert not may_store(card, kept)
        assert store(archive, kept, card, WORDS).alert
    assert not may_store(Card(), study)
    assert archive.stored == []


def test_what_fails_is_said_and_what_was_fetched_before_is_kept_for_another_try() -> None:
    card, study = opened(FakeArchive())
    failing = FakeArchive(error=ArchiveError("The archive did not answer in time."))
    for after in (search(failing, {}, card, WORDS), store(failing, study, card, WORDS)):
        assert after.note == "That did not work. The archive did not answer in time."
        assert after.alert
        assert may_store(after, study)
    after, tray = fetch(failing, STUDY_UID, card, WORDS)
    assert (after.alert, tray) == (True, None)


def test_an_unexpected_error_shows_and_logs_nothing_of_the_patient(caplog: pytest.LogCaptureFixture) -> None:
    after = search(FakeArchive(error=RuntimeError("DOE JANE")), {}, Card(), WORDS)
    assert after.note == WORDS["page.internal"]
    assert "RuntimeError" in caplog.text
    assert "DOE" not in caplog.text


def test_no_archive_on_a_page_that_anybody_can_reach(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MURA_AUTH", raising=False)
    assert app.main(["--host", "0.0.0.0", "--dicomweb", "https://pacs.example.org/dicom-web"]) == 1  # noqa: S104
    assert "Say who may with --auth" in capsys.readouterr().err
