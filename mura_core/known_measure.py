"""How well `known` tells films unlike those of the training from others, and names body parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mura_core import metrics
from mura_core.remarks import all_remarks, is_grave
from mura_core.study import SURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mura_core.known import Known
    from mura_core.study import Remark

    Floats = NDArray[np.float32]


class Seen(NamedTuple):
    """What the network makes of N films: features float32 (..., N, C), and each film's plain remarks."""

    features: Floats
    plain: tuple[tuple[Remark, ...], ...]


def refused(known: Known, seen: Seen) -> dict[str, int]:
    """Count the films, those that the network finds strange, and those with any grave remark."""
    strange = known.strangeness(seen.features)
    return {
        "films": len(strange),
        "strange": int((strange >= 1).sum()),
        "noted": int(_noted(known, seen).sum()),
    }


def measure_kinds(known: Known, test: Seen, strangers: dict[str, Seen]) -> list[dict[str, Any]]:
    """Tell each kind of stand-in from the test films, and all kinds together.

    Returns:
        By kind: pictures, AUROC of the strangeness alone, and the share that gets a grave remark.
    """
    own = known.strangeness(test.features)
    together = Seen(
        np.concatenate([seen.features for seen in strangers.values()]),
        tuple(remarks for seen in strangers.values() for remarks in seen.plain),
    )
    rows = []
    for kind, seen in {**strangers, "all": together}.items():
        found = known.strangeness(seen.features)
        labels = [0] * len(own) + [1] * len(found)
        scores = np.minimum(np.concatenate([own, found]), 1e6)
        rows.append(
            {
                "kind": kind,
                "pictures": len(found),
                "auroc": metrics.auroc(labels, scores),
                "noted": float(_noted(known, seen).mean()),
            }
        )
    return rows


def measure_parts(known: Known, features: Floats, parts: Sequence[str]) -> dict[str, Any]:
    """Count which films' body part is named right: of all, and of those sure enough to be shown."""
    named = known.body_parts(features)
    right = np.array([found.name == part for found, part in zip(named, parts, strict=True)])
    sure = np.array([found.probability >= SURE for found in named])
    films = dict(known.parts)
    rows = []
    for part in sorted(set(parts)):
        here = np.array([one == part for one in parts])
        rows.append({"part": part, "train": films.get(part, 0), **_counts(right[here], sure[here])})
    return {"all": _counts(right, sure), "parts": rows}


def _counts(right: NDArray[np.bool_], sure: NDArray[np.bool_]) -> dict[str, int]:
    return {
        "films": len(right),
        "right": int(right.sum()),
        "sure": int(sure.sum()),
        "sure_and_right": int((sure & right).sum()),
    }


def _noted(known: Known, seen: Seen) -> NDArray[np.bool_]:
    strange = known.strangeness(seen.features)
    return np.array(
        [
            is_grave(all_remarks(plain, float(one), None))
            for plain, one in zip(seen.plain, strange, strict=True)
        ]
    )
