"""What a session accepts: names, cases and calls that come from outside are looked at here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.types import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mura_core.review.types import Case, Mark, ReaderCall

MAX_NAME = 64
MAX_MARKS = 100
"""Marks of one call; nobody draws more by hand."""

_ROUNDING = 1e-6


def check_reader(reader: str) -> None:
    """Refuse what cannot be a reader's name.

    Raises:
        SessionError: It is empty, too long, or has blanks at an end or characters that cannot be shown.
    """
    if not (0 < len(reader) <= MAX_NAME and reader == reader.strip() and reader.isprintable()):
        raise SessionError(
            f"A reader's name has 1 to {MAX_NAME} visible characters and no blank at its ends. Give another."
        )


def check_cases(cases: Sequence[Case]) -> None:
    """Refuse cases of which no session can be made.

    Raises:
        SessionError: There is none, one has no view, or an id comes twice.
    """
    if not cases:
        raise SessionError(
            "A session needs at least one study. Give a folder, ZIP or files with radiographs."
        )
    seen = set()
    for case in cases:
        if not case.views:
            raise SessionError(f"The study {case.case_id} has no view. Expected at least one radiograph.")
        if case.case_id in seen:
            raise SessionError(f"Two studies are called {case.case_id}. Give each its own name.")
        seen.add(case.case_id)


def check_call(call: ReaderCall, *, views: int) -> None:
    """Refuse a call that the page could not have made.

    Args:
        call: The call.
        views: How many views the case has.

    Raises:
        SessionError: A field is not what `ReaderCall` says.
    """
    if not isinstance(call.verdict, Verdict):
        raise SessionError(f"The call is {call.verdict!r}. Expected normal, abnormal or unsure.")
    whole = isinstance(call.confidence, int) and not isinstance(call.confidence, bool)
    if not (whole and 0 <= call.confidence <= 100):
        raise SessionError(f"The confidence is {call.confidence!r}. Expected a whole number from 0 to 100.")
    if not all(isinstance(finding, Finding) for finding in call.findings):
        raise SessionError(f"The findings are {list(call.findings)!r}. Expected {', '.join(Finding)}.")
    if len(call.marks) > MAX_MARKS:
        raise SessionError(f"The call has {len(call.marks)} marks. Expected at most {MAX_MARKS}.")
    for mark in call.marks:
        if not is_mark(mark, views=views):
            raise SessionError(
                f"{mark} lies on no view of this study. Expected a view from 0 to {views - 1}, and place "
                "and size in fractions of the film, within 0 and 1."
            )


def is_mark(mark: Mark, *, views: int) -> bool:
    """Tell whether a mark lies on a film of a study with so many views.

    >>> from mura_core.review.types import Mark
    >>> is_mark(Mark(0, 0.5, 0.5), views=1), is_mark(Mark(1, 0.5, 0.5), views=1)
    (True, False)
    """
    edges = (mark.top, mark.left, mark.height, mark.width)
    if not all(isinstance(edge, int | float) and math.isfinite(edge) and 0 <= edge <= 1 for edge in edges):
        return False
    inside = mark.top + mark.height <= 1 + _ROUNDING and mark.left + mark.width <= 1 + _ROUNDING
    return inside and isinstance(mark.view, int) and 0 <= mark.view < views
