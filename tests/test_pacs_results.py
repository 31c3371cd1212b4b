"""Results as DICOM: valid by an independent reader, under the same study, with the originals untouched."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from mura_core.errors import MuraError
from mura_core.pacs.identity import PATIENT, RESEARCH_ONLY, STUDY
from mura_core.pacs.results import as_zip, build_results, encode, read_sources, write_results
from tests.dicom_studies import (
    KOREAN,
    SERIES_UID,
    STUDIES,
    STUDY_UID,
    analysed,
    cr_film,
    dx_film,
    errors_and_warnings,
    results_of,
)
from tests.radiograph_files import phantom, png_bytes

UNKNOWN_SIDE = "is only permitted to be empty when actually unknown"
"""The film does not say its side, so neither does the capture, and unknown is what it is."""
OWN_CODES = "Unrecognized defined term <99MURACORE>"
"""A private scheme, identified in the object as the standard wants it; the tool's list has none."""
NOT_FOR_A_DISC = "would be needed to build DICOMDIR"
"""The film itself has no patient number or date of its study, so its results have none."""
KNOWN = (UNKNOWN_SIDE, OWN_CODES, NOT_FOR_A_DISC)


def read(content: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(content))


@pytest.mark.parametrize("name", STUDIES)
def test_every_object_is_valid(name: str, tmp_path: Path) -> None:
    for file, content in results_of(name).items():
        path = tmp_path / file
        path.write_bytes(content)
        errors, warnings = errors_and_warnings(path)
        assert errors == []
        unexplained = [line for line in warnings if not any(known in line for known in KNOWN)]
        assert unexplained == []


@pytest.mark.parametrize("name", STUDIES)
def test_results_lie_under_the_films_study_in_series_of_their_own(name: str) -> None:
    source = pydicom.dcmread(BytesIO(STUDIES[name][0]), stop_before_pixels=True)
    made = {file: read(content) for file, content in results_of(name).items()}
    views = len(STUDIES[name])
    assert len(made) == 1 + 2 * views
    for result in made.values():
        for keyword in (*PATIENT, *STUDY):
            assert (result.get(keyword) or "") == (source.get(keyword) or ""), keyword
        assert RESEARCH_ONLY in result.SeriesDescription
        assert not any(element.tag.is_private for element in result.iterall())
    series = [result.SeriesInstanceUID for result in made.values()]
    assert len(set(series)) == 3
    assert SERIES_UID not in series
    instances = {result.SOPInstanceUID for result in made.values()}
    assert len(instances) == len(made)


@pytest.mark.parametrize(
    ("name", "letters"), [("a Korean name in Unicode", KOREAN), ("a Korean name in KS X 1001", "홍^길동")]
)
def test_a_name_keeps_its_bytes(name: str, letters: str) -> None:
    for content in results_of(name).values():
        assert letters in str(read(content).PatientName)
    before = raw_name(STUDIES[name][0])
    assert all(raw_name(content) == before for content in results_of(name).values())


def raw_name(content: bytes) -> bytes:
    """The element as it lies in the file, before any character set is applied."""
    start = content.index(b"\x10\x00\x10\x00PN")
    return content[start : start + 8 + int.from_bytes(content[start + 6 : start + 8], "little")]


def test_a_name_in_an_undeclared_character_set_keeps_its_bytes(recwarn: pytest.WarningsRecorder) -> None:
    film = dx_film(1, PatientName="Hong^GilDong").replace(
        b"Hong^GilDong", "홍길동^홍길동".encode("cp949")[:12]
    )
    files = encode(build_results(*analysed((film,))))
    assert all(raw_name(content) == raw_name(film) for content in files.values())
    assert len(recwarn) == 0


def test_values_that_dicom_does_not_know_are_left_empty() -> None:
    film = dx_film(1, StudyTime="101112")
    for good, odd in (
        (b"19700101", b"unknown "),
        (b"CS\2\0F ", b"CS\2\0X "),
        (b"TM\6\x00101112", b"TM\6\0midday"),
    ):
        assert film.count(good) == 1
        film = film.replace(good, odd)
    for content in encode(build_results(*analysed((film,)))).values():
        result = read(content)
        assert not any(result[name].value for name in ("PatientBirthDate", "PatientSex", "StudyTime"))
        assert result.StudyDate == "20250102"


def test_nothing_of_the_patient_is_said_aloud(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    # No caret, and no letters of the character set declared: what libraries like to complain about.
    film = dx_film(1, PatientName="SECRET NAME", SpecificCharacterSet="ISO_IR 192")
    encode(build_results(*analysed((film.replace(b"SECRET NAME", b"SECRET \xc8\xab\xb1\xe6"),))))
    said = capfd.readouterr()
    everything = said.out + said.err + caplog.text + " ".join(str(warning.message) for warning in recwarn)
    assert "SECRET" not in everything
    assert len(recwarn) == 0


def test_the_sources_and_the_films_are_not_changed() -> None:
    sources, study, result = analysed(STUDIES["two DX films of one wrist"])
    before = [source.to_json() for source in sources]
    pixels = [view.radiograph.pixels.copy() for view in study.views]
    heat = [view.heatmap.copy() for view in result.views]
    build_results(sources, study, result)
    assert [source.to_json() for source in sources] == before
    for view, answer, film, warm in zip(study.views, result.views, pixels, heat, strict=True):
        np.testing.assert_array_equal(view.radiograph.pixels, film)
        np.testing.assert_array_equal(answer.heatmap, warm)


def test_the_heatmap_comes_back_pixel_for_pixel() -> None:
    sources, study, result = analysed(STUDIES["two DX films of one wrist"])
    made = [item for item in build_results(sources, study, result) if item.Modality == "SEG"]
    for source, view, item in zip(sources, result.views, made, strict=True):
        heat = read(encode([item])[f"heatmap-{item.InstanceNumber}.dcm"])
        assert (heat.SegmentationType, heat.SegmentationFractionalType) == ("FRACTIONAL", "PROBABILITY")
        assert heat.ContentQualification == "RESEARCH"
        found = heat.pixel_array / heat.MaximumFractionalValue
        assert found.shape == (source.Rows, source.Columns)
        np.testing.assert_allclose(found, view.heatmap, atol=0.5 / 255 + 1e-6)
        derived = heat.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
        assert derived.ReferencedSOPInstanceUID == source.SOPInstanceUID
        algorithm = heat.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == (
            result.model_name,
            result.model_version,
        )


REFUSED: dict[str, tuple[tuple[tuple[str, bytes], ...], str]] = {
    "a PNG": ((("a.dcm", dx_film(1)), ("b.png", png_bytes(phantom()))), "b.png: It is not DICOM"),
    "two studies": (
        (("a.dcm", dx_film(1)), ("b.dcm", dx_film(2, StudyInstanceUID="1.2.3"))), "belong to 2 studies",
    ),
    "two patients": (
        (("a.dcm", dx_film(1)), ("b.dcm", dx_film(2, PatientID="1"))), "name different patients",
    ),
    "one image twice": (
        (("a.dcm", dx_film(1)), ("b.dcm", dx_film(1, ViewPosition="AP"))), "the same DICOM image",
    ),
    "no study": ((("a.dcm", dx_film(1, StudyInstanceUID=None)),), "no valid StudyInstanceUID"),
    "a path for a study": ((("a.dcm", dx_film(1, SeriesInstanceUID="")),), "no valid SeriesInstanceUID"),
    "a mammogram": (
        (("a.dcm", dx_film(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.1.2")),), "Digital Mammography",
    ),
    "a result": ((("a.dcm", results_of("a tiny film")["overlay-1.dcm"]),), "itself a result"),
    "nothing": ((), "There is no film"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_results_are_refused_with_a_sentence(case: str) -> None:
    files, sentence = REFUSED[case]
    with pytest.raises(MuraError, match=sentence) as caught:
        read_sources(files)
    assert "DOE" not in str(caught.value)
    assert "4711" not in str(caught.value)


def test_a_study_uid_that_is_a_path_is_refused() -> None:
    film = dx_film(1, StudyInstanceUID="1.2.333.444").replace(b"1.2.333.444", b"../../../..")
    with pytest.raises(MuraError, match="no valid StudyInstanceUID"):
        read_sources([("a.dcm", film)])


def test_headers_of_other_films_are_refused() -> None:
    sources, study, result = analysed(STUDIES["two DX films of one wrist"])
    other = analysed((cr_film(1),))[0]
    for wrong in (sources[:1], [*other, sources[1]]):
        with pytest.raises(MuraError, match="headers of the analysed films|different patients"):
            build_results(wrong, study, result)


def test_files_are_written_whole_and_never_over_others(tmp_path: Path) -> None:
    films = [tmp_path / "films" / f"{index}.dcm" for index in (1, 2)]
    films[0].parent.mkdir()
    for path, content in zip(films, STUDIES["two DX films of one wrist"], strict=True):
        path.write_bytes(content)
    before = [path.read_bytes() for path in films]
    results = build_results(*analysed(STUDIES["two DX films of one wrist"]))
    out = tmp_path / "out"
    first = write_results(results, out, films)
    assert first == out / STUDY_UID
    first_contents = {path.name: path.read_bytes() for path in first.iterdir()}
    assert first_contents == encode(results)
    assert write_results(results, out, films) == out / f"{STUDY_UID}-2"
    assert {path.name: path.read_bytes() for path in first.iterdir()} == first_contents
    assert sorted(path.name for path in out.iterdir()) == [STUDY_UID, f"{STUDY_UID}-2"]
    for beside in (films[0].parent, tmp_path):
        with pytest.raises(MuraError, match="holds the film 1.dcm itself"):
            write_results(results, beside, films)
    assert [path.read_bytes() for path in films] == before
    assert sorted(films[0].parent.iterdir()) == films


def test_a_failed_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = build_results(*analysed(STUDIES["a tiny film"]))
    whole = Path.write_bytes

    def full_disk(path: Path, data: Any) -> int:
        if "heatmap" in path.name:
            raise OSError(28, "No space left on device")
        return whole(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(MuraError, match="No space left on device"):
        write_results(results, tmp_path / "out", [])
    assert list((tmp_path / "out").iterdir()) == []


def test_the_zip_holds_the_same_files() -> None:
    results = build_results(*analysed(STUDIES["a tiny film"]))
    with zipfile.ZipFile(BytesIO(as_zip(results))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == encode(results)
