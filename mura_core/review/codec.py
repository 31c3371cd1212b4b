"""Cases, calls and results as the JSON that a session's file keeps, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mura_core.review.types import AiResult, AiView, Finding, Mark, ReaderCall, Truth, Verdict
from mura_core.study import Call


def dump(content: Any) -> str:
    """Write JSON on one line, the same text for the same content."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def truth_text(truth: Truth | None) -> str | None:
    """Write what is known of a case; None where nothing is."""
    if truth is None:
        return None
    boxes = None if truth.boxes is None else [asdict(box) for box in truth.boxes]
    return dump({"label": truth.label, "findings": sorted(truth.findings), "boxes": boxes})


def parse_truth(text: str | None) -> Truth | None:
    """Read what `truth_text` wrote."""
    if text is None:
        return None
    content = json.loads(text)
    boxes = content["boxes"]
    return Truth(
        label=content["label"],
        findings=_findings(content["findings"]),
        boxes=None if boxes is None else tuple(Mark(**box) for box in boxes),
    )


def call_text(call: ReaderCall) -> str:
    """Write what a reader committed."""
    return dump(
        {
            "verdict": call.verdict,
            "confidence": call.confidence,
            "findings": sorted(call.findings),
            "marks": [asdict(mark) for mark in call.marks],
        }
    )


def parse_call(text: str) -> ReaderCall:
    """Read what `call_text` wrote."""
    content = json.loads(text)
    return ReaderCall(
        verdict=Verdict(content["verdict"]),
        confidence=content["confidence"],
        findings=_findings(content["findings"]),
        marks=tuple(Mark(**mark) for mark in content["marks"]),
    )


def ai_text(result: AiResult) -> str:
    """Write the model's result for a case."""
    return dump(asdict(result))


def parse_ai(text: str) -> AiResult:
    """Read what `ai_text` wrote."""
    content = json.loads(text)
    views = tuple(AiView(**{**view, "call": Call(view["call"])}) for view in content["views"])
    return AiResult(content["probability"], Call(content["call"]), views, content["model"])


def _findings(names: list[str]) -> frozenset[Finding]:
    return frozenset(Finding(name) for name in names)
