"""What speaks against relying on a call: by plain tests of the film, and by what the network makes of it.

All of it are notes, and none refuses a film: what is no radiograph for certain (another kind of file, a blank
picture, a strip, under 64 px) is refused where files are read, and a poor film may be the only one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mura_core.decoding import COLOUR_NOTE
from mura_core.images import DOUBTFUL_NOTE
from mura_core.study import SURE, Remark

if TYPE_CHECKING:
    from mura_core.study import BodyPart, Radiograph

FEW_FILMS = 100
"""A body part with fewer training films than this is trained little."""

_SMALL_PX = 160
_LEAST_RANGE = 0.1
_MOST_WHITE = 0.7
_MOST_BLACK = 0.97
_LOOKED_AT_PX = 256

NOT_LIMBS = frozenset(
    (
        *(
            "abdomen",
            "abdomenpelvis",
            "breast",
            "brain",
            "chest",
            "coccyx",
            "cspine",
            "head",
            "jaw",
            "lspine",
        ),
        *("lsspine", "neck", "rib", "ribs", "sinus", "skull", "spine", "sspine", "sternum", "teeth"),
        *("tlspine", "tspine", "wholebody"),
    )
)
"""BodyPartExamined of films that are none of a limb."""

SENTENCES = {
    Remark.UNFAMILIAR: "Unlike the films the model was trained on; it may be no limb radiograph. "
    "Do not rely on the call: check that this is the right file.",
    Remark.COLOUR: "In colour, which no radiograph is. Do not rely on the call: export the film itself.",
    Remark.EXPOSURE: "Nearly blank: over- or under-exposed, or no film at all. Do not rely on the call: "
    "export it again with its full range, or repeat the exposure.",
    Remark.OTHER_PART: "The file says it shows a body part that the model was not trained on. "
    "Do not rely on the call.",
    Remark.SMALL: "Smaller than what the network looks at: a fine fracture cannot be seen. "
    "Export it at its original size.",
    Remark.POLARITY: "It may be inverted. If bone is dark, invert the file and read it again.",
    Remark.TURNED: "The image seems to be rotated by 90 degrees: the call was made on it turned upright. "
    "If the orientation shown is correct, take the call with care.",
    Remark.RARE_PART: "The model was trained on few films of this body part. Take the call with care.",
}
"""For the command line; the page has its own in each language."""


NOT_COMPARED = (
    "The films were not compared with those that the model was trained on: beside the weights lies no "
    "known.safetensors that is whole and theirs (python -m mura_core known)."
)
"""Beside the results wherever `StudyResult.compared` is false: an unfamiliar film then gets no note."""


class Doubts(NamedTuple):
    """What is known against a view's call; the fields are those of `ViewResult`."""

    remarks: tuple[Remark, ...] = ()
    strangeness: float | None = None
    body_part: BodyPart | None = None


def plain_remarks(radiograph: Radiograph) -> tuple[Remark, ...]:
    """Say what can be said of a film without the network, the gravest first.

    The limits lie far outside what films of FracAtlas have: of 881, the darkest has 81 % of its pixels black,
    the flattest 29 % of the scale between its 1st and 99th percentile.
    """
    found = {
        Remark.COLOUR: COLOUR_NOTE in radiograph.warnings,
        Remark.EXPOSURE: _is_nearly_blank(radiograph),
        Remark.OTHER_PART: _letters(radiograph.body_part) in NOT_LIMBS,
        Remark.SMALL: max(radiograph.pixels.shape) < _SMALL_PX,
        Remark.POLARITY: DOUBTFUL_NOTE in radiograph.warnings,
    }
    return tuple(remark for remark, holds in found.items() if holds)


def all_remarks(
    plain: tuple[Remark, ...], strangeness: float | None, part: BodyPart | None, *, turned: bool = False
) -> tuple[Remark, ...]:
    """Add what the network makes of the film.

    Args:
        plain: The film's `plain_remarks`.
        strangeness: As in `ViewResult`.
        part: Likewise.
        turned: Whether it was turned before it was read.
    """
    if turned:
        plain = (*plain, Remark.TURNED)
    if strangeness is not None and strangeness >= 1:
        return (Remark.UNFAMILIAR, *plain)
    if part is not None and part.probability >= SURE and part.films < FEW_FILMS:
        return (*plain, Remark.RARE_PART)
    return plain


def is_grave(remarks: tuple[Remark, ...]) -> bool:
    """Whether any of them says that the call should not be relied on."""
    return any(remark.grave for remark in remarks)


def _is_nearly_blank(radiograph: Radiograph) -> bool:
    step = max(1, max(radiograph.pixels.shape) // _LOOKED_AT_PX)
    seen = radiograph.pixels[::step, ::step]
    low, high = np.percentile(seen, (1, 99))
    return bool(
        high - low < _LEAST_RANGE or (seen > 0.95).mean() > _MOST_WHITE or (seen < 0.02).mean() > _MOST_BLACK
    )


def _letters(stated: str | None) -> str:
    return "".join(letter for letter in stated or "" if letter.isalpha())
