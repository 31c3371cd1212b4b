"""Measure the polarity detector on real films: how often it inverts a usual one, how often it finds an inverted one.

    python -m benchmarks.polarity FOLDER [--flagged FOLDER]

Every film is judged as it is and inverted, whole and in variants that other sources bring: cropped to the joint, on a
white or black page, tilted, of low or high gamma, locally equalised. FOLDER holds PNG, JPEG or DICOM films with bone
bright; `--flagged` saves the films that were wrongly inverted.
"""  # noqa: E501 - the command on one line

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mura_core.images import read_radiograph
from mura_core.polarity import Polarity, find_polarity

Film = NDArray[np.float32]


def crop(film: Film) -> Film:
    """Keep the middle 60 % of either side."""
    height, width = film.shape
    return np.ascontiguousarray(film[height // 5 : -height // 5, width // 5 : -width // 5])


def page(film: Film, level: float) -> Film:
    """Lay the film on a page of one grey level, a sixth wider on every side."""
    rows, columns = film.shape[0] // 6, film.shape[1] // 6
    return cv2.copyMakeBorder(film, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=level)


def tilt(film: Film, level: float) -> Film:
    """Turn the film by 20 degrees on a page of one grey level."""
    height, width = film.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 0.8)
    return cv2.warpAffine(film, turn, (width, height), borderValue=level)


def equalise(film: Film) -> Film:
    """Raise local contrast (CLAHE)."""
    equalised = cv2.createCLAHE(3.0, (8, 8)).apply(np.rint(film * 255).astype(np.uint8))
    return equalised.astype(np.float32) / np.float32(255)


VARIANTS: dict[str, Callable[[Film], Film]] = {
    "as it is": lambda film: film,
    "cropped to 60 %": crop,
    "on a white page": lambda film: page(film, 1.0),
    "on a black page": lambda film: page(film, 0.0),
    "tilted on white": lambda film: tilt(film, 1.0),
    "tilted on black": lambda film: tilt(film, 0.0),
    "gamma 0.5": lambda film: film**0.5,
    "gamma 2": lambda film: film**2,
    "equalised": equalise,
}


def main() -> None:
    """Judge every film in every variant and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="judge every n-th film")
    parser.add_argument("--flagged", type=Path, help="save the films that were wrongly inverted here")
    arguments = parser.parse_args()
    suffixes = {".png", ".jpg", ".jpeg", ".dcm"}
    paths = sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() in suffixes)
    counts: Counter[tuple[str, bool, Polarity]] = Counter()
    for path in paths[:: arguments.every]:
        film = read_radiograph(path).pixels
        for name, change in VARIANTS.items():
            for inverted in (False, True):
                shown = change(1 - film if inverted else film)
                polarity = find_polarity(shown)
                counts[name, inverted, polarity] += 1
                if arguments.flagged and polarity is Polarity.BONE_DARK and not inverted:
                    arguments.flagged.mkdir(parents=True, exist_ok=True)
                    target = arguments.flagged / f"{name.replace(' ', '_')}_{path.stem}.png"
                    cv2.imwrite(str(target), np.rint(shown * 255).astype(np.uint8))
    print_table(counts)


def print_table(counts: Counter[tuple[str, bool, Polarity]]) -> None:
    """Print, for every variant, the shares inverted and doubted of usual and of inverted films."""
    print(f"{'':18}{'usual films':>26}{'inverted films':>26}")
    print(f"{'variant':18}{'inverted':>14}{'doubted':>12}{'inverted':>14}{'doubted':>12}")
    for name in VARIANTS:
        cells = []
        for inverted in (False, True):
            films = sum(counts[name, inverted, polarity] for polarity in Polarity)
            wrong, doubt = (
                counts[name, inverted, Polarity.BONE_DARK],
                counts[name, inverted, Polarity.DOUBTFUL],
            )
            cells.append(f"{wrong:5d}{wrong / films:9.2%}{doubt / films:12.2%}")
        print(f"{name:18}{cells[0]}{cells[1]}")
    films = sum(counts["as it is", False, polarity] for polarity in Polarity)
    print(f"{films} films. Inverting a usual film is the error to avoid; an inverted one may be left alone.")


if __name__ == "__main__":
    main()
