"""The viewer's keys, help sheet, windows and presets in Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import analyse, dicom_12_bit, film, is_grey, pixel, pressed, two_views
from tests.fake_predictor import png

if TYPE_CHECKING:
    from playwright.sync_api import Page

INPUT = Path(__file__).parents[1] / "demo" / "viewer_input.js"


def test_keys_do_what_the_help_sheet_says(page: Page) -> None:
    analyse(page, *two_views())
    current = page.locator(".thumb[aria-current=true] img")
    for key, view in (("2", 2), ("1", 1), ("6", 1)):
        page.keyboard.press(key)
        expect(current).to_have_attribute("alt", re.compile(f"^View {view}"))
    toggles = {"h": "heatmap", "c": "contour", "b": "roi", "i": "invert", "k": "link", "m": "lens"}
    for key, action in toggles.items():
        before = pressed(page, action)
        page.keyboard.press(key)
        assert pressed(page, action) != before, key
    page.keyboard.press("[")
    expect(page.locator(".opacity + output")).to_have_text("55 %")
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page.locator(".opacity + output")).to_have_text("65 %")
    page.keyboard.press("r")
    assert [pressed(page, name) for name in ("heatmap", "contour", "roi", "invert")] == [
        "true",
        "true",
        "false",
        "false",
    ]
    expect(page.locator(".opacity + output")).to_have_text("60 %")
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.className === 'viewer'")


def test_the_help_sheet_names_every_key(page: Page) -> None:
    analyse(page, film("a.png", png(1)))
    page.keyboard.press("?")
    sheet = page.locator("dialog.keys")
    expect(sheet).to_be_visible()
    named = {key for text in sheet.locator("dt").all_inner_texts() for key in text.lower().split()}
    table = re.search(r"const keys = \{(.*?)\};", INPUT.read_text(encoding="utf-8"), re.DOTALL)
    assert table
    keys = set(re.findall(r'"?([^\s",{]+)"?: "', table[1]))
    # Marks are for readers of a session; the others are written as their signs.
    assert keys - named - {"p", "x"} == {"=", "-", "backspace", "escape"}
    assert {"+", "−", "⌫", "esc"} <= named
    # While it is open, no key changes what lies behind it.
    page.keyboard.press("i")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert pressed(page, "invert") == "false"


def test_the_heatmap_key_shows_the_bare_film(page: Page) -> None:
    analyse(page, film("a.png", png(1)))
    assert not is_grey(pixel(page, 0.51, 0.55))
    page.keyboard.press("h")
    assert is_grey(pixel(page, 0.51, 0.55))
    expect(page.locator(".legend")).to_be_hidden()


def test_window_and_level_reach_every_value_of_a_12_bit_film(page: Page) -> None:
    values = np.full((256, 256), 2000, np.uint16)
    values[:, :64] = 2010
    values[:, 192:] = 100
    analyse(page, film("flat.dcm", dicom_12_bit(values, 2000, 2001)))
    page.keyboard.press("h")
    # PS3.3 C.11.2: ((2000 - 1999.5) / 2000 + 0.5) * 255 = 127.6
    assert pixel(page) == [128] * 3
    page.locator("[data-do=preset_full]").click()
    expect(page.locator(".window + output")).to_have_text("4096")
    # ((2000 - 2047.5) / 4095 + 0.5) * 255 = 124.5
    assert pixel(page) in ([124] * 3, [125] * 3)
    page.locator("input.window").fill("1")
    page.locator("input.level").fill("2005")
    # Ten of 4096 values apart, and as far apart on the screen as black and white.
    assert pixel(page) == [0] * 3
    assert pixel(page, 0.25) == [255] * 3
    page.keyboard.press("i")
    assert pixel(page) == [255] * 3
    page.keyboard.press("r")
    assert pixel(page) != [255] * 3


def test_the_presets_follow_the_films_own_values(page: Page) -> None:
    random = np.random.default_rng(0)
    values = random.integers(1, 100, (256, 256)).astype(np.uint16)
    values[:, 64:192] = random.integers(1000, 1400, (256, 128))
    values[:, 100:150] = random.integers(2400, 3000, (256, 50))
    air, limb = values[:, :64], values[:, 64:192]
    analyse(page, film("limb.dcm", dicom_12_bit(values, 2000, 4000)))

    def window() -> tuple[float, float]:
        width, centre = (
            float(page.locator(f".{name} + output").inner_text()) for name in ("window", "level")
        )
        return centre - width / 2, centre + width / 2

    page.keyboard.press("w")
    assert pressed(page, "preset_bone") == "true"
    low, high = window()
    # Air sinks, soft tissue stays, dense bone is not saturated.
    assert np.median(air) < low < 1000
    assert high == pytest.approx(np.percentile(limb, 99.8), abs=12)
    page.keyboard.press("w")
    assert pressed(page, "preset_soft") == "true"
    low, high = window()
    # Dense bone saturates.
    assert low == pytest.approx(np.median(air), abs=12)
    assert 1400 < high < 2400
    page.keyboard.press("w")
    assert window() == (0, 4096)
    page.keyboard.press("w")
    assert window() == (0, 4000)
    assert pressed(page, "preset_stored") == "true"
