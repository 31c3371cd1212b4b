"""Weights on disk: safetensors shards and a JSON sidecar that says what they are.

The shards stay under 10 MB so that a repository or a Space can hold them without large-file storage. Their
names carry their hash and the sidecar is replaced last, in one step: at every moment the folder loads as the
old weights or as the new ones, never as a mix, and other files in it (README, model card) are left alone.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors

from mura_core.errors import WeightsError
from mura_core.shards import join_rows, shard_groups
from mura_core.sidecar import ARCHITECTURES, SIDECAR_NAME, Shard, Sidecar, read_sidecar, sidecar_text

# torch is imported where a tensor is wanted: the page reads arrays, and is up before torch would be.
if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.generic]

__all__ = [
    "SIDECAR_NAME",
    "Sidecar",
    "find_weights",
    "load_arrays",
    "load_weights",
    "save_weights",
]

REMEDY = (
    "Get the released weights (git checkout -- weights), name another folder with --weights or MURA_WEIGHTS, "
    "or make your own: python -m mura_core train --help"
)
_DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "weights"


def find_weights(explicit: Path | None = None) -> Path:
    """Say which weights folder to use: the one given, then $MURA_WEIGHTS, then `weights/` of the repository.

    Raises:
        WeightsError: The folder chosen holds no sidecar. A worse choice is never taken in its place.
    """
    from_environment = os.environ.get("MURA_WEIGHTS")
    if explicit is not None:
        folder, origin = explicit, "as given"
    elif from_environment:
        folder, origin = Path(from_environment), "from MURA_WEIGHTS"
    else:
        folder, origin = _DEFAULT_FOLDER, "the default"
    if not folder.is_dir():
        raise WeightsError(f"There is no weights folder {folder} ({origin}). {REMEDY}")
    if not (folder / SIDECAR_NAME).is_file():
        raise WeightsError(f"The folder {folder} ({origin}) holds no {SIDECAR_NAME}, so no weights. {REMEDY}")
    return folder


def save_weights(folder: Path, state: Mapping[str, Tensor], sidecar: Sidecar, *, half: bool) -> None:
    """Write weights so that the folder loads as the old or as the new ones at every moment.

    Args:
        folder: Where to; made if absent. Shards of earlier weights in it are removed, other files stay.
        state: A model's `state_dict()`. Not changed.
        sidecar: What the weights are.
        half: Store kernels and matrices as float16. Vectors and scalars stay float32: they are under 3 % of a
            network's values, and among them are the running variances of batch normalisation, which can
            lie outside float16's range (6e-8 to 65504) and whose error multiplies a whole channel.

    Raises:
        WeightsError: A value is not finite, does not fit float16, one row of a tensor outgrows a shard, or
            the folder cannot be written.
    """
    _check_architecture(folder, sidecar)
    stored = {name: _to_stored(name, tensor, half) for name, tensor in state.items()}
    try:
        _write(folder, stored, sidecar)
    except OSError as error:
        raise WeightsError(
            f"The weights cannot be written to {folder} ({error.strerror}). What it held before still loads: "
            "make room there, allow writing, or name another folder."
        ) from error


def _write(folder: Path, stored: Mapping[str, Tensor], sidecar: Sidecar) -> None:
    from safetensors.torch import save as to_safetensors

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as staging:
        shards = []
        for group in shard_groups(stored):
            content = to_safetensors(group)
            digest = hashlib.sha256(content).hexdigest()
            shard = Shard(f"weights-{digest[:16]}.safetensors", len(content), digest)
            _write_durably(Path(staging) / shard.file, content)
            shards.append(shard)
        text = sidecar_text(sidecar, tuple(shards), tensors=len(stored))
        _write_durably(Path(staging) / SIDECAR_NAME, text.encode())
        for shard in shards:
            (Path(staging) / shard.file).replace(folder / shard.file)
        (Path(staging) / SIDECAR_NAME).replace(folder / SIDECAR_NAME)
    kept = {shard.file for shard in shards}
    for old in folder.glob("weights-*.safetensors"):
        if old.name not in kept:
            # The new ones load already; what cannot be removed is only in the way.
            with suppress(OSError):
                old.unlink()


def load_weights(folder: Path) -> tuple[Sidecar, dict[str, Tensor]]:
    """Read weights as tensors on the CPU; otherwise as `load_arrays`."""
    import torch

    sidecar, state = load_arrays(folder)
    return sidecar, {name: torch.tensor(array) for name, array in state.items()}


def load_arrays(folder: Path) -> tuple[Sidecar, dict[str, Array]]:
    """Read weights back, every byte checked against the sidecar.

    Returns:
        The sidecar, and the arrays: float32 where floating, whole numbers as they are.

    Raises:
        WeightsError: Anything is missing, altered, or made for something else.
    """
    sidecar, shards, expected = read_sidecar(folder, REMEDY)
    _check_architecture(folder, sidecar)
    state: dict[str, Array] = {}
    for shard in shards:
        for name, array in _read_shard(folder, shard).items():
            if name in state:
                raise WeightsError(f"{folder}: the tensor {name} is stored twice. {REMEDY}")
            state[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
    state = join_rows(folder, state, REMEDY)
    if len(state) != expected:
        raise WeightsError(f"{folder}: found {len(state)} tensors, expected {expected}. {REMEDY}")
    return sidecar, state


def _check_architecture(folder: Path, sidecar: Sidecar) -> None:
    if sidecar.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise WeightsError(f"{folder}: weights of {sidecar.architecture}, expected one of {known}. {REMEDY}")


def _to_stored(name: str, tensor: Tensor, half: bool) -> Tensor:
    """Turn one tensor into what is written: on the CPU, contiguous, float32 or float16 if floating."""
    import torch

    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point():
        return tensor
    if not bool(torch.isfinite(tensor).all()):
        raise WeightsError(
            f"Not saved: {name} holds values that are not finite. The training diverged; lower its rate."
        )
    if not half or tensor.dim() < 2:
        return tensor.float()
    halved = tensor.half()
    if not bool(torch.isfinite(halved).all()):
        raise WeightsError(f"The tensor {name} does not fit float16 (beyond 65504). Save it with half=False.")
    return halved


def _read_shard(folder: Path, shard: Shard) -> dict[str, Array]:
    """Read one shard; what is checked is the very bytes that are parsed."""
    path = folder / shard.file
    try:
        if path.stat().st_size != shard.size_bytes:
            found = f"{path.stat().st_size} bytes, expected {shard.size_bytes}"
            raise WeightsError(f"{path} has {found}: it is cut short or altered. {REMEDY}")
        content = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"{path} is missing, though {SIDECAR_NAME} names it. {REMEDY}") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}). {REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != shard.sha256:
        raise WeightsError(f"{path} was altered: its SHA-256 is not the one in {SIDECAR_NAME}. {REMEDY}")
    try:
        return dict(parse_safetensors(content))
    # A type that numpy does not have, which this package never writes, is a KeyError.
    except (SafetensorError, KeyError) as error:
        raise WeightsError(f"{path} is not a safetensors file ({error}). {REMEDY}") from error


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
