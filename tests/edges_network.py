"""A stand-in for a network that tells from a film's edges how it lies, and a film for it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mura_core.orientation import Orientation
from mura_core.pooling import Maps
from mura_core.preprocess import PreprocessOptions
from mura_core.study import Radiograph, View, Window

SIZE = 320
OPTIONS = PreprocessOptions(SIZE, roi=False, enhance=False)

Floats = NDArray[np.float32]


class Edges:
    """Stands for a network: looks at the lower half alone, hot where it is bright; features are the edges."""

    name = "edges"

    def __init__(self) -> None:
        self.films: list[Floats] = []

    def read(self, films: Sequence[Floats]) -> Maps:
        self.films += films
        cells = [cv2.resize(film, (10, 10), interpolation=cv2.INTER_AREA) for film in films]
        cams = (np.stack(cells) * 4 - 2) * (np.arange(10, dtype=np.float32)[:, None] >= 5)
        # In the order in which turns to the left bring the upper edge there.
        edges = [(film[:20], film[:, :20], film[-20:], film[:, -20:]) for film in films]
        features = np.array([[edge.mean() for edge in four] for four in edges], np.float32)
        return Maps(cams.mean(axis=(1, 2)), cams, cams.copy(), features)


def tells(threshold: float = 0.0) -> Orientation:
    """Takes the brightest edge for the upper one."""
    return Orientation(np.eye(4, 5, dtype=np.float32) * 20, threshold)


def film(quarters: int = 0) -> View:
    """A film of 200 x 120 px whose upper edge is grey, with a bright place at row 150, column 35."""
    pixels = np.full((200, 120), 0.1, np.float32)
    pixels[:20] = 0.5
    pixels[130:170, 15:55] = 1.0
    pixels = np.ascontiguousarray(np.rot90(pixels, quarters))
    values = np.rint(pixels * 255).astype(np.uint16)
    return View(f"turned{quarters}.png", Radiograph(pixels, values, Window(127.5, 255), 8, "png"))
