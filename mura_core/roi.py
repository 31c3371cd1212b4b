"""Find the limb on a film: drop collimator bars and empty background, keep everything of the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.coarse import coarse
from mura_core.study import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORKING_SIDE_PX = 256
_MARGIN = 0.03
_SMALLEST_PART = 0.004
_SMALLEST_ROI = 0.03
_BAR_DEPTH = 0.15
_BAR_BRIGHTNESS = 0.4
_FAINT = 0.13
_CLEAR = 0.27
_LOWEST_STEP = 6.0
_PAGE_LEVEL = 235
_PAGE_SPREAD = 3
_SMALLEST_FILM_PX = 32


def find_roi(pixels: NDArray[np.float32]) -> Box:
    """Find the rectangle that holds the patient.

    On a small smoothed copy: what is brighter than the empty detector, less the collimator bars along the
    borders, in connected parts that are large enough. A doubtful result falls back to the full frame.

    Args:
        pixels: float32 (H, W) in [0, 1], bone bright; not changed.

    Returns:
        Box in whole px, inside the frame.
    """
    height, width = pixels.shape
    page, scale = _working_copy(pixels)
    rows_before, columns_before, small = _without_white_page(page)
    background = _background(small)
    bars = _collimator_bars(small, background)
    faint, clear = (_foreground(small, bars, background, step) for step in (_FAINT, _CLEAR))
    parts = _large_parts(faint, clear)
    if not parts.any():
        return Box(0, 0, height, width)
    rows, columns = np.flatnonzero(parts.any(axis=1)), np.flatnonzero(parts.any(axis=0))
    rows, columns = rows + rows_before, columns + columns_before
    margin = _MARGIN * max(small.shape)
    top = max(0, int((rows[0] - margin) / scale))
    left = max(0, int((columns[0] - margin) / scale))
    bottom = min(height, int(np.ceil((rows[-1] + 1 + margin) / scale)))
    right = min(width, int(np.ceil((columns[-1] + 1 + margin) / scale)))
    if (bottom - top) * (right - left) < _SMALLEST_ROI * height * width:
        return Box(0, 0, height, width)
    return Box(top, left, bottom - top, right - left)


def _working_copy(pixels: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
    height, width = pixels.shape
    scale = min(1.0, _WORKING_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(coarse(pixels, _WORKING_SIDE_PX), size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 1.0)
    return np.clip(small * 255.0, 0, 255).astype(np.uint8), scale


def _without_white_page(small: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
    """Drop the even white margins of a page that a film was laid on; the rest as a view, and where it begins.

    Nothing of a film is even: a collimator bar or a bright border has grain, and stays for what follows.
    """
    white = (small.min(axis=1) > _PAGE_LEVEL) & (np.ptp(small, axis=1) < _PAGE_SPREAD)
    rows = np.flatnonzero(~white)
    if rows.size < _SMALLEST_FILM_PX:
        return 0, 0, small
    small = small[rows[0] : rows[-1] + 1]
    columns = np.flatnonzero(~((small.min(axis=0) > _PAGE_LEVEL) & (np.ptp(small, axis=0) < _PAGE_SPREAD)))
    if columns.size < _SMALLEST_FILM_PX:
        return 0, 0, small
    return int(rows[0]), int(columns[0]), small[:, columns[0] : columns[-1] + 1]


def _background(small: NDArray[np.uint8]) -> float:
    """The grey of the empty detector: the fullest level of the darker half of the film."""
    darker = small[small <= np.median(small)]
    counts = np.bincount(darker.ravel(), minlength=256).astype(np.float64)
    return float(np.argmax(np.convolve(counts, np.ones(5), mode="same")))


def _collimator_bars(small: NDArray[np.uint8], background: float) -> NDArray[np.bool_]:
    """Mark the bright strips that run along more than half of a border, wavy or slanted ones too."""
    bars = np.zeros(small.shape, dtype=bool)
    bright = small > background + _BAR_BRIGHTNESS * (255.0 - background)
    for turns in range(4):
        _mark_bar(np.rot90(bright, turns), np.rot90(bars, turns))
    return bars


def _mark_bar(bright: NDArray[np.bool_], bars: NDArray[np.bool_]) -> None:
    """Mark the bar along the top border, if there is one, in the view `bars`.

    Each column's bar is its first bright run near the border; columns whose run goes deeper are the
    patient's and stay.
    """
    height, width = bright.shape
    reach = max(2, round(_BAR_DEPTH * height))
    start = np.argmax(bright[:reach], axis=0)
    rows = np.arange(height)[:, None]
    dark_after = ~bright & (rows > start[None, :])
    end = np.where(dark_after.any(axis=0), np.argmax(dark_after, axis=0), height)
    is_bar = bright[:reach].any(axis=0) & (end <= reach)
    if is_bar.sum() > 0.5 * width:
        bars |= (rows < end[None, :] + 2) & is_bar[None, :]


def _foreground(
    small: NDArray[np.uint8], bars: NDArray[np.bool_], background: float, step: float
) -> NDArray[np.uint8]:
    """Mark what stands out of the background by a share `step` of the film's contrast."""
    inside = small[~bars]
    brightest = float(np.percentile(inside, 98))
    threshold = background + max(_LOWEST_STEP, step * (brightest - background))
    mask = ((small > threshold) & ~bars).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), dtype=np.uint8)


def _large_parts(faint: NDArray[np.uint8], clear: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Keep connected faint parts of the size of a finger or more that hold a clear part as well.

    Two thresholds, so that a faint hand hanging from a bright trunk stays and the detector's glow goes;
    thin strips on the border go too.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(faint, connectivity=8)
    held = np.bincount(labels[clear > 0], minlength=count)
    kept = np.zeros(faint.shape, dtype=bool)
    height, width = faint.shape
    for part in range(1, count):
        left, top, part_width, part_height, area = (int(value) for value in stats[part])
        on_border = top == 0 or left == 0 or top + part_height == height or left + part_width == width
        strip = min(part_height / height, part_width / width) < 0.06
        holds_clear = held[part] >= 0.1 * area
        if area >= _SMALLEST_PART * faint.size and holds_clear and not (on_border and strip):
            kept |= labels == part
    return kept
