"""What the answers to many readers, and the looks at the server, add up to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.load_films import Sent
    from benchmarks.load_reader import Outcome
    from benchmarks.load_server import Server, Taken


def crowd_figures(
    plan: Sequence[Sequence[Sent]], done: Sequence[tuple[list[Outcome], list[float]]], seconds: float
) -> dict[str, Any]:
    """What came of a crowd.

    Args:
        plan: For each reader, the studies sent.
        done: For each reader, what became of them, and when each answer came.
        seconds: From the first to the last.
    """
    outcomes = [outcome for read, _ in done for outcome in read]
    answered = [outcome for outcome in outcomes if not outcome.trouble]
    return {
        "clients": len(plan),
        "studies": len(outcomes),
        "views": sum(len(study.files) for studies in plan for study in studies),
        "seconds": seconds,
        "studies_per_s": len(answered) / seconds,
        "lost": len(outcomes) - len(answered),
        "mixed_up": sum(outcome.mixed for outcome in answered),
        "troubles": troubles(outcomes),
        "busy_answers": sum(outcome.busy for outcome in outcomes),
        "told_a_place": sum(bool(outcome.places) for outcome in outcomes),
        "last_place": max((place for outcome in outcomes for place in outcome.places), default=0),
        **{
            name: spread([getattr(outcome, name) for outcome in answered])
            for name in ("films_s", "verdict_s", "maps_s", "whole_s")
        },
        "fairness": fairness([times for _, times in done]),
    }


def memory_figures(before: Taken, samples: Sequence[Taken], after: Taken) -> dict[str, Any]:
    """What the server took for a crowd."""
    return {
        "rss_mb": {
            "start": before.rss_mb,
            "peak": max(taken.rss_mb for taken in samples),
            "end": after.rss_mb,
        },
        "threads": max(taken.threads for taken in samples),
        "disk_mb_end": after.disk_mb,
    }


def soak_figures(outcomes: Sequence[Outcome], left_early: int, seconds: float) -> dict[str, Any]:
    """What came of the pages that came and went."""
    return {
        "minutes": seconds / 60,
        "studies": len(outcomes),
        "left_early": left_early,
        "lost": sum(bool(outcome.trouble) for outcome in outcomes),
        "mixed_up": sum(outcome.mixed for outcome in outcomes),
        "troubles": troubles(outcomes),
        "verdict_s": spread([outcome.verdict_s for outcome in outcomes if not outcome.trouble]),
    }


def troubles(outcomes: Sequence[Outcome]) -> list[str]:
    """What went wrong, five kinds at most."""
    return sorted({outcome.trouble for outcome in outcomes if outcome.trouble})[:5]


def spread(values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and largest; nan where there is nothing."""
    if not values:
        return {"median": math.nan, "p95": math.nan, "max": math.nan}
    median, p95 = (float(value) for value in np.percentile(values, (50, 95)))
    return {"median": median, "p95": p95, "max": max(values)}


def levels(server: Server) -> dict[str, Any]:
    """Start, peak, end of what a server took, and the slope of its later three quarters."""
    return {
        name: {
            "start": getattr(server.samples[0], name),
            "peak": max(getattr(taken, name) for taken in server.samples),
            "end": getattr(server.samples[-1], name),
            "slope_per_hour": slope(server, name),
        }
        for name in ("rss_mb", "files", "threads")
    }


def slope(server: Server, name: str) -> float:
    """The line through what was seen, per hour; the first quarter, when caches fill, is left out."""
    later = server.samples[len(server.samples) // 4 :]
    seen = [(taken.at_s / 3600, float(getattr(taken, name))) for taken in later]
    return float(np.polyfit(*zip(*seen, strict=True), 1)[0]) if len(seen) > 2 else math.nan


def fairness(answered: list[list[float]]) -> float:
    """Jain's index of how many answers each reader has at the moment when the first one has all of them.

    Args:
        answered: For each reader, when the answers came; as many for everyone.

    >>> fairness([[1.0, 2.0], [1.5, 3.0]]), fairness([[1.0, 2.0], [4.0, 6.0]])
    (0.9, 0.5)
    """
    first = min(times[-1] for times in answered)
    return jain([float(sum(at <= first for at in times)) for times in answered])


def jain(shares: list[float]) -> float:
    """Jain's index of fairness: 1 if all have the same share, 1/n if one has all.

    >>> jain([2.0, 2.0]), jain([1.0, 0.0])
    (1.0, 0.5)
    """
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))
