"""The archive's card in a headless Chromium, against a real Orthanc."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from mura_core.pacs.connection import PASSWORD, USER
from tests import orthanc
from tests.browser import LIMIT_MS, analyse, film
from tests.dicom_studies import STUDY_UID, dx_film
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

LOGIN = (orthanc.USER, orthanc.PASSWORD)
TRAP = "<b>bold</b> {{words.title}} ${1+1}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    orthanc.need_orthanc()
    with orthanc.running(tmp_path_factory.mktemp("orthanc")) as address:
        films = [
            dx_film(1),
            dx_film(2),
            dx_film(1, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.1", SOPInstanceUID="1.2.3.1.1",
                    PatientID="TRAP", PatientName=TRAP, StudyDate="20200101"),
        ]  # fmt: skip
        for content in films:
            httpx.post(f"{address}/instances", content=content, auth=LOGIN).raise_for_status()
        yield address


@pytest.fixture(scope="module")
def address(archive: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(USER, orthanc.USER)
        environment.setenv(PASSWORD, orthanc.PASSWORD)
        with served(tmp_path_factory.mktemp("uploads"), "--dicomweb", f"{archive}/dicom-web") as address:
            yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.locator("#pacs form").wait_for(timeout=LIMIT_MS)
    yield page
    context.close()


def kinds(archive: str, study: str) -> Counter[str]:
    """How many instances of each modality an archive has under a study."""
    find = {"Level": "Series", "Expand": True, "Query": {"StudyInstanceUID": study}}
    series = httpx.post(f"{archive}/tools/find", json=find, auth=LOGIN).raise_for_status().json()
    return Counter({one["MainDicomTags"]["Modality"]: len(one["Instances"]) for one in series})


def search(page: Page, patient: str) -> None:
    page.get_by_label("Patient ID").fill(patient)
    page.get_by_role("button", name="Search", exact=True).click()


def test_a_study_is_found_opened_and_gets_its_results_once(page: Page, archive: str) -> None:
    store = page.get_by_role("button", name="Store results", exact=True)
    search(page, "4711")
    expect(page.locator("#pacs .said")).to_have_text("1 study. Choose it to read it.", timeout=LIMIT_MS)
    expect(store).to_be_hidden()
    page.locator("#pacs li button").click()
    expect(page.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
    expect(page.locator(".strip button, .thumbs button")).to_have_count(2)
    expect(store).to_be_enabled(timeout=LIMIT_MS)
    before = kinds(archive, STUDY_UID)
    assert before == {"DX": 2}
    store.click()
    expect(page.locator("#pacs .said")).to_have_text("5 objects stored under this study.", timeout=LIMIT_MS)
    expect(store).to_be_hidden()
    assert kinds(archive, STUDY_UID) == {"DX": 2, "SR": 1, "OT": 2, "SEG": 2}


def test_what_the_archive_says_is_text_and_never_runs(page: Page) -> None:
    search(page, "TRAP")
    expect(page.locator("#pacs li button")).to_contain_text(TRAP, timeout=LIMIT_MS)
    assert page.locator("#pacs li b").count() == 0


def test_a_dropped_study_gets_no_results_in_the_archive(page: Page) -> None:
    search(page, "4711")
    page.locator("#pacs li button").click()
    expect(page.get_by_role("button", name="Store results", exact=True)).to_be_visible(timeout=LIMIT_MS)
    analyse(page, film("a.dcm", dx_film(1, StudyInstanceUID="1.2.3.4")))
    expect(page.get_by_role("button", name="Store results", exact=True)).to_be_hidden(timeout=LIMIT_MS)


def test_a_search_that_cannot_be_sent_is_said(page: Page) -> None:
    search(page, "47*")
    expect(page.locator("#pacs .said.alert")).to_have_text(
        re.compile("patient's number is not understood"), timeout=LIMIT_MS
    )
    expect(page.get_by_role("button", name="Search", exact=True)).to_be_enabled()
