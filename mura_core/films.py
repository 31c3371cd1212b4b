"""Films ready for the network, with what is known of each, augmented when drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from mura_core.augment import build_augmentation
from mura_core.film_cache import prepared
from mura_core.preprocess import IMAGENET_MEAN, IMAGENET_STD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.datasets import StudyRecord
    from mura_core.preprocess import PreprocessOptions
    from mura_core.study import Box

_NOISY_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Films:
    """Every view of some studies, prepared.

    Attributes:
        pixels: uint8 (N, S, S), the prepared films.
        boxes: For each film its fractures in network px, or None where nobody looked for them.
        labels: int64 (N,), the label of the film's study.
        studies: int64 (N,), the index of the film's study.
        body_parts: The body part of each film's study.
        tags: What the dataset says of each film.
        noisy: The same films with noise added to each before it was prepared, for training to draw from.
    """

    pixels: NDArray[np.uint8]
    boxes: tuple[tuple[Box, ...] | None, ...]
    labels: NDArray[np.int64]
    studies: NDArray[np.int64]
    body_parts: tuple[str, ...]
    tags: tuple[frozenset[str], ...]
    noisy: Films | None = None

    def __deepcopy__(self, _: dict[int, object]) -> Films:
        """Nobody changes films: a copied training (as averaging makes one) shares them."""
        return self


def load_films(
    records: Sequence[StudyRecord],
    options: PreprocessOptions,
    cache: Path | None = None,
    noisy: bool = False,
) -> Films:
    """Read and prepare every view, or take it from the cache.

    Args:
        records: Studies.
        options: As the network will be served.
        cache: Folder for the prepared films; its file's name says what it holds. None keeps them in memory.
        noisy: Prepare each film with noise too, which takes as much time and memory again.

    Raises:
        ImageError: A view cannot be read; the message names the file.
    """
    views = [(view, index) for index, record in enumerate(records) for view in record.views]
    pixels, boxes = prepared([view for view, _ in views], options, cache)
    films = Films(
        pixels=pixels,
        boxes=boxes,
        labels=np.array([records[index].label for _, index in views], dtype=np.int64),
        studies=np.array([index for _, index in views], dtype=np.int64),
        body_parts=tuple(records[index].body_part for _, index in views),
        tags=tuple(view.tags for view, _ in views),
    )
    if not noisy:
        return films
    pixels, boxes = prepared([view for view, _ in views], options, cache, noisy=True)
    return replace(films, noisy=replace(films, pixels=pixels, boxes=boxes))


class DrawnFilms(Dataset[dict[str, Tensor]]):
    """A list of film indices as training or validation samples.

    Augmentation draws from a generator seeded by (seed, epoch, place in the list): the same epoch gives the
    same samples, in whatever process, so that a resumed training repeats an uninterrupted one.
    """

    def __init__(
        self,
        films: Films,
        order: Sequence[int],
        *,
        seed: int | None,
        epoch: int = 0,
        crop: int = 0,
        augmentation: str = "full",
    ) -> None:
        """Prepare to draw.

        Args:
            films: The prepared films.
            order: Which films, in which order.
            seed: Of cuts and augmentation; None draws whole films as they are.
            epoch: Changes the augmentation from epoch to epoch.
            crop: Side of a square cut from each film, px; 0 takes the whole film.
            augmentation: One of `recipe.AUGMENTATIONS`.
        """
        self.films = films
        self.order = list(order)
        self.seed = seed
        self.epoch = epoch
        self.crop = crop
        self.augmentation = build_augmentation(crop or films.pixels.shape[1], augmentation)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        """One sample.

        Returns:
            film: uint8 (1, S, S), see `to_network`; mask: uint8 (1, S, S), 1 inside fractures; boxed: 1
            where the mask is known; label: 0 or 1; film_index: index into the films. Bytes: twelve times
            less to hand from process to process and to a GPU than what the network takes.
        """
        index = self.order[place]
        if self.seed is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(hash((self.seed, self.epoch, place)) % 2**63)
                films = self._quiet_or_noisy()
                grey, mask = cut_square(films.pixels[index], _mask(films, index), self.crop)
                film, masked = self.augmentation(_image(grey), tv_tensors.Mask(torch.from_numpy(mask)[None]))
        else:
            film, masked = _image(self.films.pixels[index]), torch.from_numpy(_mask(self.films, index))[None]
        return {
            "film": (torch.as_tensor(film).clamp(0, 1) * 255).round().to(torch.uint8),
            "mask": torch.as_tensor(masked).to(torch.uint8),
            "boxed": torch.tensor(float(self.films.boxes[index] is not None)),
            "label": torch.tensor(float(self.films.labels[index])),
            "film_index": torch.tensor(index),
        }

    def _quiet_or_noisy(self) -> Films:
        noisy = self.films.noisy
        return self.films if noisy is None or float(torch.rand(())) >= _NOISY_SHARE else noisy


def draw_mask(boxes: Sequence[Box], size: int) -> NDArray[np.uint8]:
    """Fill boxes: uint8 (size, size), 1 inside any of them."""
    mask = np.zeros((size, size), dtype=np.uint8)
    for box in boxes:
        top, left = max(0, round(box.top)), max(0, round(box.left))
        bottom, right = round(box.top + box.height), round(box.left + box.width)
        mask[top : max(bottom, top + 1), left : max(right, left + 1)] = 1
    return mask


def cut_square(
    grey: NDArray[np.uint8], mask: NDArray[np.uint8], crop: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut a square with room to turn around a fracture, or around any bright place of a film without one.

    Args:
        grey: uint8 (S, S).
        mask: uint8 (S, S), 1 inside fractures.
        crop: Side that the augmentation will keep, px; 0 returns both unchanged. One cut in ten around a
            place of a fractured film that need not be the fracture.
    """
    if not crop:
        return grey, mask
    around_fracture = bool(mask.any()) and float(torch.rand(())) < 0.9
    rows, columns = np.nonzero(mask if around_fracture else grey > 60)
    if rows.size == 0:
        rows, columns = np.array([grey.shape[0] // 2]), np.array([grey.shape[1] // 2])
    pick = int(torch.randint(rows.size, ()))
    row_shift, column_shift = ((torch.rand(2) - 0.5) * 0.7 * crop).round().int().tolist()
    half = round(crop * 0.72)
    row, column = int(rows[pick]) + row_shift + half, int(columns[pick]) + column_shift + half
    padded = np.pad(np.stack([grey, mask]), ((0, 0), (half, half), (half, half)))
    row = min(max(row, half), padded.shape[1] - half)
    column = min(max(column, half), padded.shape[2] - half)
    cut = padded[:, row - half : row + half, column - half : column + half]
    return cut[0], cut[1]


def to_network(films: Tensor) -> Tensor:
    """Turn uint8 (B, 1, S, S), on any device, into the network's input, as `preprocess.to_tensor` does.

    Returns:
        float32 (B, 3, S, S), normalised, channels last.
    """
    mean, std = (torch.tensor(v, device=films.device).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    normalised: Tensor = (films.float() / 255.0 - mean) / std
    return normalised.contiguous(memory_format=torch.channels_last)


def _image(grey: NDArray[np.uint8]) -> tv_tensors.Image:
    return tv_tensors.Image(torch.from_numpy(grey.astype(np.float32) / np.float32(255.0))[None])


def _mask(films: Films, index: int) -> NDArray[np.uint8]:
    return draw_mask(films.boxes[index] or (), films.pixels.shape[1])
