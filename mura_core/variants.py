"""What the model sees, step by step: a study read once for each step of its films' preparation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mura_core.preprocess import preprocess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mura_core.preprocess import PreprocessOptions
    from mura_core.study import Call, OperatingPoints, Study

    FloatMap = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Variant:
    """A study under one way of preparing its films.

    Attributes:
        options: What was done to the films.
        released: Whether that is what the weights were trained and measured with.
        films: float32 (S, S) in [0, 1] for each view, in order: what the network saw, as the film lies.
        view_probabilities: Calibrated probability in [0, 1] of each view.
        study_probability: Their mean.
        calls: The call of each view at the fixed operating points.
        call: The study's call at them.
    """

    options: PreprocessOptions
    released: bool
    films: tuple[FloatMap, ...]
    view_probabilities: tuple[float, ...]
    study_probability: float
    calls: tuple[Call, ...]
    call: Call


def read_variants(
    study: Study,
    released: PreprocessOptions,
    points: OperatingPoints,
    read: Callable[[Sequence[FloatMap]], tuple[float, ...]],
) -> tuple[Variant, ...]:
    """Read a study as the whole films, then in their region of interest, then with their contrast set.

    Args:
        study: One view or more; not changed.
        released: The released preparation: the last step, whatever it is.
        points: The fixed operating points.
        read: Gives calibrated probabilities of prepared films; called once for each step, with all views.

    Returns:
        The steps in order, those that equal the released one left out but for the last.
    """
    steps = [
        replace(released, roi=roi, enhance=enhance)
        for roi, enhance in ((False, False), (True, False), (True, True))
    ]
    variants = []
    for options in (*(step for step in steps if step != released), released):
        films = tuple(preprocess(view.radiograph.pixels, options)[0] for view in study.views)
        probabilities = read(films)
        mean = math.fsum(probabilities) / len(probabilities)
        variants.append(
            Variant(
                options=options,
                released=options == released,
                films=films,
                view_probabilities=probabilities,
                study_probability=mean,
                calls=tuple(points.call(probability) for probability in probabilities),
                call=points.call(mean),
            )
        )
    return tuple(variants)
