"""The page in a real, headless Chromium: what a reader drops and is told; and nothing leaves the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.handlers import MAX_VIEWS
from tests.browser import LIMIT_MS, analyse, box_of, film, is_grey, pixel, two_views
from tests.fake_predictor import png

TEXT = b"this is no image, only text"
# Both a handlebars field and a template literal would run this name if it ever reached a template.
HOSTILE = "${alert(1)}{{value}}<img src=x onerror=alert(2)>`.png"


def test_a_png_and_a_dicom_give_a_verdict_and_a_map(page: Page, server: tuple[str, Path]) -> None:
    analyse(page, *two_views())
    expect(page.locator(".verdict .word")).to_have_text("doubt")
    expect(page.locator(".verdict .number")).to_have_text("0.53")
    expect(page.locator(".verdict")).to_contain_text("1 of 2 views flagged (1 abnormal)")
    expect(page.locator(".points")).to_have_text("doubt from 0.35, abnormal from 0.65")
    expect(page.get_by_alt_text("View 1 of 2: a.png, abnormal, probability 0.86")).to_be_visible()
    expect(page.get_by_alt_text("View 2 of 2: phantom.dcm, normal, probability 0.20")).to_be_visible()
    expect(page.locator(".views tbody tr")).to_have_text(
        [re.compile("0.86.*abnormal"), re.compile("0.20.*normal")]
    )
    expect(page.locator(".main > .notice")).to_contain_text("fake-network, version 0.0-test")
    expect(page.get_by_role("alert").locator("p")).to_have_count(0)
    # The stand-in puts its mark a little right of and below the middle.
    assert not is_grey(pixel(page, 0.51, 0.55))
    assert [path for path in server[1].rglob("*") if path.is_file()] == []


def test_nothing_is_stored_in_the_browser(page: Page) -> None:
    analyse(page, *two_views())
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.context.cookies() == []


def test_a_text_file_named_png_is_refused_in_plain_words_beside_the_verdict(page: Page) -> None:
    analyse(page, film("text.png", TEXT), film("a.png", png(1)))
    alert = page.locator(".alerts")
    expect(alert).to_contain_text("The call rests on 1 of 2 files.")
    expect(alert).to_contain_text("text.png not read. This is not a radiograph file: it is a text file")
    expect(page.locator(".verdict .word")).to_have_text("abnormal")


def test_nothing_readable_gives_no_call(page: Page) -> None:
    analyse(page, film("text.png", TEXT))
    expect(page.locator(".verdict .status")).to_have_text("No call: none of the files could be read.")
    expect(page.locator(".verdict .word")).to_be_hidden()
    expect(page.locator(".alerts")).to_contain_text("text.png")


def test_more_views_than_the_limit_are_refused_by_name(page: Page) -> None:
    analyse(page, *(film(f"{index}.png", png(index)) for index in range(MAX_VIEWS + 1)))
    expect(page.locator(".thumb")).to_have_count(MAX_VIEWS)
    expect(page.locator(".alerts")).to_contain_text(f"{MAX_VIEWS}.png not read. Not taken")


def test_a_hostile_file_name_is_shown_and_not_run(page: Page) -> None:
    analyse(page, film(HOSTILE, png(1)), film("text" + HOSTILE, TEXT))
    expect(page.locator(".corner.top-left")).to_contain_text(HOSTILE)
    expect(page.locator(".alerts")).to_contain_text("text" + HOSTILE)
    expect(page.locator("img[src='x']")).to_have_count(0)


def test_a_waiting_file_can_be_taken_out_and_the_study_cleared(page: Page) -> None:
    page.locator("#upload input[type=file]").set_input_files([film("a.png", png(1)), film("b.png", png(2))])
    page.get_by_role("button", name="Remove a.png", exact=True).click()
    expect(page.locator("#tray .files li")).to_have_count(1)
    page.get_by_role("button", name="Analyse study", exact=True).click()
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.locator(".corner.top-left")).to_contain_text("b.png")
    expect(page.locator(".viewer")).to_have_attribute("data-phase", "called")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".thumb")).to_have_count(0)
    expect(page.get_by_role("button", name="Analyse study", exact=True)).to_be_disabled()


def test_an_example_study_opens(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Leg phantom")).click()
    expect(page.locator(".verdict .word")).to_have_text("abnormal", timeout=LIMIT_MS)
    expect(page.locator(".film dl")).to_contain_text("PNG, 16 bit")


CONTRAST = Path(__file__).with_name("contrast.js")


# Width and height of the window, and the least the film gets of it, px.
SIZES = [(1440, 900, 600, 560), (1920, 1080, 1100, 740), (834, 1194, 780, 700)]


@pytest.mark.parametrize(("width", "height", "stage_width", "stage_height"), SIZES)
def test_the_page_can_be_read_and_named_and_fits(
    page: Page, width: int, height: int, stage_width: int, stage_height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    analyse(page, *two_views(), film("text.png", TEXT))
    stage = box_of(page.locator(".stage"))
    assert (stage["width"] >= stage_width, stage["height"] >= stage_height) == (True, True), stage
    contrast = CONTRAST.read_text(encoding="utf-8")
    outside = """() => [...document.querySelectorAll(".card *")].filter((part) => part.checkVisibility()
        && part.getBoundingClientRect().right > part.closest(".card").getBoundingClientRect().right + 1)
        .map((part) => part.textContent.trim().slice(0, 40))"""
    for tab in page.get_by_role("tab").all():
        tab.click()
        assert page.evaluate(contrast) == []
        assert page.evaluate(outside) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for key in ("?", "v"):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        assert page.evaluate(contrast) == []
        page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    nameless = """[...document.querySelectorAll("button")].filter((button) => button.checkVisibility()
        && !(button.ariaLabel || button.textContent.trim() || button.querySelector("img[alt]"))).length"""
    assert page.evaluate(nameless) == 0
    assert page.evaluate("[...document.images].filter((image) => !image.alt).length") == 0


def test_every_control_is_reached_by_tab_and_tabs_by_arrows(page: Page) -> None:
    analyse(page, *two_views())
    page.get_by_role("tab", name="Display", exact=True).focus()
    for name in ("Layout", "Measure", "Threshold"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_focused()
        expect(page.get_by_role("tabpanel", name=name, exact=True)).to_be_visible()
        controls = "[role=tabpanel]:not([hidden]) :is(button, input):not(:disabled)"
        wanted = [part for part in page.locator(controls).all() if part.is_visible()]
        page.keyboard.press("Tab")
        for part in wanted:
            page.keyboard.press("Tab")
            expect(part).to_be_focused()
        page.get_by_role("tab", name=name, exact=True).focus()
