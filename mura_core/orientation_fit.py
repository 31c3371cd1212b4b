"""Learn how films lie from training films that are read turned all four ways: `orientation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mura_core.orientation import Orientation, both, side_odds, turn
from mura_core.pooling import root

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mura_core.pooling import Maps

    Floats = NDArray[np.float32]

TURNED_OF_VALID = 0.01
"""Of the valid films as they lie, at most this share is judged to lie on its side.

Most of those do: of eight of FracAtlas that were looked at, seven. The threshold lies half way between two
films where there are two, so that rounding puts none on its other side when it is read again.
"""

_STRENGTHS = (0.01, 0.03, 0.1, 0.3)


def read_around(read: Callable[[Sequence[Floats]], Maps], films: Sequence[Floats]) -> Floats:
    """Features float32 (4, V, C) of V prepared films (S, S), turned to the left by none to three quarters."""
    features = read([turn(film, way) for way in range(4) for film in films]).features
    return features.reshape(4, len(films), -1)


def fit_orientation(train: Floats, valid: Floats) -> Orientation:
    """Fit the layer, its strength and the threshold.

    Args:
        train: float32 (4, N, C), as `read_around` gives them.
        valid: Likewise, of other films.
    """
    weights = _fit_weights(train, valid)
    every = Orientation(weights, -np.inf)
    turns, odds = _judge(every, valid)
    # At most that share lies above; the next number, for ties and for too few films for any to lie there.
    above = int(TURNED_OF_VALID * len(odds))
    ranked = np.sort(np.where(turns > 0, odds, -np.inf))[::-1]
    limit = (ranked[max(0, above - 1)] + ranked[above]) / 2
    return Orientation(weights, max(0.0, float(np.nextafter(limit, np.float32(np.inf)))))


def features_kept(orientation: Orientation, around: Floats) -> Floats:
    """Features float32 (V, C) of the readings that count, of films read all ways (4, V, C)."""
    turns, _ = _judge(orientation, around)
    kept: Floats = around[-turns % 4, np.arange(around.shape[1])]
    return kept


def _judge(orientation: Orientation, around: Floats) -> tuple[NDArray[np.int64], Floats]:
    """By how many quarters films are judged turned as they lie, and the odds by both readings (V,)."""
    turns, films = orientation.suspect(around[0]), np.arange(around.shape[1])
    back = around[-turns % 4, films]
    sure = orientation.confirm(around[0], back, turns)
    odds = side_odds(both(orientation.scores(around[0]), orientation.scores(back), turns))
    return np.where(sure & (turns > 0), turns, 0), odds


def _fit_weights(train: Floats, valid: Floats) -> Floats:
    """Fit a multinomial logistic regression on scaled rooted features; the weights are for unscaled ones."""
    from sklearn.linear_model import LogisticRegression

    x, held = (root(part.reshape(-1, part.shape[-1])).astype(np.float64) for part in (train, valid))
    ways, truth = (np.repeat(np.arange(4), part.shape[1]) for part in (train, valid))
    middle, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    x, held = (x - middle) / scale, (held - middle) / scale
    fits = [LogisticRegression(C=strength, max_iter=3000).fit(x, ways) for strength in _STRENGTHS]
    losses = [-np.log(one.predict_proba(held)[np.arange(len(truth)), truth] + 1e-12).mean() for one in fits]
    best = fits[int(np.argmin(losses))]
    weights = best.coef_ / scale
    bias = best.intercept_ - weights @ middle
    return np.concatenate([weights, bias[:, None]], axis=1).astype(np.float32)
