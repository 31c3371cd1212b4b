"""The tables of the report as HTML; every text that came from a file or a reader is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from statistics import fmean

from mura_core.review.chart_forest import written
from mura_core.review.figures import Figures
from mura_core.review.reader_results import ReaderResults
from mura_core.review.results import Group
from mura_core.review.types import Condition

CONDITION_WORDS = {Condition.UNAIDED: "unaided", Condition.AIDED: "with AI"}


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> str:
    """A table of texts, the first `names` columns words, the others figures; "" without rows."""
    lines = [_line(row, "td", names) for row in rows]
    if not lines:
        return ""
    head = _line(header, "th", names)
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table></div>"


def group_table(groups: Sequence[Group]) -> str:
    """What the AI changed in each group, how long readings took, and how far readers agree."""
    rows = []
    for group in groups:
        everyone = group.everyone
        change = everyone.difference["accuracy"] if everyone.difference else None
        sides = everyone.switches
        rows.append(
            [
                group.name,
                str(group.cases),
                f"{group.abnormal} / {group.normal}",
                written(change, signed=True),
                f"{sides.better} / {sides.worse}" if sides else "–",
                _pair([_seconds(everyone, condition) for condition in Condition]),
                _pair([_mean_kappa(group, condition) for condition in Condition]),
            ]
        )
    header = [
        "",
        "cases",
        "abnormal / normal",
        "accuracy, AI's change",
        "better / worse",
        "median time",
        "kappa of readers",
    ]
    return table(header, rows)


def _pair(values: Sequence[str]) -> str:
    return " → ".join(value for value in values if value) or "–"


def _seconds(everyone: ReaderResults, condition: Condition) -> str:
    return f"{everyone.times[condition].median_s:.0f} s" if condition in everyone.times else ""


def _mean_kappa(group: Group, condition: Condition) -> str:
    """The mean over the pairs of readers for whom it is defined."""
    found = [one.kappa.value for one in group.inter if one.condition is condition]
    known = [value for value in found if value is not None]
    return f"{fmean(known):.2f}" if known else ""


def reader_table(readers: Sequence[tuple[str, ReaderResults]]) -> str:
    """Counts, accuracy and kappa of every reader, and of the model where its cases are others than before."""
    rows = []
    seen = []
    for name, one in readers:
        shown = name
        for rater, figures in _raters(one):
            if figures is one.ai and figures in seen:
                continue
            seen.append(figures)
            counts = [f"{figures.n} ({figures.abnormal})", str(figures.unsure)]
            rows.append([shown, rater, *counts, *_measures(figures, ("accuracy", "cohen_kappa"))])
            shown = ""
    return table(["", "", "calls (abnormal)", "unsure", "accuracy", "kappa"], rows, names=2)


def mark_table(readers: Sequence[tuple[str, ReaderResults]]) -> str:
    """Marks in truth boxes, and at the model's hottest place, with their counts."""
    rows = []
    for name, one in readers:
        shown = name
        for condition, marks in one.marks.items():
            rows.append(
                [
                    shown,
                    CONDITION_WORDS[condition],
                    f"{marks.marked} of {marks.boxed}",
                    f"{marks.hit} of {marks.marked}",
                    written(marks.hit_rate),
                    f"{marks.near_ai} of {marks.compared}",
                    written(marks.near_ai_rate),
                ]
            )
            shown = ""
    header = ["", "", "marked, of boxed", "in a box", "hit rate", "at AI's hottest place", "rate"]
    return table(header, rows, names=2)


def tag_table(everyone: ReaderResults) -> str:
    """Findings named by all readers together."""
    rows = [
        [
            tag.finding.value,
            CONDITION_WORDS[condition],
            str(tag.present),
            str(tag.given),
            written(tag.sensitivity),
            written(tag.specificity),
        ]
        for condition, tags in everyone.tags.items()
        for tag in tags
    ]
    return table(["finding", "", "there", "named", "sensitivity", "specificity"], rows, names=2)


def _raters(one: ReaderResults) -> list[tuple[str, Figures]]:
    found = [(CONDITION_WORDS[condition], figures) for condition, figures in one.figures.items()]
    return [*found, ("AI alone", one.ai)] if one.ai else found


def _measures(figures: Figures, names: Sequence[str]) -> list[str]:
    return [written(figures.measures[name]) for name in names]


def _line(cells: Sequence[str], tag: str, names: int) -> str:
    inside = "".join(
        f"<{tag} class='{'name' if number < names else 'number'}'>{escape(cell)}</{tag}>"
        for number, cell in enumerate(cells)
    )
    return f"<tr>{inside}</tr>"
