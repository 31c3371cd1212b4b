"""The figures of the input check and of the body parts as Markdown, for the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core.cells import LEAST, counted_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def known_text(figures: Mapping[str, Any]) -> str:
    """Lay the figures of `known` out as Markdown."""
    films, test = figures["films"], figures["refused"]["test"]
    valid, part = figures["refused"]["valid"], figures["body_part"]
    lines = [
        f"Each film's pooled features are compared with those of {films['train']} training films. The "
        f"threshold was set on valid films ({valid['strange']} of {valid['films']} are beyond it). Of the "
        f"{test['films']} test films {test['noted']} ({_share(test['noted'], test['films'])}) get a note "
        f"against relying on the call, {test['strange']} of them for this distance. Measured with "
        f"{figures['engine']}.",
        "",
        "What is no limb film was drawn, or made of limb films. Drawn stand-ins are easier to tell than real "
        "chest, skull or abdomen films, of which none were at hand: **that those would be noticed was not "
        "shown.** AUROC is that of the distance against the test films; *noticed* counts plain tests too.",
        "",
        "| stand-in | pictures | AUROC | noticed |",
        "|---|---|---|---|",
        *(
            f"| {row['kind']} | {row['pictures']} | {row['auroc']:.3f} | {row['noted']:.0%} |"
            for row in figures["kinds"]
        ),
        "",
        "The body part, by a linear layer on the same features, shown where its probability is 0.9 or more:",
        "",
        "| body part | training films | test films | right | shown | right of those shown |",
        "|---|---|---|---|---|---|",
        *(_part_row(row["part"].replace("+", " and "), row.get("train"), row) for row in part["parts"]),
        _part_row("all", films["train"], part["all"]),
        *_turned_lines(figures.get("turned", {})),
    ]
    return "\n".join(lines)


def _turned_lines(turned: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """How films that are rotated fare, or that they are read as they lie."""
    if not turned:
        return ["", "How films lie was not learnt: **a rotated one is read as it lies**, and worse for it."]
    return [
        "",
        "A film that seems to be rotated by 90 degrees is read turned back, and gets a note; one upside down "
        "is read as it lies. Each film was rotated as it is stored, before anything else is done to it; what "
        "tells how it lies was fitted on training films, its threshold set on valid films. AUROC of a film's "
        "own probability:",
        "",
        "| films | rotated to the left | judged so | turned back rightly | AUROC as it lies | as served |",
        "|---|---|---|---|---|---|",
        *(_turned_row(split, row) for split, rows in turned.items() for row in rows),
    ]


def _turned_row(split: str, row: Mapping[str, Any]) -> str:
    plain, served = (
        counted_cell(row["patients_of_rarer"], row, f"auroc_{read}") for read in ("plain", "served")
    )
    judged = f"{row['judged']} of {row['films']}{_percent(row['judged'], row['films'])}"
    return f"| {split} | {row['degrees']} degrees | {judged} | {row['right']} | {plain} | {served} |"


def _part_row(name: str, trained: object, row: Mapping[str, Any]) -> str:
    right = f"{row['right']}{_percent(row['right'], row['films'])}"
    shown = f"{row['sure_and_right']} of {row['sure']}"
    return f"| {name} | {trained} | {row['films']} | {right} | {row['sure']} | {shown} |"


def _percent(count: int, whole: int) -> str:
    """A share in brackets, or nothing where it would be one of too few."""
    return f" ({_share(count, whole)})" if whole >= LEAST else ""


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}"
