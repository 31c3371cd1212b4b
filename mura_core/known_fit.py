"""`python -m mura_core known`: learn which films the weights know, and how well others are told from them.

Fitted on training films, its thresholds set on valid films, measured on the test split and on stand-ins
for what is no limb film. It writes `known.safetensors` and the figures, `known.json`, beside the weights.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core.checkpoint import find_weights
from mura_core.datasets import read_split
from mura_core.errors import DatasetError, ImageError, MuraError
from mura_core.images import read_radiograph
from mura_core.known import KNOWN_NAME, Known, read_known, served_digest, write_known
from mura_core.known_measure import Seen, measure_kinds, measure_parts, refused
from mura_core.known_table import known_text
from mura_core.model_card import KNOWN_FIGURES_NAME
from mura_core.orientation_fit import features_kept, fit_orientation, read_around
from mura_core.orientation_measure import measure_turned
from mura_core.pooling import root
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess
from mura_core.remarks import plain_remarks
from mura_core.staging import write_whole
from mura_core.stand_ins import KINDS, draw

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mura_core.preprocess import PreprocessOptions
    from mura_core.records import StudyRecord, ViewRecord
    from mura_core.study import Radiograph

    Floats = NDArray[np.float32]

AXES = 128
"""Main directions: the fewest of 32 to 512 that lose nothing on test films and stand-ins, which flatters."""

REFUSED_OF_VALID = 0.01
LEAST_FILMS = 20
"""A body part with fewer training films than this is not learnt."""

_STRENGTHS = (0.001, 0.01, 0.1, 1.0)
_BATCH = 16


def run(options: argparse.Namespace) -> str:
    """Fit, measure, and write both files; gives the figures as Markdown.

    Raises:
        MuraError: The weights or the data cannot be used, or a number of films or pictures is none.
    """
    for flag, count in (("--films", options.films), ("--stand-ins", options.stand_ins)):
        if count < 1:
            raise MuraError(f"{flag} is {count}, expected 1 or more: nothing can be measured on none.")
    folder = find_weights(options.weights)
    loaded = Predictor.load(folder, options.device)
    views = {
        split: _views(read_split(options.data, options.format, split), options.films)
        for split in ("train", "valid", "test")
    }
    train, valid = (
        look(partial(read_around, loaded.engine.read), loaded.sidecar.preprocess, _paths(views[split]))
        for split in ("train", "valid")
    )
    orientation = fit_orientation(train.features, valid.features)
    kept = Seen(features_kept(orientation, valid.features), valid.plain)
    known = replace(
        fit(train.features[0], kept.features, _parts(views["train"]), _parts(views["valid"])),
        orientation=orientation,
    )
    # As it is served from now on, whatever lay beside the weights before.
    served = Predictor(loaded.engine, loaded.sidecar, known=known)
    figures = {
        "engine": served.engine.name,
        "data": options.format,
        "films": {split: len(rows) for split, rows in views.items()},
        **measure(served, known, kept, views["test"], options.stand_ins),
        "turned": {
            split: measure_turned(served.engine, served.sidecar.preprocess, orientation, views[split])
            for split in ("valid", "test")
        },
    }
    write_known(folder, known)
    figures["weights"] = served_digest(folder)
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    write_whole(folder / KNOWN_FIGURES_NAME, text.encode())
    if read_known(folder) is None:
        raise DatasetError(f"{folder / KNOWN_NAME} was written, but does not read back. Try again.")
    return known_text(figures)


def measure(
    served: Predictor,
    known: Known,
    valid: Seen,
    test: Sequence[tuple[StudyRecord, ViewRecord]],
    stand_ins: int,
) -> dict[str, Any]:
    """Measure how well others are told from known films, on test films and so many stand-ins of each kind."""
    films, options = _paths(test), served.sidecar.preprocess

    def features(prepared: Sequence[Floats]) -> Floats:
        return served.read(prepared)[0].features

    seen = look(features, options, films)
    strangers = {
        kind: look(features, options, [draw(kind, number, films) for number in range(stand_ins)])
        for kind in KINDS
    }
    return {
        "refused": {"valid": refused(known, valid), "test": refused(known, seen)},
        "kinds": measure_kinds(known, seen, strangers),
        "body_part": measure_parts(known, seen.features, _parts(test)),
    }


def shown_part(record: StudyRecord, view: ViewRecord) -> str:
    """Name what a film shows; FracAtlas' "hand", which reaches to the elbow, is called arm.

    >>> from mura_core.records import StudyRecord, ViewRecord
    >>> view = ViewRecord(Path("a.jpg"), tags=frozenset({"hand", "shoulder", "frontal"}))
    >>> shown_part(StudyRecord("s", "p", "mixed", 0, (view,)), view)
    'arm+shoulder'
    """
    names = {"hand": "arm", "hip": "hip", "leg": "leg", "shoulder": "shoulder"}
    flagged = sorted(names[tag] for tag in view.tags & names.keys())
    return "+".join(flagged) or record.body_part


def look(
    read: Callable[[Sequence[Floats]], Floats], options: PreprocessOptions, sources: Sequence[Path | bytes]
) -> Seen:
    """Let the network look at films, each prepared as it is served.

    Args:
        read: Gives features (..., V, C) of V prepared films.
        options: How they are prepared.
        sources: Films, as files or as what is in them.

    Raises:
        ImageError: One cannot be read; the text names it.
    """
    features, plain = [], []
    for start in range(0, len(sources), _BATCH):
        batch = [_read(source) for source in sources[start : start + _BATCH]]
        features.append(read([preprocess(film.pixels, options)[0] for film in batch]))
        plain += [plain_remarks(film) for film in batch]
        if sys.stderr.isatty():
            print(f"\r{start + len(batch)} of {len(sources)} ", end="", file=sys.stderr)
    return Seen(np.concatenate(features, axis=-2), tuple(plain))


def fit(train: Floats, valid: Floats, train_parts: Sequence[str], valid_parts: Sequence[str]) -> Known:
    """Learn centre, directions, threshold and body parts from pooled features (N, C).

    Raises:
        DatasetError: There are too few films.
    """
    if len(train) < 2 * AXES or len(valid) < 1 / REFUSED_OF_VALID:
        raise DatasetError(
            f"Found {len(train)} training and {len(valid)} valid films; expected {2 * AXES} and "
            f"{1 / REFUSED_OF_VALID:.0f} at least. Use a larger dataset, or a larger --films."
        )
    rooted = root(train).astype(np.float64)
    centre = rooted.mean(axis=0)
    _, spread, axes = np.linalg.svd(rooted - centre, full_matrices=False)
    variances = spread**2 / len(rooted)
    # The others together, spread over as many directions as there are.
    rest = variances[AXES:].sum() / (rooted.shape[1] - AXES)
    main = Known(
        centre=centre.astype(np.float32),
        axes=axes[:AXES].astype(np.float32),
        variances=np.array([*variances[:AXES], rest], dtype=np.float32),
        threshold=1.0,
        part_weights=np.zeros((0, AXES + 1), dtype=np.float32),
        parts=(),
    )
    weights, parts = _fit_parts(main, (train, train_parts), (valid, valid_parts))
    threshold = float(np.quantile(main.strangeness(valid), 1 - REFUSED_OF_VALID, method="higher")) * (
        1 + 1e-6
    )
    return replace(main, threshold=threshold, part_weights=weights, parts=parts)


def _fit_parts(
    main: Known, train: tuple[Floats, Sequence[str]], valid: tuple[Floats, Sequence[str]]
) -> tuple[Floats, tuple[tuple[str, int], ...]]:
    """Fit a multinomial logistic regression on the main directions, its strength chosen on valid films."""
    from sklearn.linear_model import LogisticRegression

    counts = {part: list(train[1]).count(part) for part in sorted(set(train[1]))}
    learnt = {part: count for part, count in counts.items() if count >= LEAST_FILMS}
    scale = np.sqrt(main.variances[:-1])
    (x, labels), (held, truth) = (
        (
            ((root(features) - main.centre) @ main.axes.T / scale)[[part in learnt for part in parts]],
            np.array([part for part in parts if part in learnt]),
        )
        for features, parts in (train, valid)
    )
    fits = [LogisticRegression(C=strength, max_iter=2000).fit(x, labels) for strength in _STRENGTHS]
    places = (np.arange(len(truth)), np.searchsorted(fits[0].classes_, truth))
    losses = [-np.log(one.predict_proba(held)[places] + 1e-12).mean() for one in fits]
    best = fits[int(np.argmin(losses))]
    weights = np.concatenate([best.coef_ / scale, best.intercept_[:, None]], axis=1).astype(np.float32)
    if len(weights) == 1:
        # Of two parts the second one's scores alone are fitted.
        weights = np.concatenate([np.zeros_like(weights), weights])
    return weights, tuple((str(part), learnt[str(part)]) for part in best.classes_)


def _views(records: Sequence[StudyRecord], most: int) -> list[tuple[StudyRecord, ViewRecord]]:
    """All views of the records, or `most` taken evenly from them."""
    rows = [(record, view) for record in records for view in record.views]
    return [rows[int(index)] for index in np.linspace(0, len(rows) - 1, min(most, len(rows)))]


def _paths(rows: Sequence[tuple[StudyRecord, ViewRecord]]) -> list[Path]:
    return [view.path for _, view in rows]


def _parts(rows: Sequence[tuple[StudyRecord, ViewRecord]]) -> list[str]:
    return [shown_part(record, view) for record, view in rows]


def _read(source: Path | bytes) -> Radiograph:
    try:
        return read_radiograph(source)
    except ImageError as error:
        raise ImageError(f"{source if isinstance(source, Path) else 'A stand-in'}: {error}") from error
