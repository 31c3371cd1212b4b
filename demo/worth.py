"""What the call is worth for the body part on screen: figures of the test split, as JSON for the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core.study import SURE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.wording import Wording
    from mura_core.study import ViewResult

_NO_PARTS = frozenset({"arm", "no hardware"})
"""Groups of the figures that are cut across the body parts."""

_FRACATLAS = {
    "hand": frozenset({"hand", "wrist", "forearm", "elbow", "finger", "thumb"}),
    "leg": frozenset(
        {
            *("leg", "thigh", "femur", "upperleg", "knee", "patella", "tibia", "fibula", "tibiafibula"),
            *("lowerleg", "ankle", "calcaneus", "heel", "foot", "toe"),
        }
    ),
    "hip": frozenset({"hip", "pelvis"}),
    "shoulder": frozenset({"shoulder", "clavicle", "scapula"}),
}
"""What a film may state that FracAtlas' four flags cover: its "hand" reaches to the elbow."""

_MEASURES = ("sensitivity", "specificity", "ppv", "npv")


def encode_worth(figures: Mapping[str, Any], words: Wording) -> dict[str, Any] | None:
    """Encode both operating points by body part.

    Args:
        figures: The sidecar's metrics.
        words: The page's language.

    Returns:
        `prevalence` that PPV and NPV are stated at, `least` as `operating.measure_operating` has it,
        `by_study` as `counts_studies` has it, and `groups`, all studies first: each `name`, `title`, the
        stated parts that it `covers`, its counts, whether there are `enough`, and its `points` with a value
        and its interval for each measure. None where that was not measured.
    """
    operating = figures.get("operating")
    if operating is None:
        return None
    fracatlas = figures.get("dataset", {}).get("format") == "fracatlas"
    groups = [
        _encode_group(name, group, fracatlas, words)
        for name, group in operating["groups"].items()
        if name not in _NO_PARTS
    ]
    return {
        "prevalence": operating["prevalence"],
        "least": operating["least"],
        "by_study": counts_studies(figures),
        "groups": groups,
    }


def counts_studies(figures: Mapping[str, Any]) -> bool:
    """Whether each study counts as a patient of its own, as where the data names none.

    Args:
        figures: The sidecar's metrics.
    """
    everything = figures.get("groups", {}).get("all", {})
    return "patients" in everything and bool(everything["patients"] == everything["studies"])


def recognised_group(view: ViewResult, *, compared: bool) -> str:
    """Name the group of the figures that a film belongs to as the network sees it; empty where it is unsure.

    FracAtlas' "hand", which the network calls arm, is the only part of two names.
    """
    part = view.body_part
    if not compared or part is None or view.strangeness is None:
        return ""
    if view.strangeness >= 1 or part.probability < SURE:
        return ""
    return "mixed" if "+" in part.name else {"arm": "hand"}.get(part.name, part.name)


def stated_part(text: str | None) -> str:
    """Reduce what a film states of its body part to its letters.

    >>> stated_part("lower leg"), stated_part(None)
    ('lowerleg', '')
    """
    return "".join(letter for letter in text or "" if letter.isalpha())


def _encode_group(name: str, group: Mapping[str, Any], fracatlas: bool, words: Wording) -> dict[str, Any]:
    covers = _FRACATLAS.get(name, frozenset()) if fracatlas else {name}
    return {
        "name": name,
        "title": _title(name, fracatlas, words),
        "covers": sorted(covers),
        "studies": group["studies"],
        "abnormal": group["abnormal"],
        "enough": group["enough"]["predictive"],
        "points": [
            {"value": at["value"], **{key: [at[key], *(at[f"{key}_ci95"] or ())] for key in _MEASURES}}
            for at in group["at"].values()
        ],
    }


def _title(name: str, fracatlas: bool, words: Wording) -> str:
    if name == "all":
        return words["viewer.worth_all"]
    return words.part("arm" if fracatlas and name == "hand" else name)
