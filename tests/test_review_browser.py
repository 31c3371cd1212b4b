"""A whole review session in Chromium: two readers, six studies, a killed server, results, download."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect
from sklearn.metrics import recall_score, roc_auc_score

from mura_core.review.store import SessionStore
from tests.browser import LIMIT_MS, film
from tests.fake_predictor import png
from tests.recorder import Recorder, recorded
from tests.stand_in_server import started

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FIRST_PIXELS = (17, 66, 117, 149, 203, 244)
"""What the model makes of each study; the numbers are like no others that the page sends."""
TRUTH = (0, 0, 1, 0, 1, 1)


def studies() -> tuple[bytes, bytes]:
    """A ZIP of six studies in folders, and the truth."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, first_pixel in enumerate(FIRST_PIXELS):
            archive.writestr(f"study{number}/a.png", png(number, first_pixel))
    lines = ["case_id,label", *(f"study{number},{label}" for number, label in enumerate(TRUTH))]
    return packed.getvalue(), "\n".join(lines).encode()


def open_page(browser: Browser, recorder: Recorder) -> Page:
    # Uncompressed, so that the recorder hears what is said.
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, extra_http_headers={"Accept-Encoding": "identity"}
    )
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(recorder.address + "review")
    return page


def create(page: Page) -> None:
    archive, truth = studies()
    page.get_by_text("New session", exact=True).click()
    page.locator("#films input[type=file]").set_input_files(film("wrists.zip", archive))
    page.locator("#truth input[type=file]").set_input_files(film("truth.csv", truth))
    page.get_by_label("Name of the session").fill("Wrists")
    page.locator("#owner input, #owner textarea").fill("Ann")
    expect(page.locator("#films")).to_contain_text("wrists", timeout=LIMIT_MS)
    expect(page.locator("#truth")).to_contain_text("truth", timeout=LIMIT_MS)
    page.locator("#create").click()
    expect(page.locator(".told")).to_have_text("Session Wrists was created: 6 studies.", timeout=LIMIT_MS)


def sit(page: Page, reader: str, number: int) -> None:
    page.locator(".session", has_text="Wrists").click()
    page.locator("input.reader").fill(reader)
    page.locator(".sit").click()
    expect(page.locator(".review .at")).to_have_text(f"Study {number} of 6", timeout=LIMIT_MS)


class Reader:
    """One reader at one browser, who calls every study by its truth except those named."""

    def __init__(self, name: str, page: Page, recorder: Recorder, store: Path, wrong: set[int]) -> None:
        self.name, self.page, self.recorder, self.store, self.wrong = name, page, recorder, store, wrong

    def case(self, number: int) -> int:
        """Which study lies at a place of the list; from the file, for the page does not say."""
        with SessionStore.open(self.store) as store:
            return int(store.places(self.name)[number - 1].case_id.removeprefix("study"))

    def first_call(self, number: int) -> None:
        case = self.case(number)
        page = self.page
        expect(page.locator(".review .at")).to_have_text(f"Study {number} of 6", timeout=LIMIT_MS)
        expect(page.locator(".viewer")).to_have_attribute("data-phase", "blind", timeout=LIMIT_MS)
        assert self.numbers_heard(case) == 0
        abnormal = (TRUTH[case] == 1) != (case in self.wrong)
        page.keyboard.press("a" if abnormal else "n")
        for _ in range(case % 2):
            page.keyboard.press(",")
        assert self.numbers_heard(case) == 0
        page.keyboard.press("Enter")
        verdict, value = ("abnormal", 90) if abnormal else ("normal", 10)
        said = f"Saved: study {number}, {verdict}, {value - 5 * (case % 2)}"
        expect(page.locator(".review .saved")).to_have_text(said, timeout=LIMIT_MS)

    def second_call(self, number: int) -> None:
        page = self.page
        expect(page.locator(".viewer")).to_have_attribute("data-phase", "called", timeout=LIMIT_MS)
        expect(page.locator(".review .first")).to_contain_text("Your first call")
        assert self.numbers_heard(self.case(number)) > 0
        # Shown or not, the model is asked for no more than its result.
        for name, key in (("compare", "v"), ("stability", "l")):
            expect(page.locator(f"[data-do={name}]")).to_be_hidden()
            page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(".commit")).to_contain_text("Keep")
        page.keyboard.press("Enter")

    def study(self, number: int) -> None:
        self.first_call(number)
        self.second_call(number)

    def numbers_heard(self, case: int) -> int:
        """How often the server has told this browser the model's probability of a study."""
        return self.recorder.heard().count(repr(FIRST_PIXELS[case] / 255)[:9].encode())


def shown_values(page: Page, title: str, row: str) -> list[str]:
    """The numbers at one row of a picture of the results, series by series."""
    card = page.locator(".card", has=page.get_by_role("heading", name=title, exact=True))
    # Without the whole name that pointing at a row shows.
    texts = card.locator("svg text").evaluate_all("found => found.map((text) => text.firstChild.textContent)")
    after = texts[texts.index(row) + 1 :]
    found = []
    for text in after:
        if not re.match(r"−?\d\.\d\d", text):
            break
        found.append(text[:4])
    return found


def test_a_whole_session(browser: Browser, tmp_path: Path) -> None:
    sessions, uploads = tmp_path / "sessions", tmp_path / "uploads"
    arguments = ("--sessions", str(sessions), "--told-by-film")
    path = sessions / "Wrists.sqlite"
    with (
        started(uploads, *arguments) as (address, server),
        recorded(address) as ann_heard,
        recorded(address) as bo_heard,
    ):
        ann = Reader("Ann", open_page(browser, ann_heard), ann_heard, path, wrong={3})
        create(ann.page)
        sit(ann.page, "Ann", 1)
        bo = Reader("Bo", open_page(browser, bo_heard), bo_heard, path, wrong={0, 4})
        sit(bo.page, "Bo", 1)
        ann.study(1)
        ann.study(2)
        bo.study(1)
        ann.first_call(3)
        server.kill()
        server.wait()
        with started(uploads, *arguments) as (next_address, _):
            for reader in (ann, bo):
                reader.recorder.server = next_address
                reader.page.goto(reader.recorder.address + "review")
            sit(ann.page, "Ann", 3)
            ann.second_call(3)
            sit(bo.page, "Bo", 2)
            for number in range(2, 7):
                bo.study(number)
            for number in range(4, 7):
                ann.study(number)
            for reader in (ann, bo):
                expect(reader.page.locator(".finished h2")).to_have_text("You have read all 6 studies.")
            close_and_compare(ann.page, bo.page)


def close_and_compare(page: Page, other: Page) -> None:
    page.get_by_role("button", name="Close session").click()
    expect(page.locator(".sure-close .others")).to_contain_text("Ann 6/6, Bo 6/6")
    page.get_by_role("button", name="Close it for good").click()
    expect(page.locator(".results h1")).to_have_text("Wrists", timeout=LIMIT_MS)
    other.reload()
    other.locator(".session", has_text="Wrists").click()
    other.get_by_role("button", name="See the results").click()
    expect(other.locator(".results h1")).to_have_text("Wrists", timeout=LIMIT_MS)
    with page.expect_download(timeout=LIMIT_MS) as waiting:
        page.get_by_role("button", name="Download CSV").click()
    content = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert len(rows) == 24
    expected = {"Sensitivity": [], "Specificity": [], "AUROC": []}
    for condition in ("unaided", "aided", "ai"):
        for name, value in figures(rows, condition).items():
            expected[name].append(f"{value:.2f}")
    for name, values in expected.items():
        assert shown_values(page, "Against truth, with 95 % intervals", name) == values, name


def figures(rows: list[dict[str, str]], condition: str) -> dict[str, float]:
    """Figures by scikit-learn; of several readers, the mean of each one's."""
    found: dict[str, list[float]] = {"Sensitivity": [], "Specificity": [], "AUROC": []}
    for reader in ("Ann", "Bo"):
        mine = [row for row in rows if row["reader"] == reader and (condition in (row["condition"], "ai"))]
        truth = [int(row["truth"]) for row in mine]
        if condition == "ai":
            scores = [float(row["ai_probability"]) for row in mine]
            called = [score >= 0.5 for score in scores]
        else:
            scores = [float(row["confidence"]) for row in mine]
            called = [row["verdict"] == "abnormal" for row in mine]
        found["Sensitivity"].append(recall_score(truth, called))
        found["Specificity"].append(recall_score(truth, called, pos_label=0))
        found["AUROC"].append(roc_auc_score(truth, scores))
    return {name: sum(values) / len(values) for name, values in found.items()}
