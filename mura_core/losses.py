"""What training minimises: the film's label, and where boxes are known, the place of the fracture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

_FULL_COVERAGE = 0.25


def cell_targets(mask: Tensor, cells: tuple[int, int]) -> Tensor:
    """Say of each cell of the network's grid whether it holds a fracture.

    A quarter of a cell covered counts as full: fractures are smaller than cells, and one that lies across
    four cells marks all of them.

    Args:
        mask: float32 (B, 1, S, S), 1 inside fractures.
        cells: Rows and columns of the grid.

    Returns:
        float32 (B, h, w) in [0, 1].
    """
    coverage = F.adaptive_avg_pool2d(mask, cells).squeeze(1)
    return (coverage / _FULL_COVERAGE).clamp(0, 1)


def place_loss(local_logits: Tensor, mask: Tensor, boxed: Tensor, positive_weight: float = 6.0) -> Tensor:
    """Binary cross-entropy of every cell against the boxes; films that nobody annotated do not count.

    Args:
        local_logits: (B, h, w).
        mask: float32 (B, 1, S, S), 1 inside fractures.
        boxed: float32 (B,), 1 where the mask is known.
        positive_weight: How much more a fracture's cell counts, since they are few.

    Returns:
        A scalar, 0 where no film is annotated.
    """
    targets = cell_targets(mask, (local_logits.shape[1], local_logits.shape[2]))
    weight = local_logits.new_tensor(positive_weight)
    losses = F.binary_cross_entropy_with_logits(local_logits, targets, pos_weight=weight, reduction="none")
    return (losses.mean(dim=(1, 2)) * boxed).sum() / boxed.sum().clamp(min=1)
