"""Measure what another hospital's film does to the released weights: the split once more under each change.

    python -m benchmarks.robustness DATA [--split test] [--every 1] [--weights weights]

Every change is made to the film as stored, written to PNG or JPEG, and read again as a file that a clinician
would upload: reader, polarity, region of interest and network all see it. DATA is FracAtlas. AUROC of each
change stands beside that of the films as they are, with the paired difference and its 95 % interval, in
`robustness.json` beside the weights; `python -m benchmarks.figures` brings the model card up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.labelled import read_labelled
from mura_core import bootstrap
from mura_core.bootstrap import PROBABILITY_MEASURES
from mura_core.images import read_radiograph
from mura_core.model_card import ROBUSTNESS_NAME, robustness_table
from mura_core.predictor import Predictor
from mura_core.records import StudyRecord
from mura_core.study import Study, View

Film = NDArray[np.uint8]


def scale(film: Film, factor: float) -> Film:
    """Resample to `factor` times the sides."""
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(film, None, fx=factor, fy=factor, interpolation=way)


def bend(film: Film, gamma: float) -> Film:
    """Apply a grey curve."""
    return np.rint(255 * (film / 255.0) ** gamma).astype(np.uint8)


def flatten(film: Film, share: float) -> Film:
    """Keep a share of the contrast, around mid-grey."""
    return np.rint(128 + share * (film.astype(np.float32) - 128)).astype(np.uint8)


def add_noise(film: Film, sigma: float) -> Film:
    """Add Gaussian noise, sigma in grey levels of 255; the same noise for the same film."""
    noise = np.random.default_rng(film.size).normal(0, sigma, film.shape)
    return np.clip(np.rint(film + noise), 0, 255).astype(np.uint8)


def turn(film: Film, degrees: float) -> Film:
    """Turn about the middle on a page of black that holds all of it."""
    height, width = film.shape
    move = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(move[0, 0]), abs(move[0, 1])
    size = (round(height * sine + width * cosine), round(height * cosine + width * sine))
    move[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    return cv2.warpAffine(film, move, size)


def pad(film: Film, level: int) -> Film:
    """Lay the film on a page of one grey level, a quarter wider on every side."""
    rows, columns = film.shape[0] // 4, film.shape[1] // 4
    return cv2.copyMakeBorder(film, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=level)


def write_text(film: Film) -> Film:
    """Burn in what consoles burn in: a side marker and two lines of text."""
    marked, size = film.copy(), film.shape[1] / 500
    for text, row, column, height in (
        ("R", 0.14, 0.04, 2.0),
        ("KV 55 MAS 3.2", 0.94, 0.03, 0.8),
        ("AP PORTABLE", 0.07, 0.55, 0.8),
    ):
        at = (int(column * film.shape[1]), int(row * film.shape[0]))
        cv2.putText(marked, text, at, cv2.FONT_HERSHEY_SIMPLEX, height * size, 255, max(1, round(2 * size)))
    return marked


def collimate(film: Film) -> Film:
    """Cover two borders with white bars, as an open shutter leaves them."""
    covered = film.copy()
    covered[: film.shape[0] // 12] = 255
    covered[:, -film.shape[1] // 12 :] = 255
    return covered


CHANGES: dict[str, Callable[[Film], Film]] = {
    "as it is": lambda film: film,
    "resolution x 0.5": lambda film: scale(film, 0.5),
    "resolution x 2": lambda film: scale(film, 2),
    "resolution x 6": lambda film: scale(film, 6),
    "gamma 0.6": lambda film: bend(film, 0.6),
    "gamma 1.6": lambda film: bend(film, 1.6),
    "contrast x 0.5": lambda film: flatten(film, 0.5),
    "noise of 10 levels": lambda film: add_noise(film, 10),
    "noise of 25 levels": lambda film: add_noise(film, 25),
    "JPEG quality 20": lambda film: film,
    "inverted": lambda film: 255 - film,
    "mirrored": lambda film: np.ascontiguousarray(film[:, ::-1]),
    "turned by 15 degrees": lambda film: turn(film, 15),
    "turned by 90 degrees": lambda film: turn(film, 90),
    "on a black page": lambda film: pad(film, 0),
    "on a white page": lambda film: pad(film, 255),
    "burned-in text": write_text,
    "white bars": collimate,
}


def main() -> None:
    """Predict the split under every change, write the table as JSON, and print it."""
    labelled = read_labelled(__doc__, split="test")
    records = labelled.records
    probabilities = {}
    for name in CHANGES:
        probabilities[name] = [predict_changed(labelled.predictor, record, name) for record in records]
        print(name, file=sys.stderr, flush=True)
    result = {
        **labelled.header(),
        "studies": len(records),
        "rows": compare(records, probabilities),
    }
    (labelled.folder / ROBUSTNESS_NAME).write_text(json.dumps(result, indent=1) + "\n")
    print(robustness_table(result["rows"]))


def predict_changed(predictor: Predictor, record: StudyRecord, name: str) -> float:
    """Predict a study whose films were all changed and stored again."""
    views = []
    for view in record.views:
        film = np.rint(read_radiograph(view.path).pixels * 255).astype(np.uint8)
        suffix, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 20]) if "JPEG" in name else (".png", [])
        stored = cv2.imencode(suffix, CHANGES[name](film), options)[1].tobytes()
        views.append(View(view.path.name, read_radiograph(stored)))
    return predictor.predict(Study(tuple(views))).study_probability


def compare(records: list[StudyRecord], probabilities: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Set every change beside the films as they are."""
    labels = [record.label for record in records]
    weights = bootstrap.resample_patients([record.patient_id for record in records])
    auroc, plain = PROBABILITY_MEASURES["auroc"], probabilities["as it is"]
    rows = []
    for name, changed in probabilities.items():
        found = bootstrap.estimate(auroc, labels, changed, weights)
        lost = bootstrap.paired_difference(auroc, labels, changed, plain, weights)
        shifts = np.abs(np.array(changed) - np.array(plain))
        rows.append(
            {
                "change": name,
                "auroc": found.value,
                "auroc_ci95": [found.low, found.high],
                "difference": lost.value,
                "difference_ci95": None if name == "as it is" else [lost.low, lost.high],
                "mean_probability_change": float(shifts.mean()),
            }
        )
    return rows


if __name__ == "__main__":
    main()
