"""What follows from the probabilities, in Chromium: spread, leave-one-out, thresholds, each step compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import analyse, dicom_12_bit, film, open_tab
from tests.fake_predictor import POINTS, png
from tests.stand_in_server import served
from tests.viewer_server import CURVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page, Route

PROBABILITIES = (0.86, 0.2, 0.5)


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    assert browser.is_connected()
    uploads = tmp_path_factory.mktemp("uploads")
    with served(uploads, module="tests.viewer_server") as address:
        yield address, uploads


def three_views(page: Page) -> None:
    analyse(page, *(film(f"{seed}.png", png(seed)) for seed in (1, 2, 3)))


def pairs(part: Locator) -> dict[str, str]:
    return dict(zip(part.locator("dt").all_inner_texts(), part.locator("dd").all_inner_texts(), strict=True))


def test_spread_and_leave_one_out_are_those_of_the_views(page: Page) -> None:
    three_views(page)
    expect(page.locator(".spread")).to_have_text("Views between 0.20 and 0.86, range 0.66")
    page.get_by_text("Call without each view", exact=True).click()
    expected = []
    for left in range(3):
        mean = np.mean(np.delete(PROBABILITIES, left))
        expected.append(re.compile(rf"without view {left + 1}\s*{mean:.2f}\s*. {POINTS.call(float(mean))}"))
    expect(page.locator(".left-out li")).to_have_text(expected)
    # Only without the second view the call is another than that of the study.
    assert [line.get_attribute("data-changed") for line in page.locator(".left-out li").all()] == [
        "false",
        "true",
        "false",
    ]


def test_one_view_alone_has_no_spread(page: Page) -> None:
    analyse(page, film("a.png", png(1)))
    expect(page.locator(".spread")).to_be_hidden()
    expect(page.locator(".left-out")).to_be_hidden()


@pytest.mark.parametrize(("threshold", "prevalence"), [(0.52, 20.0), (0.1, 20.0), (0.9, 1.5)])
def test_another_threshold_is_said_beside_the_call_with_what_it_stands_for(
    page: Page, threshold: float, prevalence: float
) -> None:
    three_views(page)
    open_tab(page, "Threshold")
    page.locator("input.threshold").fill(str(threshold))
    page.locator(".prevalence input").fill(str(prevalence))
    mean = float(np.mean(PROBABILITIES))
    call = "abnormal" if mean >= threshold else "normal"
    expect(page.locator(".study-recalled")).to_contain_text(f"At {threshold:.2f} the study would be")
    expect(page.locator(".study-recalled")).to_have_attribute("data-call", call)
    recalled = [index + 1 for index, value in enumerate(PROBABILITIES) if value >= threshold]
    said = page.locator(".views-recalled").inner_text()
    assert [int(number) for number in re.findall(r"(\d) ▲", said)] == recalled
    # The fixed call is what it was.
    expect(page.locator(".verdict .word")).to_have_text("doubt")
    _, sensitivity, specificity = CURVE[round(threshold * 100)]
    # Of a million people, counted.
    sick = 1e6 * prevalence / 100
    hits, alarms = sick * sensitivity, (1e6 - sick) * (1 - specificity)
    misses, clears = sick - hits, (1e6 - sick) - alarms
    assert pairs(page.locator(".rates")) == {
        "Sensitivity": f"{100 * sensitivity:.1f} %",
        "Specificity": f"{100 * specificity:.1f} %",
    }
    shown = {
        name: float(text.removesuffix(" %")) for name, text in pairs(page.locator(".predictive")).items()
    }
    assert shown["PPV"] == pytest.approx(100 * hits / (hits + alarms), abs=0.06)
    assert shown["NPV"] == pytest.approx(100 * clears / (clears + misses), abs=0.06)


def test_the_page_asks_what_the_model_sees_and_the_last_step_is_the_call(page: Page) -> None:
    three_views(page)
    page.keyboard.press("v")
    steps = page.locator(".compared .variant")
    expect(steps).to_have_count(3)
    expect(steps.locator("h3")).to_have_text(
        ["Original", "Region of interest", "Region of interest, enhanced"]
    )
    number = page.locator(".verdict .number").inner_text()
    expect(steps.nth(2).locator(".study-call")).to_have_text(f"◆ {number} doubt")
    expect(steps.nth(2)).to_contain_text("The released path")
    expect(page.locator(".variant.released")).to_have_count(1)
    for index, value in enumerate(PROBABILITIES):
        alt = f"View {index + 1}, Region of interest, enhanced: {POINTS.call(value)}, probability {value:.2f}"
        expect(page.get_by_alt_text(alt, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".compared")).to_be_hidden()
    # A new study is asked for anew.
    analyse(page, film("b.png", png(7)))
    page.get_by_role("button", name="What the model sees").click()
    expect(steps.nth(2).locator(".study-call")).to_have_text("▲ 0.86 abnormal")


def test_the_page_asks_how_steady_the_call_is_and_draws_every_reading_at_its_place(page: Page) -> None:
    three_views(page)
    page.keyboard.press("l")
    said = page.locator(".steady .asked")
    expect(said).to_have_text("2 of 11 changes alter the call: 0.32 to 0.52. It stays in doubt.")
    rows = page.locator(".readings tbody tr")
    expect(rows).to_have_count(12)
    expect(page.locator(".steady")).to_contain_text(
        "of 40 calls that a change altered 30.0 % were wrong, of the 310 others 10.0 %. "
        "Difference: 20.0 points [4.0, 36.0], 95 % interval over studies: the data names no patients."
    )
    number = page.locator(".verdict .number").inner_text()
    expect(rows.nth(0)).to_have_text(re.compile(rf"as they are\s*{number}\s*◆ doubt"))
    expect(rows.nth(11)).to_have_text(re.compile(r"resolution 10 % lower\s*0.32\s*● normal"))
    altered = [row.get_attribute("data-altered") for row in rows.all()]
    assert altered == ["false"] * 10 + ["true"] * 2
    # The middle of each dot lies on the scale where its probability does.
    places = rows.evaluate_all(
        """rows => rows.map((row) => {
            const box = (part) => row.querySelector(part).getBoundingClientRect();
            const [lane, dot] = [box(".lane"), box(".lane i")];
            return (dot.left + dot.width / 2 - lane.left) / lane.width;
        })"""
    )
    mean = float(np.mean(PROBABILITIES))
    assert places == pytest.approx([mean - 0.018 * number for number in range(12)], abs=0.006)
    # Closed by the keyboard, opened again without asking anew; the call on screen is what it was.
    page.keyboard.press("Escape")
    expect(page.locator(".steady")).to_be_hidden()
    page.get_by_role("button", name="How steady the call is").press("Enter")
    expect(rows).to_have_count(12)
    expect(page.locator(".verdict .word")).to_have_text("doubt")
    page.locator(".steady .close").press("Enter")
    # A new study is asked for anew.
    analyse(page, film("b.png", png(7)))
    page.keyboard.press("l")
    expect(said).to_have_text("All 12 readings say abnormal: 0.66 to 0.86.")


@pytest.mark.parametrize(
    ("key", "dialog", "rows"), [("v", ".compared", ".variant"), ("l", ".steady", ".readings")]
)
def test_a_dialog_opened_again_before_its_answer_asks_no_second_time(
    page: Page, key: str, dialog: str, rows: str
) -> None:
    three_views(page)
    held: list[Route] = []
    page.route("**/queue/join*", lambda route: held.append(route))  # noqa: PLW0108 - needs a Python function
    page.keyboard.press(key)
    said = page.locator(f"{dialog} .asked")
    expect(said).to_have_text(re.compile("…$"))
    waiting = said.inner_text()
    for _ in range(3):
        page.keyboard.press("Escape")
        expect(page.locator(dialog)).to_be_hidden()
        page.keyboard.press(key)
        expect(said).to_have_text(waiting)
    assert len(held) == 1
    # What was held goes on its way.
    page.unroute("**/queue/join*")
    expect(page.locator(rows).first).to_be_visible()
    expect(said).not_to_have_text(waiting)


def test_a_question_that_was_lost_may_be_asked_again_and_a_late_answer_is_shown(page: Page) -> None:
    page.clock.install()
    three_views(page)
    held: list[Route] = []
    page.route("**/queue/join*", lambda route: held.append(route))  # noqa: PLW0108 - needs a Python function
    said, rows = page.locator(".steady .asked"), page.locator(".readings tbody tr")
    page.keyboard.press("l")
    expect(said).to_have_text(re.compile("…$"))
    page.clock.fast_forward(61_000)
    expect(said).to_contain_text("No answer yet")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    expect(said).to_have_text(re.compile("…$"))
    page.wait_for_timeout(500)
    assert len(held) == 2
    # The first of the two is answered, the second never.
    held[0].continue_()
    expect(rows).to_have_count(12)
    expect(said).to_contain_text("changes alter the call")
    page.clock.fast_forward(61_000)
    expect(said).to_contain_text("changes alter the call")


def test_the_call_is_worth_what_was_measured_for_the_body_part_or_nothing_is_said(page: Page) -> None:
    grey = np.add.outer(np.arange(120, dtype=np.uint16), 9 * np.arange(100, dtype=np.uint16))
    ankle = dicom_12_bit(grey, 500, 1000, BodyPartExamined="ANKLE")
    analyse(page, film("a.png", png(1)))
    open_tab(page, "Threshold")
    worth = page.locator(".worth")
    expect(worth.locator(".worth-source")).to_have_text("No single body part is known for this study.")
    expect(worth.locator("select")).to_have_value("all")
    page.locator(".prevalence input").fill("10")
    points = worth.locator(".worth-points")
    expect(points.locator("h4")).to_have_text(["Abnormal from 0.350 on", "Abnormal from 0.650 on"])
    assert pairs(points.locator("dl").first) == {
        "Sensitivity": "90.0 % [80.0, 95.0]",
        "Specificity": "80.0 % [70.0, 90.0]",
        "PPV": "33.3 % [20.0, 50.0]",
        "NPV": "98.6 % [–]",
    }
    # Of a thousand: 300 abnormal, of which 270 are found; 700 normal, of which 140 are alarmed.
    page.locator(".prevalence input").fill("30")
    shown = pairs(points.locator("dl").first)
    assert shown["PPV"].startswith(f"{100 * 270 / 410:.1f} %")
    assert shown["NPV"].startswith(f"{100 * 560 / 590:.1f} %")
    worth.locator("select").select_option("hip")
    expect(worth.locator(".worth-counted")).to_contain_text("Too few to state figures: 19 test studies, 1 of")
    expect(worth.locator(".worth-counted")).to_contain_text("at least 20 studies with and 20 without")
    expect(points).to_be_empty()
    # What the file states of its part is taken where the network is not sure; of two parts neither is.
    analyse(page, film("b.dcm", ankle))
    expect(worth.locator("select")).to_have_value("leg")
    expect(worth.locator(".worth-source")).to_have_text("By the file’s own statement: leg.")
    expect(points.locator("dl")).to_have_count(2)
    expect(worth.locator(".worth-counted")).to_contain_text(
        "intervals over studies: the data names no patients"
    )
    # A film of no known part leaves the study without one.
    analyse(page, film("b.dcm", ankle), film("c.png", png(2)))
    expect(worth.locator("select")).to_have_value("all")
    expect(worth.locator(".worth-source")).to_have_text("No single body part is known for this study.")


@pytest.mark.parametrize("stated", ["CHEST", "ANKLE"])
def test_for_a_film_that_is_not_to_be_relied_on_no_figures_are_chosen(page: Page, stated: str) -> None:
    # No film of the training shows a chest; that of the ankle is nearly blank.
    step = 9 if stated == "CHEST" else 0
    grey = np.add.outer(np.arange(120, dtype=np.uint16) // 9, 100 + step * np.arange(100, dtype=np.uint16))
    analyse(page, film("a.dcm", dicom_12_bit(grey.astype(np.uint16), 500, 1000, BodyPartExamined=stated)))
    expect(page.locator(".verdict .caution")).to_be_visible()
    open_tab(page, "Threshold")
    worth = page.locator(".worth")
    expect(worth.locator(".worth-source")).to_contain_text("no figures are chosen")
    expect(worth.locator("select")).to_have_value("")
    expect(worth.locator(".worth-points")).to_be_empty()
    expect(worth.locator(".worth-counted")).to_be_empty()
    page.locator(".prevalence input").fill("12")
    expect(worth.locator(".worth-points")).to_be_empty()
    # A reader may still choose.
    worth.locator("select").select_option("leg")
    expect(worth.locator(".worth-points dl")).to_have_count(2)
