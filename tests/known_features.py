"""Made-up features of films, and what is learnt from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mura_core.known import Known
from mura_core.known_fit import fit

CHANNELS = 300

Floats = NDArray[np.float32]


def films(count: int, seed: int, unlike: float = 0.0) -> tuple[Floats, list[str]]:
    """Made-up pooled features of two body parts in turn; `unlike` mixes in what neither has."""
    random = np.random.default_rng(seed)
    features = random.gamma(2.0, 0.1, (count, CHANNELS))
    features[::2, :40] *= 3
    features[1::2, 40:80] *= 3
    features[:, 100:160] *= 1 + unlike
    return features.astype(np.float32), [("arm", "leg")[index % 2] for index in range(count)]


def learn() -> Known:
    """Learn the films made up from one seed, with the threshold from those of another."""
    (train, train_parts), (valid, valid_parts) = films(600, 0), films(300, 1)
    return fit(train, valid, train_parts, valid_parts)
