"""Each overlay as a colour Secondary Capture: what any archive can store and any viewer can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from mura_core.overlay import overlay
from mura_core.pacs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    RESEARCH_ONLY,
    bare_reference,
    new_uid,
    stamp,
    view_title,
)
from mura_core.pacs.legend import with_legend
from mura_core.remarks import SENTENCES
from mura_core.study import probability_text, threshold_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from mura_core.study import Study, StudyResult

SERIES_NUMBER = 9902
LONGEST_SIDE_PX = 2048
"""A larger film is made smaller; in colour it would be several times the size of its original."""


def build_captures(
    headers: Sequence[Dataset], study: Study, result: StudyResult, *, software: str
) -> list[Dataset]:
    """Build one colour Secondary Capture for each view, all in one new series of the study.

    Args:
        headers: One of each view from `read_header`, in the study's order.
        study: The films.
        result: What the model says of them.
        software: Name and version of the program, in ASCII.
    """
    series, points = new_uid(), result.operating_points
    made = []
    for index, (header, view, answer) in enumerate(
        zip(headers, study.views, result.views, strict=True), start=1
    ):
        title = view_title(header, index, len(headers))
        picture, shrink = _shrunk_overlay(view.radiograph.pixels, answer.heatmap)
        lines = (
            f"{title}: {answer.call}, probability {probability_text(answer.abnormality_probability, points)}",
            f"Study: {result.call}, probability {probability_text(result.study_probability, points)} "
            f"(doubt from {threshold_text(points.sensitive)}, "
            f"abnormal from {threshold_text(points.specific)})",
            *(SENTENCES[remark] for remark in answer.remarks if remark.grave),
            f"{result.model_name} {result.model_version}, {software}",
        )
        capture = _capture(header, with_legend(picture, lines, RESEARCH_ONLY), series, index, software)
        _describe(capture, header, f"{RESEARCH_ONLY} {' - '.join(lines)}", shrink)
        stamp(capture, header)
        _stamp_region(capture, headers, header)
        made.append(capture)
    return made


def _shrunk_overlay(
    pixels: NDArray[np.float32], heatmap: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], float]:
    """Lay the heat over the film at its own size, or at `LONGEST_SIDE_PX`; also gives how much smaller."""
    shrink = max(1.0, max(pixels.shape) / LONGEST_SIDE_PX)
    if shrink > 1:
        size = (round(pixels.shape[1] / shrink), round(pixels.shape[0] / shrink))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        heatmap = cv2.resize(heatmap, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return overlay(pixels, heatmap), shrink


def _capture(header: Dataset, picture: NDArray[np.uint8], series: str, index: int, software: str) -> Dataset:
    from highdicom.sc import SCImage

    capture: Dataset = SCImage.from_ref_dataset(
        bare_reference(header),
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        # highdicom wants one; the film's own, or none, takes its place below.
        patient_orientation=("L", "F"),
        series_instance_uid=series,
        series_number=SERIES_NUMBER,
        sop_instance_uid=new_uid(),
        instance_number=index,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=software,
        series_description=f"AI overlays. {RESEARCH_ONLY}",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )
    capture.ConversionType = "WSD"
    return capture


def _describe(capture: Dataset, header: Dataset, comment: str, shrink: float) -> None:
    """Say where the picture comes from, and what a reader of the archive must know of it."""
    from highdicom.sr import CodedConcept
    from pydicom.dataset import Dataset as NewDataset

    source = NewDataset()
    source.ReferencedSOPClassUID = header.SOPClassUID
    source.ReferencedSOPInstanceUID = header.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = [
        CodedConcept("121322", "DCM", "Source image for image processing operation")
    ]
    capture.SourceImageSequence = [source]
    capture.DerivationDescription = (
        "Heatmap of an AI model laid over the radiograph in colour, with a legend below it. " + RESEARCH_ONLY
    )
    capture.ImageComments = comment
    # By its definition: whether the picture names the patient. The legend does not; the film itself may,
    # and where its header does not say, neither does this one.
    if header.get("BurnedInAnnotation"):
        capture.BurnedInAnnotation = header.BurnedInAnnotation
    if header.get("LossyImageCompression") == "01":
        for keyword in (
            "LossyImageCompression",
            "LossyImageCompressionRatio",
            "LossyImageCompressionMethod",
        ):
            if header.get(keyword):
                setattr(capture, keyword, header[keyword].value)
    _copy_spacing(capture, header, shrink)


def _stamp_region(capture: Dataset, headers: Sequence[Dataset], header: Dataset) -> None:
    """Copy which part of the body the picture shows, and which way round.

    Part and side are the series', so they are stated where all films of the study agree.
    """
    capture.PatientOrientation = header.get("PatientOrientation") or None
    sides = {str(film.get("Laterality") or film.get("ImageLaterality") or "") for film in headers}
    capture.Laterality = side if len(sides) == 1 and (side := sides.pop()) in ("L", "R") else None
    parts = {str(film.get("BodyPartExamined") or "") for film in headers}
    if len(parts) == 1 and (part := parts.pop()):
        capture.BodyPartExamined = part


def _copy_spacing(capture: Dataset, header: Dataset, shrink: float) -> None:
    """Copy calibrated spacing, widened as the picture was shrunk.

    The spacing at the detector is not copied: a Secondary Capture has no place for it, and as PixelSpacing
    it would claim to hold at the bone.
    """
    spacing = header.get("PixelSpacing")
    if not spacing or len(spacing) != 2:
        return
    capture.PixelSpacing = [f"{float(side) * shrink:.10g}" for side in spacing]
    if header.get("PixelSpacingCalibrationType") and header.get("PixelSpacingCalibrationDescription"):
        capture.PixelSpacingCalibrationType = header.PixelSpacingCalibrationType
        capture.PixelSpacingCalibrationDescription = header.PixelSpacingCalibrationDescription
