"""`known.safetensors`: what the films the network was trained on look like to it, to tell others from them.

A film's pooled features, brought to the sum 1 and rooted (so that their distance is Hellinger's), are
compared with those of training films by Mahalanobis' distance under probabilistic PCA (Tipping and Bishop
1999): the main directions with their own variance, all others with one. It is given in units of the
threshold, which all but one in a hundred of the valid films stay below. On the main directions lies a linear
layer that names the body part, on the features themselves one that tells how a film lies: `orientation`.

The file is bound to its weights. Without it, or with that of other weights, nothing is compared.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as to_safetensors

from mura_core.errors import WeightsError
from mura_core.orientation import Orientation
from mura_core.pooling import root
from mura_core.quantisation import weights_digest
from mura_core.staging import write_whole
from mura_core.study import BodyPart

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

KNOWN_NAME = "known.safetensors"
_FORMAT = "2"
_FORMATS = ("1", _FORMAT)
"""The first one knows nothing of how films lie."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Known:
    """The films that the network knows.

    Attributes:
        centre: float32 (C,), the mean of their rooted features.
        axes: float32 (K, C), the main directions, of length 1.
        variances: float32 (K + 1,), along each of them, and along each other direction.
        threshold: Squared distance from which a film is noted.
        part_weights: float32 (P, K + 1), of each body part on the main directions; the last is the bias.
        parts: (name, training films) of each body part.
        orientation: How films lie; None reads each as it lies.
    """

    centre: Floats
    axes: Floats
    variances: Floats
    threshold: float
    part_weights: Floats
    parts: tuple[tuple[str, int], ...]
    orientation: Orientation | None = None

    def strangeness(self, features: Floats) -> Floats:
        """Compare films with the known ones.

        Args:
            features: float32 (V, C), as `Maps` has them.

        Returns:
            float32 (V,), the squared distance in units of the threshold; infinite where all features are 0.
        """
        rooted = root(features)
        away = rooted - self.centre
        along = away @ self.axes.T
        inside = (along**2 / self.variances[:-1]).sum(axis=1)
        outside = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0) / self.variances[-1]
        found = (inside + outside) / np.float32(self.threshold)
        return np.where(rooted.any(axis=1), found, np.inf).astype(np.float32)

    def body_parts(self, features: Floats) -> tuple[BodyPart, ...]:
        """Name the likeliest body part of each film: features float32 (V, C)."""
        along = (root(features) - self.centre) @ self.axes.T
        scores = along @ self.part_weights[:, :-1].T + self.part_weights[:, -1]
        shares = softmax(scores.astype(np.float32))
        best = shares.argmax(axis=1)
        return tuple(
            BodyPart(self.parts[index][0], float(row[index]), self.parts[index][1])
            for index, row in zip(best, shares, strict=True)
        )


def softmax(scores: Floats) -> Floats:
    """Probabilities (V, P) of scores (V, P)."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def write_known(folder: Path, known: Known) -> None:
    """Put the file beside the weights it belongs to, in one step.

    Raises:
        WeightsError: The folder holds no weights.
        OSError: It cannot be written.
    """
    arrays = {name: np.ascontiguousarray(getattr(known, name), dtype=np.float32) for name in _ARRAYS}
    said = {"weights": weights_digest(folder), "threshold": known.threshold, "parts": known.parts}
    if known.orientation is not None:
        arrays[_ORIENTATION] = np.ascontiguousarray(known.orientation.weights, dtype=np.float32)
        said["side_threshold"] = known.orientation.threshold
    header = {"format": _FORMAT, "known": json.dumps(said), "sha256": _digest(arrays, json.dumps(said))}
    write_whole(folder / KNOWN_NAME, to_safetensors(arrays, header))


def served_digest(folder: Path) -> str:
    """SHA-256 over weights and how films on their side are told: what a figure of their answers is bound to.

    Without the latter it is the weights' own digest.

    Raises:
        WeightsError: The sidecar cannot be read.
    """
    weights, known = weights_digest(folder), read_known(folder)
    if known is None or known.orientation is None:
        return weights
    orientation = known.orientation
    digest = hashlib.sha256(f"{weights} {orientation.threshold!r}".encode())
    digest.update(np.ascontiguousarray(orientation.weights, dtype=np.float32).tobytes())
    return digest.hexdigest()


def read_known(folder: Path) -> Known | None:
    """Read what the weights of a folder know.

    Returns:
        None if there is no file, or (as is logged) none that belongs to these weights and this version.
    """
    path = folder / KNOWN_NAME
    try:
        return _parse(path.read_bytes(), weights_digest(folder))
    except FileNotFoundError:
        # The result says so; in a log it would be no news.
        return None
    except (OSError, WeightsError, SafetensorError) as error:
        reason = str(error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"it is not a file of this package: {error}"
    _log.warning("%s is not used (%s): films are not compared with the known ones", path, reason)
    return None


_ARRAYS = ("centre", "axes", "variances", "part_weights")
_ORIENTATION = "orientation_weights"


def _parse(content: bytes, weights: str) -> Known:
    arrays = {name: np.asarray(array, dtype=np.float32) for name, array in parse_safetensors(content).items()}
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    if header["format"] not in _FORMATS:
        raise ValueError(f"its format is {header['format']!r}, expected {_FORMAT!r}")
    if header["sha256"] != _digest(arrays, header["known"]):
        raise ValueError("it is not as it was written")
    said = json.loads(header["known"])
    if said["weights"] != weights:
        raise ValueError("it belongs to other weights")
    orientation = None
    if _ORIENTATION in arrays:
        orientation = Orientation(arrays[_ORIENTATION], float(said["side_threshold"]))
    return Known(
        **{name: arrays[name] for name in _ARRAYS},
        threshold=float(said["threshold"]),
        parts=tuple((str(name), int(films)) for name, films in said["parts"]),
        orientation=orientation,
    )


def _digest(arrays: dict[str, Floats], said: str) -> str:
    digest = hashlib.sha256(said.encode())
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].shape}".encode() + arrays[name].tobytes())
    return digest.hexdigest()
