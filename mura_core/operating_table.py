"""Calls and operating points by body part as tables, for the terminal, the report and the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core.cells import LEAST, TOO_FEW
from mura_core.study import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

PREVALENCE = 0.1
"""Share of abnormal studies that predictive values are stated at, unless another is asked for.

Lower than in most labelled data, which is gathered for its findings.
"""

POINTS = {"threshold": "the threshold", "sensitive": "the sensitive point", "specific": "the specific point"}
"""What each threshold of a group's figures is called."""


def operating_rows(
    operating: Mapping[str, Any], point: str
) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Lay one operating point out by group.

    Args:
        operating: What `operating.measure_operating` returns.
        point: "sensitive" or "specific".

    Returns:
        Title, header and lines of the table.
    """
    given = f"{100 * operating['prevalence']:.3g} %"
    threshold = operating["groups"]["all"]["at"][point]["value"]
    title = f"The {point} point: abnormal from {threshold:.3f} on"
    header = (
        *("studies", "sensitivity", "specificity", f"PPV at {given}", f"NPV at {given}"),
        *("abnormal here", "PPV here", "NPV here"),
    )
    return title, header, tuple(_line(name, group, point) for name, group in operating["groups"].items())


def call_rows(
    groups: Mapping[str, Any],
) -> tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Lay out how many studies get each call, and how many of those are abnormal.

    Args:
        groups: As `study_table.measure_table` has them.

    Returns:
        Title, header and lines of the table.
    """
    lines = []
    for name, group in groups.items():
        cells = []
        for call in Call:
            normal, abnormal = (group["calls"][label][call.value] for label in ("normal", "abnormal"))
            called = normal + abnormal
            cells.append(f"{_share(called, group['studies'])}; abnormal {_share(abnormal, called)}")
        lines.append((name, str(group["studies"]), *cells))
    title = "Share of the studies that get each call, and what part of those is abnormal"
    return title, ("studies", "n", *(f"called {call.value}" for call in Call)), tuple(lines)


def operating_rule(operating: Mapping[str, Any]) -> str:
    """Say what the tables' columns are, and when a figure is not stated."""
    least, given = operating["least"], f"{100 * operating['prevalence']:.3g} %"
    return (
        "in each cell the share, the studies it was counted from, and its 95 % interval over patients. PPV: "
        "of those called abnormal the share that is; NPV: of those called normal the share that is. Both "
        f"follow from sensitivity and specificity at a prevalence of {given} (`--prevalence`), and are "
        f'counted at the prevalence that the studies here have ("here"). "{TOO_FEW.capitalize()}": a '
        f"sensitivity is stated from {least} patients with an abnormal study on, a specificity from {least} "
        f"with a normal one, PPV and NPV where there are both, and those here where {least} were called so; "
        "an interval from fewer may be more than 0.44 wide. n/a: no draw differs, or nothing to count."
    )


def _line(name: str, group: Mapping[str, Any], point: str) -> tuple[str, ...]:
    found, abnormal = group["at"][point], group["abnormal"]
    normal = group["studies"] - abnormal
    cells = [
        _counted(found, "sensitivity", f"{found['found']}/{abnormal}", group["enough"]["sensitivity"]),
        _counted(found, "specificity", f"{found['cleared']}/{normal}", group["enough"]["specificity"]),
    ]
    called = normal - found["cleared"] + found["found"]
    counts = {
        "ppv_here": f"{found['found']}/{called}",
        "npv_here": f"{found['cleared']}/{group['studies'] - called}",
    }
    enough = group["enough"]["predictive"]
    cells += [_counted(found, key, "", enough) for key in ("ppv", "npv")]
    cells.append(f"{group['prevalence']:.3f}")
    # Of enough called so there is always something to count.
    cells += [_counted(found, key, count, enough and found[key] is not None) for key, count in counts.items()]
    return (name, *cells)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part}/{whole})" if whole >= LEAST else f"{part}/{whole} {TOO_FEW}"


def _counted(found: Mapping[str, Any], name: str, count: str, enough: bool) -> str:
    if not enough:
        return f"{count} {TOO_FEW}".strip()
    if found[name] is None:
        return f"{count} n/a".strip()
    span = found[f"{name}_ci95"]
    interval = "[n/a]" if span is None else f"[{span[0]:.3f}, {span[1]:.3f}]"
    return " ".join(part for part in (f"{found[name]:.3f}", f"({count})" if count else "", interval) if part)
