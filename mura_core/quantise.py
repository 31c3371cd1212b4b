"""Prepare released weights for 8 bits, and measure every engine of this CPU against the reference.

Calibrated on training films, checked on the test split: where 8 bits change more than `LIMITS`, nothing is
written and no engine will use them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core import metrics
from mura_core.checkpoint import find_weights, load_arrays
from mura_core.cores import processor_name
from mura_core.datasets import read_split
from mura_core.engines import PRECISIONS, load_engine
from mura_core.errors import MuraError
from mura_core.graph import build_probe, quantised_layers
from mura_core.images import read_radiograph
from mura_core.model_card import engine_table
from mura_core.openvino_engine import OpenVinoEngine, has_bf16, has_int8
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess
from mura_core.quantisation import INT8_NAME, write_ranges
from mura_core.study import Study, View

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from mura_core.records import StudyRecord
    from mura_core.sidecar import Sidecar
    from mura_core.study import StudyResult

_REACH = 0.9
LIMITS = {"auroc_change": 0.003, "share_of_calls_changed": 0.005, "lowest_map_correlation": 0.99}
"""Of 8 bits and bf16 against the reference on the test split: at most, at most, at least."""


def run(options: argparse.Namespace) -> None:
    """Calibrate, check, and write `int8.json` beside the weights.

    Raises:
        MuraError: The weights or data cannot be used, or 8 bits change more than `LIMITS`.
    """
    folder = find_weights(options.weights)
    sidecar, state = load_arrays(folder)
    if sidecar.architecture != "densenet169":
        raise MuraError(f"Only densenet169 runs in 8 bits, and {folder} holds {sidecar.architecture}.")
    ranges = calibrate(read_split(options.data, options.format, "train"), sidecar, state, options.films)
    engines: dict[str, Any] = {"torch f32": load_engine(folder, sidecar, state, "torch")}
    for precision in PRECISIONS[::-1]:
        if {"f32": True, "bf16": has_bf16(), "int8": has_int8()}[precision]:
            engine = OpenVinoEngine(state, sidecar.preprocess.size, precision, ranges)
            engines[engine.name] = engine
    records = read_split(options.data, options.format, "test")
    # Without what they know: the networks are compared, not which films are turned before they are read.
    rows = measure(records, {name: Predictor(engine, sidecar) for name, engine in engines.items()})
    print(engine_table(rows))
    excess = beyond_limits(rows.get("openvino int8"))
    if not excess and "openvino bf16" in rows:
        # The file lets bf16 run too, on a CPU without VNNI.
        excess = beyond_limits(rows["openvino bf16"])
    if excess:
        raise MuraError(f"{INT8_NAME} was not written: {excess}.")
    checked = {
        "dataset": {"format": options.format, "split": "test", "studies": len(records)},
        "calibrated_on": {"split": "train", "films": options.films},
        "processor": processor_name(),
        "limits": LIMITS,
        "engines": rows,
    }
    write_ranges(folder, ranges, checked)
    print(f"Written: {folder / INT8_NAME}")


def calibrate(
    records: Sequence[StudyRecord], sidecar: Sidecar, state: Mapping[str, Any], films: int
) -> dict[str, float]:
    """Find nearly the largest input of each convolution over films taken evenly from the records.

    Not all of it: what the few largest values lose by being cut off, all the others gain in finer steps.
    """
    import openvino as ov

    paths = [view.path for record in records for view in record.views]
    chosen = [paths[int(index)] for index in np.linspace(0, len(paths) - 1, min(films, len(paths)))]
    probe = ov.Core().compile_model(
        build_probe(state, sidecar.preprocess.size), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    largest = np.zeros(len(quantised_layers()))
    for path in chosen:
        film, _ = preprocess(read_radiograph(path).pixels, sidecar.preprocess)
        found = probe(film[None, None])
        largest = np.maximum(largest, [float(found[index]) for index in range(len(largest))])
    # A convolution whose input is zero on every film gets a range that does not divide by zero.
    tops = zip(quantised_layers(), _REACH * largest, strict=True)
    return {name: max(float(top), 1e-6) for name, top in tops}


def measure(records: Sequence[StudyRecord], predictors: Mapping[str, Predictor]) -> dict[str, dict[str, Any]]:
    """Read each study with each predictor, and compare them with the first.

    Returns:
        By name: AUROC and its change, the largest and the mean change of a study's probability, how many
        calls changed and of how many, and the lowest correlation of a view's map.
    """
    labels: list[int] = []
    results: dict[str, list[StudyResult]] = {name: [] for name in predictors}
    for index, record in enumerate(records, 1):
        study = Study(tuple(View(view.path.name, read_radiograph(view.path)) for view in record.views))
        labels.append(int(record.label))
        for name, predictor in predictors.items():
            results[name].append(predictor.predict(study))
        if sys.stderr.isatty():
            print(f"\r{index} of {len(records)}", end="", file=sys.stderr)
    reference = results[next(iter(predictors))]
    return {name: _compare(labels, reference, found) for name, found in results.items()}


def _compare(
    labels: Sequence[int], reference: Sequence[StudyResult], found: Sequence[StudyResult]
) -> dict[str, Any]:
    before, after = (np.array([one.study_probability for one in rows]) for rows in (reference, found))
    correlations = [
        _correlation(mine.cam, other.cam)
        for one, two in zip(reference, found, strict=True)
        for mine, other in zip(one.views, two.views, strict=True)
    ]
    auroc = metrics.auroc(labels, after)
    return {
        "auroc": auroc,
        "auroc_change": auroc - metrics.auroc(labels, before),
        "largest_probability_change": float(np.abs(after - before).max()),
        "mean_probability_change": float(np.abs(after - before).mean()),
        "calls_changed": sum(one.call is not two.call for one, two in zip(reference, found, strict=True)),
        "studies": len(labels),
        "lowest_map_correlation": min(correlations),
    }


def _correlation(one: Any, two: Any) -> float:
    """Pearson's; 1 of two maps without any contrast, which say the same, 0 if one alone has none."""
    flat = [np.ravel(one), np.ravel(two)]
    even = [float(np.ptp(part)) < 1e-6 for part in flat]
    if any(even):
        return float(all(even))
    return float(np.corrcoef(flat)[0, 1])


def beyond_limits(row: Mapping[str, Any] | None) -> str:
    """Say what of an engine's row is beyond `LIMITS`; nothing if all is within."""
    if row is None:
        return "this CPU has no 8-bit arithmetic (VNNI) to check it with"
    share = row["calls_changed"] / row["studies"]
    found = [
        (abs(row["auroc_change"]) < LIMITS["auroc_change"], f"AUROC moves by {row['auroc_change']:+.4f}"),
        (
            share < LIMITS["share_of_calls_changed"],
            f"{row['calls_changed']} of {row['studies']} calls change",
        ),
        (
            row["lowest_map_correlation"] > LIMITS["lowest_map_correlation"],
            f"a map correlates by {row['lowest_map_correlation']:.3f} only",
        ),
    ]
    return ", ".join(text for holds, text in found if not holds)
