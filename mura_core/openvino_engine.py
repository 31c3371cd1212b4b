"""The network on a plain CPU, by OpenVINO: several films side by side, one thread each."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino as ov

from mura_core.graph import build_graph
from mura_core.pooling import Maps, pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]

_CPU_FLAGS = Path("/proc/cpuinfo")


class OpenVinoEngine:
    """A densenet169 compiled for this CPU. Safe among threads: they take turns, one study uses every core."""

    def __init__(
        self,
        state: Mapping[str, Any],
        size: int,
        precision: str,
        ranges: Mapping[str, float] | None = None,
        threads: int | None = None,
    ) -> None:
        """Compile the network, which takes about a second.

        Args:
            state: The tensors of a densenet169 `Classifier` by torch's names.
            size: Side of the films, px.
            precision: "f32", "bf16" or "int8". Where "int8" leaves a layer in floating point, that is bf16
                where the CPU has it.
            ranges: For "int8", the largest input of each 8-bit convolution; see `quantisation`.
            threads: How many to use; None for one a core.
        """
        self.name = f"openvino {precision}"
        self._bias = float(state["classifier.bias"][0])
        self._focus = float(state["focus"])
        core = ov.Core()
        float_kind = "bf16" if precision == "bf16" or (precision == "int8" and has_bf16()) else "f32"
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": float_kind}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = str(threads)
        graph = build_graph(state, size, ranges if precision == "int8" else None)
        compiled = core.compile_model(graph, "CPU", options)
        streams = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [compiled.create_infer_request() for _ in range(streams)]
        self._turn = Lock()

    def read(self, films: Sequence[FloatMap]) -> Maps:
        """Run V films, each float32 (S, S) in [0, 1]."""
        with self._turn:
            try:
                for index in range(min(len(films), len(self._requests))):
                    self._start(index, films)
                found = [self._finish(index, films) for index in range(len(films))]
            except BaseException:
                # What was started ends first: a busy request would refuse the next study.
                for request in self._requests:
                    with suppress(RuntimeError):
                        request.wait()
                raise
        scores, features = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return pool(scores, features, self._bias, self._focus)

    def _start(self, index: int, films: Sequence[FloatMap]) -> None:
        self._requests[index % len(self._requests)].start_async({0: films[index][None, None]})

    def _finish(self, index: int, films: Sequence[FloatMap]) -> tuple[FloatMap, FloatMap]:
        """Wait for a film, and let the next one have its stream."""
        request = self._requests[index % len(self._requests)]
        request.wait()
        scores = np.array(request.get_output_tensor(0).data[:, 0], dtype=np.float32)
        features = np.array(request.get_output_tensor(1).data, dtype=np.float32)
        if index + len(self._requests) < len(films):
            self._start(index + len(self._requests), films)
        return scores, features


def has_bf16() -> bool:
    """Whether the CPU multiplies bf16 by itself; where it does not, bf16 is slower than float32."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def has_int8() -> bool:
    """Whether the CPU adds products of bytes in 32 bits (VNNI).

    Older ones add them in 16 bits, which may overflow: the agreement measured does not hold there. Known on
    Linux alone; elsewhere the answer is no.
    """
    try:
        return "vnni" in _CPU_FLAGS.read_text()
    except OSError:
        return False
