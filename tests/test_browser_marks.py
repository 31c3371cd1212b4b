"""Marks in Chromium: drawn on the film as it lies, heard in Python in the film's own fractions."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import LIMIT_MS, box_of, drag, is_grey, open_tab, pixel, stage_point
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    assert browser.is_connected()
    uploads = tmp_path_factory.mktemp("uploads")
    with served(uploads, module="tests.viewer_server") as address:
        yield address, uploads


@pytest.fixture
def marking(page: Page, server: tuple[str, Path]) -> Page:
    """The viewer with two films of 120 rows and 100 columns, for marks alone."""
    page.goto(server[0] + "marking")
    expect(page.locator(".thumb")).to_have_count(2, timeout=LIMIT_MS)
    return page


def heard(page: Page, view: int, count: int) -> list[dict[str, float]]:
    """The marks of a view as Python heard them, once it has heard of so many."""
    said = page.locator("#heard textarea")
    places = r"\{[^{}]*\}(, )?"
    expect(said).to_have_value(
        re.compile(rf'^\{{"view": {view}, "marks": \[({places}){{{count}}}\]\}}$'), timeout=LIMIT_MS
    )
    marks: list[dict[str, float]] = json.loads(said.input_value())["marks"]
    return marks


def on_film(page: Page, across: float, down: float) -> tuple[float, float]:
    """Left and top, in fractions of the unturned film, of a place on the stage."""
    stage = box_of(page.locator(".stage"))
    scale = min(stage["width"] / 100, stage["height"] / 120)
    return (
        0.5 + (across - 0.5) * stage["width"] / (100 * scale),
        0.5 + (down - 0.5) * stage["height"] / (120 * scale),
    )


def test_a_point_and_a_box_reach_python_in_fractions_of_the_film(marking: Page) -> None:
    marking.keyboard.press("p")
    marking.mouse.click(*stage_point(marking, 0.45, 0.3))
    left, top = on_film(marking, 0.45, 0.3)
    point = {
        "top": pytest.approx(top, abs=0.005),
        "left": pytest.approx(left, abs=0.005),
        "height": 0,
        "width": 0,
    }
    assert heard(marking, 0, 1) == [point]
    marking.keyboard.press("x")
    drag(marking, (0.6, 0.7), (0.5, 0.5))
    (left, top), (right, bottom) = on_film(marking, 0.5, 0.5), on_film(marking, 0.6, 0.7)
    box = {"top": top, "left": left, "height": bottom - top, "width": right - left}
    assert heard(marking, 0, 2) == [point, pytest.approx(box, abs=0.005)]
    assert not is_grey(pixel(marking, 0.5, 0.55))
    marking.keyboard.press("Backspace")
    assert heard(marking, 0, 1) == [point]
    marking.keyboard.press("Backspace")
    assert heard(marking, 0, 0) == []


def test_each_view_has_its_own_marks(marking: Page) -> None:
    marking.keyboard.press("2")
    marking.keyboard.press("p")
    marking.mouse.click(*stage_point(marking, 0.5, 0.5))
    heard(marking, 1, 1)
    marking.keyboard.press("1")
    marking.mouse.click(*stage_point(marking, 0.5, 0.5))
    heard(marking, 0, 1)


def test_a_mark_on_a_turned_and_mirrored_film_lies_where_it_would_as_stored(marking: Page) -> None:
    marking.keyboard.press("e")
    marking.keyboard.press("p")
    marking.mouse.click(*stage_point(marking, 0.5, 0.2))
    stage = box_of(marking.locator(".stage"))
    # Turned right, up on the screen is left on the film, whose 100 columns now run down the stage.
    scale = min(stage["width"] / 120, stage["height"] / 100)
    aside = 0.3 * stage["height"] / (100 * scale)
    mark = heard(marking, 0, 1)[0]
    assert (mark["left"], mark["top"]) == pytest.approx((0.5 - aside, 0.5), abs=0.005)
    marking.keyboard.press("q")
    marking.keyboard.press("y")
    marking.mouse.click(*stage_point(marking, 0.45, 0.4))
    left, top = on_film(marking, 0.45, 0.4)
    mark = heard(marking, 0, 2)[1]
    assert (mark["left"], mark["top"]) == pytest.approx((1 - left, top), abs=0.005)


def test_marks_given_back_are_drawn_and_none_is_told(marking: Page) -> None:
    marks = [{"view": 0, "top": 0.25, "left": 0.25, "height": 0.5, "width": 0.5}]
    before = pixel(marking, 0.5, 0.25)
    marking.evaluate(
        "(marks) => document.dispatchEvent(new CustomEvent('mura-set-marks', { detail: { marks } }))", marks
    )
    assert pixel(marking, 0.5, 0.25) != before
    expect(marking.locator("#heard textarea")).to_have_value("")


def test_before_the_model_is_shown_nothing_of_it_can_be_seen_or_reached(marking: Page) -> None:
    for part in (".verdict", ".legend", ".of-model"):
        assert [shown for shown in marking.locator(part).all() if shown.is_visible()] == []
    for key in ("h", "c", "b", "v", "l", "[", "]"):
        marking.keyboard.press(key)
    expect(marking.locator("dialog[open]")).to_have_count(0)
    assert is_grey(pixel(marking, 0.51, 0.55))
    marking.keyboard.press("?")
    expect(marking.locator("dialog.keys")).to_contain_text("Mark a point")
    expect(marking.locator("dialog.keys")).not_to_contain_text("heatmap")
    marking.keyboard.press("Escape")
    open_tab(marking, "Measure")
    expect(marking.get_by_role("button", name="Mark a box")).to_be_visible()


def test_the_page_that_analyses_offers_no_marks(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Leg phantom")).click()
    expect(page.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
    open_tab(page, "Measure")
    expect(page.locator("[data-do=box]")).to_be_hidden()
    page.keyboard.press("x")
    assert page.locator("[data-do=box]").get_attribute("aria-pressed") == "false"
