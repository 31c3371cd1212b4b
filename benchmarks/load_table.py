"""What `load.py` measured, as a table."""

from __future__ import annotations

from typing import Any


def crowd_table(crowds: list[dict[str, Any]]) -> list[str]:
    """The crowds as a Markdown table."""
    lines = [
        "| clients | studies (views) | lost, mixed up | studies/s | call, s: median, p95, max "
        "| with every try, s | busy answers "
        "| fairness | memory, GB: start, peak, end |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in crowds:
        call, whole, memory = one["verdict_s"], one["whole_s"], one["rss_mb"]
        cells = (
            f"{one['clients']}",
            f"{one['studies']} ({one['views']})",
            f"{one['lost']}, {one['mixed_up']}",
            f"{one['studies_per_s']:.1f}",
            f"{call['median']:.1f}, {call['p95']:.1f}, {call['max']:.1f}",
            f"{whole['median']:.1f}, {whole['p95']:.1f}, {whole['max']:.1f}",
            f"{one['busy_answers']}",
            f"{one['fairness']:.3f}",
            ", ".join(f"{memory[when] / 1000:.2f}" for when in ("start", "peak", "end")),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines
