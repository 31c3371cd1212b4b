"""A session from a path or uploads: where it is kept, how it goes on, when films go."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mura_core.errors import SessionError
from mura_core.review import uploads
from mura_core.review.ai import ai_result
from mura_core.review.session import (
    Wish,
    films_of,
    forget_films,
    keeps_films,
    open_session,
    read_film,
    session_file,
    session_names,
)
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, Mode, Truth
from mura_core.review.uploads import create_from_uploads
from mura_core.study import Box, Call, OperatingPoints, StudyResult, Timing, ViewResult
from tests.radiograph_files import dicom_bytes, phantom, png_bytes
from tests.session_case import OTHER_CALL

PNG = png_bytes(phantom(96, 80))


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    folder = tmp_path / "wrists (May)"
    for name in ("a/1.png", "a/2.png", "b/1.png", "c/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG)
    (folder / "b" / "notes.txt").write_text("nothing")
    return folder


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, PNG)
    return buffer.getvalue()


def test_a_folder_becomes_a_session_that_goes_on_at_the_next_start(tmp_path: Path, studies: Path) -> None:
    sessions = tmp_path / "sessions"
    wish = Wish(mode=Mode.UNAIDED, seed=4, repeats=1)
    with open_session(studies, sessions, wish) as store:
        assert [case.case_id for case in store.cases] == ["a", "b", "c"]
        assert [entry.name for entry in store.refused] == ["b/notes.txt"]
        assert (store.mode, store.seed, store.repeats) == (Mode.UNAIDED, 4, 1)
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, OTHER_CALL)
        made = store.path
        places = store.places("kim")
    assert session_names(sessions) == (made.stem,)
    for path, again in ((studies, Wish(mode=Mode.UNAIDED)), (made, None), (studies, wish)):
        with open_session(path, sessions, again) as store:
            assert store.path == made
            assert store.places("kim") == places
            assert [reading.call for reading in store.readings()] == [OTHER_CALL]
            assert read_film(store, store.cases[0], 1) == PNG


def test_each_mode_of_a_folder_is_a_session_of_its_own(tmp_path: Path, studies: Path) -> None:
    for mode in (None, *Mode):
        with open_session(studies, tmp_path / "s", Wish(mode=mode)) as store:
            assert store.mode is (mode or Mode.SEQUENTIAL)
    assert len(session_names(tmp_path / "s")) == 3


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (Wish(seed=9), "seed 0, not 9"),
        (Wish(repeats=2), "repeats 0, not 2"),
        (Wish(count=1), "3 studies, not 1"),
        (Wish(truth=Path("t.csv")), "truth"),
    ],
)
def test_a_session_does_not_go_on_under_another_wish(
    tmp_path: Path, studies: Path, wish: Wish, text: str
) -> None:
    open_session(studies, tmp_path / "s").disconnect()
    with pytest.raises(SessionError, match=text):
        open_session(studies, tmp_path / "s", wish)


def test_a_zip_and_a_truth_file_and_a_count(tmp_path: Path) -> None:
    path, truth = tmp_path / "May.zip", tmp_path / "t.csv"
    path.write_bytes(zipped("May/a.png", "May/b.png", "May/c.png"))
    truth.write_text("case_id,label\na,1\nb,0\nc,1\n")
    with open_session(path, tmp_path / "s", Wish(truth=truth, count=2)) as store:
        assert len(store.cases) == 2
        assert all(case.truth == Truth(int(case.case_id != "b.png")) for case in store.cases)
        assert "2 of 3" in store.notes[0]
        assert read_film(store, store.cases[0], 0) == PNG


def test_what_is_no_source_is_named_and_leaves_no_session(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "absent", tmp_path / "empty"):
        with pytest.raises(SessionError):
            open_session(path, tmp_path / "s")
    assert session_names(tmp_path / "s") == ()


def test_uploads_are_kept_with_the_session_and_open_again_elsewhere(tmp_path: Path) -> None:
    files = [
        ("wrist/1.png", PNG),
        ("wrist/2.png", PNG),
        ("IM1", dicom_bytes(phantom(96, 80), StudyInstanceUID="1.2", SOPInstanceUID="1.2.1")),
        ("IM1", dicom_bytes(phantom(96, 80), StudyInstanceUID="1.3", SOPInstanceUID="1.3.1")),
        ("../../elbow.png", PNG),
        ("readme.txt", b"hello"),
        ("labels.csv", b"case_id,label\nwrist,1\n"),
    ]
    with create_from_uploads(tmp_path / "s", "Wrists 1", iter(files), Wish(repeats=1)) as store:
        assert {case.case_id for case in store.cases} == {"wrist", "1.2", "1.3", "elbow.png"}
        assert store.case("wrist").truth == Truth(1)
        assert [entry.name for entry in store.refused] == ["readme.txt"]
        assert keeps_films(store)
    moved = (tmp_path / "s").rename(tmp_path / "moved")
    with open_session(session_file(moved, "Wrists 1"), moved) as store:
        assert [len(read_film(store, case, 0)) > 100 for case in store.cases] == [True] * 4
    assert not (tmp_path / "elbow.png").exists()


def test_an_uploaded_zip_is_kept_as_it_is(tmp_path: Path) -> None:
    with create_from_uploads(tmp_path, "May", [("May.zip", zipped("May/1.png", "May/2.png"))]) as store:
        assert [case.case_id for case in store.cases] == ["1.png", "2.png"]
        assert films_of(store).name == "studies.zip"
        assert keeps_films(store)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([("a.zip", zipped("1.png")), ("b.png", PNG)], "one ZIP"),
        ([("a.zip", zipped("1.png")), ("b.zip", zipped("1.png"))], "one ZIP"),
        ([("a.png", PNG), ("b.csv", b""), ("c.csv", b"")], "2 CSV files"),
        ([("a.csv", b"case_id,label\n")], "Give films"),
        ([("a.png", b"no film")], "no radiograph"),
        ([("a.png", PNG)] * 4, "More than 3 files"),
    ],
)
def test_uploads_that_make_no_session_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[tuple[str, bytes]], text: str
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 3)
    with pytest.raises(SessionError, match=text):
        create_from_uploads(tmp_path, "May", files)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_or_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    create_from_uploads(tmp_path, "May", [("1.png", PNG)]).disconnect()
    with pytest.raises(SessionError, match="already"):
        create_from_uploads(tmp_path, "May", [("1.png", PNG)])
    (tmp_path / "June").mkdir()
    with pytest.raises(SessionError, match="already"):
        create_from_uploads(tmp_path, "June", [("1.png", PNG)])
    with pytest.raises(SessionError, match="cannot be a session's name"):
        create_from_uploads(tmp_path, "../May", [("1.png", PNG)])


def test_uploaded_films_go_when_asked_after_closing_and_the_calls_stay(tmp_path: Path) -> None:
    with create_from_uploads(tmp_path, "May", [("1.png", PNG)], Wish(mode=Mode.UNAIDED)) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, OTHER_CALL)
        with pytest.raises(SessionError, match="still open"):
            forget_films(store)
        store.close()
        forget_films(store)
        assert not films_of(store).exists()
        assert not keeps_films(store)
        forget_films(store)
    with SessionStore.open(session_file(tmp_path, "May")) as store:
        assert len(store.readings()) == 1


def test_films_that_the_session_only_points_at_are_never_deleted(tmp_path: Path, studies: Path) -> None:
    with open_session(studies, tmp_path / "s") as store:
        store.close()
        forget_films(store)
        assert read_film(store, store.cases[0], 0) == PNG


def test_the_models_result_keeps_the_hottest_place_as_fractions() -> None:
    heatmap = np.zeros((20, 10), np.float32)
    heatmap[4, 7] = 0.75
    view = ViewResult(
        "a.png",
        0.9,
        Call.ABNORMAL,
        2.0,
        heatmap,
        heatmap.copy,
        (20, 10),
        Box(0, 0, 20, 10),
        Timing(0.1, 0.1),
    )
    kept = ai_result(
        StudyResult(
            0.9,
            Call.ABNORMAL,
            (view,),
            OperatingPoints(0.3, 0.6),
            "densenet169",
            "0.1.0",
            Timing(1, 1),
            "none",
        )
    )
    assert (kept.probability, kept.call, kept.model) == (0.9, Call.ABNORMAL, "densenet169 0.1.0")
    [only] = kept.views
    assert (only.peak_top, only.peak_left, only.peak) == (4.5 / 20, 7.5 / 10, 0.75)
