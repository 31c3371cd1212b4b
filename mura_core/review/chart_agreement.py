"""The agreement of readers as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from mura_core.review import svg
from mura_core.review.agreement import Agreement
from mura_core.review.chart_forest import ForestRow, draw_forest, shortened
from mura_core.review.types import Condition


def draw_agreement(found: Sequence[Agreement]) -> str:
    """Draw kappa and the shares of equal calls, pair by pair, conditions under one another."""
    rows = []
    before = ("", "")
    for one in sorted(
        found, key=lambda one: (one.first.casefold(), one.second.casefold(), one.condition == "aided")
    ):
        pair = (one.first, one.second)
        name = (
            one.first
            if one.first == one.second
            else f"{shortened(one.first, 12)} – {shortened(one.second, 12)}"
        )
        detail = f"{'with AI' if one.condition is Condition.AIDED else 'unaided'}, n {one.n}"
        values = [one.kappa, one.same_decision, one.same_verdict]
        colour, shape = svg.OF_CONDITION[one.condition], svg.shape_of(one.condition)
        rows.append(ForestRow("" if pair == before else name, detail, colour, shape, values))
        before = pair
    columns = ["Kappa", "Same decision", "Same verdict"]
    return draw_forest(
        rows, columns, label="Agreement of readers, 95 % intervals", axis=(-0.5, 0.0, 0.5, 1.0), names=262
    )
