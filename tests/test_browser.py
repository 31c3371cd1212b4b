"""The page in a real, headless Chromium: what a reader sees and does, and that nothing leaves the machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from demo.examples.draw import draw_example
from demo.handlers import MAX_VIEWS
from tests.fake_predictor import png
from tests.radiograph_files import dicom_bytes
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, FilePayload

LIMIT_MS = 60_000
"""For a busy machine; no test waits unless the page is late."""
TEXT = b"this is no image, only text"
# Both a handlebars field and a template literal would run this name if it ever reached a template.
HOSTILE = "${alert(1)}{{value}}<img src=x onerror=alert(2)>`.png"


def chromium_path() -> str:
    """Where Chromium is; without one the tests are skipped, except in CI, where they fail."""
    found = os.environ.get("MURA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    reason = "no Chromium: install the package chromium, or name the program in MURA_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        # As root, in a container, Chromium refuses its sandbox; the page is the project's own.
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and upload folder; after the browser: nothing is started where the tests are skipped."""
    assert browser.is_connected()
    uploads = tmp_path_factory.mktemp("uploads")
    with served(uploads) as address:
        yield address, uploads


@pytest.fixture
def page(browser: Browser, server: tuple[str, Path]) -> Iterator[Page]:
    """The page, freshly opened. At its end, no request went elsewhere, no script failed, no dialog opened."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(LIMIT_MS)
    external: list[str] = []
    troubles: list[str] = []
    local = (server[0], "data:", "blob:")
    opened.on(
        "request", lambda request: None if request.url.startswith(local) else external.append(request.url)
    )
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    opened.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
    opened.goto(server[0])
    expect(opened.locator(".viewer")).to_be_visible(timeout=LIMIT_MS)
    yield opened
    context.close()
    assert external == []
    assert troubles == []


def film(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def dicom_12_bit(values: NDArray[np.uint16], centre: float, width: float) -> bytes:
    return dicom_bytes(values, BitsStored=12, HighBit=11, WindowCenter=centre, WindowWidth=width)


def analyse(page: Page, *films: FilePayload) -> None:
    page.locator("#upload input[type=file]").set_input_files(list(films))
    button = page.get_by_role("button", name="Analyse study", exact=True)
    expect(button).to_be_enabled(timeout=LIMIT_MS)
    button.click()
    expect(page.locator(".viewer")).to_have_attribute(
        "data-phase", re.compile("called|failed"), timeout=LIMIT_MS
    )


def two_views() -> tuple[FilePayload, FilePayload]:
    return film("a.png", png(1)), film("phantom.dcm", draw_example("forearm")[0][1])


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


def test_keys_do_what_the_list_of_keys_says(page: Page) -> None:
    analyse(page, *two_views())
    current = page.locator(".thumb[aria-current=true] img")
    page.keyboard.press("2")
    expect(current).to_have_attribute("alt", re.compile("^View 2"))
    page.keyboard.press("1")
    expect(current).to_have_attribute("alt", re.compile("^View 1"))
    page.keyboard.press("6")
    expect(current).to_have_attribute("alt", re.compile("^View 1"))

    def pressed(name: str) -> Any:
        return page.locator(f"[data-do={name}]").get_attribute("aria-pressed")

    for key, name in (("h", "heatmap"), ("c", "contour"), ("b", "roi"), ("i", "invert")):
        before = pressed(name)
        page.keyboard.press(key)
        assert pressed(name) != before, key
    page.keyboard.press("[")
    expect(page.locator(".opacity + output")).to_have_text("55 %")
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page.locator(".opacity + output")).to_have_text("65 %")
    page.keyboard.press("r")
    assert [pressed(name) for name in ("heatmap", "contour", "roi", "invert")] == [
        "true",
        "true",
        "false",
        "false",
    ]
    expect(page.locator(".opacity + output")).to_have_text("60 %")
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement?.className === 'viewer'")


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
    content = dicom_12_bit(values, 2000, 2001)
    analyse(page, film("flat.dcm", content))
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


def test_the_wheel_zooms_at_the_pointer_and_a_drag_pans(page: Page) -> None:
    values = np.full((200, 200), 500, np.uint16)
    values[:100, :100] = 3500
    analyse(page, film("quarters.dcm", dicom_12_bit(values, 2000, 4000)))
    page.keyboard.press("h")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    assert pixel(page, 0.52, 0.52)[0] < 60
    page.mouse.move(*middle)
    page.mouse.wheel(0, -600)
    expect(page.locator(".corner.top-right")).to_contain_text("zoom 3.3")
    # The corner of the bright quarter stays under the pointer.
    assert pixel(page, 0.52, 0.52)[0] < 60
    assert pixel(page, 0.48, 0.48)[0] > 200
    page.mouse.down()
    page.mouse.move(middle[0] + 100, middle[1] + 100)
    page.mouse.up()
    assert pixel(page, 0.52, 0.52)[0] > 200
    page.locator(".stage").dblclick()
    expect(page.locator(".corner.top-right")).to_contain_text("zoom 1.0")


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


@pytest.mark.parametrize("width", [1440, 834])
def test_the_page_can_be_read_and_named_and_fits(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    analyse(page, *two_views(), film("text.png", TEXT))
    assert page.evaluate(CONTRAST.read_text(encoding="utf-8")) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    nameless = """[...document.querySelectorAll("button")].filter((button) => button.checkVisibility()
        && !(button.ariaLabel || button.textContent.trim() || button.querySelector("img[alt]"))).length"""
    assert page.evaluate(nameless) == 0
    assert page.evaluate("[...document.images].filter((image) => !image.alt).length") == 0
