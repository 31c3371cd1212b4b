"""One row for each reader, case, showing and condition: what every figure of a session is computed from.

Rules that hold for all of them:

- A *decision* is two-way, because truth is. "Unsure" (and the model's "doubt") counts as abnormal where the
  confidence (the model's probability) is 50 % or more, as normal below. How often it was said is
  reported too.
- Only first showings count against truth; hidden repeats serve the agreement of a reader with themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mura_core.review.types import Condition, Verdict
from mura_core.study import Call

if TYPE_CHECKING:
    from mura_core.review.store import SessionStore
    from mura_core.review.types import AiResult, Case, ReaderCall, Reading

UNSURE_IS_ABNORMAL_FROM = 50
"""Confidence in percent from which an unsure verdict counts as abnormal; half of it as a probability."""


@dataclass(frozen=True)
class ReadingRow:
    """A reading beside its case and what the model said of the case (None where it was not run)."""

    reading: Reading
    case: Case
    ai: AiResult | None

    @property
    def reader(self) -> str:
        """Who made the call."""
        return self.reading.reader

    @property
    def condition(self) -> Condition:
        """Whether the model's result was shown."""
        return self.reading.condition

    @property
    def repeat(self) -> int:
        """0 at the first showing, 1 at the hidden second one."""
        return self.reading.place.repeat

    @property
    def call(self) -> ReaderCall:
        """What was said."""
        return self.reading.call

    @property
    def decision(self) -> int:
        """The call as 1 (abnormal) or 0 (normal)."""
        return reader_decision(self.call)

    @property
    def label(self) -> int | None:
        """Truth: 1 abnormal, 0 normal, None unknown."""
        return self.case.truth.label if self.case.truth else None


def reader_decision(call: ReaderCall) -> int:
    """Turn a reader's call into 1 (abnormal) or 0 (normal).

    >>> from mura_core.review.types import ReaderCall, Verdict
    >>> [reader_decision(ReaderCall(Verdict.UNSURE, confidence)) for confidence in (49, 50)]
    [0, 1]
    """
    if call.verdict is Verdict.UNSURE:
        return int(call.confidence >= UNSURE_IS_ABNORMAL_FROM)
    return int(call.verdict is Verdict.ABNORMAL)


def ai_decision(ai: AiResult) -> int:
    """Turn the model's call into 1 (abnormal) or 0 (normal) by the rule that holds for readers."""
    if ai.call is Call.DOUBT:
        return int(ai.probability >= UNSURE_IS_ABNORMAL_FROM / 100)
    return int(ai.call is Call.ABNORMAL)


def collect_rows(store: SessionStore) -> tuple[ReadingRow, ...]:
    """Return every valid reading of a session, readers in order of name, each in the order of their list."""
    cases = {case.case_id: case for case in store.cases}
    ai = {case_id: store.model.result(case_id) for case_id in cases}
    order = list(Condition)
    readings = sorted(
        store.readings(),
        key=lambda reading: (
            reading.reader.casefold(),
            reading.reader,
            reading.place.number,
            order.index(reading.condition),
        ),
    )
    return tuple(
        ReadingRow(reading, cases[reading.place.case_id], ai[reading.place.case_id]) for reading in readings
    )
