"""Training-only transforms: what another hand, another detector or another day would change on a film."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2


class RandomGamma(nn.Module):
    """Bend the grey scale as another exposure or display curve would: x ** gamma, gamma log-uniform."""

    def __init__(self, strongest: float = 1.6, p: float = 0.5) -> None:
        super().__init__()
        self.strongest = strongest
        self.p = p

    def forward(self, film: Tensor, *rest: Any) -> Any:
        """Change the film alone; masks pass through."""
        if torch.rand(()) < self.p:
            gamma = self.strongest ** (2 * float(torch.rand(())) - 1)
            film = tv_tensors.wrap(film.clamp(0, 1) ** gamma, like=film)
        return (film, *rest) if rest else film


class RandomCoarseness(nn.Module):
    """Lose fine detail as a coarser detector does: shrink, then enlarge again."""

    def __init__(self, coarsest: float = 0.5, p: float = 0.2) -> None:
        super().__init__()
        self.coarsest = coarsest
        self.p = p

    def forward(self, film: Tensor, *rest: Any) -> Any:
        """Change the film alone; masks pass through."""
        if torch.rand(()) < self.p:
            height, width = film.shape[-2:]
            share = self.coarsest + (1 - self.coarsest) * float(torch.rand(()))
            small = v2.functional.resize(film, [round(height * share), round(width * share)])
            film = v2.functional.resize(small, [height, width])
        return (film, *rest) if rest else film


def build_augmentation(size: int) -> v2.Compose:
    """The training transforms for a film and its fracture mask.

    Args:
        size: Side of the result in px; a larger square is cut to its middle after it was turned and scaled.

    Returns:
        A transform of (tv_tensors.Image float32 (1, S, S) in [0, 1], tv_tensors.Mask (1, S, S)).
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            v2.RandomVerticalFlip(0.2),
            v2.RandomAffine(
                degrees=25,
                translate=(0.04, 0.04),
                scale=(0.85, 1.2),
                shear=6,
                interpolation=v2.InterpolationMode.BILINEAR,
            ),
            v2.CenterCrop(size),
            RandomGamma(),
            v2.ColorJitter(brightness=0.25, contrast=0.3),
            RandomCoarseness(),
            v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.2))], p=0.15),
            v2.RandomAdjustSharpness(2.0, p=0.15),
            v2.RandomApply([v2.GaussianNoise(sigma=0.03)], p=0.3),
        ]
    )
