"""DenseNet169 as an OpenVINO graph, rewritten so that one pass yields a score for every location.

The rewriting changes no answer beyond rounding: batch normalisation behind a convolution is folded into its
kernel, the transitions' average pool moves in front of their 1x1 convolution (both are linear, and a
quarter of the places is left to convolve), and the classification layer is a 1x1 convolution over the last
feature map. The kernels are those of Huang et al. 2017 as torchvision names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from openvino import Model
from openvino import opset13 as ops

from mura_core.preprocess import IMAGENET_MEAN, IMAGENET_STD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from openvino import Node

    Floats = NDArray[np.float32]

BLOCKS = (6, 12, 32, 32)
"""Layers of each dense block."""

_EPSILON = 1e-5
_LEVELS = 256


def build_graph(state: Mapping[str, Floats], size: int, ranges: Mapping[str, float] | None = None) -> Model:
    """Build the network for films of one size.

    Args:
        state: The tensors of a densenet169 `Classifier` by torch's names.
        size: Side of the films, px.
        ranges: For 8-bit arithmetic: the largest input of each convolution named here (see
            `quantised_layers`). The others stay in floating point, and all of them where None.

    Returns:
        A model from "films", float32 (1, 1, size, size) in [0, 1], to "scores", float32 (1, 1, h, w): what
        the classification layer says of each location, without its bias; and to "features", float32 (1, C):
        the mean over all locations of what that layer sees.
    """
    return _Builder(state, ranges or {}).build(size)


def quantised_layers() -> tuple[str, ...]:
    """Name the convolutions that may run in 8 bit: those inside the dense blocks.

    The first convolution sees the film itself, the last is the classification layer; both lose the
    probability in 8 bit. The transitions lose the map there.
    """
    return tuple(
        f"denseblock{block}.denselayer{layer}.conv{conv}"
        for block, layers in enumerate(BLOCKS, 1)
        for layer in range(1, layers + 1)
        for conv in (1, 2)
    )


def build_probe(state: Mapping[str, Floats], size: int) -> Model:
    """Build the same network with one output for each of `quantised_layers`: its largest input, a scalar."""
    builder = _Builder(state, {})
    builder.build(size)
    largest = [
        ops.reduce_max(builder.inputs[name], np.array([0, 1, 2, 3]), keep_dims=False)
        for name in quantised_layers()
    ]
    return Model(largest, [builder.films], "probe")


class _Builder:
    """The graph while it grows; `inputs` are the nodes that feed each convolution of the dense blocks."""

    def __init__(self, state: Mapping[str, Floats], ranges: Mapping[str, float]) -> None:
        self.state = state
        self.ranges = ranges
        self.inputs: dict[str, Node] = {}

    def build(self, size: int) -> Model:
        self.films = ops.parameter([1, 1, size, size], np.float32, name="films")
        x = self._stem()
        for block, layers in enumerate(BLOCKS, 1):
            for layer in range(1, layers + 1):
                x = ops.concat([x, self._dense_layer(x, f"denseblock{block}.denselayer{layer}")], axis=1)
            if block < len(BLOCKS):
                x = self._transition(x, f"transition{block}")
        head = self.state["classifier.weight"][:, :, None, None]
        last = self._activate(x, "norm5")
        scores = _convolve(last, head)
        scores.output(0).set_names({"scores"})
        features = ops.reduce_mean(last, np.array([2, 3]), keep_dims=False)
        features.output(0).set_names({"features"})
        return Model([scores, features], [self.films], "densenet169")

    def _stem(self) -> Node:
        mean, std = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        x = ops.multiply(ops.subtract(self.films, mean), 1 / std)
        scale, shift = self._norm("norm0")
        x = _convolve(x, self._weight("conv0") * _column(scale), stride=2, pad=3)
        x = ops.relu(ops.add(x, _row(shift)))
        return ops.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)

    def _dense_layer(self, x: Node, name: str) -> Node:
        scale, shift = self._norm(f"{name}.norm2")
        narrow = self._quantisable(
            self._activate(x, f"{name}.norm1"),
            self._weight(f"{name}.conv1") * _column(scale),
            f"{name}.conv1",
        )
        narrow = ops.relu(ops.add(narrow, _row(shift)))
        return self._quantisable(narrow, self._weight(f"{name}.conv2"), f"{name}.conv2", pad=1)

    def _transition(self, x: Node, name: str) -> Node:
        pooled = ops.avg_pool(self._activate(x, f"{name}.norm"), [2, 2], [0, 0], [0, 0], [2, 2], False)
        return _convolve(pooled, self._weight(f"{name}.conv"))

    def _quantisable(self, x: Node, kernel: Floats, name: str, pad: int = 0) -> Node:
        self.inputs[name] = x
        if name not in self.ranges:
            return _convolve(x, kernel, pad=pad)
        top = np.float32(self.ranges[name])
        zero = np.float32(0)
        reach = np.maximum(np.abs(kernel).max(axis=(1, 2, 3), keepdims=True), np.float32(1e-8))
        return ops.convolution(
            ops.fake_quantize(x, zero, top, zero, top, _LEVELS),
            # One level fewer: symmetric about an exact zero.
            ops.fake_quantize(ops.constant(kernel), -reach, reach, -reach, reach, _LEVELS - 1),
            [1, 1],
            [pad, pad],
            [pad, pad],
            [1, 1],
        )

    def _activate(self, x: Node, norm: str) -> Node:
        scale, shift = self._norm(norm)
        return ops.relu(ops.add(ops.multiply(x, _row(scale)), _row(shift)))

    def _norm(self, name: str) -> tuple[Floats, Floats]:
        """Scale and shift (C,) that batch normalisation comes down to once its statistics are fixed."""
        weight, bias, mean, variance = (
            self.state[f"body.{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / np.sqrt(variance + np.float32(_EPSILON))
        return scale, bias - mean * scale

    def _weight(self, name: str) -> Floats:
        return self.state[f"body.{name}.weight"]


def _convolve(x: Node, kernel: Floats, stride: int = 1, pad: int = 0) -> Node:
    return ops.convolution(x, ops.constant(kernel), [stride] * 2, [pad] * 2, [pad] * 2, [1, 1])


def _column(values: Floats) -> Floats:
    return values.reshape(-1, 1, 1, 1)


def _row(values: Floats) -> Floats:
    return values.reshape(1, -1, 1, 1)
