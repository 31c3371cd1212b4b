"""Every case and every rater in one picture: what each said, and who was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mura_core.review import svg
from mura_core.review.chart_forest import shortened
from mura_core.review.rows import ReadingRow, ai_decision
from mura_core.review.types import AiResult, Case, Condition

_WIDTH = 1000
_LABEL = 184
_ROW = 17
_TITLES_UP_TO = 120
"""Cases up to which each cell has its words; more would make the file large for nothing."""
_UNKNOWN = "#e6e9ee"

Cell = tuple[float, bool, str]
"""Score in [0, 1], whether the decision is wrong, words."""


def draw_cases(cases: Sequence[Case], ai: dict[str, AiResult], rows: Sequence[ReadingRow]) -> str:
    """Draw one column a case (abnormal, normal, unknown truth; each by falling confidence), one row a rater.

    Args:
        cases: Those of the session.
        ai: The model's results by case.
        rows: First showings alone are drawn.
    """
    first = [row for row in rows if not row.repeat]
    ordered = _order(cases, first)
    width = min(26.0, (_WIDTH - _LABEL) / max(1, len(ordered)))
    lines: list[tuple[str, str, dict[str, Cell]]] = [
        ("Truth", "", {case.case_id: _truth(case) for case in cases})
    ]
    if ai:
        lines.append(
            ("AI", "", {case.case_id: _ai(case, ai[case.case_id]) for case in cases if case.case_id in ai})
        )
    for reader in dict.fromkeys(row.reader for row in first):
        name = reader
        for condition in Condition:
            mine = [row for row in first if row.reader == reader and row.condition is condition]
            if mine:
                detail = "with AI" if condition is Condition.AIDED else "unaided"
                lines.append((name, detail, {row.case.case_id: _reader(row) for row in mine}))
                name = ""
    parts = []
    for number, (name, detail, cells) in enumerate(lines):
        top = 4 + number * _ROW + 5 * sum(bool(other[0]) for other in lines[1 : number + 1])
        parts.append(svg.text(4, top + 12, shortened(name), font_size=12.5))
        parts.append(svg.text(_LABEL - 8, top + 12, detail, text_anchor="end", font_size=11, fill=svg.MUTED))
        parts += _line(ordered, cells, top, width)
    height = top + _ROW + 6
    return svg.picture(_WIDTH, height, "What each reader and the model said of each case", *parts)


def confidence_colour(score: float) -> str:
    """From blue (surely normal) over near white to orange (surely abnormal); `score` in [0, 1]."""
    pale, end = (246, 246, 244), ((27, 94, 148) if score < 0.5 else (206, 92, 22))
    share = abs(score - 0.5) * 2
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(pale, end, strict=True))


def _order(cases: Sequence[Case], rows: Sequence[ReadingRow]) -> list[str]:
    said: dict[str, list[int]] = {}
    for row in rows:
        said.setdefault(row.case.case_id, []).append(row.call.confidence)

    def key(case: Case) -> tuple[int, float, str]:
        group = 2 if case.truth is None else 1 - case.truth.label
        scores = said.get(case.case_id, [0])
        return group, -sum(scores) / len(scores), case.case_id

    return [case.case_id for case in sorted(cases, key=key)]


def _line(order: Iterable[str], cells: dict[str, Cell], top: float, width: float) -> list[str]:
    parts = []
    titled = width >= (_WIDTH - _LABEL) / _TITLES_UP_TO
    gap = 1.0 if width > 5 else 0.0
    for number, case in enumerate(order):
        x = _LABEL + number * width
        score, wrong, words = cells.get(case, (-1.0, False, "not called"))
        colour = confidence_colour(score) if score >= 0 else _UNKNOWN
        children = (svg.element("title", escape(f"{case}: {words}")),) if titled else ()
        parts.append(svg.rectangle(x, top, width - gap, _ROW - 2, colour, *children))
        if wrong:
            parts.append(svg.rectangle(x, top + _ROW - 6.5, width - gap, 4.5, svg.INK))
    return parts


def _truth(case: Case) -> Cell:
    if case.truth is None:
        return -1.0, False, "truth unknown"
    return float(case.truth.label), False, "abnormal" if case.truth.label else "normal"


def _ai(case: Case, ai: AiResult) -> Cell:
    wrong = case.truth is not None and ai_decision(ai) != case.truth.label
    return ai.probability, wrong, f"{ai.call.value}, probability {ai.probability:.2f}"


def _reader(row: ReadingRow) -> Cell:
    wrong = row.label is not None and row.decision != row.label
    return row.call.confidence / 100, wrong, f"{row.call.verdict.value}, confidence {row.call.confidence}"
