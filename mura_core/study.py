"""The words of the field as types: radiograph, view, study, and what the model says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

BODY_PARTS = ("elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist")
"""MURA's seven study types, in lower case."""


class Call(StrEnum):
    """What the screen says of a view or a study."""

    NORMAL = "normal"
    DOUBT = "doubt"
    ABNORMAL = "abnormal"


class Remark(StrEnum):
    """What speaks against relying on the call of a view: see `remarks`."""

    UNFAMILIAR = "unfamiliar"
    COLOUR = "colour"
    EXPOSURE = "exposure"
    OTHER_PART = "other_part"
    SMALL = "small"
    POLARITY = "polarity"
    TURNED = "turned"
    RARE_PART = "rare_part"

    @property
    def grave(self) -> bool:
        """Whether the call should not be relied on, rather than with care."""
        return self in _GRAVE


_GRAVE = frozenset({Remark.UNFAMILIAR, Remark.COLOUR, Remark.EXPOSURE, Remark.OTHER_PART})


SURE = 0.9
"""Probability from which a recognised body part is shown."""


@dataclass(frozen=True)
class BodyPart:
    """What a film shows, as the network's features tell.

    Attributes:
        name: As the training data call it; several joined by "+".
        probability: In [0, 1].
        films: How many training films showed it.
    """

    name: str
    probability: float
    films: int


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the radiograph as stored; `top` and `left` may be fractional."""

    top: float
    left: float
    height: float
    width: float


@dataclass(frozen=True)
class Window:
    """A display window as DICOM defines it (PS3.3 C.11.2), in units of `Radiograph.values`."""

    centre: float
    width: float


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One image in canonical form, with what was learned while reading it and no patient data.

    Attributes:
        pixels: float32 (H, W) in [0, 1], bone bright, the default window applied. What the model sees.
        values: uint16 (H, W), bone bright, at the source's own bit depth. What a reader may window.
        window: The default window, in units of `values`.
        bit_depth: Bits of `values` that can be set, 8 to 16.
        source_format: "png", "jpeg" or "dicom".
        pixel_spacing_mm: (row, column) spacing where the source states one.
        spacing_at_detector: Whether that spacing is the detector's, not corrected for magnification.
        body_part: BodyPartExamined in lower case, where a DICOM states one.
        view_position: ViewPosition as stated ("AP", "LL", ...), where a DICOM states one.
        warnings: Plain sentences about what was corrected or could not be known.
    """

    pixels: NDArray[np.float32]
    values: NDArray[np.uint16]
    window: Window
    bit_depth: int
    source_format: str
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_at_detector: bool = field(default=False, kw_only=True)
    body_part: str | None = None
    view_position: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """One radiograph of a study under the name the reader knows it by."""

    name: str
    radiograph: Radiograph


@dataclass(frozen=True)
class Study:
    """One examination of one body part: one or more views."""

    views: tuple[View, ...]


@dataclass(frozen=True)
class OperatingPoints:
    """Two thresholds on the calibrated probability, fitted on the valid split.

    Below `sensitive` the call is normal, from `specific` on it is abnormal, between them it is doubt.
    """

    sensitive: float
    specific: float

    def call(self, probability: float) -> Call:
        """Turn a probability in [0, 1] into a call."""
        if probability >= self.specific:
            return Call.ABNORMAL
        return Call.NORMAL if probability < self.sensitive else Call.DOUBT


def probability_text(value: float, points: OperatingPoints) -> str:
    """Write a probability with two decimals, or as many as it takes not to contradict its call.

    No film is certain: what would round to 0 or 1 is written as a bound.

    >>> points = OperatingPoints(0.2, 0.5)
    >>> probability_text(0.497, points), probability_text(0.001, points)
    ('0.497', '<0.01')
    """
    if value < 0.005 and points.sensitive > 0.01:
        return "<0.01"
    if value >= 0.995 and points.specific <= 0.99:
        return ">0.99"
    for decimals in (2, 3, 4):
        text = f"{value:.{decimals}f}"
        if points.call(float(text)) == points.call(value):
            return text
    return f"{value:.6f}"


def threshold_text(value: float) -> str:
    """Write a threshold with two decimals, or three where the third is not zero.

    >>> threshold_text(0.5), threshold_text(0.394)
    ('0.50', '0.394')
    """
    return f"{value:.3f}".rstrip("0").ljust(4, "0")


@dataclass(frozen=True)
class Timing:
    """Seconds spent on a study or on one of its views.

    The network runs all views at once; a view's share of that is an equal one.
    """

    preprocess_s: float
    network_s: float

    @property
    def total_s(self) -> float:
        """Seconds from radiographs in memory to result."""
        return self.preprocess_s + self.network_s


@dataclass(frozen=True, eq=False)
class ViewResult:
    """What the model says of one view.

    Attributes:
        name: The view's name.
        abnormality_probability: Calibrated probability in [0, 1].
        call: The view's own call at the study's operating points.
        logit: The network's output before temperature; equals the mean of `cam` plus the bias.
        cam: float32 (h, w) class activation map on the network's grid, in logits, without the bias.
        draw_heatmap: Draws `heatmap`.
        film_shape: (H, W) of the radiograph, px.
        roi: Region of interest the network saw, in pixels of the radiograph.
        timing: What this view took.
        remarks: What speaks against relying on the call, the gravest first.
        strangeness: How unlike the training films the network finds it; from 1 on it is noted. None where
            that was not measured.
        body_part: The likeliest one, however likely; None where that was not measured.
        turned: Degrees, clockwise, by which the film was turned before it was read, for it seems to lie on
            its side: 0, 90 or 270. All maps are in the frame of the film as it lies.
    """

    name: str
    abnormality_probability: float
    call: Call
    logit: float
    cam: NDArray[np.float32]
    draw_heatmap: Callable[[], NDArray[np.float32]]
    film_shape: tuple[int, int]
    roi: Box
    timing: Timing
    remarks: tuple[Remark, ...] = ()
    strangeness: float | None = None
    body_part: BodyPart | None = None
    turned: int = 0

    @property
    def heatmap(self) -> NDArray[np.float32]:
        """float32 (H, W) in [0, 1] in the radiograph's frame, drawn anew: it takes as much as the film does.

        The probability that a film made of this location alone would get; zero outside the region of
        interest. The scale is the same for every film, so a normal film stays cold.
        """
        return self.draw_heatmap()


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What the model says of a study: the mean over its views, and each view.

    `engine` is what ran the network; engines differ by rounding. `compared` says whether the films were
    compared with those that the network was trained on.
    """

    study_probability: float
    call: Call
    views: tuple[ViewResult, ...]
    operating_points: OperatingPoints
    model_name: str
    model_version: str
    timing: Timing
    engine: str
    compared: bool = False
