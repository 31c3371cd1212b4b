"""Trained networks that read the training films for another to learn from: `train --teachers`."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from safetensors.numpy import load as parse_safetensors
from scipy.optimize import brentq

from mura_core.checkpoint import SIDECAR_NAME, load_arrays
from mura_core.errors import WeightsError
from mura_core.lessons import GRID, Lessons
from mura_core.preprocess import PreprocessOptions
from mura_core.staging import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mura_core.engines import Engine

    FloatMap = NDArray[np.float32]
    Prepare = Callable[[PreprocessOptions], NDArray[np.uint8]]

_BATCH = 8
_WIDEST_SHIFT = 30.0


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained network.

    Attributes:
        architecture: One of `sidecar.ARCHITECTURES`.
        state: Its tensors.
        preprocess: How its films are prepared.
        digest: Of all that.
    """

    architecture: str
    state: Mapping[str, NDArray[np.generic]]
    preprocess: PreprocessOptions
    digest: str


def read_teachers(text: str, architecture: str) -> tuple[Teacher, ...]:
    """Read the teachers that `train --teachers` names.

    Args:
        text: PATH or PATH@SIZE, separated by commas: folders of weights, whose sidecar says how their films
            are prepared, or a .safetensors file of the source task with the side of its films in px.
        architecture: Of the networks in .safetensors files.

    Raises:
        WeightsError: One is not there or cannot be read.
    """
    return tuple(_read_teacher(name.strip(), architecture) for name in text.split(","))


def _read_teacher(name: str, architecture: str) -> Teacher:
    place, _, size = name.partition("@")
    path = Path(place)
    if (path / SIDECAR_NAME).is_file():
        sidecar, state = load_arrays(path)
        architecture, preprocess = sidecar.architecture, sidecar.preprocess
    elif path.is_file() and path.suffix == ".safetensors" and size.isdigit() and int(size) > 0:
        state, preprocess = parse_safetensors(path.read_bytes()), PreprocessOptions(size=int(size))
    else:
        raise WeightsError(
            f"--teachers: {name!r} is no trained network. Expected a folder with {SIDECAR_NAME}, or a "
            "file of the source task with the side of its films: runs/source/source.safetensors@320."
        )
    digest = hashlib.sha256(f"{architecture} {preprocess}".encode())
    for tensor in sorted(state):
        digest.update(tensor.encode() + np.ascontiguousarray(state[tensor]).tobytes())
    return Teacher(architecture, state, preprocess, digest.hexdigest())


def ask_teachers(teachers: Sequence[Teacher], prepare: Prepare, cache: Path | None) -> Lessons:
    """Have every teacher read every film, and its mirror image, and take the mean.

    Args:
        teachers: One or more.
        prepare: Gives the films as a teacher wants them, uint8 (N, S, S).
        cache: Folder for the lessons; the file's name says whose and of which films. None keeps none.
    """
    prepared = [prepare(teacher.preprocess) for teacher in teachers]
    name = hashlib.sha256("".join(teacher.digest for teacher in teachers).encode())
    for pixels in prepared:
        name.update(pixels.tobytes())
    stored = None if cache is None else cache / f"lessons-{name.hexdigest()[:16]}.npz"
    if stored is not None and stored.is_file():
        with np.load(stored) as content:
            return Lessons(content["logits"], content["local_logits"])
    answers = [_ask(teacher, pixels) for teacher, pixels in zip(teachers, prepared, strict=True)]
    lessons = Lessons(
        np.mean([answer.logits for answer in answers], axis=0, dtype=np.float32),
        np.mean([answer.local_logits for answer in answers], axis=0, dtype=np.float32),
    )
    if stored is not None:
        content = io.BytesIO()
        np.savez(content, logits=lessons.logits, local_logits=lessons.local_logits)
        stored.parent.mkdir(parents=True, exist_ok=True)
        write_whole(stored, content.getvalue())
    return lessons


def prior_shift(logits: FloatMap, labels: NDArray[np.int64], normals_per_abnormal: float) -> float:
    """What to add to the logits so that they expect as many abnormal films as an epoch draws.

    Args:
        logits: float32 (N,).
        labels: int64 (N,).
        normals_per_abnormal: As in the recipe; 0 draws all.
    """
    abnormal, normal = labels == 1, labels == 0
    drawn = normals_per_abnormal * abnormal.sum() if normals_per_abnormal > 0 else normal.sum()
    weights = np.where(abnormal, 1.0, min(1.0, drawn / max(1, normal.sum())))

    def excess(shift: float) -> float:
        return float(np.sum(weights * (1 / (1 + np.exp(-logits.astype(np.float64) - shift)) - labels)))

    if not (abnormal.any() and normal.any()):
        return 0.0
    return float(brentq(excess, -_WIDEST_SHIFT, _WIDEST_SHIFT))


def _ask(teacher: Teacher, pixels: NDArray[np.uint8]) -> Lessons:
    engine = _engine(teacher)
    logits = np.zeros(len(pixels), dtype=np.float32)
    maps = np.zeros((len(pixels), GRID, GRID), dtype=np.float32)
    for start in range(0, len(pixels), _BATCH):
        films = pixels[start : start + _BATCH].astype(np.float32) / np.float32(255.0)
        upright, mirrored = engine.read(list(films)), engine.read(list(films[:, :, ::-1]))
        logits[start : start + _BATCH] = (upright.logits + mirrored.logits) / 2
        both = (upright.local_logits + mirrored.local_logits[:, :, ::-1]) / 2
        maps[start : start + _BATCH] = [cv2.resize(grid, (GRID, GRID)) for grid in both]
    return Lessons(logits, maps)


def _engine(teacher: Teacher) -> Engine:
    """The fastest engine in floating point: a GPU, else OpenVINO where it knows the network."""
    from mura_core.torch_engine import TorchEngine, choose_device

    device = choose_device("auto")
    if device.type == "cpu" and teacher.architecture == "densenet169" and find_spec("openvino") is not None:
        from mura_core.openvino_engine import OpenVinoEngine, has_bf16

        return OpenVinoEngine(teacher.state, teacher.preprocess.size, "bf16" if has_bf16() else "f32")
    import torch

    from mura_core.models import build_model

    model = build_model(teacher.architecture)
    model.load_state_dict({name: torch.tensor(array) for name, array in teacher.state.items()})
    return TorchEngine(model, str(device))
