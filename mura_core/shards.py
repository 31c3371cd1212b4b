"""How tensors lie in shards: those too large for one cut into blocks of rows, and joined again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from mura_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.generic]

SHARD_LIMIT_BYTES = 10_000_000
"""Every shard is smaller than this. Hugging Face asks for large-file storage from 10 MB on."""

_ROWS = re.compile(r"(?P<name>.+)\[(?P<start>\d+):(?P<stop>\d+)(?: of (?P<rows>\d+))?\]")
# The header of a safetensors file: fixed part, and per tensor its JSON besides the name.
_HEADER_BYTES = 1024
_ENTRY_BYTES = 160


def shard_groups(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Fill shards by name, header included, each below the limit: equal tensors make equal shards.

    Args:
        tensors: As they are to be stored.

    Yields:
        What each shard holds, by the names there.

    Raises:
        WeightsError: One row of a tensor outgrows a shard.
    """
    group: dict[str, Tensor] = {}
    free = SHARD_LIMIT_BYTES - _HEADER_BYTES
    for name, piece in _pieces(tensors):
        size = piece.nbytes + len(name.encode()) + _ENTRY_BYTES
        if group and size > free:
            yield group
            group, free = {}, SHARD_LIMIT_BYTES - _HEADER_BYTES
        group[name] = piece
        free -= size
    if group:
        yield group


def _pieces(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Cut each tensor that is too large for a shard into blocks of rows called `name[start:stop of rows]`."""
    for name, tensor in sorted(tensors.items()):
        room = SHARD_LIMIT_BYTES - _HEADER_BYTES - _ENTRY_BYTES - len(name.encode()) - len("[: of ]") - 3 * 20
        if tensor.nbytes <= room:
            yield name, tensor.clone()
            continue
        row_bytes = tensor[0].nbytes if tensor.dim() else tensor.nbytes
        if row_bytes > room:
            raise WeightsError(
                f"A row of {name} takes {row_bytes} bytes; a shard holds {SHARD_LIMIT_BYTES}. Not saved."
            )
        rows = room // row_bytes
        for start in range(0, len(tensor), rows):
            stop = min(start + rows, len(tensor))
            yield f"{name}[{start}:{stop} of {len(tensor)}]", tensor[start:stop].clone()


def join_rows(folder: Path, stored: dict[str, Array], remedy: str) -> dict[str, Array]:
    """Put the blocks that `shard_groups` cut back together, and check that none is missing.

    Weights from before 0.2.1 do not say how many rows there are: of them, last ones could be missing.

    Args:
        folder: What they were read from, for the error's text.
        stored: Arrays of all shards by their names there.
        remedy: What to do about an error, likewise.

    Raises:
        WeightsError: Rows are missing.
    """
    state: dict[str, Array] = {}
    blocks: dict[str, list[tuple[int, int, Array]]] = {}
    rows: dict[str, int] = {}
    for key, array in stored.items():
        match = _ROWS.fullmatch(key)
        if match is None:
            state[key] = array
        else:
            block = (int(match["start"]), int(match["stop"]), array)
            blocks.setdefault(match["name"], []).append(block)
            rows[match["name"]] = int(match["rows"] or 0)
    for name, cut in blocks.items():
        cut.sort(key=lambda block: block[0])
        ends = [0, *(stop for _, stop, _ in cut)]
        gaps = any(start != end for (start, _, _), end in zip(cut, ends, strict=False))
        if gaps or ends[-1] < rows[name]:
            raise WeightsError(f"{folder}: rows of the tensor {name} are missing. {remedy}")
        state[name] = np.concatenate([array for _, _, array in cut])
    return state
