"""The button that hands DICOM results to the reader, in a headless Chromium; and what it leaves behind."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page, expect

from tests.browser import LIMIT_MS, analyse, film
from tests.dicom_studies import STUDY_UID, dx_film
from tests.fake_predictor import png

BUTTON = "DICOM results"


def test_a_dicom_study_gives_a_zip_that_never_lay_on_the_servers_disk(
    page: Page, server: tuple[str, Path]
) -> None:
    button = page.get_by_role("button", name=BUTTON, exact=True)
    expect(button).to_be_hidden()
    analyse(page, film("a.dcm", dx_film(1)), film("b.dcm", dx_film(2)))
    expect(button).to_be_enabled(timeout=LIMIT_MS)
    with page.expect_download(timeout=LIMIT_MS) as waiting:
        button.click()
    assert waiting.value.suggested_filename == "dicom-results.zip"
    with zipfile.ZipFile(waiting.value.path()) as archive:
        made = {name: pydicom.dcmread(BytesIO(archive.read(name))) for name in archive.namelist()}
    assert list(made) == ["report.dcm", "overlay-1.dcm", "overlay-2.dcm", "heatmap-1.dcm", "heatmap-2.dcm"]
    assert {result.StudyInstanceUID for result in made.values()} == {STUDY_UID}
    expect(page.locator("#archive p")).to_contain_text("carries the patient's identity")
    expect(button).to_be_enabled()
    assert [path for path in server[1].rglob("*") if path.is_file()] == []
    # A second click is a second, new file, although the answer before it was taken back.
    with page.expect_download(timeout=LIMIT_MS) as waiting:
        button.click()
    assert zipfile.is_zipfile(waiting.value.path())
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(button).to_be_hidden()


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (png(1), "b.dcm is not DICOM"),
        (dx_film(2, StudyInstanceUID="1.2.3"), "The films belong to 2 studies"),
        (b"no film at all", "not every file was read"),
    ],
    ids=["a PNG", "two studies", "an unreadable file"],
)
def test_other_studies_are_told_why_not(page: Page, second: bytes, reason: str) -> None:
    analyse(page, film("a.dcm", dx_film(1)), film("b.dcm", second))
    expect(page.locator("#archive p")).to_contain_text(reason, timeout=LIMIT_MS)
    expect(page.get_by_role("button", name=BUTTON, exact=True)).to_be_disabled()


def test_the_button_speaks_korean(page: Page, server: tuple[str, Path]) -> None:
    page.goto(f"{server[0].rstrip('/')}/ko")
    page.locator("#upload input[type=file]").set_input_files([film("a.png", png(1))])
    page.locator("#analyse").click()
    expect(page.get_by_role("button", name="DICOM 결과", exact=True)).to_be_disabled(timeout=LIMIT_MS)
    expect(page.locator("#archive p")).to_contain_text("a.png 파일이 DICOM이 아니어서")
