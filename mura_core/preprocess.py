"""From a radiograph to the network's input, and from the network's grid back to the radiograph.

One path serves training, evaluation and the demo: region of interest, antialiased resize with the
aspect ratio kept, contrast enhancement, zero padding to a square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.coarse import coarse, coarse_step
from mura_core.denoise import denoise
from mura_core.roi import find_roi
from mura_core.study import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PreprocessOptions:
    """What is done to a film before the network sees it; stored beside the weights.

    Attributes:
        size: Side of the square network input, in px.
        roi: Crop to the region of interest.
        enhance: Equalise local contrast.
    """

    size: int = 320
    roi: bool = True
    enhance: bool = True


@dataclass(frozen=True)
class Geometry:
    """How one radiograph was laid into the network's square, and the way back.

    Attributes:
        image_height, image_width: Size of the radiograph, px.
        roi: Region that was kept, px of the radiograph (whole numbers).
        scale_row, scale_column: Network px per radiograph px.
        pad_top, pad_left: Empty network px before the film begins.
        height, width: Size of the film inside the square, network px.
        size: Side of the square, network px.
    """

    image_height: int
    image_width: int
    roi: Box
    scale_row: float
    scale_column: float
    pad_top: int
    pad_left: int
    height: int
    width: int
    size: int

    def to_network(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move (N, 2) row, column positions from the radiograph into the network's square."""
        moved = (np.asarray(points, dtype=np.float64) - self._origin) * self._scale + self._pad
        return np.asarray(moved, dtype=np.float64)

    def to_radiograph(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move (N, 2) row, column positions from the network's square onto the radiograph."""
        moved = (np.asarray(points, dtype=np.float64) - self._pad) / self._scale + self._origin
        return np.asarray(moved, dtype=np.float64)

    def box_to_network(self, box: Box) -> Box:
        """The same rectangle in network px; it may reach past the square when it reaches past the ROI."""
        corners = np.array([[box.top, box.left], [box.top + box.height, box.left + box.width]])
        (top, left), (bottom, right) = self.to_network(corners)
        return Box(float(top), float(left), float(bottom - top), float(right - left))

    def map_to_radiograph(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lay a map of the network's square over the radiograph.

        Args:
            grid: float32 (h, w) covering the whole square, whatever its resolution.

        Returns:
            float32 (H, W) of the radiograph, bilinear, zero outside the region of interest.
        """
        square = cv2.resize(grid, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        film = square[self.pad_top : self.pad_top + self.height, self.pad_left : self.pad_left + self.width]
        top, left, height, width = _whole(self.roi)
        placed = np.zeros((self.image_height, self.image_width), dtype=np.float32)
        placed[top : top + height, left : left + width] = cv2.resize(
            film, (width, height), interpolation=cv2.INTER_LINEAR
        )
        return placed

    @property
    def _origin(self) -> NDArray[np.float64]:
        return np.array([self.roi.top, self.roi.left])

    @property
    def _scale(self) -> NDArray[np.float64]:
        return np.array([self.scale_row, self.scale_column])

    @property
    def _pad(self) -> NDArray[np.float64]:
        return np.array([self.pad_top, self.pad_left], dtype=np.float64)


def enhance(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch to the film's own range, denoise if need be, equalise local contrast (CLAHE, Zuiderveld 1994).

    The stretch ignores the brightest 0.5 % so that a bar or a lead letter does not darken the bone.

    Args:
        pixels: float32 (H, W) in [0, 1]; not changed.

    Returns:
        float32 (H, W) in [0, 1].
    """
    low, high = np.percentile(pixels, (1.0, 99.5))
    if high - low < 1e-3:
        return pixels.copy()
    stretched = np.clip((pixels - low) / (high - low), 0.0, 1.0)
    levels = np.round(denoise(stretched) * 65535.0).astype(np.uint16)
    equalised = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply(levels)
    return np.asarray(equalised / np.float32(65535.0), dtype=np.float32)


def preprocess(
    pixels: NDArray[np.float32], options: PreprocessOptions
) -> tuple[NDArray[np.float32], Geometry]:
    """Prepare one radiograph for the network.

    Args:
        pixels: float32 (H, W) in [0, 1], bone bright; not changed.
        options: What to do.

    Returns:
        float32 (size, size) in [0, 1] in steps of 1/255, so that a film cached as bytes for training is the
        film that is served, to the bit; and the geometry that leads back.
    """
    image_height, image_width = pixels.shape
    roi = find_roi(pixels) if options.roi else Box(0, 0, image_height, image_width)
    top, left, roi_height, roi_width = _whole(roi)
    # A large film is shrunk by a whole number first; the few px at the end that this leaves over are cut off.
    step = coarse_step(roi_height, roi_width, options.size)
    roi_height, roi_width = roi_height - roi_height % step, roi_width - roi_width % step
    crop = pixels[top : top + roi_height, left : left + roi_width]
    shrink = options.size / max(roi_height, roi_width)
    height = max(1, round(roi_height * shrink))
    width = max(1, round(roi_width * shrink))
    interpolation = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    film = np.asarray(
        cv2.resize(coarse(crop, options.size), (width, height), interpolation=interpolation), dtype=np.float32
    )
    if options.enhance:
        film = enhance(film)
    pad_top, pad_left = (options.size - height) // 2, (options.size - width) // 2
    prepared = np.zeros((options.size, options.size), dtype=np.float32)
    prepared[pad_top : pad_top + height, pad_left : pad_left + width] = np.round(film * 255.0) / np.float32(
        255.0
    )
    geometry = Geometry(
        image_height=image_height,
        image_width=image_width,
        roi=Box(top, left, roi_height, roi_width),
        scale_row=height / roi_height,
        scale_column=width / roi_width,
        pad_top=pad_top,
        pad_left=pad_left,
        height=height,
        width=width,
        size=options.size,
    )
    return prepared, geometry


def to_tensor(prepared: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    """Stack prepared films into the network's input.

    Args:
        prepared: V arrays float32 (S, S) in [0, 1].

    Returns:
        float32 (V, 3, S, S), the grey plane three times, normalised by ImageNet's mean and deviation.
    """
    import torch

    grey = torch.from_numpy(np.stack(prepared)).unsqueeze(1)
    mean = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    return (grey - mean) / std


def _whole(roi: Box) -> tuple[int, int, int, int]:
    return int(roi.top), int(roi.left), int(roi.height), int(roi.width)
