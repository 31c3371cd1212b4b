"""Take the README's screenshot of a running app, of a drawn phantom: no real film may be shown.

Start `python app.py`, then: python docs/take_screenshot.py http://127.0.0.1:7860
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("screenshot.png")


def main(address: str) -> None:
    """Open an example and save what is seen once the call is there."""
    chromium = os.environ.get("MURA_CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(300_000)
        page.goto(address)
        page.get_by_role("button", name="Forearm phantom").click()
        page.locator(".viewer[data-phase=called]").wait_for()
        # Leave the button, so that no hover is in the picture, and let the film be drawn.
        page.mouse.move(700, 5)
        page.wait_for_timeout(1500)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
