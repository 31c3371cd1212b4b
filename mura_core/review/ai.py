"""The model's result of a study as a session keeps it: figures and the hottest place, no maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mura_core.review.types import AiResult, AiView

if TYPE_CHECKING:
    from mura_core.study import StudyResult, ViewResult


def ai_result(result: StudyResult) -> AiResult:
    """Reduce what the model says of a study to what is kept beside the readings."""
    return AiResult(
        probability=result.study_probability,
        call=result.call,
        views=tuple(_ai_view(view) for view in result.views),
        model=model_of(result),
    )


def model_of(result: StudyResult) -> str:
    """Name the model and its version."""
    return f"{result.model_name} {result.model_version}"


def _ai_view(view: ViewResult) -> AiView:
    """Find the heatmap's hottest pixel; its centre, in fractions of the film."""
    heatmap = view.heatmap
    height, width = heatmap.shape
    row, column = np.unravel_index(int(heatmap.argmax()), heatmap.shape)
    return AiView(
        name=view.name,
        probability=view.abnormality_probability,
        call=view.call,
        peak_top=(float(row) + 0.5) / height,
        peak_left=(float(column) + 0.5) / width,
        peak=float(heatmap[row, column]),
    )
