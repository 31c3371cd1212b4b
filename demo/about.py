"""The fixed texts of the side panel as HTML; everything that comes from a file is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from demo import handlers
from demo.wording import LANGUAGES, Wording

if TYPE_CHECKING:
    from mura_core.sidecar import Sidecar


def heading(words: Wording, addresses: dict[str, str]) -> str:
    """The page's heading, the notice that must never be out of sight, and the way to the other language.

    Args:
        words: The page's language.
        addresses: Language to address of this page in it, relative to the app's root.
    """
    return (
        f"<header><h1>{escape(words['page.title'])}</h1>{_languages(words, addresses)}"
        f"<p class='lead'>{escape(words['page.lead'])}</p>"
        f"<p class='notice'>{escape(words['page.notice'])}</p></header>"
    )


def upload_notes(words: Wording) -> str:
    """What may be uploaded and what becomes of it."""
    limits = words.text("page.limits", views=handlers.MAX_VIEWS, megabytes=handlers.MAX_FILE_MB)
    return _note(limits) + _note(words.text("page.privacy", minutes=handlers.IDLE_S // 60))


def examples_heading(words: Wording) -> str:
    """What the example studies are."""
    return f"<h2>{escape(words['page.examples'])}</h2>{_note(words['page.examples_note'])}"


def model_panel(sidecar: Sidecar, words: Wording) -> str:
    """Name, version, declared scope and the meaning of the calls and the map."""
    figures = words.measured(sidecar.metrics)
    name = words.text("page.model_line", name=sidecar.architecture, version=sidecar.version)
    # What the weights say of themselves is English in every language.
    scope = f"<p class='note' lang='en'>{escape(sidecar.data)}</p>"
    measured = _folded(words["page.about_measured"], _pairs(figures)) if figures else ""
    return (
        f"<section class='about'><h2>{escape(words['page.about'])}</h2>"
        f"<p class='note'><strong>{escape(name)}</strong></p>"
        + _folded(words["page.about_scope"], scope, unfolded=True)
        + _folded(words["page.about_calls"], _pairs(words.meaning_of_calls(sidecar.operating_points)))
        + measured
        + _folded(words["page.about_map"], _note(words["page.about_map_text"]))
        + "</section>"
    )


def _languages(words: Wording, addresses: dict[str, str]) -> str:
    """Name every language in itself; the one in use is no link."""
    parts = []
    for language in LANGUAGES:
        name = escape(Wording(language)["page.language"])
        if language == words.language:
            parts.append(f"<span lang='{language}' aria-current='true'>{name}</span>")
        else:
            parts.append(
                f"<a href='{addresses[language]}' lang='{language}' hreflang='{language}'>{name}</a>"
            )
    return f"<nav class='languages' aria-label='{escape(words['page.languages'])}'>{' / '.join(parts)}</nav>"


def _folded(title: str, content: str, *, unfolded: bool = False) -> str:
    return f"<details{' open' if unfolded else ''}><summary>{escape(title)}</summary>{content}</details>"


def _pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(term)}</dt><dd>{escape(text)}</dd>' for term, text in pairs)}</dl>"


def _note(text: str) -> str:
    return f"<p class='note'>{escape(text)}</p>"
