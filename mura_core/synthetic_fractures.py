"""Fractures put into films that have none: more examples for the training than anybody annotated.

A line crosses the edge of a bone. What lies beyond it is shifted and tilted against the rest (a step of the
cortex, an angle, a gap), and along the line bone is taken away, or added where fragments overlap. Decoys bend
and shade a film as smoothly as that does but break nothing, so that the traces of the method itself teach
nothing. Lengths are in px of films of 320 to 448 px, whose annotated boxes are mostly 17 to 46 px wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]

_TRIES = 4
_VISIBLE = 12
"""Grey levels by which the most changed places of a fracture's box differ at least from before."""
_BORDER = 0.22
"""Share of the film along each side where none begins: augmentation may cut it away."""
_MARGIN_PX = (2, 9)
"""Around a fracture's box, as people draw it."""


def add_fracture(grey: Bytes, random: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Break a bone of a film, visibly.

    Args:
        grey: uint8 (S, S), a prepared film or a cut of one.
        random: Draws the place and the kind.

    Returns:
        The film, and uint8 (S, S) with 1 in the box around the fracture; the same film and 0 all over where
        no bone's edge was found or nothing could be seen.
    """
    bone = _bone(grey)
    for _ in range(_TRIES):
        line = _line_across(grey, bone, random)
        if line is None:
            break
        film = _broken(grey, bone, line, random)
        mask = _box(line, bone, random)
        seen = mask > 0
        if seen.any() and np.quantile(np.abs(film.astype(np.float32) - grey)[seen], 0.93) >= _VISIBLE:
            return film, mask
    return grey, np.zeros_like(grey)


def add_bend(grey: Bytes, random: np.random.Generator) -> Bytes:
    """Bend and shade a film smoothly at a bone's edge: a decoy. uint8 (S, S)."""
    edge = _edge(grey, _bone(grey), random)
    if edge is None:
        return grey
    rows, columns = _grid(grey)
    radius, angle, far = random.uniform(10, 40), random.uniform(0, 2 * np.pi), random.uniform(1, 4)
    near = np.exp(-((rows - edge[0]) ** 2 + (columns - edge[1]) ** 2) / (2 * radius**2)).astype(np.float32)
    film = grey.astype(np.float32)
    film = _remap(film, rows + near * far * np.sin(angle), columns + near * far * np.cos(angle))
    return _to_bytes(film * (1 - near * random.uniform(-0.15, 0.15)))


@dataclass(frozen=True, eq=False)
class _Line:
    """A fracture's line in the film's frame.

    Attributes:
        along: Unit vector (row, column) from the bone's edge inwards.
        length: px.
        t: float32 (S, S), each pixel's distance along the line from where it begins.
        side: float32 (S, S), its distance from the line, which is jagged and bent.
        inside: float32 (S, S), 1 between the line's ends, softly.
    """

    along: NDArray[np.float64]
    length: float
    t: Floats
    side: Floats
    inside: Floats


def _line_across(grey: Bytes, bone: Floats, random: np.random.Generator) -> _Line | None:
    edge = _edge(grey, bone, random)
    if edge is None:
        return None
    row, column, into = edge
    length = float(np.exp(random.uniform(np.log(9), np.log(45))))
    turn = np.deg2rad(random.normal(0, 28))
    along = np.array(
        [
            np.cos(turn) * into[0] - np.sin(turn) * into[1],
            np.sin(turn) * into[0] + np.cos(turn) * into[1],
        ]
    )
    rows, columns = _grid(grey)
    down, right = rows - row, columns - column
    t = (down * along[0] + right * along[1]).astype(np.float32)
    side = (-down * along[1] + right * along[0]).astype(np.float32) - _jagged(t, length, random)
    return _Line(along, length, t, side, _between(t, -4.0, length, softness=2.0))


def _edge(grey: Bytes, bone: Floats, random: np.random.Generator) -> tuple[int, int, Floats] | None:
    """A place (row, column) on a bone's edge, and the unit vector into the bone; None where there is none."""
    content = grey > 8
    if content.mean() < 0.05:
        return None
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 2.0)
    down, right = cv2.Sobel(smooth, cv2.CV_32F, 0, 1), cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    steep = np.hypot(down, right)
    good = (steep >= max(np.quantile(steep[content], 0.8), 8.0)) & (smooth >= np.median(smooth[content]))
    # Not the edge of the exposed field.
    good &= cv2.erode(content.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    good &= cv2.dilate(bone, np.ones((13, 13), np.uint8)) > 25
    border = round(_BORDER * len(grey))
    good[:border] = good[-border:] = False
    good[:, :border] = good[:, -border:] = False
    places = np.argwhere(good)
    if not len(places):
        return None
    row, column = places[random.integers(len(places))]
    into = np.array([down[row, column], right[row, column]], dtype=np.float32)
    return int(row), int(column), into / np.linalg.norm(into)


def _bone(grey: Bytes) -> Floats:
    """What bone adds to the soft tissue around it, grey levels (S, S): white top-hats of two widths."""
    film = cv2.GaussianBlur(grey, (0, 0), 0.8)
    narrow, wide = (
        cv2.morphologyEx(film, cv2.MORPH_TOPHAT, np.ones((side, side), np.uint8)).astype(np.float32)
        for side in (45, 91)
    )
    return np.asarray(cv2.GaussianBlur(np.maximum(narrow, 0.6 * wide), (0, 0), 1.0), dtype=np.float32)


def _broken(grey: Bytes, bone: Floats, line: _Line, random: np.random.Generator) -> Bytes:
    """A fracture that is shifted, one that is a line, or both."""
    film = grey.astype(np.float32)
    shifted = random.random() < 0.75
    if shifted:
        film = _shift(film, line, random)
    if not shifted or random.random() < 0.75:
        film = _part(film, bone, line, random)
    return _to_bytes(film)


def _shift(film: Floats, line: _Line, random: np.random.Generator) -> Floats:
    """Shift and tilt what lies beyond the line, fading with the distance."""
    middle = line.length * 0.4
    reach = random.uniform(0.5, 1.3) * max(line.length, 20)
    spread = np.exp(-(((line.t - middle) / (line.length * 1.1)) ** 2))
    weight = np.exp(-np.abs(line.side) / reach) * (line.side > 0) * np.maximum(spread, line.inside)
    step = random.uniform(1.0, 4.5) * random.choice([-1, 1])
    gap, tilt = random.uniform(-1.5, 2.0), random.normal(0, 0.06)
    lengthwise = (step + tilt * line.side) * weight
    sideways = (gap - tilt * (line.t - middle)) * weight
    rows, columns = _grid(film)
    return _remap(
        film,
        rows - (lengthwise * line.along[0] - sideways * line.along[1]),
        columns - (lengthwise * line.along[1] + sideways * line.along[0]),
    )


def _part(film: Floats, bone: Floats, line: _Line, random: np.random.Generator) -> Floats:
    """Take bone away along the line, or add some; unevenly."""
    width = np.exp(random.uniform(np.log(0.5), np.log(2.2)))
    depth = random.uniform(0.25, 0.9) * (1 if random.random() < 0.8 else -0.5)
    rough = cv2.GaussianBlur(random.normal(0, 1, film.shape).astype(np.float32), (0, 0), 3.0)
    uneven = np.clip(1 + 0.6 * rough / max(float(rough.std()), 1e-6), 0.4, 1.2)
    lost = depth * bone * line.inside * uneven * np.exp(-(line.side**2) / (2 * width**2))
    return np.asarray(film - lost, dtype=np.float32)


def _box(line: _Line, bone: Floats, random: np.random.Generator) -> Bytes:
    mask = np.zeros(bone.shape, dtype=np.uint8)
    near = (line.inside > 0.5) & (bone > 12) & (np.abs(line.side) < max(4.0, line.length * 0.18))
    places = np.argwhere(near)
    if len(places):
        (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
        margin = int(random.integers(*_MARGIN_PX))
        mask[max(0, top - margin) : bottom + margin + 1, max(0, left - margin) : right + margin + 1] = 1
    return mask


def _jagged(t: Floats, length: float, random: np.random.Generator) -> Floats:
    """How far the line strays sideways at each distance along it, px."""
    knots = np.arange(-30.0, length + 30.0, random.uniform(3, 9))
    walk = np.cumsum(random.normal(0, random.uniform(0.2, 1.3), len(knots)))
    walk -= np.interp(0, knots, walk)
    bow = random.normal(0, 0.045) * knots**2 / length
    return np.interp(t, knots, walk + bow).astype(np.float32)


def _between(t: Floats, low: float, high: float, softness: float) -> Floats:
    """1 between two distances, falling softly to 0 outside."""
    rise = 1 / (1 + np.exp(-np.clip((t - low) / softness, -30, 30)))
    fall = 1 / (1 + np.exp(np.clip((t - high) / softness, -30, 30)))
    return (rise * fall).astype(np.float32)


def _grid(film: Bytes | Floats) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[: film.shape[0], : film.shape[1]].astype(np.float32)
    return rows, columns


def _remap(film: Floats, rows: Floats, columns: Floats) -> Floats:
    """Take every pixel from (row, column) of the film."""
    taken = cv2.remap(
        film,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(taken, dtype=np.float32)


def _to_bytes(film: Floats) -> Bytes:
    return np.clip(film, 0, 255).round().astype(np.uint8)
