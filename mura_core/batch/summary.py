"""What a batch came to, in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mura_core.study import Call

_REASONS = 10
_REASON_LENGTH = 100


@dataclass
class Summary:
    """Counts of a batch, filled while it is written.

    Attributes:
        resumed: Studies taken over from an earlier run.
        seconds: Wall time of this run.
    """

    resumed: int = 0
    seconds: float = 0.0
    studies: int = 0
    files: int = 0
    read: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """Files without a result."""
        return self.files - self.read

    def count(self, rows: list[dict[str, Any]]) -> None:
        """Add one study's rows."""
        self.studies += 1
        self.files += len(rows)
        self.read += rows[0]["study_views"]
        self.calls[rows[0]["study_call"] or "none"] += 1
        self.reasons.update(_first_sentence(row["error"]) for row in rows if row["error"])

    def text(self) -> str:
        """Say it for the terminal."""
        new = self.studies - self.resumed
        pace = f", {new / self.seconds:.2f} studies/s" if new and self.seconds else ""
        calls = ", ".join(f"{self.calls[call]} {call}" for call in (*Call, "none") if self.calls[call])
        lines = [
            f"studies  {self.studies} ({new} read now, {self.resumed} by an earlier run)",
            f"views    {self.read} of {self.files} files",
            f"calls    {calls}",
            f"time     {self.seconds:.1f} s{pace}",
        ]
        common = self.reasons.most_common(_REASONS)
        lines += [
            f"{'refused' if not index else '':7}  {count} x {reason}"
            for index, (reason, count) in enumerate(common)
        ]
        if len(self.reasons) > _REASONS:
            lines.append(f"         and {len(self.reasons) - _REASONS} other reasons, in the column error")
        return "\n".join(lines)


def _first_sentence(reason: str) -> str:
    sentence = " ".join(reason.split()).partition(". ")[0]
    return sentence if len(sentence) <= _REASON_LENGTH else sentence[: _REASON_LENGTH - 1] + "…"
