"""Films on the stage in Chromium: zoom, orientation, layouts, magnifier and distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import (
    analyse,
    box_of,
    dicom_12_bit,
    drag,
    film,
    is_grey,
    open_tab,
    pixel,
    pressed,
    stage_point,
)
from tests.fake_predictor import png

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page


def quarters() -> FilePayload:
    """A square film of 200 px whose upper left quarter is bright; a pixel is 0.5 mm high and 0.25 mm wide."""
    values = np.full((200, 200), 500, np.uint16)
    values[:100, :100] = 3500
    return film("quarters.dcm", dicom_12_bit(values, 2000, 4000, PixelSpacing=[0.5, 0.25]))


def brightness(page: Page) -> list[bool]:
    """Which quarters of the film are bright: upper left, upper right, lower left, lower right."""
    places = [(0.45, 0.45), (0.55, 0.45), (0.45, 0.55), (0.55, 0.55)]
    return [pixel(page, *place)[0] > 128 for place in places]


def zooms(page: Page) -> list[str]:
    texts = page.locator(".corner.top-right").all_inner_texts()
    return [text.rsplit(" ", 1)[1] for text in texts]


def test_the_wheel_zooms_at_the_pointer_and_a_drag_pans(page: Page) -> None:
    analyse(page, quarters())
    page.keyboard.press("h")
    assert brightness(page) == [True, False, False, False]
    page.mouse.move(*stage_point(page, 0.5, 0.5))
    page.mouse.wheel(0, -600)
    expect(page.locator(".corner.top-right")).to_contain_text("zoom 3.3")
    # The corner of the bright quarter stays under the pointer.
    assert brightness(page) == [True, False, False, False]
    drag(page, (0.5, 0.5), (0.62, 0.62))
    assert brightness(page) == [True] * 4
    page.locator(".stage").dblclick()
    expect(page.locator(".corner.top-right")).to_contain_text("zoom 1.0")


def test_turning_and_flipping_move_the_film_with_its_map_and_say_so(page: Page) -> None:
    analyse(page, quarters())
    corner = page.locator(".corner.bottom-left")
    expect(corner).to_have_text("as stored")
    page.keyboard.press("h")
    steps = [
        ("e", [False, True, False, False], "turned 90° right"),
        ("e", [False, False, False, True], "turned 180°"),
        ("y", [False, False, True, False], "MIRRORED top–bottom"),
        ("q", [False, False, False, True], "MIRRORED left–right, then turned 90° right"),
        ("j", [False, True, False, False], "turned 90° right"),
        ("q", [True, False, False, False], "as stored"),
    ]
    for key, bright, text in steps:
        page.keyboard.press(key)
        assert brightness(page) == bright, key
        expect(corner).to_have_text(text)
        expect(page.locator(".heard")).to_have_text(text)
    # The stand-in's mark lies below the middle of the film as stored: turned right, left of the middle.
    page.keyboard.press("h")
    page.keyboard.press("c")
    stage = box_of(page.locator(".stage"))
    aside = 0.12 * stage["height"] / stage["width"]
    assert not is_grey(pixel(page, 0.5, 0.62))
    stored = pixel(page, 0.5 + 0.02 * stage["height"] / stage["width"], 0.62)
    page.keyboard.press("e")
    turned = pixel(page, 0.5 - aside, 0.52)
    assert not is_grey(turned)
    # Same place of the film, same colour up to the film's own grey edge.
    assert np.abs(np.subtract(stored, turned)).max() < 12


def test_side_by_side_stacked_and_all(page: Page) -> None:
    analyse(page, film("a.png", png(1)), film("b.png", png(2)), film("c.png", png(3)))
    panes = page.locator(".pane")
    expect(panes).to_have_count(1)

    def shown() -> list[str]:
        return [text.split()[0] for text in page.locator(".corner.top-left").all_inner_texts()]

    page.keyboard.press("s")
    expect(panes).to_have_count(2)
    left, right = (box_of(panes.nth(index)) for index in (0, 1))
    assert left["x"] + left["width"] <= right["x"]
    assert shown() == ["1", "2"]
    # The other view goes to the pane that is active.
    page.mouse.click(right["x"] + 40, right["y"] + 200)
    page.keyboard.press("3")
    assert shown() == ["1", "3"]
    expect(panes.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("t")
    upper, lower = (box_of(panes.nth(index)) for index in (0, 1))
    assert upper["y"] + upper["height"] <= lower["y"]
    assert upper["width"] == lower["width"] > left["width"]
    page.keyboard.press("g")
    assert shown() == ["1", "2", "3"]
    page.keyboard.press("g")
    expect(panes).to_have_count(1)
    assert shown() == ["3"]


def test_linked_films_zoom_and_pan_together(page: Page) -> None:
    analyse(page, film("a.png", png(1)), quarters())
    page.keyboard.press("s")
    page.mouse.move(*stage_point(page, 0.2, 0.5))
    page.mouse.wheel(0, -300)
    assert zooms(page) == ["1.8", "1.0"]
    page.keyboard.press("0")
    assert zooms(page) == ["1.0", "1.0"]
    page.keyboard.press("k")
    page.keyboard.press("h")
    page.mouse.wheel(0, -600)
    assert zooms(page) == ["3.3", "3.3"]
    # Both hold the same place of their panes: that of the second film now runs right of its middle.
    assert pixel(page, 0.76, 0.45)[0] > 128
    drag(page, (0.35, 0.5), (0.2, 0.5))
    assert pixel(page, 0.76, 0.45)[0] < 128


def measured_mm(
    page: Page, start: tuple[float, float], end: tuple[float, float], spacing: tuple[float, float]
) -> float:
    """What a distance on the unzoomed film must read, from the stage's size; spacing is across, down."""
    stage = box_of(page.locator(".stage"))
    film_px = 200 / min(stage["width"], stage["height"])
    across = (end[0] - start[0]) * stage["width"] * film_px * spacing[0]
    down = (end[1] - start[1]) * stage["height"] * film_px * spacing[1]
    return float(np.hypot(across, down))


def test_a_distance_is_in_mm_and_survives_turning(page: Page) -> None:
    analyse(page, quarters())
    page.keyboard.press("d")
    start, end = (0.4, 0.5), (0.6, 0.6)
    drag(page, start, end)
    lengths = page.locator(".distances li")
    expect(lengths).to_have_count(1)
    first = lengths.inner_text()
    assert float(first.removesuffix(" mm")) == pytest.approx(
        measured_mm(page, start, end, (0.25, 0.5)), abs=0.3
    )
    page.keyboard.press("e")
    expect(lengths).to_have_text([first])
    # Turned, the same drag runs along the other axes of the film.
    drag(page, start, end)
    second = lengths.nth(1).inner_text()
    assert float(second.removesuffix(" mm")) == pytest.approx(
        measured_mm(page, start, end, (0.5, 0.25)), abs=0.3
    )
    page.keyboard.press("Backspace")
    expect(lengths).to_have_text([first])


def test_a_distance_is_in_px_without_spacing_and_by_keyboard(page: Page) -> None:
    analyse(page, film("a.png", png(1)))
    page.keyboard.press("d")
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    stage = box_of(page.locator(".stage"))
    # 200 px of the stage, on which the film's 120 rows fill the height.
    expect(page.locator(".distances li")).to_have_text([f"{200 * 120 / stage['height']:.0f} px"])
    open_tab(page, "Measure")
    expect(page.locator(".distance-note")).to_contain_text("no pixel spacing")
    page.keyboard.press("Escape")
    assert pressed(page, "distance") == "false"


def test_the_magnifier_enlarges_under_the_pointer_while_held_or_until_tapped_again(page: Page) -> None:
    values = np.full((400, 400), 200, np.uint16)
    values[190:210, 190:210] = 4000
    analyse(page, film("spot.dcm", dicom_12_bit(values, 2048, 4096)))
    page.keyboard.press("h")
    stage = box_of(page.locator(".stage"))
    # Outside the square by the film's scale, inside it 2.5 times enlarged.
    beside = 0.5 + 18 / 400 * stage["height"] / stage["width"]
    page.mouse.move(*stage_point(page, 0.5, 0.5))
    dark, bright = pixel(page, beside, 0.5), pixel(page, 0.5, 0.5)
    page.keyboard.press("m")
    assert pixel(page, beside, 0.5) == bright
    page.keyboard.press("m")
    assert pixel(page, beside, 0.5) == dark
    page.keyboard.down("m")
    page.wait_for_timeout(500)
    assert pixel(page, beside, 0.5) == bright
    page.keyboard.up("m")
    assert pixel(page, beside, 0.5) == dark
