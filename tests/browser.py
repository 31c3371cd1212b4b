"""What the tests in Chromium share: films to drop, and what a reader does and sees."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from demo.examples.draw import draw_example
from tests.fake_predictor import png
from tests.radiograph_files import dicom_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from playwright.sync_api import FilePayload, FloatRect, Locator, Page

LIMIT_MS = 60_000
"""For a busy machine; no test waits unless the page is late."""


def chromium_path() -> str:
    """Where Chromium is; without one the tests are skipped, except in CI, where they fail."""
    found = os.environ.get("MURA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    reason = "no Chromium: install the package chromium, or name the program in MURA_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def film(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def dicom_12_bit(values: NDArray[np.uint16], centre: float, width: float, **tags: Any) -> bytes:
    return dicom_bytes(values, BitsStored=12, HighBit=11, WindowCenter=centre, WindowWidth=width, **tags)


def two_views() -> tuple[FilePayload, FilePayload]:
    return film("a.png", png(1)), film("phantom.dcm", draw_example("forearm")[0][1])


def analyse(page: Page, *films: FilePayload) -> None:
    page.locator("#upload input[type=file]").set_input_files(list(films))
    button = page.get_by_role("button", name="Analyse study", exact=True)
    expect(button).to_be_enabled(timeout=LIMIT_MS)
    button.click()
    ended = page.locator(".viewer:is([data-phase=failed], [data-maps=drawn])")
    expect(ended).to_be_visible(timeout=LIMIT_MS)


def pixel(page: Page, across: float = 0.5, down: float = 0.5) -> list[int]:
    """The screen's colour at a place, once it has been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    script = """([x, y]) => {
        const canvas = document.querySelector("canvas.screen");
        const at = [Math.floor(x * canvas.width), Math.floor(y * canvas.height)];
        return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
    }"""
    found: list[int] = page.evaluate(script, [across, down])
    return found


def is_grey(colour: list[int]) -> bool:
    return max(colour) - min(colour) <= 2


def box_of(part: Locator) -> FloatRect:
    """Where an element that is shown lies on the page."""
    box = part.bounding_box()
    assert box is not None
    return box


def stage_point(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place on the stage, by fractions of its width and height, as page coordinates."""
    box = box_of(page.locator(".stage"))
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press, move and release, by fractions of the stage."""
    page.mouse.move(*stage_point(page, *start))
    page.mouse.down()
    page.mouse.move(*stage_point(page, *end), steps=4)
    page.mouse.up()


def pressed(page: Page, action: str) -> str | None:
    return page.locator(f"[data-do={action}]").get_attribute("aria-pressed")


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
