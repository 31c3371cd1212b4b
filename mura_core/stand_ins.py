"""Pictures that are no limb films, drawn or made of limb films: what the input check is tried on.

No chest, skull or abdomen films come with the data, so that crude phantoms stand in for them. Figures on them
say that the check works, not how well it does on a ward: the noise of a real detector, real anatomy and real
collimation are missing. Every picture follows from its kind and its number alone.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Random = np.random.Generator

_WORDS = ("the", "of", "film", "patient", "report", "date", "with", "left", "normal", "view", "bone", "ward")


def draw(kind: str, number: int, films: Sequence[Path]) -> bytes:
    """Make one picture as a PNG file.

    Args:
        kind: One of `KINDS`.
        number: Another number, another picture.
        films: Limb films, for the kinds that are made of them.
    """
    random = np.random.default_rng([zlib.crc32(kind.encode()), number])
    picture = KINDS[kind](random, films)
    return cv2.imencode(".png", picture)[1].tobytes()


def _text_page(random: Random, _: Sequence[Path]) -> Picture:
    height, width = 1100, 800
    page = np.full((height, width), 255, np.uint8)
    size = random.uniform(0.5, 1.0)
    for top in range(80, height - 60, int(40 * size) + 6):
        if random.random() < 0.85:
            words = " ".join(random.choice(_WORDS, random.integers(3, int(9 / size))))
            cv2.putText(
                page, words, (50, top), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 1 + (size > 0.8), cv2.LINE_AA
            )
    return page


def _screenshot(random: Random, _: Sequence[Path]) -> Picture:
    dark = random.random() < 0.5
    screen = np.full((800, 1280), 30 if dark else 240, np.uint8)
    ink = 225 if dark else 30
    cv2.rectangle(screen, (0, 0), (1280, 48), 60 if dark else 200, -1)
    for _window in range(int(random.integers(3, 7))):
        left, top = int(random.integers(0, 900)), int(random.integers(50, 550))
        corner = (left + int(random.integers(200, 480)), top + int(random.integers(120, 320)))
        cv2.rectangle(screen, (left, top), corner, int(random.integers(20, 250)), -1)
        cv2.rectangle(screen, (left, top), corner, ink, 1)
        for row in range(top + 24, corner[1], 26):
            words = " ".join(random.choice(_WORDS, 4))
            cv2.putText(screen, words, (left + 8, row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    return screen


def _photograph(random: Random, _: Sequence[Path]) -> Picture:
    from sklearn.datasets import load_sample_images

    picture = load_sample_images().images[int(random.integers(2))]
    side = int(random.integers(200, 400))
    top, left = (int(random.integers(0, edge - side)) for edge in picture.shape[:2])
    cut = picture[top : top + side, left : left + side, ::-1]
    return np.asarray(cv2.resize(cut, (700, 700), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _grey_photograph(random: Random, films: Sequence[Path]) -> Picture:
    return np.asarray(cv2.cvtColor(_photograph(random, films), cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _noise(random: Random, _: Sequence[Path]) -> Picture:
    grain = random.normal(0, 1, (600, 600)).astype(np.float32)
    return _bytes(np.asarray(cv2.GaussianBlur(grain, (0, 0), float(random.uniform(0.3, 4)))))


def _gradient(random: Random, _: Sequence[Path]) -> Picture:
    rows, columns = _grid(600, 500)
    angle = random.uniform(0, 2 * np.pi)
    slope = rows * np.cos(angle) + columns * np.sin(angle)
    rings = np.hypot(rows - random.uniform(-1, 1), columns - random.uniform(-1, 1))
    share = np.float32(random.random())
    return _bytes(
        share * slope + (1 - share) * rings + random.normal(0, 0.01, slope.shape).astype(np.float32)
    )


def _plasma(random: Random, _: Sequence[Path]) -> Picture:
    spectrum = np.fft.rfft2(random.normal(0, 1, (640, 640)))
    rows, columns = np.fft.fftfreq(640)[:, None], np.fft.rfftfreq(640)[None]
    steep = np.hypot(rows, columns) + 1 / 640
    return _bytes(np.fft.irfft2(spectrum / steep ** random.uniform(1.2, 2.2)).astype(np.float32))


def _shuffled(random: Random, films: Sequence[Path]) -> Picture:
    film = _film(random, films)
    count = int(random.integers(4, 9))
    side = min(film.shape) // count
    tiles = [
        film[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(count)
        for column in range(count)
    ]
    order = random.permutation(len(tiles))
    rows = [
        np.hstack([tiles[index] for index in order[row * count : (row + 1) * count]]) for row in range(count)
    ]
    return np.vstack(rows)


def _over_exposed(random: Random, films: Sequence[Path]) -> Picture:
    """A film that is black nearly all over, as one exposed far too long: what is left is faint and noisy."""
    film = cv2.resize(_film(random, films), (600, 700), interpolation=cv2.INTER_AREA).astype(np.float32)
    left = np.clip(film - 235, 0, 20) * 0.3 + 3 + random.normal(0, 1.5, film.shape)
    return np.asarray(np.clip(left, 0, 255), dtype=np.uint8)


def _under_exposed(random: Random, films: Sequence[Path]) -> Picture:
    """A film that is white nearly all over, as one that too little light or dose reached."""
    film = cv2.resize(_film(random, films), (600, 700), interpolation=cv2.INTER_AREA).astype(np.float32)
    left = 250 - np.clip(20 - film, 0, 20) * 0.2 + random.normal(0, 1.5, film.shape)
    return np.asarray(np.clip(left, 0, 255), dtype=np.uint8)


def _chest(random: Random, _: Sequence[Path]) -> Picture:
    rows, columns = _grid(900, 900)
    wide = random.uniform(0.75, 0.9)
    picture = 0.75 * _ellipse(rows, columns, 0.1, 0, 1.2, wide, 0.05)
    for side in (-1, 1):
        picture -= 0.5 * _ellipse(rows, columns, -0.1, 0.4 * side, random.uniform(0.6, 0.75), 0.27, 0.06)
        start = random.uniform(-0.7, -0.6)
        for rib in np.arange(start, 0.6, random.uniform(0.14, 0.18)):
            bow = np.abs(rows - rib - 0.35 * np.abs(columns) + 0.15)
            picture += 0.13 * _soft(0.025 - bow, 0.008) * (np.abs(columns) < 0.7) * (columns * side > 0.05)
        picture += (
            0.2 * _soft(0.035 - np.abs(rows + 0.78 - 0.15 * np.abs(columns)), 0.01) * (columns * side > 0.05)
        )
    picture += 0.3 * _ellipse(rows, columns, 0.2, 0.13, 0.35, 0.3, 0.05)
    picture += 0.2 * _soft(0.08 - np.abs(columns), 0.02)
    return _as_film(picture, random)


def _skull(random: Random, _: Sequence[Path]) -> Picture:
    rows, columns = _grid(900, 760)
    high, wide = random.uniform(0.7, 0.8), random.uniform(0.6, 0.72)
    picture = 0.45 * _ellipse(rows, columns, -0.15, 0, high, wide, 0.03)
    picture += 0.3 * (
        _ellipse(rows, columns, -0.15, 0, high, wide, 0.02)
        - _ellipse(rows, columns, -0.15, 0, high - 0.06, wide - 0.06, 0.02)
    )
    picture += 0.25 * _ellipse(rows, columns, 0.45, 0, 0.4, 0.4, 0.05)
    for side in (-1, 1):
        picture -= 0.25 * _ellipse(rows, columns, 0.08, 0.27 * side, 0.14, 0.16, 0.03)
        picture -= 0.15 * _ellipse(rows, columns, 0.33, 0.25 * side, 0.1, 0.1, 0.03)
    picture -= 0.25 * _ellipse(rows, columns, 0.27, 0, 0.14, 0.07, 0.02)
    for tooth in np.arange(-0.24, 0.25, 0.06):
        picture += 0.25 * _ellipse(rows, columns, 0.6, tooth, 0.08, 0.022, 0.01)
    return _as_film(picture, random)


def _abdomen(random: Random, _: Sequence[Path]) -> Picture:
    rows, columns = _grid(1000, 820)
    picture = 0.5 * _ellipse(rows, columns, 0, 0, 1.3, random.uniform(0.85, 1.0), 0.08)
    for level in np.arange(-0.95, 0.45, random.uniform(0.2, 0.24)):
        picture += 0.3 * _ellipse(rows, columns, level, 0, 0.085, 0.12, 0.015)
        picture += 0.12 * _soft(0.02 - np.abs(rows - level), 0.01) * (np.abs(columns) < 0.24)
    for side in (-1, 1):
        wing = _ellipse(rows, columns, 0.5, 0.48 * side, 0.36, 0.32, 0.02)
        picture += 0.25 * wing * (1 - 0.6 * _ellipse(rows, columns, 0.55, 0.4 * side, 0.25, 0.2, 0.05))
        picture += 0.25 * _ellipse(rows, columns, 0.95, 0.55 * side, 0.12, 0.12, 0.02)
    for _gas in range(int(random.integers(6, 14))):
        row, column = random.uniform(-0.7, 0.5), random.uniform(-0.6, 0.6)
        high, wide = random.uniform(0.03, 0.12, 2)
        picture -= 0.2 * _ellipse(rows, columns, row, column, high, wide, 0.02)
    return _as_film(picture, random)


KINDS: dict[str, Callable[[Random, Sequence[Path]], Picture]] = {
    "drawn chest": _chest,
    "drawn skull": _skull,
    "drawn abdomen": _abdomen,
    "text page": _text_page,
    "screenshot": _screenshot,
    "colour photograph": _photograph,
    "grey photograph": _grey_photograph,
    "noise": _noise,
    "gradient": _gradient,
    "plasma texture": _plasma,
    "film in shuffled blocks": _shuffled,
    "over-exposed film": _over_exposed,
    "under-exposed film": _under_exposed,
}
"""How each kind is made; photographs are those that scikit-learn brings along."""


def _film(random: Random, films: Sequence[Path]) -> Picture:
    read = cv2.imread(str(films[int(random.integers(len(films)))]), cv2.IMREAD_GRAYSCALE)
    return np.asarray(read, dtype=np.uint8)


def _grid(height: int, width: int) -> tuple[Plane, Plane]:
    """Rows and columns of a picture, both from -1 to 1."""
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    return rows, columns


def _soft(signed: NDArray[np.floating], edge: float) -> Plane:
    """1 where `signed` is well above 0, 0 where well below, a smooth step of width `edge` between."""
    return np.asarray(1 / (1 + np.exp(-np.clip(signed / np.float32(edge), -30, 30))), dtype=np.float32)


def _ellipse(
    rows: Plane, columns: Plane, top: float, left: float, high: float, wide: float, edge: float
) -> Plane:
    distance = np.hypot((rows - top) / high, (columns - left) / wide)
    return _soft((1 - distance) * min(high, wide), edge)


def _as_film(picture: Plane, random: Random) -> Picture:
    """Turn, blur and grain a phantom as a detector would."""
    height, width = picture.shape
    move = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-6, 6), random.uniform(0.9, 1.15))
    turned = cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    texture = cv2.GaussianBlur(random.normal(0, 1, picture.shape).astype(np.float32), (0, 0), 6)
    smooth = cv2.GaussianBlur(turned + 0.25 * texture, (0, 0), 1.5)
    grained = smooth + random.normal(0, 0.015, picture.shape).astype(np.float32)
    bent = np.clip(grained, 0, 1) ** random.uniform(0.7, 1.3)
    return np.asarray(np.rint(255 * bent), dtype=np.uint8)


def _bytes(plane: NDArray[Any]) -> Picture:
    """Stretch to the whole scale."""
    low, high = float(plane.min()), float(plane.max())
    return np.asarray(np.rint(255 * (plane - low) / (high - low)), dtype=np.uint8)
