"""How much of this CPU's convolution peak the network's forward pass reaches, in float32."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from mura_core.checkpoint import find_weights, load_arrays
from mura_core.graph import build_graph
from mura_core.openvino_engine import OpenVinoEngine

if TYPE_CHECKING:
    from pathlib import Path

_SHAPES = ((128, 40), (256, 28), (256, 40), (512, 20))
"""Channels in and out, and side, of the 3x3 convolutions that the peak is looked for with."""

_VIEWS = 4


def forward_share(weights: Path | None, rounds: int = 9) -> dict[str, Any]:
    """Time four films and plain convolutions in turn.

    Returns:
        GFLOP of a film, as the rewritten graph computes it; GFLOP/s of the network and of the best
        convolution; and their ratio, the median over the rounds.
    """
    folder = find_weights(weights)
    sidecar, state = load_arrays(folder)
    size = sidecar.preprocess.size
    engine = OpenVinoEngine(state, size, "f32")
    work = flops(build_graph(state, size))
    films = [np.random.default_rng(seed).random((size, size), np.float32) for seed in range(_VIEWS)]
    peaks = [_Convolution(*shape) for shape in _SHAPES]
    engine.read(films)
    reached, best = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        engine.read(films)
        reached.append(_VIEWS * work / (time.perf_counter() - start))
        best.append(max(peak.flops_per_s() for peak in peaks))
    ratios = [mine / top for mine, top in zip(reached, best, strict=True)]
    return {
        "gflop_a_film": work / 1e9,
        "network_gflops": statistics.median(reached) / 1e9,
        "peak_gflops": statistics.median(best) / 1e9,
        "share": statistics.median(ratios),
        "share_range": [min(ratios), max(ratios)],
    }


def flops(graph: ov.Model) -> float:
    """Count the multiplications and additions of a graph's convolutions."""
    total = 0.0
    for node in graph.get_ops():
        if node.get_type_name() == "Convolution":
            kernel, made = node.input(1).get_shape(), node.output(0).get_shape()
            total += 2 * math.prod(kernel) * made[2] * made[3]
    return total


class _Convolution:
    """One 3x3 convolution, run on all cores as the engine runs the network."""

    def __init__(self, channels: int, side: int) -> None:
        films = ops.parameter([1, channels, side, side], np.float32)
        kernel = np.random.default_rng(0).normal(0, 0.01, (channels, channels, 3, 3)).astype(np.float32)
        made: Any = films
        # Several in a row, so that a request's own cost does not count.
        for _ in range(8):
            made = ops.convolution(made, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1])
        graph = ov.Model([made], [films], "peak")
        self._work = flops(graph)
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        compiled = ov.Core().compile_model(graph, "CPU", options)
        streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self._film = np.zeros((1, channels, side, side), np.float32)
        self.flops_per_s()

    def flops_per_s(self) -> float:
        start = time.perf_counter()
        for request in self._requests:
            request.start_async({0: self._film})
        for request in self._requests:
            request.wait()
        return len(self._requests) * self._work / (time.perf_counter() - start)
