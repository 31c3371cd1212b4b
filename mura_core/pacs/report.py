"""The call of a study as a Structured Report: TID 1500, Measurement Report.

Comprehensive SR (1.2.840.10008.5.1.4.1.1.88.33) is chosen: every value type that the template needs for
projection radiographs, and what archives and viewers take most widely. Comprehensive 3D SR only adds
coordinates in space, which a film has none of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.pacs.identity import (
    MANUFACTURER,
    MODEL_NAME,
    RESEARCH_ONLY,
    SOURCE_CLASSES,
    bare_reference,
    named_uid,
    new_uid,
    stamp,
    view_title,
)
from mura_core.pacs.outline import hottest_outline
from mura_core.remarks import NOT_COMPARED, SENTENCES
from mura_core.study import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from highdicom import sr
    from pydicom.dataset import Dataset
    from pydicom.sr.coding import Code

    from mura_core.study import StudyResult, ViewResult

    _Group = sr.MeasurementsAndQualitativeEvaluations | sr.PlanarROIMeasurementsAndQualitativeEvaluations

SERIES_NUMBER = 9901
SCHEME = "99MURACORE"
"""Designator of the codes that no standard scheme has."""


def build_report(headers: Sequence[Dataset], result: StudyResult, *, software: str) -> Dataset:
    """Build the Structured Report of a study.

    Args:
        headers: One of each view from `read_header`, in the order of the result's views.
        result: What the model says.
        software: Name and version of the program, in ASCII.

    Returns:
        A Comprehensive SR: probability, call and operating points of the study; probability and call of each
        view; the outline of its hottest region where the heat reaches the overlay's line.
    """
    from highdicom import sr

    bare = [bare_reference(header) for header in headers]
    groups: list[_Group] = [_study_group(bare, result)]
    for index, (reference, header, view) in enumerate(zip(bare, headers, result.views, strict=True), 1):
        groups += _view_groups(reference, view_title(header, index, len(bare)), view, result)
    report = sr.MeasurementReport(
        observation_context=_observer(result),
        procedure_reported=_code("43468-8", "LN", "XR unspecified body region"),
        imaging_measurements=groups,
        referenced_images=[_library_entry(*pair) for pair in zip(bare, headers, strict=True)],
    )
    report[0].ContentSequence.append(_comment(result))
    made = sr.ComprehensiveSR(
        evidence=bare,
        content=report,
        series_instance_uid=new_uid(),
        series_number=SERIES_NUMBER,
        sop_instance_uid=new_uid(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=software,
        is_complete=True,
        series_description=f"AI report. {RESEARCH_ONLY}",
        coding_schemes=[_scheme()],
    )
    stamp(made, headers[0])
    return made


def _study_group(bare: Sequence[Dataset], result: StudyResult) -> sr.MeasurementsAndQualitativeEvaluations:
    from highdicom import sr

    points = result.operating_points
    reached = {
        Call.NORMAL: ("NONE", "None: below the sensitive operating point"),
        Call.DOUBT: ("SENSITIVE", "Sensitive operating point"),
        Call.ABNORMAL: ("SPECIFIC", "Specific operating point"),
    }[result.call]
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(new_uid(), "Study: mean over its views"),
        algorithm_id=_algorithm(result),
        measurements=[
            _number("122157", "DCM", "Probability", result.study_probability),
            _number("POINT-SENSITIVE", SCHEME, "Sensitive operating point, doubt from", points.sensitive),
            _number("POINT-SPECIFIC", SCHEME, "Specific operating point, abnormal from", points.specific),
        ],
        qualitative_evaluations=[
            _normality(result.call),
            sr.QualitativeEvaluation(
                _code("POINT-REACHED", SCHEME, "Operating point that made the call"),
                _code(reached[0], SCHEME, reached[1]),
            ),
        ],
        source_images=[
            sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID) for image in bare
        ],
    )


def _view_groups(image: Dataset, title: str, view: ViewResult, result: StudyResult) -> list[_Group]:
    from highdicom import sr

    whole = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(new_uid(), title),
        algorithm_id=_algorithm(result),
        measurements=[_number("122157", "DCM", "Probability", view.abnormality_probability)],
        qualitative_evaluations=[_normality(view.call)],
        source_images=[sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)],
    )
    heatmap = view.heatmap
    outline = hottest_outline(heatmap)
    if outline is None:
        return [whole]
    region = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(new_uid(), f"{title}: hottest region of the heatmap"),
        referenced_region=sr.ImageRegion(
            "POLYLINE", outline, sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
        ),
        algorithm_id=_algorithm(result),
        measurements=[
            sr.Measurement(
                _code("122157", "DCM", "Probability"),
                float(heatmap.max()),
                _code("1", "UCUM", "no units"),
                derivation=_code("56851009", "SCT", "Maximum"),
            )
        ],
    )
    return [whole, region]


def _observer(result: StudyResult) -> sr.ObservationContext:
    from highdicom import sr

    device = sr.DeviceObserverIdentifyingAttributes(
        uid=named_uid(f"{MANUFACTURER} {result.model_name} {result.model_version}"),
        name=MODEL_NAME,
        manufacturer_name=MANUFACTURER,
        model_name=f"{result.model_name} {result.model_version}",
    )
    context = sr.ObserverContext(sr.CodedConcept("121007", "DCM", "Device"), device)
    return sr.ObservationContext(observer_device_context=context)


def _algorithm(result: StudyResult) -> sr.AlgorithmIdentification:
    from highdicom import sr

    points = result.operating_points
    return sr.AlgorithmIdentification(
        name=result.model_name,
        version=result.model_version,
        parameters=[f"doubt from probability {points.sensitive:.4f}, abnormal from {points.specific:.4f}"],
        family=_code("123110", "DCM", "Artificial Intelligence"),
        manufacturer=MANUFACTURER,
    )


def _normality(call: Call) -> sr.QualitativeEvaluation:
    """Say the call in the words of CID 222, Normality Codes."""
    from highdicom import sr

    value, meaning = {
        Call.NORMAL: ("17621005", "Normal"),
        Call.DOUBT: ("371934000", "Normality Undetermined"),
        Call.ABNORMAL: ("263654008", "Abnormal"),
    }[call]
    return sr.QualitativeEvaluation(_code("121402", "DCM", "Normality"), _code(value, "SCT", meaning))


def _number(value: str, scheme: str, meaning: str, number: float) -> sr.Measurement:
    from highdicom import sr

    return sr.Measurement(_code(value, scheme, meaning), float(number), _code("1", "UCUM", "no units"))


def _comment(result: StudyResult) -> sr.ContainerContentItem:
    """Say in the report what it is not, and what speaks against it, where TID 1500 has room for text."""
    from highdicom import sr

    container = sr.ContainerContentItem(
        _code("C0034375", "UMLS", "Qualitative Evaluations"), relationship_type="CONTAINS"
    )
    text = (
        f"{RESEARCH_ONLY} Not a medical device. The probability is that the study is abnormal, from 0 to 1, "
        "by a model alone; no reader has confirmed it."
    )
    for index, view in enumerate(result.views, start=1):
        text += "".join(f" View {index}: {SENTENCES[remark]}" for remark in view.remarks)
    if not result.compared:
        text += f" {NOT_COMPARED}"
    comment = sr.TextContentItem(_code("121106", "DCM", "Comment"), text, relationship_type="CONTAINS")
    container.ContentSequence = sr.ContentSequence([comment])
    return container


def _library_entry(bare: Dataset, header: Dataset) -> Dataset:
    """Describe a film for the image library (TID 1602).

    Of a film that says it is CR or DX, highdicom insists on orientation and spacing; not all have them.
    """
    from pydicom.dataset import Dataset as NewDataset

    entry = NewDataset(bare)
    spacing, orientation = header.get("ImagerPixelSpacing"), header.get("PatientOrientation")
    if spacing and len(spacing) == 2 and orientation and len(orientation) == 2 and all(orientation):
        entry.ImagerPixelSpacing, entry.PatientOrientation = spacing, orientation
        entry.Modality = SOURCE_CLASSES[bare.SOPClassUID]
    else:
        entry.Modality = ""
    return entry


def _code(value: str, scheme: str, meaning: str) -> Code:
    from pydicom.sr.coding import Code

    return Code(value, scheme, meaning)


def _scheme() -> Dataset:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(
        SCHEME, name="Codes of the musculoskeletal radiograph reader", responsible_organization=MANUFACTURER
    )
