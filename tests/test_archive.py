"""What the page's server decides about DICOM results, without a browser."""

from __future__ import annotations

import base64
import zipfile
from io import BytesIO

import pytest

from demo.archive import packed, readiness
from demo.handlers import OpenStudy
from demo.wording import Wording
from mura_core.study import StudyResult
from tests.dicom_studies import analysed, cr_film, dx_film
from tests.radiograph_files import PATIENT

WORDS = Wording("en")


def opened(*films: bytes, whole: bool = True) -> OpenStudy:
    _, study, result = analysed(films)
    named = tuple((view.name, content) for view, content in zip(study.views, films, strict=True))
    formats = tuple(view.radiograph.source_format for view in study.views)
    return OpenStudy(named, formats, result, whole)


def test_a_study_that_is_gone_is_said_to_be_gone() -> None:
    assert readiness(None, WORDS) == {"state": "none", "reason": ""}
    assert packed(None, WORDS) == {"error": WORDS["pacs.gone"]}


def test_the_server_refuses_what_the_button_would_not_ask_for() -> None:
    partial = opened(dx_film(1), whole=False)
    assert readiness(partial, WORDS)["state"] == "refused"
    assert packed(partial, WORDS) == {"error": WORDS["pacs.not_whole"]}


def test_a_dicom_study_is_packed() -> None:
    kept = opened(cr_film(1))
    assert readiness(kept, WORDS)["state"] == "ready"
    answer = packed(kept, WORDS)
    with zipfile.ZipFile(BytesIO(base64.b64decode(answer["data"]))) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3


def test_an_unexpected_failure_names_no_patient(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> list[StudyResult]:
        raise RuntimeError(PATIENT)

    monkeypatch.setattr("demo.archive.build_results", fail)
    assert packed(opened(dx_film(1)), WORDS) == {"error": WORDS["page.internal"]}
    assert "RuntimeError" in caplog.text
    assert PATIENT not in caplog.text
