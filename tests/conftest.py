"""What tests of more than one module need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from demo.review_handlers import Steps


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder that loads fast and means nothing: a small network, always the same random values."""
    # Here, so that the tests that need no network start without torch.
    import torch

    from mura_core.checkpoint import Sidecar, save_weights
    from mura_core.models import build_model
    from mura_core.preprocess import PreprocessOptions
    from mura_core.study import OperatingPoints

    folder = tmp_path_factory.mktemp("untrained")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model("efficientnet_b0")
    sidecar = Sidecar(
        architecture="efficientnet_b0",
        version="0.0.0-untrained",
        preprocess=PreprocessOptions(size=128),
        temperature=1.0,
        operating_points=OperatingPoints(0.3, 0.6),
        metrics={},
        data="None: random weights for tests.",
        licence="Apache-2.0",
        command="none",
        created="2025-01-01",
    )
    save_weights(folder, model.state_dict(), sidecar, half=False)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; tests that ask for it are skipped where there is none."""
    # Here, so that tests without a browser start without its driver.
    from playwright.sync_api import sync_playwright

    from tests.browser import chromium_path

    path = chromium_path()
    with sync_playwright() as playwright:
        # As root, in a container, Chromium refuses its sandbox; the page is the project's own.
        made = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and upload folder; after the browser: nothing is started where the tests are skipped."""
    from tests.stand_in_server import served

    assert browser.is_connected()
    uploads = tmp_path_factory.mktemp("uploads")
    with served(uploads) as address:
        yield address, uploads


@pytest.fixture
def page(browser: Browser, server: tuple[str, Path]) -> Iterator[Page]:
    """The page, freshly opened. At its end, no request went elsewhere, no script failed, no dialog opened."""
    from playwright.sync_api import expect

    from tests.browser import LIMIT_MS

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


@pytest.fixture
def review_films(tmp_path: Path) -> Path:
    """The films of a review session."""
    from tests.review_steps import draw_films

    return draw_films(tmp_path / "films")


@pytest.fixture
def sequential(tmp_path: Path, review_films: Path) -> Steps:
    """The steps of a server with one review session, `Wrists`, in sequential mode."""
    from mura_core.review.types import Mode
    from tests.review_steps import make

    return make(tmp_path, review_films, Mode.SEQUENTIAL)
