"""How long a study takes from files to pictures: this project with each engine, against two peers.

`python -m benchmarks.speed [--weights DIR] [--runs N] [--out FILE]` draws films of 2.7 megapixels and lets
all contestants read them in turn, each in a process of its own, round by round, so that a machine whose
speed drifts does so for all of them. It also starts each anew (time to the first result, peak memory),
measures the convolution peak of this CPU, and starts the app (time to the first page and the first answer,
memory). Writes JSON and prints tables; `python -m benchmarks.figures` puts them into the README.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.apart import Apart
from benchmarks.cold_start import first_answer, first_result
from benchmarks.contestants import PEERS
from benchmarks.ours import Ours
from benchmarks.peak import forward_share
from benchmarks.speed_films import KINDS, SHAPE, draw_files
from benchmarks.speed_tables import tables
from mura_core.cores import processor_name
from mura_core.engines import PRECISIONS
from mura_core.errors import MuraError

VIEWS = (1, 2, 4, 6)
STAGE_VIEWS = 4


def main() -> None:
    """Measure, write and print."""
    options = _parse()
    results: dict[str, Any] = {
        "machine": {
            "processor": f"{processor_name()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
        },
        "versions": {name: version(name) for name in ("torch", "openvino", "grad-cam", "gradio")},
        "megapixels": SHAPE[0] * SHAPE[1] / 1e6,
        "runs": options.runs,
        "app": first_answer(options.weights),
    }
    with tempfile.TemporaryDirectory() as folder, ExitStack() as room:
        files = {kind: draw_files(Path(folder), kind, max(VIEWS)) for kind in KINDS}
        names = (*PEERS, *_engines(options.weights))
        results["processes"] = {
            name: first_result(name, files["png"][:STAGE_VIEWS], options.weights) for name in names
        }
        contestants = {name: room.enter_context(Apart(name, options.weights)) for name in names}
        results["rows"] = [
            _interleave(contestants, kind, files[kind][:count], options.runs)
            for kind, count in [("png", count) for count in VIEWS] + [(kind, 4) for kind in KINDS[1:]]
        ]
        results["stages"] = {
            kind: {
                name: _stages(contestant, files[kind][:STAGE_VIEWS], options.runs)
                for name, contestant in contestants.items()
            }
            for kind in KINDS
        }
    results["peak"] = forward_share(options.weights)
    text = "\n".join(tables(results)) + "\n"
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    options.out.with_name("SPEED.md").write_text(text)
    print(text)


def _engines(weights: Path | None) -> list[str]:
    """Which of our engines this CPU and these weights can have."""
    found = []
    for name in PRECISIONS:
        try:
            Ours(weights, name)
        except MuraError as error:
            print(error)
        else:
            found.append(name)
    return found


def _interleave(contestants: dict[str, Apart], kind: str, files: list[Path], runs: int) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs):
        for name, contestant in contestants.items():
            seconds[name].append(contestant.seconds(files))
    print(kind, len(files), {name: round(1e3 * statistics.median(taken)) for name, taken in seconds.items()})
    return {
        "kind": kind,
        "views": len(files),
        "ms": {name: 1e3 * statistics.median(taken) for name, taken in seconds.items()},
        "ratios": {
            peer: {
                name: _spread([theirs / ours for theirs, ours in zip(seconds[peer], taken, strict=True)])
                for name, taken in seconds.items()
                if name not in PEERS
            }
            for peer in PEERS
        },
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def _stages(contestant: Apart, files: list[Path], runs: int) -> dict[str, float]:
    taken = [contestant.stages(files) for _ in range(runs)]
    return {stage: 1e3 * statistics.median(one[stage] for one in taken) for stage in taken[0]}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--weights", type=Path, help="weights folder; default: $MURA_WEIGHTS, then weights/")
    parser.add_argument("--runs", type=int, default=7, help="timed rounds; default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results.json"), help="default: %(default)s"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
