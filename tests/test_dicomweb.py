"""To and from a real archive."""

from __future__ import annotations

import json
from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydicom import dcmread

from mura_core.__main__ import main
from mura_core.images import read_radiograph
from mura_core.pacs.connection import PASSWORD, TOKEN, USER, ArchiveError
from mura_core.pacs.dicomweb import Archive
from mura_core.pacs.qido import Query
from mura_core.pacs.results import build_results, encode, read_sources
from mura_core.study import Study, View
from tests import orthanc
from tests.fake_predictor import FakePredictor
from tests.radiograph_files import phantom, write_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WRIST, HAND, CHEST_CT = "1.2.826.0.1.1", "1.2.826.0.1.2", "1.2.826.0.1.3"
NAME = "김^철수"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER, orthanc.USER)
    monkeypatch.setenv(PASSWORD, orthanc.PASSWORD)
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.delenv("MURA_DICOMWEB", raising=False)


def draw(folder: Path, study: str, number: int, **tags: Any) -> Path:
    """Draw one film of a study; what is drawn and how it is stored goes by its number."""
    syntax = "1.2.840.10008.1.2.4.90" if number % 2 else "1.2.840.10008.1.2.1"
    uid = f"{study}.1.{number}"
    defaults = {
        "StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": uid,
        "SpecificCharacterSet": "ISO_IR 192", "PatientName": NAME, "StudyDate": "20240102",
        "BodyPartExamined": "WRIST", "SeriesNumber": 1, "InstanceNumber": number,
        "BitsStored": 12, "HighBit": 11,
    }  # fmt: skip
    path = write_dicom(
        folder / f"{uid}.dcm", phantom(240, 180, bits=12, seed=number), syntax, **defaults | tags
    )
    film = dcmread(path)
    film.file_meta.MediaStorageSOPInstanceUID = uid
    film.save_as(path)
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    return [
        draw(folder, WRIST, 2),
        draw(folder, WRIST, 1),
        draw(folder, HAND, 1, BodyPartExamined="HAND", StudyDate="20230601", PatientID="0815", Modality="CR"),
        draw(folder, CHEST_CT, 1, BodyPartExamined="CHEST", Modality="CT"),
    ]


@pytest.fixture(scope="module")
def server(films: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An archive that holds the drawn films: its HTTP address."""
    orthanc.need_orthanc()
    with orthanc.running(tmp_path_factory.mktemp("orthanc")) as address:
        for film in films:
            login = (orthanc.USER, orthanc.PASSWORD)
            httpx.post(f"{address}/instances", content=film.read_bytes(), auth=login).raise_for_status()
        yield address


@pytest.fixture
def archive(server: str) -> Archive:
    return Archive(f"{server}/dicom-web/")


def found(archive: Archive, **query: Any) -> set[str]:
    return {study.uid for study in archive.list_studies(Query(**query)).studies}


def test_studies_are_found_by_date_patient_body_part_and_modality(archive: Archive) -> None:
    assert found(archive) == {WRIST, HAND}
    assert found(archive, date="20240101-20241231") == {WRIST}
    assert found(archive, date="-20231231") == {HAND}
    assert found(archive, patient_id="0815") == {HAND}
    assert found(archive, body_part="wrist") == {WRIST}
    assert found(archive, body_part="FOOT") == set()
    assert found(archive, modality="cr") == {HAND}
    assert found(archive, modality="CT") == {CHEST_CT}


def test_a_line_of_the_list_says_what_a_reader_chooses_by(archive: Archive) -> None:
    [study] = archive.list_studies(Query(body_part="WRIST")).studies
    assert (study.date, study.modalities, study.body_part) == ("20240102", ("DX",), "WRIST")
    assert (study.patient_name, study.patient_id) == (NAME.replace("^", " "), "4711")
    assert study.images >= 2


def test_the_list_is_paged_and_says_if_there_is_more(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mura_core.pacs.dicomweb._PAGE", 1)
    whole = archive.list_studies(Query())
    assert (len(whole.studies), whole.more) == (2, False)
    cut = archive.list_studies(Query(limit=1))
    assert (len(cut.studies), cut.more) == (1, True)


def test_films_come_as_they_were_stored_in_the_order_of_the_study(
    archive: Archive, films: list[Path]
) -> None:
    fetched = archive.fetch_study(WRIST, most=6)
    assert [name for name, _ in fetched] == ["film-1.dcm", "film-2.dcm"]
    assert [content for _, content in fetched] == [films[1].read_bytes(), films[0].read_bytes()]


def test_a_study_is_read_its_results_stored_and_read_back(archive: Archive) -> None:
    files = archive.fetch_study(WRIST, most=6)
    study = Study(tuple(View(name, read_radiograph(content)) for name, content in files))
    result = FakePredictor(0.9, 0.7).predict(study)
    results = encode(build_results(read_sources(files), study, result))
    assert archive.store(results, WRIST) == len(results) == 5

    back = stored(archive, WRIST)
    assert Counter(data.Modality for data in back) == {"DX": 2, "SR": 1, "OT": 2, "SEG": 2}
    given = {dcmread(BytesIO(content)).SOPInstanceUID: content for content in results.values()}
    for data in back:
        assert (data.PatientName, data.PatientID, data.StudyInstanceUID) == (NAME, "4711", WRIST)
        if data.Modality != "DX":
            sent = dcmread(BytesIO(given.pop(data.SOPInstanceUID)))
            assert data.to_json_dict() == sent.to_json_dict()
    assert not given
    again = archive.fetch_study(WRIST, most=6)
    assert again == files, "stored results are not taken for films, and the films are untouched"


def stored(archive: Archive, uid: str) -> list[Any]:
    """All that an archive holds of a study, by another way than the one under test."""
    answer = httpx.get(
        f"{archive.url}/studies/{uid}",
        headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
        auth=(orthanc.USER, orthanc.PASSWORD),
    ).raise_for_status()
    boundary = answer.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = answer.content.split(b"--" + boundary)[1:-1]
    return [dcmread(BytesIO(part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))) for part in parts]


def test_results_of_another_study_are_not_stored(archive: Archive) -> None:
    files = archive.fetch_study(HAND, most=6)
    study = Study(tuple(View(name, read_radiograph(content)) for name, content in files))
    results = encode(build_results(read_sources(files), study, FakePredictor(0.9).predict(study)))
    with pytest.raises(ArchiveError, match="did not take 3 of 3 results|refused to store"):
        archive.store(results, WRIST)
    assert {data.Modality for data in stored(archive, HAND)} == {"CR"}


def test_what_cannot_be_fetched_is_said(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match="no such study"):
        archive.fetch_study("1.2.3.4", most=6)
    with pytest.raises(ArchiveError, match="at most 1 are read"):
        archive.fetch_study(WRIST, most=1)
    with pytest.raises(ArchiveError, match="has no radiograph"):
        archive.fetch_study(CHEST_CT, most=6)
    for uid in ("", "../instances", "1.2/series", "1" * 65):
        with pytest.raises(ArchiveError, match="no StudyInstanceUID"):
            archive.fetch_study(uid, most=6)


def test_wrong_credentials_are_told_from_a_wrong_address(
    server: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (f"{server}/no-such-service", server):
        with pytest.raises(ArchiveError, match="DICOMweb service"):
            Archive(address).list_studies(Query())
    monkeypatch.setenv(PASSWORD, "wrong")
    with pytest.raises(ArchiveError, match="refuses access") as caught:
        archive.list_studies(Query(patient_id="0815"))
    assert "wrong" not in str(caught.value)
    assert "0815" not in str(caught.value)


def test_the_command_lists_reads_and_stores(
    archive: Archive, untrained_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = ["--dicomweb", archive.url]
    assert main(["studies", *address, "--body-part", "HAND"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split("\t")[:5] == [HAND, "20230601", "CR", "HAND", "1"]
    assert "0815" not in printed.out
    assert printed.err == "1 studies\n"
    assert main(["studies", *address, "--names"]) == 0
    assert NAME.replace("^", " ") in capsys.readouterr().out
    model = ["--weights", str(untrained_weights), "--device", "cpu"]
    assert main(["predict", *address, "--study", HAND, "--store", "--json", *model]) == 0
    assert len(json.loads(capsys.readouterr().out)["views"]) == 1
    assert Counter(data.Modality for data in stored(archive, HAND)) == {"CR": 1, "SR": 1, "OT": 1, "SEG": 1}
    assert main(["predict", *address, "--study", "1.2.3.4", *model]) == 1
    assert capsys.readouterr().err.startswith("error: The archive has no such study.")
