"""Readers in line, in Chromium: their place, a full line, who leaves it, and the call before its heatmaps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.load_server import Server, served
from tests.browser import LIMIT_MS, analyse, film
from tests.fake_predictor import png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file is there, the model's answers wait."""
    return tmp_path_factory.mktemp("held") / "held"


@pytest.fixture(scope="module")
def short_line(browser: Browser, held: Path) -> Iterator[Server]:
    """A server on which two studies may wait."""
    assert browser.is_connected()
    with served(["-m", "tests.load_server", "--waiting", "2", "--held", str(held)]) as server:
        yield server


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(address)
    expect(page.locator(".viewer")).to_be_visible(timeout=LIMIT_MS)
    return page


def drop(page: Page, button: str) -> None:
    page.locator("#upload input[type=file]").set_input_files([film("a.png", png(1))])
    press(page, button)


def press(page: Page, button: str) -> None:
    expect(page.get_by_role("button", name=button, exact=True)).to_be_enabled(timeout=LIMIT_MS)
    page.get_by_role("button", name=button, exact=True).click()


def test_readers_in_line_see_their_place_and_a_full_line_says_so(
    browser: Browser, short_line: Server, held: Path
) -> None:
    first, second, third, korean = (opened(browser, short_line.address + way) for way in ("", "", "ko", "ko"))
    held.touch()
    drop(first, "Analyse study")
    expect(first.locator(".status")).to_have_text("Analysing 1 view…", timeout=LIMIT_MS)
    drop(second, "Analyse study")
    expect(second.locator(".status")).to_have_text(re.compile(r"^Place 1 of 1 in line, about \d+ s…$"))
    # The films are there before the model's turn.
    expect(second.locator(".thumb")).to_have_count(1)
    drop(third, "검사 분석")
    expect(third.locator(".status")).to_have_text(re.compile(r"^대기 순서 2건 중 2번째, 약 \d+초 남음…$"))
    expect(third.locator(".viewer")).to_have_attribute("data-phase", "busy")
    drop(korean, "검사 분석")
    expect(korean.locator(".status")).to_contain_text("검사 2건이 대기 중이며")
    expect(korean.locator(".viewer")).to_have_attribute("data-phase", "failed")
    # What was dropped is still there for another try.
    expect(korean.locator("#tray .files li")).to_have_count(1)
    press(second, "Clear")
    expect(third.locator(".status")).to_have_text(re.compile(r"^대기 순서 1건 중 1번째"))
    press(korean, "검사 분석")
    expect(korean.locator(".status")).to_have_text(re.compile(r"^대기 순서 2건 중 2번째"))
    third.close()
    expect(korean.locator(".status")).to_have_text(re.compile(r"^대기 순서 1건 중 1번째"))
    held.unlink()
    for page in (first, korean):
        expect(page.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
    expect(second.locator(".welcome")).to_be_visible()
    for page in (first, second, korean):
        page.close()


ORDER = """() => {
    const viewer = document.querySelector(".viewer"), seen = window.seen = [];
    new MutationObserver(() => {
        const now = [viewer.dataset.phase, viewer.dataset.maps, document.querySelector(".word").textContent];
        if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
    }).observe(viewer, { attributes: true, attributeFilter: ["data-phase", "data-maps"] });
}"""


def test_the_call_is_on_screen_before_the_heatmaps_are_drawn(browser: Browser, short_line: Server) -> None:
    page = opened(browser, short_line.address)
    page.evaluate(ORDER)
    analyse(page, film("a.png", png(1)), film("b.png", png(2)))
    word = page.locator(".verdict .word").text_content()
    seen = page.evaluate("window.seen")
    assert seen[-1] == ["called", "drawn", word]
    assert ["called", "none", word] in seen
    assert [phase for phase, maps, _ in seen if maps == "drawn"] == ["called"]
    page.close()
