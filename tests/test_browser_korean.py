"""The Korean pages in a real Chromium: nothing on them is left in English, and nothing spills over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import LIMIT_MS, two_views
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

LATIN = re.compile("[A-Za-z]{2,}")
NAMES = {
    "English",
    "AP",
    "PACS",
    "AUROC",
    "CSV",
    "DICOM",
    "HTML",
    "JPEG",
    "PNG",
    "ZIP",
    "MB",
    "kB",
    "mm",
    "px",
}
KEYS = {"Delete", "Enter", "Esc", "Shift", "Tab"}
FROM_FILES = ("fake-network", "0.0-test", "a.png", "phantom.dcm")

# What a reader sees or hears, on screen or not yet; what is marked as English is meant to be. Gradio's own
# sign of waiting is never shown.
ALL_TEXTS = """() => {
  const said = [];
  const left_out = "script, style, noscript, .nav-holder, [data-testid=status-tracker].hide, body [lang=en]";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!parentElement.closest(left_out)) said.push(data);
  }
  for (const name of ["aria-label", "title", "alt", "placeholder"])
    for (const one of document.querySelectorAll("[" + name + "]")) said.push(one.getAttribute(name));
  return said.map((text) => text.trim()).filter(Boolean);
}"""

SPILLING = """() => [...document.querySelectorAll("button, th, td, summary, label > span, .points, h1, h2")]
  .filter((one) => one.checkVisibility() && !one.matches(".name") && one.scrollWidth > one.clientWidth + 1
    && getComputedStyle(one).display !== "inline")
  .map((one) => one.textContent.trim())"""


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert browser.is_connected()
    sessions = tmp_path_factory.mktemp("sessions")
    with served(tmp_path_factory.mktemp("uploads"), "--sessions", str(sessions)) as found:
        yield found


@pytest.fixture
def korean(browser: Browser) -> Iterator[Page]:
    """A Korean reader's browser: what Gradio itself says follows the browser's language."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="ko-KR")
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    yield page
    context.close()


def opened(page: Page, address: str, last: str) -> None:
    """Open a page and wait for the part that is drawn last."""
    page.goto(address)
    expect(page.locator(last)).to_be_visible(timeout=LIMIT_MS)


def left_in_english(page: Page) -> list[str]:
    found = []
    for text in page.evaluate(ALL_TEXTS):
        rest = text
        for name in FROM_FILES:
            rest = rest.replace(name, "")
        if set(LATIN.findall(rest)) - NAMES - KEYS:
            found.append(text)
    return found


def analysed(page: Page) -> None:
    page.locator("#upload input[type=file]").set_input_files(list(two_views()))
    button = page.get_by_role("button", name="검사 분석", exact=True)
    expect(button).to_be_enabled(timeout=LIMIT_MS)
    button.click()
    expect(page.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)


def test_nothing_of_the_korean_page_is_left_in_english(korean: Page, address: str) -> None:
    opened(korean, f"{address}ko", "#analyse")
    expect(korean.locator("html")).to_have_attribute("lang", "ko", timeout=LIMIT_MS)
    expect(korean).to_have_title("근골격계 X선 판독")
    assert left_in_english(korean) == []
    analysed(korean)
    expect(korean.locator(".verdict .word")).to_have_text("판정 보류")
    expect(korean.locator(".verdict")).to_have_attribute("data-call", "doubt")
    korean.keyboard.press("?")
    expect(korean.locator("dialog.keys")).to_be_visible()
    assert left_in_english(korean) == []


def test_nothing_of_the_korean_review_page_is_left_in_english(korean: Page, address: str) -> None:
    opened(korean, f"{address}review-ko", ".review")
    expect(korean.locator("html")).to_have_attribute("lang", "ko", timeout=LIMIT_MS)
    korean.get_by_role("button", name="새 세션").click()
    expect(korean.get_by_label("순서의 난수 시드")).to_be_visible(timeout=LIMIT_MS)
    assert left_in_english(korean) == []


def test_the_scan_finds_what_is_left_in_english(korean: Page, address: str) -> None:
    opened(korean, address, "#analyse")
    assert "Analyse study" in left_in_english(korean)


@pytest.mark.parametrize("path", ["", "ko"])
@pytest.mark.parametrize("width", [1440, 834])
def test_no_text_spills_over_its_place(korean: Page, address: str, width: int, path: str) -> None:
    korean.set_viewport_size({"width": width, "height": 900})
    korean.goto(f"{address}{path}")
    korean.get_by_role("button", name=re.compile("Forearm phantom|전완 팬텀")).click()
    expect(korean.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
    assert korean.evaluate(SPILLING) == []
    assert korean.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_link_leads_to_the_same_page_in_the_other_language(korean: Page, address: str) -> None:
    korean.goto(address)
    korean.get_by_role("link", name="한국어", exact=True).click()
    expect(korean.locator("h1")).to_have_text("근골격계 X선 판독", timeout=LIMIT_MS)
    korean.get_by_role("link", name="English", exact=True).click()
    expect(korean.locator("h1")).to_have_text("Musculoskeletal radiograph reader", timeout=LIMIT_MS)
    # Also in a Korean browser: Gradio would name the browser's language.
    expect(korean.locator("html")).to_have_attribute("lang", "en", timeout=LIMIT_MS)
