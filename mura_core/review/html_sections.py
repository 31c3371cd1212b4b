"""The parts of the report, each a heading, a sentence and pictures; "" where there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from mura_core.review import definitions, svg
from mura_core.review.chart_agreement import draw_agreement
from mura_core.review.chart_bars import draw_switches, draw_times
from mura_core.review.chart_cases import draw_cases
from mura_core.review.chart_forest import ForestRow, draw_forest, shortened
from mura_core.review.chart_roc import draw_roc
from mura_core.review.figures import Interval
from mura_core.review.html_tables import CONDITION_WORDS, group_table, mark_table, reader_table, tag_table
from mura_core.review.reader_results import ReaderResults
from mura_core.review.results import BODY_PART, FINDING, Group, Results
from mura_core.review.rows import ReadingRow
from mura_core.review.types import Condition

if TYPE_CHECKING:
    from mura_core.review.store import SessionStore

SHOWN = {"sensitivity": "Sensitivity", "specificity": "Specificity", "auroc": "AUROC"}
"""The measures that pictures show, with their titles."""


def curves(results: Results) -> str:
    """All readers large, each reader small."""
    if not results.everyone.curves:
        return ""
    large = draw_roc(results.everyone, title="All readers")
    small = "".join(draw_roc(one, title=shortened(one.reader, 18), side=200) for one in results.readers)
    body = f"{_key()}<figure class='roc'><div>{large}</div><div class='small'>{small}</div></figure>"
    return section("Operating curves", definitions.CURVES, body)


def against_truth(results: Results) -> str:
    """Sensitivity, specificity and area of every reader and of the model."""
    rows = []
    for name, one in _named(results):
        for condition, figures in one.figures.items():
            values = [figures.measures[measure] for measure in SHOWN]
            rows.append(_row(name, condition, values, strong=one is results.everyone))
            name = ""  # noqa: PLW2901 - written once for both conditions
    if not rows:
        return section("Against truth", "", "<p>No call of a case whose truth is known.</p>")
    if results.everyone.ai:
        values = [results.everyone.ai.measures[measure] for measure in SHOWN]
        rows.append(ForestRow("AI", "alone", svg.AI, "diamond", values, strong=True))
    drawn = draw_forest(rows, list(SHOWN.values()), label="Readers and model against truth, 95 % intervals")
    return section(
        "Against truth", definitions.FOREST, f"<figure>{drawn}</figure>" + reader_table(_named(results))
    )


def changes(results: Results) -> str:
    """Aided minus unaided, who changed sides, and how long it took."""
    parts = []
    named = _named(results)
    differences = [
        ForestRow(
            name,
            "",
            svg.AIDED,
            "disc",
            [one.difference[measure] for measure in SHOWN],
            strong=one is results.everyone,
        )
        for name, one in named
        if one.difference
    ]
    if differences:
        drawn = draw_forest(
            differences,
            list(SHOWN.values()),
            label="Difference with AI minus unaided",
            axis=_around_zero(differences),
            signed=True,
        )
        parts.append(section("What the AI changed", definitions.DIFFERENCES, f"<figure>{drawn}</figure>"))
    switches = results.everyone.switches
    if switches:
        words = definitions.switches_in_words(switches)
        parts.append(f"<h3>Calls that changed sides</h3><p class='note'>{escape(words)}</p>")
        parts.append(f"<figure>{draw_switches(named[1:] or named)}</figure>")
    if results.everyone.times:
        parts.append(section("Reading time", definitions.TIMES, f"<figure>{draw_times(named)}</figure>"))
    return "".join(parts)


def _around_zero(rows: Sequence[ForestRow]) -> tuple[float, ...]:
    """The narrowest axis that holds every interval."""
    ends = [end for row in rows for one in row.values if one for end in (one.low, one.high, one.value)]
    far = max([0.0, *(abs(end) for end in ends if end is not None)])
    reach = next(step for step in (0.1, 0.2, 0.3, 0.5, 1.0) if step >= min(far, 1.0))
    return (-reach, -reach / 2, 0.0, reach / 2, reach)


def every_case(store: SessionStore, rows: Sequence[ReadingRow]) -> str:
    """All calls of all raters."""
    found = {case.case_id: store.model.result(case.case_id) for case in store.cases}
    drawn = draw_cases(store.cases, {case_id: ai for case_id, ai in found.items() if ai}, rows)
    key = "<p class='note'>surely normal <span class='scale'></span> surely abnormal</p>"
    return section("Every case", definitions.CASES, f"{key}<figure>{drawn}</figure>")


def agreement(results: Results) -> str:
    """Of readers with each other and with themselves."""
    parts = []
    for title, found in (
        ("Between readers", results.inter),
        ("With themselves, at hidden repeats", results.intra),
    ):
        if found:
            parts.append(f"<h3>{title}</h3><figure>{draw_agreement(found)}</figure>")
    return section("Agreement", definitions.AGREEMENT, "".join(parts)) if parts else ""


def marks(results: Results) -> str:
    """Marks against boxes and map, findings against truth."""
    rows = []
    for name, one in _named(results):
        for condition, marks in one.marks.items():
            values = [marks.hit_rate, marks.near_ai_rate]
            rows.append(_row(name, condition, values, strong=one is results.everyone))
            name = ""  # noqa: PLW2901 - as above
    if not rows:
        return ""
    ai = next(iter(results.everyone.marks.values()))
    rows.append(ForestRow("AI", "alone", svg.AI, "diamond", [ai.ai_hit_rate, None], strong=True))
    columns = ["Mark in a truth box", "Mark at the AI's hottest place"]
    drawn = draw_forest(rows, columns, label="Marks against truth boxes and against the model's map")
    tables = mark_table(_named(results)) + "<h3>Findings named</h3>" + tag_table(results.everyone)
    return section("Marks and findings", definitions.MARKS, f"<figure>{drawn}</figure>{tables}")


def groups(results: Results) -> str:
    """By body part and by finding."""
    parts = []
    for kind in (BODY_PART, FINDING):
        groups = [group for group in results.groups if group.kind == kind]
        rows = [row for group in groups for row in _group_rows(group)]
        if rows:
            drawn = draw_forest(rows, list(SHOWN.values()), label=f"Readers and model by {kind}")
            parts.append(f"<h3>By {kind}</h3><figure>{drawn}</figure>{group_table(groups)}")
    return section("By body part and finding", definitions.GROUPS, "".join(parts)) if parts else ""


def _group_rows(group: Group) -> list[ForestRow]:
    name, rows = group.name, []
    for condition, figures in group.everyone.figures.items():
        rows.append(_row(name, condition, [figures.measures[measure] for measure in SHOWN]))
        name = ""
    if group.everyone.ai:
        values = [group.everyone.ai.measures[measure] for measure in SHOWN]
        rows.append(ForestRow("", "AI alone", svg.AI, "diamond", values))
    return rows


def _named(results: Results) -> list[tuple[str, ReaderResults]]:
    """All together first where there are several, then each."""
    each = [(one.reader, one) for one in results.readers]
    return [("All readers", results.everyone), *each] if len(each) != 1 else each


def _row(
    name: str, condition: Condition, values: Sequence[Interval | None], *, strong: bool = False
) -> ForestRow:
    colour, shape = svg.OF_CONDITION[condition], svg.shape_of(condition)
    return ForestRow(name, CONDITION_WORDS[condition], colour, shape, values, strong)


def section(title: str, note: str, body: str) -> str:
    """A titled part; `title` and `note` are escaped, `body` is markup."""
    said = f"<p class='note'>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}{body}</section>"


def _key() -> str:
    entries = []
    for words, colour, shape, dash in (
        ("unaided", svg.UNAIDED, "ring", "none"),
        ("with AI", svg.AIDED, "disc", "none"),
        ("AI alone", svg.AI, "diamond", "6 4"),
    ):
        stroke = svg.line(0, 6, 34, 6, colour, stroke_width=2.2, stroke_dasharray=dash)
        drawn = svg.picture(34, 12, words, stroke, svg.marker(17, 6, colour, shape), small=True)
        entries.append(f"<span>{drawn}{words}</span>")
    return f"<div class='key'>{''.join(entries)}</div>"
