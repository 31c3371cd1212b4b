"""The HTML report: whole in one file, escaped, without films unless asked, and drawn as measured."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mura_core.errors import ImageError
from mura_core.review.chart_forest import ForestRow, draw_forest, shortened, written
from mura_core.review.figures import Interval
from mura_core.review.html_films import HEIGHT_PX, thumbnail
from mura_core.review.html_report import render
from mura_core.review.results import summarise
from mura_core.review.store import SessionStore
from mura_core.review.svg import Scale, ticks
from mura_core.review.types import Case, Condition, Mode, ReaderCall, Truth, Verdict
from mura_core.study import Radiograph, Window
from tests.made_up_session import made_up_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Browser

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


class Elements(HTMLParser):
    """Every start tag with its attributes, and what was left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.unclosed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    store = made_up_session(
        tmp_path_factory.mktemp("session") / "monday.sqlite", cases=20, readers=("ann", HOSTILE), repeats=4
    )
    store.close()
    return store


@pytest.fixture(scope="module")
def report(session: SessionStore) -> str:
    return render(summarise(session), session)


def film(height: int = 400, width: int = 300) -> Radiograph:
    pixels = np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)
    return Radiograph(pixels, (pixels * 255).astype(np.uint16), Window(128, 256), 8, "png")


def test_it_is_one_file_that_may_ask_nothing_of_anybody(report: str) -> None:
    elements = Elements(report)
    assert elements.unclosed == []
    tags = {tag for tag, _ in elements.found}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "a", "base"}
    policies = [found.get("content") for _, found in elements.found if found.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    for _, attributes in elements.found:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "href"} & attributes.keys()
    assert "url(http" not in report
    assert "@import" not in report


def test_what_a_reader_is_called_is_shown_and_never_run(report: str) -> None:
    assert "<img" not in report
    assert "onerror=alert(1)&gt;&quot;&#x27;&amp;" in report


def test_it_says_what_it_is_and_how_figures_are_defined(report: str) -> None:
    assert "Review session monday" in report
    assert "Research only. Not a medical device, and not a replacement for clinician review." in report
    assert "“Unsure” counts as abnormal from a confidence of 50 on" in report
    assert "20 cases of 10 patients · truth known of 18, 10 of them abnormal · 2 readers" in report
    assert "still open" not in report


def test_the_figures_shown_are_those_of_the_results(session: SessionStore, report: str) -> None:
    results = summarise(session)
    for reader in (*results.readers, results.everyone):
        for figures in reader.figures.values():
            for name in ("sensitivity", "specificity", "auroc", "accuracy", "cohen_kappa"):
                assert written(figures.measures[name]) in report
        assert reader.difference is not None
        assert written(reader.difference["auroc"], signed=True) in report
    for group in results.groups:
        assert written(group.everyone.figures[Condition.AIDED].measures["sensitivity"]) in report
    for pair in (*results.inter, *results.intra):
        assert written(pair.kappa) in report


def test_a_forest_plot_draws_a_value_where_it_belongs() -> None:
    row = ForestRow(
        "ann", "unaided", "#123456", "disc", [Interval(0.5, 0.25, 0.75), Interval(None, None, None)]
    )
    drawn = draw_forest([row], ["first", "second"], label="x")
    (point,) = re.findall(r'<circle cx="([\d.]+)"', drawn)
    ends = [float(x) for x in re.findall(r'<line x1="([\d.]+)"[^>]*#123456', drawn)]
    assert float(point) == pytest.approx(np.mean(ends[1:]), abs=0.01)
    assert drawn.count(">–</text>") == 1


def test_axes_hold_their_data_and_names_their_room() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(value) for value in (-5, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]
    for high in (0.004, 0.9, 1, 7, 59, 60, 61, 1234):
        found = ticks(high)
        assert found[0] == 0
        assert found[-2] < high <= found[-1] * (1 + 1e-9)
        assert 4 <= len(found) <= 7
    assert shortened("a" * 30, 10) == "a" * 9 + "…"


def test_films_are_left_out_unless_asked(session: SessionStore, report: str) -> None:
    def refuse(case_id: str) -> Sequence[Radiograph]:
        raise AssertionError(f"read {case_id}")

    assert "data:image" not in report
    assert render(summarise(session), session, read_films=refuse) == report
    with pytest.raises(ValueError, match="read_films"):
        render(summarise(session), session, thumbnails=True)


def test_asked_for_films_come_small_with_marks_and_a_missing_one_says_so(session: SessionStore) -> None:
    def read(case_id: str) -> Sequence[Radiograph]:
        if case_id == "case-3":
            raise ImageError("The film of case-3 is <gone>.")
        return [film(), film()]

    shown = render(summarise(session), session, thumbnails=True, read_films=read)
    elements = Elements(shown)
    sources = [found["src"] or "" for tag, found in elements.found if tag == "img"]
    assert len(sources) == 2 * 19
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "The film of case-3 is &lt;gone&gt;." in shown
    assert 'stroke-dasharray="' in shown
    assert "These films are patient data." in shown


def test_a_thumbnail_is_small_and_leaves_the_film_alone() -> None:
    import base64

    import cv2

    tall = film(1000, 700)
    before = tall.pixels.copy()
    raw = base64.b64decode(thumbnail(tall).partition(",")[2])
    decoded = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded.shape == (HEIGHT_PX, 182)
    # Bone stays bright: the ramp still rises from top to bottom.
    assert decoded[0].mean() < 10 < 245 < decoded[-1].mean()
    assert np.array_equal(tall.pixels, before)


@pytest.mark.parametrize("truth", [None, Truth(0)])
def test_a_session_with_little_in_it_still_makes_a_report(tmp_path: Path, truth: Truth | None) -> None:
    cases = [Case("c", "p", "", ("a.png",), truth)]
    store = SessionStore.create(
        tmp_path / "s.sqlite", cases, source="films", mode=Mode.UNAIDED, seed=0, repeats=0
    )
    assert Elements(render(summarise(store), store)).unclosed == []
    store.join("ann")
    store.start("ann", 0)
    store.commit("ann", 0, Condition.UNAIDED, ReaderCall(Verdict.NORMAL, 10))
    shown = render(summarise(store), store)
    assert Elements(shown).unclosed == []
    assert "nan" not in re.sub(r"[A-Za-z]nan|nan[A-Za-z]", "", shown)
    assert "None" not in shown
    assert "still open" in shown


def test_the_browser_finds_nothing_to_refuse_or_to_fetch(
    browser: Browser, report: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report, encoding="utf-8")
    page = browser.new_page(viewport={"width": 834, "height": 1194})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.get_by_role("heading", name="Every case").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 834
    # The last words of every line of a picture are inside it.
    cut = page.evaluate(
        """() => [...document.querySelectorAll('svg text')].filter((text) => {
            const own = text.getBoundingClientRect(), whole = text.ownerSVGElement.getBoundingClientRect();
            return own.right > whole.right + 1 || own.left < whole.left - 1;
        }).map((text) => text.textContent)"""
    )
    page.close()
    assert (said, asked, cut) == ([], [file.as_uri()], [])
