"""The fixed texts of the side panel as HTML; everything that comes from a file is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from demo import handlers, wording

if TYPE_CHECKING:
    from mura_core.sidecar import Sidecar


def heading() -> str:
    """The page's heading and the notice that must never be out of sight."""
    return (
        f"<header><h1>{escape(wording.TITLE)}</h1><p class='lead'>{escape(wording.LEAD)}</p>"
        f"<p class='notice'>{escape(wording.NOTICE)}</p></header>"
    )


def upload_notes() -> str:
    """What may be uploaded and what becomes of it."""
    limits = wording.upload_limits(handlers.MAX_VIEWS, handlers.MAX_FILE_MB)
    return f"<p class='note'>{escape(limits)}</p><p class='note'>{escape(wording.PRIVACY)}</p>"


def examples_heading() -> str:
    """What the example studies are."""
    return f"<h2>{escape(wording.EXAMPLES)}</h2><p class='note'>{escape(wording.EXAMPLES_NOTE)}</p>"


def model_panel(sidecar: Sidecar) -> str:
    """Name, version, declared scope and the meaning of the calls and the map."""
    points = wording.meaning_of_calls(sidecar.operating_points)
    figures = wording.measured(sidecar.metrics)
    name = wording.model_line(sidecar.architecture, sidecar.version)
    return (
        f"<section class='about'><h2>{escape(wording.ABOUT)}</h2>"
        f"<p class='note'><strong>{escape(name)}</strong></p>"
        + _folded(wording.ABOUT_SCOPE, _note(sidecar.data), unfolded=True)
        + _folded(wording.ABOUT_CALLS, _pairs(points))
        + (_folded(wording.ABOUT_MEASURED, _pairs(figures)) if figures else "")
        + _folded(wording.ABOUT_MAP, _note(wording.ABOUT_MAP_TEXT))
        + "</section>"
    )


def _folded(title: str, content: str, *, unfolded: bool = False) -> str:
    return f"<details{' open' if unfolded else ''}><summary>{escape(title)}</summary>{content}</details>"


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(term)}</dt><dd>{escape(text)}</dd>' for term, text in pairs)}</dl>"


def _note(text: str) -> str:
    return f"<p class='note'>{escape(text)}</p>"
