"""A worklist to a table of results: what is done is skipped, what is left is read, all of it is written."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mura_core import __version__
from mura_core.batch.crew import Worker, read_all
from mura_core.batch.journal import Journal
from mura_core.batch.summary import Summary
from mura_core.batch.table import check_format, rows_of, write_table
from mura_core.batch.worklist import read_worklist
from mura_core.checkpoint import find_weights
from mura_core.errors import MuraError
from mura_core.known import KNOWN_NAME
from mura_core.reading import NOTICE
from mura_core.sidecar import SIDECAR_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mura_core.batch.worklist import Item, Worklist

_PROGRESS_S = 10.0


@dataclass(frozen=True)
class Options:
    """How a worklist is read.

    Attributes:
        out: Where the table goes; ends in .parquet or .csv.
        weights: Weights folder, None for the default.
        device: As the Predictor takes it.
        workers: Processes side by side.
        ray: Whether Ray Data hands the studies out, in the cluster that RAY_ADDRESS names or one of its own.
    """

    out: Path
    weights: Path | None = None
    device: str = "auto"
    workers: int = 1
    ray: bool = False


def run(path: Path, options: Options) -> Summary:
    """Read every study of a worklist and write the table; run again after a kill, it goes on.

    Args:
        path: The worklist; see `worklist.read_worklist`.
        options: How.

    Raises:
        MuraError: The worklist, the weights or the table cannot be read or written. What was read is kept.
    """
    start = time.perf_counter()
    check_format(options.out)
    weights = find_weights(options.weights)
    model = _fingerprint_model(weights)
    worklist = read_worklist(path)
    journal = Journal(options.out)
    try:
        waiting = [
            (number, key)
            for number, item in enumerate(worklist.items)
            if not journal.has(item.study, key := _fingerprint(worklist, item, model))
        ]
        _read(worklist, waiting, journal, weights, options)
        summary = Summary(resumed=len(worklist.items) - len(waiting))
        notes = {"notice": NOTICE, "model_sha256": model, "mura_core": __version__}
        write_table(options.out, _rows(worklist, journal, summary), worklist.extra, notes)
    finally:
        journal.close()
    summary.seconds = time.perf_counter() - start
    return summary


def _read(
    worklist: Worklist, waiting: list[tuple[int, str]], journal: Journal, weights: Path, options: Options
) -> None:
    """Read what is waiting, and keep each outcome at once."""
    keys = dict(waiting)
    orders = ((number, _paths(worklist, worklist.items[number])) for number in keys)
    workers = min(options.workers, len(waiting))
    if options.ray:
        from mura_core.batch.on_ray import read_all_on_ray

        outcomes = read_all_on_ray(weights, options.device, workers, orders)
    else:
        outcomes = read_all([Worker(weights, options.device) for _ in range(workers)], orders)
    start = said = time.perf_counter()
    for done, (number, outcome) in enumerate(outcomes, start=1):
        journal.add(worklist.items[number].study, keys[number], outcome)
        now = time.perf_counter()
        if now - said > _PROGRESS_S:
            said, left_s = now, (now - start) / done * (len(keys) - done)
            print(f"{done} of {len(keys)} studies, about {left_s / 60:.0f} min left", file=sys.stderr)


def _paths(worklist: Worklist, item: Item) -> list[str]:
    return [str((worklist.root / file).absolute()) for file in item.files]


def _rows(worklist: Worklist, journal: Journal, summary: Summary) -> Iterator[dict[str, Any]]:
    """Yield the table in the worklist's order, and count it."""
    for item in worklist.items:
        outcome = journal.outcome(item.study)
        if outcome is None:
            raise MuraError(f"{journal.path} lost the study {item.study}. Run the same command again.")
        rows = rows_of(item, outcome)
        summary.count(rows)
        yield from rows


def _fingerprint_model(weights: Path) -> str:
    """Hash the sidecar, which names the hash of every weight, this package's version, and what is known."""
    known = weights / KNOWN_NAME
    learnt = known.read_bytes() if known.is_file() else b""
    return hashlib.sha256((weights / SIDECAR_NAME).read_bytes() + __version__.encode() + learnt).hexdigest()


def _fingerprint(worklist: Worklist, item: Item, model: str) -> str:
    """Hash what an outcome depends on: the model, and each file's name, size and time of change."""
    facts: list[Any] = [model]
    for file in item.files:
        try:
            status = (worklist.root / file).stat()
            facts.append([file, status.st_size, status.st_mtime_ns])
        except (OSError, ValueError):
            facts.append([file])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
