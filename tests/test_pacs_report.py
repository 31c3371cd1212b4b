"""The Structured Report says what the model said, in codes, and an independent reader understands it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from highdicom import sr
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from mura_core.pacs.outline import hottest_outline
from mura_core.pacs.report import SCHEME, build_report
from mura_core.pacs.results import SOFTWARE, encode
from mura_core.remarks import NOT_COMPARED, SENTENCES
from mura_core.study import Call, Remark, StudyResult
from tests.dicom_studies import STUDIES, analysed, cr_film, dx_film, installed
from tests.fake_predictor import POINTS

PROBABILITY = Code("122157", "DCM", "Probability")
NORMALITY = Code("121402", "DCM", "Normality")
REACHED = Code("POINT-REACHED", SCHEME, "Operating point that made the call")
CODES = {Call.NORMAL: "17621005", Call.DOUBT: "371934000", Call.ABNORMAL: "263654008"}
POINT = {Call.NORMAL: "NONE", Call.DOUBT: "SENSITIVE", Call.ABNORMAL: "SPECIFIC"}


def report_of(files: tuple[bytes, ...], *probabilities: float) -> tuple[Any, StudyResult, bytes]:
    """The report as highdicom reads it back from its file, what it should say, and the file."""
    sources, _, result = analysed(files, *probabilities)
    content = encode([build_report(sources, result, software=SOFTWARE)])["report.dcm"]
    return sr.ComprehensiveSR.from_dataset(pydicom.dcmread(BytesIO(content))).content, result, content


@pytest.mark.parametrize(
    ("probabilities", "call"),
    [((0.9, 0.8), Call.ABNORMAL), ((0.9, 0.1), Call.DOUBT), ((0.1, 0.2), Call.NORMAL)],
)
def test_the_report_says_probability_call_and_operating_points(
    probabilities: tuple[float, float], call: Call
) -> None:
    content, result, _ = report_of(STUDIES["two DX films of one wrist"], *probabilities)
    assert result.call is call
    study, *views = content.get_image_measurement_groups()
    assert study.get_measurements(PROBABILITY)[0].value == pytest.approx(result.study_probability)
    thresholds = [
        study.get_measurements(Code(f"POINT-{name}", SCHEME, "")) for name in ("SENSITIVE", "SPECIFIC")
    ]
    assert [found[0].value for found in thresholds] == [POINTS.sensitive, POINTS.specific]
    assert study.get_qualitative_evaluations(NORMALITY)[0].value.value == CODES[call]
    assert study.get_qualitative_evaluations(REACHED)[0].value.value == POINT[call]
    assert len(views) == 2
    for group, view in zip(views, result.views, strict=True):
        measured = group.get_measurements(PROBABILITY)[0]
        assert measured.value == pytest.approx(view.abnormality_probability)
        assert measured.unit == Code("1", "UCUM", "no units")
        assert group.get_qualitative_evaluations(NORMALITY)[0].value.value == CODES[view.call]


def test_each_group_names_its_films_and_the_algorithm() -> None:
    files = STUDIES["two DX films of one wrist"]
    content, result, raw = report_of(files, 0.9, 0.1)
    instances = [pydicom.dcmread(BytesIO(film)).SOPInstanceUID for film in files]
    study, first, second = content.get_image_measurement_groups()
    for group, expected in ((study, instances), (first, instances[:1]), (second, instances[1:])):
        assert [image.referenced_sop_instance_uid for image in group.source_images] == expected
        named = {
            item.name.value: item.value
            for item in group[0].ContentSequence
            if item.name.value in ("111001", "111003")
        }
        assert named == {"111001": result.model_name, "111003": result.model_version}
    report = pydicom.dcmread(BytesIO(raw))
    assert report.SOPClassUID == ComprehensiveSRStorage
    assert report.Modality == "SR"
    assert report.SoftwareVersions == SOFTWARE
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    referenced = {
        item.ReferencedSOPInstanceUID for series in evidence for item in series.ReferencedSOPSequence
    }
    assert referenced == set(instances)
    scheme = report.CodingSchemeIdentificationSequence[0]
    assert scheme.CodingSchemeDesignator == SCHEME


def test_the_hottest_region_is_outlined_where_the_overlay_draws_its_line() -> None:
    files = STUDIES["two DX films of one wrist"]
    content, result, _ = report_of(files, 0.9, 0.1)
    # The second view stays under the line, so it has no region.
    (group,) = content.get_planar_roi_measurement_groups()
    assert group.get_measurements(PROBABILITY)[0].value == pytest.approx(float(result.views[0].heatmap.max()))
    outline = group.roi.value
    assert tuple(outline[0]) == tuple(outline[-1])
    heat = result.views[0].heatmap
    filled = cv2.fillPoly(np.zeros(heat.shape, np.uint8), [np.rint(outline - 0.5).astype(np.int32)], 1) > 0
    inside = heat >= 0.5
    assert (filled & inside).sum() / (filled | inside).sum() > 0.95
    source = pydicom.dcmread(BytesIO(files[0]))
    assert (
        group.roi.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        == source.SOPInstanceUID
    )


def test_only_the_region_of_the_hottest_place_is_outlined() -> None:
    heat = np.zeros((100, 80), np.float32)
    heat[10:30, 10:20], heat[60:80, 40:70] = 0.6, 0.7
    heat[70, 50] = 0.9
    outline = hottest_outline(heat)
    assert outline is not None
    assert outline.min(axis=0).tolist() == [40.5, 60.5]
    assert outline.max(axis=0).tolist() == [69.5, 79.5]


def test_a_single_hot_place_is_still_an_outline_and_a_cold_film_has_none() -> None:
    heat = np.full((60, 50), 0.2, np.float32)
    assert hottest_outline(heat) is None
    heat[20, 30] = 0.5
    outline = hottest_outline(heat)
    assert outline is not None
    assert len(outline) >= 2
    assert set(map(tuple, outline.tolist())) == {(30.5, 20.5)}


@pytest.mark.parametrize(
    "film", [cr_film(1), dx_film(1), dx_film(1, PatientOrientation=["R", "F"], ImagerPixelSpacing=None)]
)
def test_the_image_library_describes_what_the_film_says(film: bytes) -> None:
    content, _, _ = report_of((film,), 0.9)
    header = pydicom.dcmread(BytesIO(film))
    (library,) = [item for item in content[0].ContentSequence if item.name.value == "111028"]
    (image,) = library.ContentSequence[0].ContentSequence
    assert image.referenced_sop_instance_uid == header.SOPInstanceUID
    said = {item.name.meaning: item.value for item in image.ContentSequence}
    assert (said["Pixel Data Rows"], said["Pixel Data Columns"]) == (header.Rows, header.Columns)
    assert ("Vertical Pixel Spacing" in said) == ("ImagerPixelSpacing" in header)


def test_the_report_says_what_speaks_against_relying_on_it() -> None:
    sources, _, plain = analysed(STUDIES["two DX films of one wrist"], 0.9, 0.8)
    first, second = (replace(view, remarks=()) for view in plain.views)
    doubted = replace(plain, views=(first, replace(second, remarks=(Remark.UNFAMILIAR,))))
    sentence = f"View 2: {SENTENCES[Remark.UNFAMILIAR]}"
    for result, said in ((replace(plain, views=(first, second)), False), (doubted, True)):
        comment = build_report(sources, result, software=SOFTWARE).ContentSequence[-1].ContentSequence[0]
        assert (sentence in comment.TextValue) is said


@pytest.mark.parametrize("compared", [False, True])
def test_the_comment_says_where_the_films_were_not_compared(compared: bool) -> None:
    sources, _, plain = analysed(STUDIES["two DX films of one wrist"], 0.9, 0.1)
    report = build_report(sources, replace(plain, compared=compared), software=SOFTWARE)
    comment = report.ContentSequence[-1].ContentSequence[0].TextValue
    assert (NOT_COMPARED in comment) is not compared


def test_dcmtk_reads_the_report_and_says_that_it_is_research(tmp_path: Path) -> None:
    tool = installed("dsrdump", "dcmtk")
    _, result, content = report_of(STUDIES["two DX films of one wrist"], 0.9, 0.1)
    path = tmp_path / "report.dcm"
    path.write_bytes(content)
    ended = subprocess.run([tool, "+Pc", "+Pl", str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    said = " ".join(ended.stdout.split())
    assert "Comprehensive SR Document" in said
    assert "Research only, not for clinical use. Not a medical device." in said
    assert f'"Algorithm Name")="{result.model_name}"' in said
    assert f'"Algorithm Version")="{result.model_version}"' in said
    assert '"Normality")=(371934000,SCT,"Normality Undetermined")' in said
    assert '"Operating point that made the call")=(SENSITIVE,99MURACORE,"Sensitive operating point")' in said
