"""Which way round a film lies, and how one that lies on its side is read: turned back.

A linear layer on the rooted features scores the four ways. Where a quarter turn is likelier than none, the
film is read once more, turned back, and what both readings say is added up: on this alone the film is judged.
One that lies upside down is read as it is; hands are taken both ways, and the network copes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mura_core.pooling import Maps, root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Turns = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Orientation:
    """Tells the four ways a film may lie: turned to the left by none, one, two or three quarters.

    Attributes:
        weights: float32 (4, C + 1), of each way on the rooted features; the last is the bias.
        threshold: Log of the odds, by both readings, from which a film is judged to lie on its side.
    """

    weights: Floats
    threshold: float

    def scores(self, features: Floats) -> Floats:
        """Score the four ways: features float32 (V, C) as `Maps` has them, result float32 (V, 4)."""
        scores: Floats = root(features) @ self.weights[:, :-1].T + self.weights[:, -1]
        return scores

    def suspect(self, features: Floats) -> Turns:
        """Say which films may lie on their side by their first reading.

        Args:
            features: float32 (V, C).

        Returns:
            int64 (V,), 1 or 3 quarter turns to the left where one of these is likelier than none; else 0.
        """
        scores = self.scores(features)
        # Of a film that the network makes nothing of, the bias alone would speak.
        return np.where((side_odds(scores) > 0) & features.any(axis=1), _side(scores), 0)

    def confirm(self, features: Floats, back: Floats, turns: Turns) -> NDArray[np.bool_]:
        """Say which of the films suspected do lie on their side.

        Args:
            features: float32 (V, C) of the films as they lie.
            back: Likewise, of the films turned back by `turns`.
            turns: int64 (V,), 1 or 3.
        """
        scores = both(self.scores(features), self.scores(back), turns)
        sure: NDArray[np.bool_] = side_odds(scores) >= self.threshold
        return sure


def both(scores: Floats, back: Floats, turns: Turns) -> Floats:
    """Add up two readings of films: scores (V, 4) as they lie, and turned back by `turns` (V,)."""
    ways = (np.arange(4) - turns[:, None]) % 4
    together: Floats = scores + np.take_along_axis(back, ways, axis=1)
    return together


def side_odds(scores: Floats) -> Floats:
    """Log of the odds that a film lies on its side, by the scores (V, 4) of the four ways."""
    odds: Floats = np.logaddexp(scores[:, 1], scores[:, 3]) - np.logaddexp(scores[:, 0], scores[:, 2])
    return odds


def turn(film: Floats, quarters: int) -> Floats:
    """Turn a film or a map (S, S) to the left."""
    return np.ascontiguousarray(np.rot90(film, quarters))


def read_turning(
    run: Callable[[Sequence[Floats]], Maps], films: Sequence[Floats], orientation: Orientation
) -> tuple[Maps, Turns]:
    """Read films, those that lie on their side turned back.

    Args:
        run: Runs the network; called a second time with the films suspected, if there are any.
        films: V prepared films, float32 (S, S); not changed.
        orientation: Tells how they lie.

    Returns:
        The reading of each that counts, its maps in the film's own frame; and by how many quarters to the
        left each lies turned: 0, 1 or 3, int64 (V,).
    """
    maps = run(films)
    turns = orientation.suspect(maps.features)
    places = [int(place) for place in np.flatnonzero(turns)]
    if not places:
        return maps, turns
    again = run([turn(films[place], -int(turns[place])) for place in places])
    sure = orientation.confirm(maps.features[places], again.features, turns[places])
    kept = Maps(*(part.copy() for part in maps))
    for row, place in enumerate(places):
        if not sure[row]:
            turns[place] = 0
            continue
        quarters = int(turns[place])
        kept.logits[place], kept.features[place] = again.logits[row], again.features[row]
        kept.cams[place] = turn(again.cams[row], quarters)
        kept.local_logits[place] = turn(again.local_logits[row], quarters)
    return kept, turns


def _side(scores: Floats) -> Turns:
    return np.where(scores[:, 1] > scores[:, 3], 1, 3)
