"""How well a heatmap points at annotated boxes, against baselines that know nothing of the film.

Per view (as in Saporta et al. 2022, cheXlocalize, with boxes for outlines):

- `hit`: the pointing game. 1 if the heatmap's maximum lies inside a box. Where several pixels share the
  maximum it is the share of them inside, so that a flat map scores what chance scores.
- `hit_margin`: the same with every box grown on all sides by one cell of the network's grid, which is all the
  precision such a map has.
- `energy`: the part of the heatmap's sum that lies inside the boxes; 0 for a map of zeros.
- `iou`: intersection over union of {heatmap >= 0.5} and the union of the boxes.

A pixel is inside a box if its centre is.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core import bootstrap
from mura_core.errors import DatasetError
from mura_core.study import Box

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from mura_core.bootstrap import Estimate
    from mura_core.models import Classifier
    from mura_core.study import ViewResult

HEATMAP_THRESHOLD = 0.5
RANDOM_DRAWS = 5
# In units of the ROI's sides: the map falls to the threshold a quarter of the side away from the centre.
CENTRE_SIGMA = 0.2123


@dataclass(frozen=True)
class Scores:
    """What one map scores on one view, each in [0, 1]."""

    hit: float
    hit_margin: float
    energy: float
    iou: float


MEASURES = tuple(field.name for field in fields(Scores))


def build_box_mask(boxes: Sequence[Box], shape: tuple[int, int], margin_px: float = 0.0) -> NDArray[np.bool_]:
    """Mark the pixels whose centre lies in any box.

    Args:
        boxes: In pixels of the radiograph.
        shape: Height and width of the radiograph, px.
        margin_px: Grow each box by this on every side.

    Returns:
        bool (H, W).
    """
    mask = np.zeros(shape, dtype=np.bool_)
    for box in boxes:
        top, left = box.top - margin_px, box.left - margin_px
        bottom, right = box.top + box.height + margin_px, box.left + box.width + margin_px
        rows = slice(max(0, math.ceil(top - 0.5)), max(0, math.ceil(bottom - 0.5)))
        columns = slice(max(0, math.ceil(left - 0.5)), max(0, math.ceil(right - 0.5)))
        mask[rows, columns] = True
    return mask


def score_heatmap(heatmap: NDArray[np.float32], boxes: Sequence[Box], cell_px: float) -> Scores:
    """Score one map on one view.

    Args:
        heatmap: float32 (H, W) in [0, 1] in the radiograph's frame.
        boxes: At least one, in pixels of the radiograph.
        cell_px: Side of a cell of the network's grid, in pixels of the radiograph.

    Raises:
        DatasetError: The boxes lie outside the radiograph.
    """
    height, width = heatmap.shape
    inside = build_box_mask(boxes, (height, width))
    if not inside.any():
        raise DatasetError(
            f"The boxes {list(boxes)} mark no pixel of a radiograph of {height} x {width} pixels. "
            "Expected boxes in pixels of the image as stored: check the annotation file."
        )
    near = build_box_mask(boxes, (height, width), cell_px)
    maximal = heatmap == heatmap.max()
    total = float(heatmap.sum(dtype=np.float64))
    hot = heatmap >= HEATMAP_THRESHOLD
    return Scores(
        hit=float(inside[maximal].mean()),
        hit_margin=float(near[maximal].mean()),
        energy=float(heatmap[inside].sum(dtype=np.float64)) / total if total > 0 else 0.0,
        iou=np.count_nonzero(hot & inside) / np.count_nonzero(hot | inside),
    )


def build_centre_map(shape: tuple[int, int], roi: Box) -> NDArray[np.float32]:
    """Draw a Gaussian at the ROI's centre, as wide for the ROI as it is high; 1 at the peak, 0 outside.

    Returns:
        float32 (H, W) in [0, 1].
    """
    rows = (np.arange(shape[0]) + 0.5 - roi.top) / roi.height
    columns = (np.arange(shape[1]) + 0.5 - roi.left) / roi.width
    down, across = (
        np.where((t >= 0) & (t <= 1), np.exp(-((t - 0.5) ** 2) / (2 * CENTRE_SIGMA**2)), 0.0)
        for t in (rows, columns)
    )
    return np.outer(down, across).astype(np.float32)


def build_random_map(
    shape: tuple[int, int], roi: Box, cell_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw uniform noise on a grid of the network's resolution, laid over the ROI as a heatmap is.

    Returns:
        float32 (H, W) in [0, 1], 0 outside the ROI.
    """
    top, left, height, width = int(roi.top), int(roi.left), int(roi.height), int(roi.width)
    cells = rng.random((max(1, round(height / cell_px)), max(1, round(width / cell_px))), dtype=np.float32)
    placed = np.zeros(shape, dtype=np.float32)
    placed[top : top + height, left : left + width] = cv2.resize(
        cells, (width, height), interpolation=cv2.INTER_LINEAR
    )
    return placed


def build_untrained(architecture: str, films: torch.Tensor) -> Classifier:
    """Build a network with random weights, the same ones every time, as a baseline for a trained one's maps.

    Its batch statistics are those of the films: with the initial ones the maps of some architectures are flat
    and those of others are too large for a probability.

    Args:
        architecture: One of `models.ARCHITECTURES`.
        films: float32 (B, 3, S, S), normalised; B > 1 where S is small.
    """
    import torch

    from mura_core.models import build_model

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = build_model(architecture)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0  # take the batch's statistics as they are
        model.train()(films)
    return model.eval()


def score_view(result: ViewResult, boxes: Sequence[Box], *, seed: int = 0) -> dict[str, Scores]:
    """Score a view's heatmap and two baselines on the same view.

    Args:
        result: The model's result for the view.
        boxes: At least one, in pixels of the radiograph.
        seed: Of the random maps. They also depend on the view's name, so the order of views is irrelevant.

    Returns:
        Scores of "heatmap", "centre" and "random" (the mean of `RANDOM_DRAWS` maps).

    Raises:
        DatasetError: The boxes lie outside the radiograph.
    """
    height, width = result.film_shape
    # The network's square holds the ROI with its longer side filling it.
    cell_px = max(result.roi.height, result.roi.width) / max(result.cam.shape)
    rng = np.random.default_rng([seed, zlib.crc32(result.name.encode())])
    draws = [
        score_heatmap(build_random_map((height, width), result.roi, cell_px, rng), boxes, cell_px)
        for _ in range(RANDOM_DRAWS)
    ]
    return {
        "heatmap": score_heatmap(result.heatmap, boxes, cell_px),
        "centre": score_heatmap(build_centre_map((height, width), result.roi), boxes, cell_px),
        "random": Scores(*np.mean([astuple(draw) for draw in draws], axis=0).tolist()),
    }


def estimate_localisation(
    scores: Sequence[Mapping[str, Scores]], patients: Sequence[str], *, resamples: int, seed: int
) -> tuple[dict[str, dict[str, Estimate]], dict[str, dict[str, Estimate]]]:
    """Average scores over views, with intervals over patients.

    Args:
        scores: Per view, the scores of the heatmap and of each baseline.
        patients: Per view.
        resamples: Number of draws.
        seed: Of the draws.

    Returns:
        By method and measure the mean; by baseline and measure the heatmap's gain over it, paired by view.
    """
    weights = bootstrap.resample_patients(patients, resamples=resamples, seed=seed)
    methods = list(scores[0]) if scores else ["heatmap"]
    table = {m: np.array([astuple(view[m]) for view in scores]).reshape(-1, len(MEASURES)) for m in methods}

    def estimates(values: NDArray[np.float64]) -> dict[str, Estimate]:
        columns = zip(MEASURES, values.T, strict=True)
        return {name: bootstrap.estimate_mean(column, weights) for name, column in columns}

    means = {method: estimates(values) for method, values in table.items()}
    gains = {m: estimates(table["heatmap"] - values) for m, values in table.items() if m != "heatmap"}
    return means, gains
