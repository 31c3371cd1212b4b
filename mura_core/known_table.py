"""The figures of the input check and of the body parts as Markdown, for the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core.report import cell

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
        *_turned_lines(figures.get("turned", [])),
    ]
    return "\n".join(lines)


def _turned_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How films that lie on their side fare, or that they are read as they lie."""
    if not rows:
        return ["", "How films lie was not learnt: **one on its side is read as it lies**, and worse for it."]
    return [
        "",
        "A film that seems to lie on its side is read turned back, and gets a note; one upside down is read "
        "as it lies. Test films, each turned as it is stored, before anything else is done to it; AUROC of "
        "a film's own probability:",
        "",
        "| turned to the left | judged on its side | turned back rightly | AUROC as it lies | as served |",
        "|---|---|---|---|---|",
        *(
            f"| {row['degrees']} degrees | {row['judged']} of {row['films']} "
            f"({_share(row['judged'], row['films'])}) | {row['right']} | {cell(row, 'auroc_plain')} | "
            f"{cell(row, 'auroc_served')} |"
            for row in rows
        ),
    ]


def _part_row(name: str, trained: object, row: Mapping[str, Any]) -> str:
    right = _share(row["right"], row["films"])
    shown = f"{row['sure_and_right']} of {row['sure']}"
    return f"| {name} | {trained} | {row['films']} | {row['right']} ({right}) | {row['sure']} | {shown} |"


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}"
