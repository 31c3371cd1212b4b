"""Where the network looked, as a heatmap in the radiograph's own frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mura_core.preprocess import Geometry


def heatmap(local_logits: NDArray[np.float32], temperature: float, geometry: Geometry) -> NDArray[np.float32]:
    """Turn local logits into a heatmap on the radiograph.

    The scale is fixed: every cell shows the calibrated probability of a film that looks like this cell all
    over. Nothing is stretched to the film's own range, so a normal film stays cold.

    Args:
        local_logits: float32 (h, w), the score of each location with the bias.
        temperature: What logits are divided by before the sigmoid.
        geometry: How the film was laid into the network's square.

    Returns:
        float32 (H, W) in [0, 1], zero outside the region of interest.
    """
    probabilities = 1.0 / (1.0 + np.exp(-np.clip(local_logits / temperature, -60.0, 60.0)))
    return geometry.map_to_radiograph(probabilities.astype(np.float32))
