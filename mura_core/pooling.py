"""From a score for every location to a film's logit, probability and maps: the network's last steps.

Beside that, what is made of a film's pooled features before films are compared by them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]


class Maps(NamedTuple):
    """What one pass of the network yields for V films.

    Attributes:
        logits: float32 (V,).
        cams: float32 (V, h, w), each location's part in the logit: its mean plus the bias is the logit.
        local_logits: float32 (V, h, w), the logit of a film that looks like this location all over.
        features: float32 (V, C), the plain mean over all locations of what the classification layer sees.
    """

    logits: FloatMap
    cams: FloatMap
    local_logits: FloatMap
    features: FloatMap


def pool(scores: FloatMap, features: FloatMap, bias: float, focus: float) -> Maps:
    """Pool scores as `models.Classifier` does: a mean with the weights softmax(focus * score).

    Args:
        scores: float32 (V, h, w), what the layer says of each location, without the bias.
        features: float32 (V, C), handed on.
        bias: The layer's.
        focus: Sharpness of the pooling; 0 is the plain mean.
    """
    cells = scores.shape[1] * scores.shape[2]
    highest = scores.max(axis=(1, 2), keepdims=True)
    shares = np.exp(np.float32(focus) * (scores - highest))
    shares /= shares.sum(axis=(1, 2), keepdims=True)
    parts = shares * scores
    return Maps(
        parts.sum(axis=(1, 2)) + np.float32(bias),
        parts * np.float32(cells),
        scores + np.float32(bias),
        features,
    )


def sigmoid(logit: float) -> float:
    """Probability of a logit, without overflow.

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    return 1.0 / (1.0 + math.exp(-logit)) if logit > -700 else 0.0


def root(features: FloatMap) -> FloatMap:
    """Bring features (V, C), none below 0, to the sum 1, and take their root; what is all 0 stays so."""
    positive = np.maximum(features, 0)
    total = positive.sum(axis=1, keepdims=True)
    rooted: FloatMap = np.sqrt(positive / np.maximum(total, np.float32(1e-12)))
    return rooted
