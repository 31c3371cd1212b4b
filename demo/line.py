"""The order of a line: readers in rotation, and each reader's own in the order they came."""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

_IN_A_ROW = 4


class Rank(IntEnum):
    """What comes first: a study that a reader waits for, or what may come between."""

    STUDY = 0
    LATER = 1


class Standing(Protocol):
    """What stands in line: whose it is, and what comes first."""

    user: str
    rank: Rank


Thing = TypeVar("Thing", bound=Standing)


class Line(Generic[Thing]):
    """Things in line. What ranks `LATER` comes when no `STUDY` is there, and after every four of them."""

    def __init__(self) -> None:
        # By rank: readers, the one whose turn is next first, and what each has in line.
        self._waiting: dict[Rank, OrderedDict[str, deque[Thing]]] = {rank: OrderedDict() for rank in Rank}
        self._in_a_row = 0

    def add(self, thing: Thing) -> None:
        """Put a thing behind the others of its user; a user who is new comes after all who are there."""
        self._waiting[thing.rank].setdefault(thing.user, deque()).append(thing)

    def remove(self, thing: Thing) -> bool:
        """Take a thing out of the line; tells whether it was there."""
        users = self._waiting[thing.rank]
        if thing not in users.get(thing.user, ()):
            return False
        users[thing.user].remove(thing)
        if not users[thing.user]:
            del users[thing.user]
        return True

    def take(self) -> Thing | None:
        """Take out the one whose turn it is; None if nobody is there."""
        order = self.in_order()
        if not order:
            return None
        thing, users = order[0], self._waiting[order[0].rank]
        users[thing.user].popleft()
        if users[thing.user]:
            users.move_to_end(thing.user)
        else:
            del users[thing.user]
        self._in_a_row = self._in_a_row + 1 if thing.rank is Rank.STUDY else 0
        return thing

    def in_order(self) -> list[Thing]:
        """Everything in line, in the order in which it comes if nobody else does."""
        first, later = (_rotation(self._waiting[rank]) for rank in (Rank.STUDY, Rank.LATER))
        order: list[Thing] = []
        in_a_row = self._in_a_row
        while first or later:
            if later and (not first or in_a_row >= _IN_A_ROW):
                order.append(later.popleft())
                in_a_row = 0
            else:
                order.append(first.popleft())
                in_a_row += 1
        return order


def _rotation(users: OrderedDict[str, deque[Thing]]) -> deque[Thing]:
    """One of each user, then the second of each, and so on."""
    rounds = max((len(things) for things in users.values()), default=0)
    return deque(
        things[number] for number in range(rounds) for things in users.values() if number < len(things)
    )
