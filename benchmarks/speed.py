"""How long a study takes, from files to heatmaps: this project's Predictor against pytorch-grad-cam.

`python -m benchmarks.speed [--weights DIR] [--runs N] [--out FILE]` draws phantoms of 2.7 megapixels, reads
and predicts them, and times the peer in turn, pair by pair: the same network and films through
pytorch-grad-cam, one film after the other. Prints medians and writes them as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

from mura_core.checkpoint import load_weights
from mura_core.gradcam import gradient_map
from mura_core.images import read_radiograph
from mura_core.models import build_model
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess, to_tensor
from mura_core.study import Study, View

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (1900, 1420)
VIEWS = (1, 2, 4)


def main() -> None:
    """Measure and print."""
    options = _parse()
    predictor = Predictor.load(options.weights, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        files = [_draw(Path(folder) / f"view{index}.png", index) for index in range(max(VIEWS))]
        rows = [_measure(predictor, files[:count], options) for count in VIEWS]
    report = {
        "machine": {
            "processor": _processor(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "megapixels": SHAPE[0] * SHAPE[1] / 1e6,
        "runs": options.runs,
        "rows": rows,
    }
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    print(
        "| views | files to result, ms | of it reading | network | peer, ms | peer / this, median (range) |"
    )
    print("|---|---|---|---|---|---|")
    for row in rows:
        low, high = row["ratio_range"]
        print(
            f"| {row['views']} | {row['total_ms']:.0f} | {row['read_ms']:.0f} | {row['network_ms']:.0f} "
            f"| {row['peer_ms']:.0f} | {row['ratio']:.1f} ({low:.1f} to {high:.1f}) |"
        )


def _measure(predictor: Predictor, files: list[Path], options: argparse.Namespace) -> dict[str, Any]:
    peer = _peer(predictor, options.weights)
    _read_and_predict(predictor, files)
    peer(files)
    ours, read, network, theirs = [], [], [], []
    for _ in range(options.runs):
        start = time.perf_counter()
        read_s, network_s = _read_and_predict(predictor, files)
        ours.append(time.perf_counter() - start)
        read.append(read_s)
        network.append(network_s)
        start = time.perf_counter()
        peer(files)
        theirs.append(time.perf_counter() - start)
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    return {
        "views": len(files),
        "total_ms": 1e3 * statistics.median(ours),
        "read_ms": 1e3 * statistics.median(read),
        "network_ms": 1e3 * statistics.median(network),
        "peer_ms": 1e3 * statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
    }


def _read_and_predict(predictor: Predictor, files: list[Path]) -> tuple[float, float]:
    start = time.perf_counter()
    views = tuple(View(path.name, read_radiograph(path)) for path in files)
    read_s = time.perf_counter() - start
    return read_s, predictor.predict(Study(views)).timing.network_s


def _peer(predictor: Predictor, weights: Path | None) -> Callable[[list[Path]], None]:
    """The same network through Grad-CAM, one film after the other."""
    from mura_core.checkpoint import find_weights

    model = build_model(predictor.sidecar.architecture)
    model.load_state_dict(load_weights(find_weights(weights))[1])
    model.eval()

    def run(files: list[Path]) -> None:
        for path in files:
            prepared, geometry = preprocess(read_radiograph(path).pixels, predictor.sidecar.preprocess)
            heat = gradient_map(model, to_tensor([prepared]))[0]
            geometry.map_to_radiograph(heat)

    return run


def _draw(path: Path, seed: int) -> Path:
    """A limb-like phantom with noise, so that it compresses and decodes as a film does."""
    height, width = SHAPE
    image = Image.new("L", (width, height), 20)
    pen = ImageDraw.Draw(image)
    pen.rectangle((width * 0.3, 0, width * 0.7, height * 0.9), fill=90)
    pen.rectangle((width * (0.42 + 0.01 * seed), 0, width * 0.56, height * 0.85), fill=190)
    smooth = np.asarray(image.filter(ImageFilter.GaussianBlur(6)), dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0, 3, smooth.shape)
    Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--weights", type=Path, help="weights folder; default: $MURA_WEIGHTS, then weights/")
    parser.add_argument("--runs", type=int, default=7, help="timed pairs; default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results.json"), help="default: %(default)s"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
