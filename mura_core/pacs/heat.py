"""Each heatmap with its numbers: a fractional Segmentation on the film's own grid.

A Parametric Map would be the nearer name, but its definition demands a Frame of Reference, plane positions
and pixel measures (PS3.3 A.75), which projection radiographs do not have. A Segmentation may stand without
them where it names the image it was derived from, and its fractional kind means just this: a probability at
each pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mura_core.overlay import STOPS
from mura_core.pacs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    RESEARCH_ONLY,
    bare_reference,
    new_uid,
    stamp,
    view_title,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentDescription
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from mura_core.study import StudyResult

SERIES_NUMBER = 9903
STEPS = 255
"""Largest stored value: a heat of 1."""


def build_heat(headers: Sequence[Dataset], result: StudyResult, *, software: str) -> list[Dataset]:
    """Build one Segmentation for each view, all in one new series of the study.

    Args:
        headers: One of each view from `read_header`, in the result's order.
        result: What the model says; a stored value is round(255 * heat).
        software: Name and version of the program, in ASCII.
    """
    series, algorithm = new_uid(), _algorithm(result)
    maker = {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MODEL_NAME,
        "software_versions": software,
        "device_serial_number": result.model_version,
    }
    made: list[Dataset] = []
    for index, (header, view) in enumerate(zip(headers, result.views, strict=True), start=1):
        segment = _segment(view_title(header, index, len(headers)), algorithm)
        heat = _segmentation(header, view.heatmap, segment, series=series, index=index, maker=maker)
        stamp(heat, header)
        heat.PatientOrientation = header.get("PatientOrientation") or None
        made.append(heat)
    return made


def _algorithm(result: StudyResult) -> AlgorithmIdentificationSequence:
    """Name what made the map."""
    from highdicom import AlgorithmIdentificationSequence
    from pydicom.sr.coding import Code

    return AlgorithmIdentificationSequence(
        name=result.model_name,
        family=Code("123110", "DCM", "Artificial Intelligence"),
        version=result.model_version,
        source=MANUFACTURER,
    )


def _segment(title: str, algorithm: AlgorithmIdentificationSequence) -> SegmentDescription:
    """Say what the map is of."""
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from pydicom.sr.coding import Code

    return SegmentDescription(
        segment_number=1,
        segment_label="Heat of abnormality",
        segmented_property_category=Code("49755003", "SCT", "Morphologically Abnormal Structure"),
        segmented_property_type=Code("C9440", "NCIt", "Abnormality"),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=new_uid(),
        tracking_id=title,
        display_color=CIELabColor.from_rgb(*STOPS[2][1]),
    )


def _segmentation(
    header: Dataset,
    heatmap: NDArray[np.float32],
    segment: SegmentDescription,
    *,
    series: str,
    index: int,
    maker: Mapping[str, Any],
) -> Dataset:
    """Put one map on its film's own grid."""
    from highdicom.seg import Segmentation

    made: Dataset = Segmentation(
        source_images=[bare_reference(header)],
        pixel_array=np.clip(heatmap, 0, 1).astype(np.float32)[np.newaxis],
        segmentation_type="FRACTIONAL",
        fractional_type="PROBABILITY",
        max_fractional_value=STEPS,
        segment_descriptions=[segment],
        series_instance_uid=series,
        series_number=SERIES_NUMBER,
        sop_instance_uid=new_uid(),
        instance_number=index,
        content_label="HEATMAP",
        content_description=f"AI heatmap. {RESEARCH_ONLY}",
        content_qualification="RESEARCH",
        series_description=f"AI heatmaps. {RESEARCH_ONLY}",
        omit_empty_frames=False,
        **maker,
    )
    return made
