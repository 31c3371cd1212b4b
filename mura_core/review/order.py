"""The order in which a reader sees the cases, with some of them hidden a second time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from mura_core.errors import SessionError
from mura_core.review.types import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 8
"""Places that should lie between the first showing and the repeat, where the list is long enough."""

_TRIES = 100


def reading_list(case_ids: Sequence[str], *, seed: int, reader: str, repeats: int) -> tuple[Place, ...]:
    """Order the cases for one reader.

    The seed settles which cases are repeated, so that they are the same for all readers; seed and name
    settle the order. The same arguments give the same list on every machine.

    Args:
        case_ids: At least one, all different.
        seed: The session's.
        reader: The reader's name.
        repeats: How many cases are shown twice, at most as many as there are.

    Returns:
        `len(case_ids) + repeats` places, numbered from 0. A repeat comes at least `gap(len(case_ids))` places
        after the first showing, or, where chance finds no such list, as far after it as chance found.

    Raises:
        SessionError: There is no case, a case is named twice, or there are more repeats than cases.
    """
    if not case_ids or len(set(case_ids)) != len(case_ids):
        raise SessionError("A reading list needs at least one case, each named once.")
    if not 0 <= repeats <= len(case_ids):
        raise SessionError(
            f"{repeats} repeats of {len(case_ids)} cases were asked for. Expected 0 to {len(case_ids)}."
        )
    # A string as seed is hashed by `random` itself, the same way everywhere.
    repeated = frozenset(random.Random(f"repeats {seed}").sample(sorted(case_ids), repeats))  # noqa: S311
    chance = random.Random(f"order {seed} {reader}")  # noqa: S311 - an order, no secret
    wanted = gap(len(case_ids))
    best: list[Place] = []
    for _ in range(_TRIES):
        drawn = _draw(sorted(case_ids), repeated, wanted, chance)
        if not best or _shortest_distance(drawn) > _shortest_distance(best):
            best = drawn
        if _shortest_distance(best) >= wanted:
            break
    return tuple(best)


def gap(cases: int) -> int:
    """Places from a first showing to its repeat: `GAP`, fewer in a short list.

    >>> gap(40), gap(6), gap(1)
    (8, 3, 1)
    """
    return max(1, min(GAP, cases // 2))


def _draw(cases: list[str], repeated: frozenset[str], wanted: int, chance: random.Random) -> list[Place]:
    """Draw place by place among first showings and repeats that are due; may fall short at the end."""
    unseen = list(cases)
    chance.shuffle(unseen)
    waiting: list[Place] = []
    drawn: list[Place] = []
    while unseen or waiting:
        number = len(drawn)
        due = [first for first in waiting if number - first.number >= wanted]
        choice = chance.randrange(len(unseen) + len(due)) if unseen or due else -1
        if 0 <= choice < len(unseen):
            place = Place(number, unseen.pop(choice))
            if place.case_id in repeated:
                waiting.append(place)
        else:
            first = due[choice - len(unseen)] if due else waiting[0]
            waiting.remove(first)
            place = Place(number, first.case_id, repeat=1)
        drawn.append(place)
    return drawn


def _shortest_distance(places: Sequence[Place]) -> int:
    """Places from first showing to repeat where they are nearest; the list's length without repeats."""
    first = {place.case_id: place.number for place in places if not place.repeat}
    return min((place.number - first[place.case_id] for place in places if place.repeat), default=len(places))
