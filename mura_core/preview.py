"""Contact sheets for a person to judge: what preprocessing keeps of a film, what augmentation makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mura_core.errors import ImageError, MuraError
from mura_core.images import read_radiograph
from mura_core.preprocess import PreprocessOptions, preprocess
from mura_core.staging import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_FILM_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm")
_COLUMNS = 8
_TILE_PX = 200
_ROI_COLOUR = (0, 255, 255)


def find_films(folder: Path, count: int) -> list[Path]:
    """Pick up to `count` films from all of a folder, evenly spaced over its sorted files.

    Raises:
        MuraError: There is no such folder, or no film in it.
    """
    if not folder.is_dir():
        raise MuraError(f"There is no folder {folder}. Expected a folder of radiographs: check the path.")
    films = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _FILM_SUFFIXES)
    if not films:
        raise MuraError(f"No film in {folder}. Expected files that end in {', '.join(_FILM_SUFFIXES)}.")
    step = max(1.0, len(films) / count)
    return [films[int(index * step)] for index in range(min(count, len(films)))]


def contact_sheet(paths: Sequence[Path], out: Path) -> None:
    """Draw each film, its region of interest framed, beside what the network gets of it.

    Args:
        paths: Films, at least one.
        out: PNG to write.

    Raises:
        ImageError: A film cannot be read.
    """
    tiles = []
    for pixels in (read_radiograph(path).pixels for path in paths):
        prepared, geometry = preprocess(pixels, PreprocessOptions())
        framed = cv2.cvtColor(np.round(pixels * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        roi, thick = geometry.roi, max(1, round(max(pixels.shape) / 150))
        corner = (int(roi.left + roi.width) - 1, int(roi.top + roi.height) - 1)
        cv2.rectangle(framed, (int(roi.left), int(roi.top)), corner, _ROI_COLOUR, thick)
        served = cv2.cvtColor(np.round(prepared * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
        tiles.append(np.hstack([_tile(framed), _tile(served)]))
    _write_sheet(tiles, _COLUMNS // 2, out)


def augmented_sheet(paths: Sequence[Path], out: Path) -> None:
    """Draw each film as it is served, and seven augmented samples beside it.

    Args:
        paths: Films, at least one.
        out: PNG to write.

    Raises:
        ImageError: A film cannot be read.
    """
    import torch
    from torchvision import tv_tensors

    from mura_core.augment import build_augmentation

    options = PreprocessOptions()
    augmentation = build_augmentation(options.size)
    tiles = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for path in paths:
            prepared, _ = preprocess(read_radiograph(path).pixels, options)
            film = tv_tensors.Image(torch.from_numpy(prepared)[None])
            samples = [prepared, *(augmentation(film).clamp(0, 1)[0].numpy() for _ in range(_COLUMNS - 1))]
            tiles += [
                _tile(cv2.cvtColor(np.round(sample * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))
                for sample in samples
            ]
    _write_sheet(tiles, _COLUMNS, out)


def _tile(picture: NDArray[Any]) -> NDArray[np.uint8]:
    scale = _TILE_PX / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    tile = np.full((_TILE_PX + 4, _TILE_PX + 4, 3), 64, dtype=np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def _write_sheet(tiles: list[NDArray[np.uint8]], columns: int, out: Path) -> None:
    blank = np.full_like(tiles[0], 64)
    tiles = tiles + [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    done, encoded = cv2.imencode(".png", np.vstack(rows))
    if not done:
        raise ImageError(f"The sheet could not be encoded as PNG for {out}.")
    try:
        write_whole(out, encoded.tobytes())
    except OSError as error:
        raise MuraError(
            f"The sheet {out} cannot be written ({error.strerror}). Expected a folder that can be written "
            "to, with space left: choose another with --out."
        ) from error
