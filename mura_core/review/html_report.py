"""The results of a session as one HTML file that asks nothing of any network, to be shown and printed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.review import definitions, html_sections
from mura_core.review.chart_forest import written
from mura_core.review.figures import Interval
from mura_core.review.html_films import ReadFilms, case_sheets
from mura_core.review.html_sections import SHOWN, section
from mura_core.review.html_tables import CONDITION_WORDS
from mura_core.review.reader_results import ReaderResults
from mura_core.review.results import Results
from mura_core.review.rows import ReadingRow, collect_rows

if TYPE_CHECKING:
    from mura_core.review.store import SessionStore

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = Path(__file__).with_name("report.css")


def render(
    results: Results,
    store: SessionStore,
    *,
    thumbnails: bool = False,
    read_films: ReadFilms | None = None,
) -> str:
    """Write the report.

    Args:
        results: What `summarise` made of the store.
        store: The session.
        thumbnails: Whether the films are shown, small; they are patient data.
        read_films: From a case's id to its films; needed for thumbnails.

    Raises:
        ValueError: Thumbnails were asked for without `read_films`.
    """
    if thumbnails and read_films is None:
        raise ValueError("Thumbnails need read_films, the function that reads a case's films.")
    rows = collect_rows(store)
    parts = [
        _head(results, rows),
        _tiles(results.everyone),
        html_sections.curves(results),
        html_sections.against_truth(results),
        html_sections.changes(results),
        html_sections.every_case(store, rows),
        html_sections.agreement(results),
        html_sections.marks(results),
        html_sections.groups(results),
    ]
    if thumbnails and read_films:
        parts.append(section("Films", definitions.FILMS, case_sheets(store, rows, read_films)))
    parts.append(section("How the figures are defined", "", definitions.as_html()))
    title = escape(f"Review session {results.session}")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width'><meta name='referrer' content='no-referrer'>"
        f"<title>{title}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _head(results: Results, rows: Sequence[ReadingRow]) -> str:
    facts = [
        f"{results.cases} cases of {results.patients} patients",
        f"truth known of {results.with_truth}, {results.abnormal} of them abnormal",
        f"{len(results.readers)} reader{'' if len(results.readers) == 1 else 's'}",
        definitions.MODES[results.mode],
        "model: " + (", ".join(results.models) or "none"),
    ]
    if rows:
        facts.append(f"calls until {max(row.reading.committed_at for row in rows)[:10]}")
    if not results.closed:
        facts.append("still open: figures may change")
    return (
        f"<header><h1>Review session {escape(results.session)}</h1>"
        f"<p class='facts'>{escape(' · '.join(facts))}</p></header>"
        f"<p class='notice'>{escape(definitions.NOTICE)}</p>"
    )


def _tiles(everyone: ReaderResults) -> str:
    tiles = []
    for name, title in SHOWN.items():
        values = [
            (CONDITION_WORDS[condition], condition.value, figures.measures[name])
            for condition, figures in everyone.figures.items()
        ]
        if everyone.ai:
            values.append(("AI alone", "ai", everyone.ai.measures[name]))
        big = " → ".join(
            f"<span class='{kind}'>{_short(value)}</span>" for _, kind, value in values if kind != "ai"
        )
        notes = "".join(
            f"<small><span class='{kind}'>{words}</span> {written(value)}</small>"
            for words, kind, value in values
        )
        if everyone.difference:
            notes += f"<small>difference {written(everyone.difference[name], signed=True)}</small>"
        if big:
            tiles.append(
                f"<div class='tile'><b>{title}, all readers</b><div class='big'>{big}</div>{notes}</div>"
            )
    return f"<div class='tiles'>{''.join(tiles)}</div>" if tiles else ""


def _short(value: Interval) -> str:
    return "–" if value.value is None else f"{value.value:.2f}"
