"""`int8.json`: what the network needs to run in 8 bits, and how far its answers then differ.

The kernels need no data to be rounded; what comes into each convolution does: its largest value over training
films. The file is written by `python -m mura_core quantise`, and only where 8 bits change next to nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from mura_core.errors import WeightsError
from mura_core.sidecar import read_sidecar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INT8_NAME = "int8.json"
_FORMAT = 2
_REMEDY = "Make it anew: python -m mura_core quantise --help"


def weights_digest(folder: Path) -> str:
    """SHA-256 over the digests of the weights' shards: equal for equal tensors.

    Raises:
        WeightsError: The sidecar cannot be read.
    """
    _, shards, _ = read_sidecar(folder, _REMEDY)
    return hashlib.sha256("".join(shard.sha256 for shard in shards).encode()).hexdigest()


def read_ranges(folder: Path) -> dict[str, float] | None:
    """Read the largest input of each 8-bit convolution.

    Returns:
        Name of the convolution to that value; None if there is no file, or one for other weights.

    Raises:
        WeightsError: The file is not one of ours.
    """
    path = folder / INT8_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}, expected {_FORMAT}")
        ranges = {str(name): float(top) for name, top in content["ranges"].items()}
        if content["sha256"] != _digest(ranges):
            raise ValueError("its ranges are not those that were written")
        if not all(math.isfinite(top) and top > 0 for top in ranges.values()):
            raise ValueError("a range is not a positive number")
        return ranges if content["weights"] == weights_digest(folder) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is not a file of this package ({error}). {_REMEDY}") from error


def checked_engines(folder: Path) -> set[str]:
    """Name the engines whose answers the file in the folder compares with the reference.

    Call it where `read_ranges` gave the ranges.
    """
    content = json.loads((folder / INT8_NAME).read_text(encoding="utf-8"))
    checked = content.get("checked")
    engines = checked.get("engines") if isinstance(checked, dict) else None
    return set(engines) if isinstance(engines, dict) else set()


def _digest(ranges: Mapping[str, float]) -> str:
    return hashlib.sha256(json.dumps(ranges, sort_keys=True).encode()).hexdigest()


def write_ranges(folder: Path, ranges: Mapping[str, float], checked: Mapping[str, Any]) -> None:
    """Put the file beside the weights, in one step.

    Args:
        folder: The weights folder.
        ranges: The largest input of each convolution that may run in 8 bits.
        checked: How each engine's answers compare with the reference; JSON values.
    """
    rounded = {name: float(f"{top:.6g}") for name, top in ranges.items()}
    content = {
        "format": _FORMAT,
        "weights": weights_digest(folder),
        "checked": checked,
        "sha256": _digest(rounded),
        "ranges": rounded,
    }
    unfinished = folder / f".{INT8_NAME}.part"
    unfinished.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    unfinished.replace(folder / INT8_NAME)
