"""Radiographs and results as JSON for the viewer: films at full bit depth, maps on their fixed scale."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from isal import isal_zlib

from demo.wording import SYMBOLS
from demo.worth import recognised_group
from mura_core.study import probability_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.wording import Wording
    from mura_core.study import Box, Radiograph, StudyResult, ViewResult

Grey = TypeVar("Grey", np.uint8, np.uint16, np.float32)

FILM_LONGEST_PX = 1600
"""Longest side of the copy the browser gets. The model saw the original."""

HEATMAP_LONGEST_PX = 512

_LITTLE = 0.75
"""Down to this share of the sides every pixel still counts in an interpolation."""

_COMPRESSION = 1
"""Level of ISA-L: an eighth of the time of zlib's level 3 on films, for as many bytes."""


_LANES = np.zeros(64, dtype=np.float32)


def encode_film(radiograph: Radiograph) -> dict[str, Any]:
    """Encode a radiograph so that the browser can window it at its own bit depth.

    Args:
        radiograph: As read; not changed.

    Returns:
        `data` is base64 of zlib of one plane (bit depth 8) or two (low bytes, then high bytes) of
        (height, width) bytes. Each row holds differences to the left neighbour, modulo 2**8 or
        2**16: they deflate to about half of what the values do. The window is in units of the values;
        `spacing_mm` is (row, column) of the full-size film's pixels, or None.
    """
    wide = radiograph.bit_depth > 8
    values: NDArray[np.uint8] | NDArray[np.uint16]
    if wide:
        values = shrink(radiograph.values, FILM_LONGEST_PX)
    else:
        # Bytes first: they are scaled in half the time, to the same values.
        values = shrink(radiograph.values.astype(np.uint8), FILM_LONGEST_PX)
    steps = np.diff(values, axis=1, prepend=np.zeros((values.shape[0], 1), values.dtype))
    # Low bytes, then high bytes.
    planes = cv2.split(steps.astype("<u2").view(np.uint8).reshape(*steps.shape, 2)) if wide else [steps]
    return {
        "height": values.shape[0],
        "width": values.shape[1],
        "full_height": radiograph.values.shape[0],
        "full_width": radiograph.values.shape[1],
        "bit_depth": radiograph.bit_depth,
        "planes": len(planes),
        "centre": float(radiograph.window.centre),
        "window_width": float(radiograph.window.width),
        "spacing_mm": radiograph.pixel_spacing_mm,
        "spacing_at_detector": radiograph.spacing_at_detector,
        "data": _pack(np.stack(planes)),
    }


def encode_heatmap(heatmap: NDArray[np.float32]) -> dict[str, Any]:
    """Encode a heatmap in [0, 1] as bytes, 255 standing for 1 on every film.

    Args:
        heatmap: float32 (H, W) in [0, 1].

    Returns:
        `data` is base64 of zlib of (height, width) bytes.
    """
    grid = shrink(heatmap, HEATMAP_LONGEST_PX, smooth=True)
    levels = np.rint(np.clip(grid, 0.0, 1.0) * 255).astype(np.uint8)
    return {"height": levels.shape[0], "width": levels.shape[1], "data": _pack(levels)}


def encode_box(box: Box, height: int, width: int) -> dict[str, float]:
    """Encode a box as fractions of the film's height and width."""
    return {
        "top": box.top / height,
        "left": box.left / width,
        "height": box.height / height,
        "width": box.width / width,
    }


def encode_view_result(
    view: ViewResult, result: StudyResult, index: int, words: Wording, *, maps: bool = True
) -> dict[str, Any]:
    """Encode what the model says of one view; `index` counts from 1, without `maps` there is no heatmap yet.

    `call` is for programs, `word` for readers.
    """
    height, width = view.film_shape
    text = probability_text(view.abnormality_probability, result.operating_points)
    return {
        "probability": view.abnormality_probability,
        "probability_text": text,
        "call": str(view.call),
        "word": words.call(view.call),
        "symbol": SYMBOLS[view.call],
        "alt": words.thumbnail_called(index, len(result.views), view.name, view.call, text),
        "heatmap": encode_heatmap(view.heatmap) if maps else None,
        "roi": encode_box(view.roi, height, width),
        "facts": words.seen(view, compared=result.compared),
        "part": recognised_group(view, compared=result.compared),
        "remarks": words.remarks(view),
        "read_turned": words.read_turned(view),
        "grave": any(remark.grave for remark in view.remarks),
    }


def encode_verdict(result: StudyResult, words: Wording) -> dict[str, Any]:
    """Encode what the model says of the study. `call` is for programs, `word` for readers."""
    points = result.operating_points
    return {
        "call": str(result.call),
        "word": words.call(result.call),
        "symbol": SYMBOLS[result.call],
        "probability": result.study_probability,
        "probability_text": probability_text(result.study_probability, points),
        "meaning": words.counted("page.study_probability", len(result.views)),
        "flagged": words.flagged([view.call for view in result.views]),
        "caution": words.caution(result.views),
        "sensitive": points.sensitive,
        "specific": points.specific,
        "points": words.operating_points(points),
        "model": words.text("page.model_line", name=result.model_name, version=result.model_version),
        "timing": words.text("page.timing", seconds=f"{result.timing.total_s:.1f}"),
        "engine": result.engine,
    }


def shrink(image: NDArray[Grey], longest_px: int, *, smooth: bool = False) -> NDArray[Grey]:
    """Scale an image (H, W) down so that no side exceeds `longest_px`; never up.

    By area averaging; a little, or where nothing is finer than the result (`smooth`), by interpolation, which
    takes a sixth of the time.
    """
    height, width = image.shape
    scale = longest_px / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_LINEAR if smooth or scale > _LITTLE else cv2.INTER_AREA
    smaller: NDArray[Grey] = cv2.resize(image, size, interpolation=way).astype(image.dtype, copy=False)
    return smaller


def _pack(content: NDArray[np.uint8]) -> str:
    packed = isal_zlib.compress(content.tobytes(), _COMPRESSION)
    # ISA-L leaves the upper halves of the vector registers in use, and OpenCV's SSE code takes four times as
    # long in this thread (30 ms instead of 7 for a film) until a routine with AVX clears them. This one does.
    np.add(_LANES, 1)
    return base64.b64encode(packed).decode("ascii")
