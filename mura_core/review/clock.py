"""Times that survive a crash, another process and a clock that is set back."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Moment:
    """One point in time by two clocks.

    Attributes:
        at: The calendar's, ISO 8601, UTC; may be set back at any time.
        boot: Which run of the machine `ticks` belongs to.
        ticks: Seconds by a clock that only goes forward while `boot` stays the same.
    """

    at: str
    boot: str
    ticks: float


def now() -> Moment:
    """Read both clocks."""
    return Moment(datetime.now(UTC).isoformat(timespec="microseconds"), _boot(), time.monotonic())


def seconds_between(earlier: Moment, later: Moment) -> float:
    """Seconds from one moment to another, never negative.

    Within one run of the machine the forward clock decides, so that a corrected calendar changes nothing;
    across a restart only the calendar is left.

    >>> before = Moment("2026-01-02T00:00:00+00:00", "a", 5.0)
    >>> seconds_between(before, Moment("2026-01-01T00:00:00+00:00", "a", 7.5))
    2.5
    """
    if earlier.boot == later.boot:
        return max(0.0, later.ticks - earlier.ticks)
    passed = datetime.fromisoformat(later.at) - datetime.fromisoformat(earlier.at)
    return max(0.0, passed.total_seconds())


@cache
def _boot() -> str:
    """Name this run of the machine; where it has no name, this process, whose ticks no other shares."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return uuid.uuid4().hex
