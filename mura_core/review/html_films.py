"""The films of a report as thumbnails, with truth boxes, marks and the model's hottest place on them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.errors import MuraError
from mura_core.review import svg
from mura_core.review.types import Condition, Mark

if TYPE_CHECKING:
    from mura_core.review.rows import ReadingRow
    from mura_core.review.store import SessionStore
    from mura_core.review.types import AiResult, Case
    from mura_core.study import Radiograph

HEIGHT_PX = 260
"""Of a thumbnail; enough to know the film again, too little to read it."""

ReadFilms = Callable[[str], "Sequence[Radiograph]"]
"""From a case's id to its films, in the order of the case's views."""


def case_sheets(store: SessionStore, rows: Sequence[ReadingRow], read_films: ReadFilms) -> str:
    """Every case with its films and what was said of it.

    Args:
        store: The session.
        rows: Its readings; first showings are shown.
        read_films: Where the films come from; a MuraError of it is shown in their place.
    """
    sheets = []
    for case in store.cases:
        mine = [row for row in rows if row.case.case_id == case.case_id and not row.repeat]
        ai = store.model.result(case.case_id)
        try:
            films = "".join(
                _film(film, view, case, mine, ai) for view, film in enumerate(read_films(case.case_id))
            )
        except MuraError as error:
            films = f"<p class='note'>{escape(str(error))}</p>"
        sheets.append(
            f"<section class='case'><h3>{escape(case.case_id)}</h3>"
            f"<p class='note'>{escape(_words(case, ai))}</p>"
            f"<div class='films'>{films}</div><p class='note'>{escape(_calls(mine))}</p></section>"
        )
    return "".join(sheets)


def thumbnail(film: Radiograph) -> str:
    """The film in its default window as a data URI: JPEG, at most `HEIGHT_PX` high, bone bright."""
    height, width = film.pixels.shape
    share = min(1.0, HEIGHT_PX / height)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(film.pixels, size, interpolation=cv2.INTER_AREA)
    grey = np.clip(small * 255 + 0.5, 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 82])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def _film(film: Radiograph, view: int, case: Case, rows: Sequence[ReadingRow], ai: AiResult | None) -> str:
    drawn = []
    if case.truth and case.truth.boxes:
        drawn += [_mark(box, view, film, "#3ddc84", dashed=True) for box in case.truth.boxes]
    for row in rows:
        colour = "#5cc8ff" if row.condition is Condition.AIDED else "#ffffff"
        drawn += [_mark(mark, view, film, colour) for mark in row.call.marks]
    if ai and view < len(ai.views):
        place = ai.views[view]
        drawn.append(_mark(Mark(view, place.peak_top, place.peak_left), view, film, "#ff8c42", cross=True))
    height, width = film.pixels.shape
    shown = svg.element("svg", *drawn, viewBox=f"0 0 {width} {height}", preserveAspectRatio="none")
    return f"<div class='film'><img alt='View {view + 1}' src='{thumbnail(film)}'>{shown}</div>"


def _mark(
    mark: Mark, view: int, film: Radiograph, colour: str, *, dashed: bool = False, cross: bool = False
) -> str:
    if mark.view != view:
        return ""
    height, width = film.pixels.shape
    thin = max(height, width) / 160
    x, y = mark.left * width, mark.top * height
    if mark.height or mark.width:
        return svg.rectangle(
            x,
            y,
            mark.width * width,
            mark.height * height,
            "none",
            stroke=colour,
            stroke_width=thin,
            stroke_dasharray=f"{3 * thin:.1f} {2 * thin:.1f}" if dashed else "none",
        )
    arm = 4 * thin
    if cross:
        return svg.line(x - arm, y, x + arm, y, colour, stroke_width=thin) + svg.line(
            x, y - arm, x, y + arm, colour, stroke_width=thin
        )
    return svg.element("circle", cx=x, cy=y, r=arm, fill="none", stroke=colour, stroke_width=thin)


def _words(case: Case, ai: AiResult | None) -> str:
    truth = "truth unknown"
    if case.truth:
        findings = ", ".join(sorted(case.truth.findings))
        truth = ("abnormal" if case.truth.label else "normal") + (f" ({findings})" if findings else "")
    model = f"AI {ai.call.value}, {ai.probability:.2f}" if ai else "no result of the AI"
    return " · ".join(part for part in (case.body_part, f"truth: {truth}", model) if part)


def _calls(rows: Sequence[ReadingRow]) -> str:
    words = {Condition.UNAIDED: "", Condition.AIDED: "with AI "}
    return " · ".join(
        f"{row.reader} {words[row.condition]}{row.call.verdict.value} {row.call.confidence}" for row in rows
    )
