"""Films prepared once and kept as bytes, in memory or on disk."""

from __future__ import annotations

import hashlib
import inspect
import os
from typing import TYPE_CHECKING

import numpy as np

from mura_core import coarse as coarse_module
from mura_core import denoise as denoise_module
from mura_core import preprocess as preprocess_module
from mura_core import roi as roi_module
from mura_core.errors import ImageError
from mura_core.images import read_radiograph
from mura_core.preprocess import PreprocessOptions, preprocess
from mura_core.study import Box

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.datasets import ViewRecord

_QUIETEST, _LOUDEST = 0.02, 0.12  # deviation of added noise, of full scale


def prepared(
    views: Sequence[ViewRecord], options: PreprocessOptions, cache: Path | None, noisy: bool = False
) -> tuple[NDArray[np.uint8], tuple[tuple[Box, ...] | None, ...]]:
    """Prepare every view, or take it from the cache.

    Args:
        views: N of them.
        options: As the network will be served.
        cache: Folder for the prepared films; its file's name says what it holds. None keeps them in memory.
        noisy: With another detector's noise, from `_QUIETEST` to `_LOUDEST`, on each radiograph beforehand.

    Returns:
        uint8 (N, S, S), and for each view its fractures in network px or None where nobody looked for them.

    Raises:
        ImageError: A view cannot be read; the message names the file.
    """
    stored = None if cache is None else cache / f"films-{_fingerprint(views, options, noisy)}.npz"
    if stored is not None and stored.is_file():
        with np.load(stored) as content:
            pixels, ranges = content["pixels"], content["boxes"]
    else:
        pixels = np.zeros((len(views), options.size, options.size), dtype=np.uint8)
        rows: list[tuple[float, ...]] = []
        for index, view in enumerate(views):
            radiograph = _read(view.path)
            film, geometry = preprocess(_with_noise(radiograph, index) if noisy else radiograph, options)
            pixels[index] = np.round(film * 255.0).astype(np.uint8)
            moved = [geometry.box_to_network(box) for box in view.boxes or ()]
            rows += [(index, box.top, box.left, box.height, box.width) for box in moved]
        ranges = np.array(rows, dtype=np.float64).reshape(-1, 5)
        if stored is not None:
            _store(stored, pixels, ranges)
    return pixels, tuple(
        None if view.boxes is None else tuple(Box(*row[1:].tolist()) for row in ranges[ranges[:, 0] == index])
        for index, view in enumerate(views)
    )


def _read(path: Path) -> NDArray[np.float32]:
    try:
        return read_radiograph(path).pixels
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def _with_noise(radiograph: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Add noise whose deviation is drawn log-uniformly; the same for the same seed."""
    draw = np.random.default_rng(seed)
    deviation = _QUIETEST * (_LOUDEST / _QUIETEST) ** draw.random()
    noise = draw.standard_normal(radiograph.shape, dtype=np.float32)
    return np.clip(radiograph + np.float32(deviation) * noise, 0, 1)


def _store(path: Path, pixels: NDArray[np.uint8], boxes: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part.npz")
    try:
        np.savez(unfinished, pixels=pixels, boxes=boxes)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _fingerprint(views: Sequence[ViewRecord], options: PreprocessOptions, noisy: bool) -> str:
    """Name the films, the options and the code that prepared them."""
    noise = f"noise {_QUIETEST} {_LOUDEST}" if noisy else ""
    digest = hashlib.sha256((repr(options) + noise).encode())
    for module in (preprocess_module, coarse_module, denoise_module, roi_module):
        digest.update(inspect.getsource(module).encode())
    for view in views:
        digest.update(f"{view.path}|{view.path.stat().st_size}|{view.boxes}\n".encode())
    return digest.hexdigest()[:16]
