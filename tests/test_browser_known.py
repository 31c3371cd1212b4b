"""In Chromium: a film that the model does not know has its note beside it, in the table and at the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from demo.wording import Wording
from tests.browser import LIMIT_MS, analyse, film
from tests.fake_predictor import png

if TYPE_CHECKING:
    from playwright.sync_api import Page


def coloured() -> bytes:
    grey = cv2.imdecode(np.frombuffer(png(2), np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.imencode(".png", cv2.merge([grey, grey // 2, grey // 3]))[1].tobytes()


def test_a_film_in_doubt_is_named_at_the_call_in_the_table_and_beside_the_film(page: Page) -> None:
    words = Wording("en")
    analyse(page, film("a.png", png(1)), film("b.png", coloured()))
    expect(page.locator(".verdict .caution")).to_have_text(words.text("remarks.caution", views="2"))
    expect(page.locator(".views tbody tr .grave")).to_have_count(1)
    expect(page.locator(".views tbody tr").nth(1).locator(".grave")).to_be_visible()
    expect(page.locator(".strip .thumb").nth(1).locator(".grave")).to_be_visible()
    note = page.locator(".film .warnings li", has_text=words["remarks.colour"])
    expect(note).to_have_count(0)
    page.locator(".strip .thumb").nth(1).click()
    expect(note).to_be_visible()
    height = page.locator(".stage").bounding_box()
    assert height is not None
    assert height["height"] >= 560
    assert page.locator(".main > .notice").evaluate("one => one.clientHeight") < 30


def test_the_next_study_has_no_note_of_the_last_one(page: Page) -> None:
    analyse(page, film("b.png", coloured()))
    expect(page.locator(".verdict .caution")).to_be_visible()
    analyse(page, film("a.png", png(1)))
    expect(page.locator(".verdict .caution")).to_have_text("")
    expect(page.locator(".verdict .caution")).to_be_hidden()
    expect(page.locator(".grave")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 834])
def test_the_note_is_in_korean_on_the_korean_page_and_spills_nowhere(
    page: Page, server: tuple[str, object], width: int
) -> None:
    words = Wording("ko")
    page.set_viewport_size({"width": width, "height": 1194})
    page.goto(f"{server[0]}ko")
    page.locator("#upload input[type=file]").set_input_files([film("b.png", coloured())])
    button = page.get_by_role("button", name=words["page.analyse"], exact=True)
    expect(button).to_be_enabled(timeout=LIMIT_MS)
    button.click()
    expect(page.locator(".verdict .caution")).to_have_text(
        words.text("remarks.caution", views="1"), timeout=LIMIT_MS
    )
    expect(page.locator(".film .warnings")).to_contain_text(words["remarks.colour"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
