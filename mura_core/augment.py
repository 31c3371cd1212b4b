"""Training-only transforms: what another hand, another detector or another day would change on a film."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from mura_core.recipe import AUGMENTATIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_CHARACTERS = string.ascii_letters + string.digits + " .:/-"


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


class RandomQuarterTurn(nn.Module):
    """Lay the film on its side or on its head, as plates come out of a cassette."""

    def __init__(self, p: float = 0.4) -> None:
        super().__init__()
        self.p = p

    def forward(self, *given: Any) -> Any:
        """Turn the film, and the mask with it."""
        if torch.rand(()) < self.p:
            turns = 1 + int(torch.randint(3, ()))
            given = tuple(tv_tensors.wrap(torch.rot90(item, turns, (-2, -1)), like=item) for item in given)
        return given if len(given) > 1 else given[0]


class RandomInversion(nn.Module):
    """Show bone dark, as a film whose polarity was judged wrongly; the empty border stays black."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, film: Tensor, *rest: Any) -> Any:
        """Change the film alone; masks pass through."""
        if torch.rand(()) < self.p:
            inside = (film > 0).any(-1, keepdim=True) & (film > 0).any(-2, keepdim=True)
            film = tv_tensors.wrap(torch.where(inside, 1 - film, film), like=film)
        return (film, *rest) if rest else film


class RandomNoise(nn.Module):
    """Add a detector's noise, sigma log-uniform; half of the time in grains of two pixels."""

    def __init__(self, least: float = 0.01, most: float = 0.12, p: float = 0.4) -> None:
        super().__init__()
        self.least = least
        self.most = most
        self.p = p

    def forward(self, film: Tensor, *rest: Any) -> Any:
        """Change the film alone; masks pass through."""
        if torch.rand(()) < self.p:
            sigma = self.least * (self.most / self.least) ** float(torch.rand(()))
            height, width = film.shape[-2:]
            grain = 1 + int(torch.randint(2, ()))
            noise = torch.randn(1, 1, -(-height // grain), -(-width // grain))
            if grain > 1:
                noise = nnf.interpolate(noise, scale_factor=grain, mode="bilinear")
                noise = noise / noise.std()
            film = tv_tensors.wrap((film + sigma * noise[0, :, :height, :width]).clamp(0, 1), like=film)
        return (film, *rest) if rest else film


class RandomWriting(nn.Module):
    """Burn in up to four bright words, as consoles write and lead letters leave: no sign of anything."""

    def __init__(self, p: float = 0.3) -> None:
        super().__init__()
        self.p = p

    def forward(self, film: Tensor, *rest: Any) -> Any:
        """Change the film alone; masks pass through."""
        if torch.rand(()) < self.p:
            for _ in range(1 + int(torch.randint(4, ()))):
                word = torch.from_numpy(_draw_word(*film.shape[-2:])) / 255
                grey = 0.6 + 0.4 * float(torch.rand(()))
                film = tv_tensors.wrap(film + word * (grey - film), like=film)
        return (film, *rest) if rest else film


def _draw_word(height: int, width: int) -> NDArray[np.uint8]:
    """1 to 12 characters anywhere on (H, W), 1.5 to 12 % of its height tall, white on black."""
    drawn = torch.randint(len(_CHARACTERS), (1 + int(torch.randint(12, ())),))
    share, right, down, bold = torch.rand(4).tolist()
    scale = 0.015 * 8**share * height / 22  # the fonts are 22 px tall at scale 1
    at = (int((1.2 * right - 0.2) * width), int(down * height))
    word = np.zeros((height, width), dtype=np.uint8)
    text = "".join(_CHARACTERS[index] for index in drawn.tolist())
    font = _FONTS[int(torch.randint(len(_FONTS), ()))]
    cv2.putText(word, text, at, font, scale, 255, max(1, round((1 + 2 * bold) * scale)), cv2.LINE_AA)
    return word


def build_augmentation(size: int, strength: str = "full") -> v2.Compose:
    """The training transforms for a film and its fracture mask.

    Preparing and serving a film undo much of what "full" teaches besides: polarity is judged, noise is taken
    away and films that lie on their side are turned back.

    Args:
        size: Side of the result in px; a larger square is cut to its middle after it was turned and scaled.
        strength: One of `recipe.AUGMENTATIONS`: "full"; "rough", without quarter turns, and "noisy", which is
            rough here and draws noisy films too (see `films`); "mild", without inversion and writing either,
            and with little noise; or "none", which cuts and changes nothing else.

    Returns:
        A transform of (tv_tensors.Image float32 (1, S, S) in [0, 1], tv_tensors.Mask (1, S, S)).

    Raises:
        ValueError: `strength` is none of these.
    """
    if strength not in AUGMENTATIONS:
        raise ValueError(f"unknown augmentation {strength!r}")
    if strength == "none":
        return v2.Compose([v2.CenterCrop(size)])
    rough = strength != "mild"
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(0.5),
            v2.RandomVerticalFlip(0.2),
            *([RandomQuarterTurn()] if strength == "full" else []),
            v2.RandomAffine(
                degrees=25,
                translate=(0.04, 0.04),
                scale=(0.85, 1.2),
                shear=6,
                interpolation=v2.InterpolationMode.BILINEAR,
            ),
            v2.CenterCrop(size),
            *([RandomInversion()] if rough else []),
            RandomGamma(),
            v2.ColorJitter(brightness=0.25, contrast=0.3),
            *([RandomWriting()] if rough else []),
            RandomCoarseness(),
            v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.2))], p=0.15),
            v2.RandomAdjustSharpness(2.0, p=0.15),
            RandomNoise() if rough else RandomNoise(most=0.04, p=0.3),
        ]
    )
