"""`weights.json`: what a set of weights is, read back with suspicion."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from mura_core.errors import WeightsError
from mura_core.preprocess import PreprocessOptions
from mura_core.study import OperatingPoints

if TYPE_CHECKING:
    from pathlib import Path

SIDECAR_NAME = "weights.json"
ARCHITECTURES = ("densenet169", "resnet50", "efficientnet_b0", "vgg16")
"""Networks that weights may be for; `models` builds them."""

FORMAT = 1
"""Of the file; raised when its keys change meaning. `Sidecar.version` is the model's own."""

_T = TypeVar("_T")
_SHARD_NAME = re.compile(r"weights-[0-9a-f]{16}\.safetensors")


@dataclass(frozen=True)
class Sidecar:
    """What travels beside the weights.

    Attributes:
        architecture: One of `ARCHITECTURES`.
        version: The model's version, shown to the reader.
        preprocess: What was done to every film in training, and so must be done to every film.
        temperature: Logits are divided by it before the sigmoid; fitted on the valid split.
        operating_points: The two thresholds on the calibrated study probability; fitted on the valid split.
        metrics: What was measured, with intervals; JSON values.
        data: What the weights were trained on, with its attribution.
        licence: Of the weights.
        command: The command that made them.
        created: ISO 8601 date.
    """

    architecture: str
    version: str
    preprocess: PreprocessOptions
    temperature: float
    operating_points: OperatingPoints
    metrics: dict[str, Any]
    data: str
    licence: str
    command: str
    created: str


@dataclass(frozen=True)
class Shard:
    """One file of weights as the sidecar names it."""

    file: str
    size_bytes: int
    sha256: str


def sidecar_text(sidecar: Sidecar, shards: tuple[Shard, ...], *, tensors: int) -> str:
    """Write the sidecar as JSON.

    Raises:
        WeightsError: A number in it is not finite, or a threshold or the temperature is out of range.
    """
    content = {
        "format": FORMAT,
        **asdict(sidecar),
        "tensors": tensors,
        "shards": [asdict(shard) for shard in shards],
    }
    _check_numbers(sidecar)
    try:
        return json.dumps(content, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"The sidecar cannot be written as JSON ({error}). Use plain, finite values."
        ) from error


def read_sidecar(folder: Path, remedy: str) -> tuple[Sidecar, tuple[Shard, ...], int]:
    """Read `weights.json`.

    Args:
        folder: The weights folder.
        remedy: A sentence that ends every refusal: how to get weights that load.

    Returns:
        The sidecar, the shards, and how many tensors they hold together.

    Raises:
        WeightsError: It is missing, is no JSON of this format, or has other keys or values than documented.
    """
    path = folder / SIDECAR_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parse(content)
    except FileNotFoundError:
        raise WeightsError(f"{path} is missing, so there are no weights. {remedy}") from None
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}). {remedy}") from error
    except ValueError as error:
        raise WeightsError(f"{path} is not a sidecar of this package: {error}. {remedy}") from error
    except WeightsError as error:
        raise WeightsError(f"{path}: {error} {remedy}") from None


def _parse(content: object) -> tuple[Sidecar, tuple[Shard, ...], int]:
    if not isinstance(content, dict) or "format" not in content:
        raise ValueError("the key 'format' is missing")
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r}, expected {FORMAT}")
    names = {field.name for field in fields(Sidecar)}
    values = _only(content, names | {"format", "tensors", "shards"}, "the file")
    preprocess = _only(
        values["preprocess"], {field.name for field in fields(PreprocessOptions)}, "preprocess"
    )
    points = _only(values["operating_points"], {"sensitive", "specific"}, "operating_points")
    sidecar = Sidecar(
        architecture=_typed(values, "architecture", str),
        version=_typed(values, "version", str),
        preprocess=PreprocessOptions(
            size=_typed(preprocess, "size", int),
            roi=_typed(preprocess, "roi", bool),
            enhance=_typed(preprocess, "enhance", bool),
        ),
        temperature=_number(values, "temperature"),
        operating_points=OperatingPoints(_number(points, "sensitive"), _number(points, "specific")),
        metrics=_typed(values, "metrics", dict),
        data=_typed(values, "data", str),
        licence=_typed(values, "licence", str),
        command=_typed(values, "command", str),
        created=_typed(values, "created", str),
    )
    _check_numbers(sidecar)
    shards = tuple(_parse_shard(shard) for shard in _typed(values, "shards", list))
    return sidecar, shards, _typed(values, "tensors", int)


def _parse_shard(content: object) -> Shard:
    values = _only(content, {"file", "size_bytes", "sha256"}, "a shard")
    name = _typed(values, "file", str)
    # A plain name of our own making: the sidecar must not be able to point outside its folder.
    if not _SHARD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a shard")
    return Shard(name, _typed(values, "size_bytes", int), _typed(values, "sha256", str))


def _check_numbers(sidecar: Sidecar) -> None:
    points = sidecar.operating_points
    if not (math.isfinite(sidecar.temperature) and sidecar.temperature > 0):
        raise WeightsError(f"The temperature is {sidecar.temperature}, expected a positive number.")
    if not 0 <= points.sensitive <= points.specific <= 1:
        found = f"sensitive {points.sensitive}, specific {points.specific}"
        raise WeightsError(f"The operating points are {found}, expected 0 <= sensitive <= specific <= 1.")
    if sidecar.preprocess.size < 1:
        raise WeightsError(f"The input size is {sidecar.preprocess.size} px, expected a positive number.")


def _only(content: object, expected: set[str], where: str) -> dict[str, Any]:
    """Return the mapping if it has exactly the keys expected."""
    if not isinstance(content, dict):
        raise ValueError(f"{where} is not a JSON object")
    missing, unknown = sorted(expected - set(content)), sorted(set(content) - expected)
    if missing or unknown:
        raise ValueError(f"in {where}, missing keys {missing}, unknown keys {unknown}")
    return content


def _typed(values: dict[str, Any], key: str, kind: type[_T]) -> _T:
    value = values[key]
    # bool is an int to Python; it is not one to a reader of the file.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{key} is {value!r}, expected {kind.__name__}")
    return value


def _number(values: dict[str, Any], key: str) -> float:
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is {value!r}, expected a number")
    return float(value)
