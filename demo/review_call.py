"""The call that a browser sent, looked at before the store looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.review_desk import RuleError
from mura_core.review.types import Finding, Mark, ReaderCall, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

FITTING = {Verdict.NORMAL: (0, 50), Verdict.UNSURE: (20, 80), Verdict.ABNORMAL: (50, 100)}
"""The confidences, in percent, that do not contradict a verdict; review_call.js says so before the commit."""


def read_call(sent: Mapping[str, Any]) -> ReaderCall:
    """Read a call that a browser sent; the store looks at the rest.

    Raises:
        RuleError: It is no call, or its confidence contradicts its verdict.
    """
    try:
        verdict = Verdict(sent["verdict"])
        confidence = sent["confidence"]
        findings = frozenset(Finding(name) for name in sent["findings"])
        marks = tuple(_mark(mark) for mark in sent["marks"])
    except (KeyError, TypeError, ValueError):
        raise RuleError("wrong_call") from None
    if type(confidence) is not int or not 0 <= confidence <= 100:
        raise RuleError("wrong_call")
    lowest, highest = FITTING[verdict]
    if not lowest <= confidence <= highest:
        raise RuleError(f"contradiction_{verdict}", value=confidence)
    return ReaderCall(verdict, confidence, findings, marks)


def _mark(sent: Mapping[str, Any]) -> Mark:
    return Mark(sent["view"], *(float(sent[name]) for name in ("top", "left", "height", "width")))
