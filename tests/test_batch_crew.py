"""The processes that read studies: what ends one of them, or holds it up, costs its own file alone."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from mura_core.batch.crew import Worker, read_all
from mura_core.errors import MuraError
from tests.radiograph_files import phantom


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies of a drawn film each."""
    folder = tmp_path_factory.mktemp("studies")
    for number in range(2):
        (folder / f"s{number}").mkdir()
        assert cv2.imwrite(str(folder / f"s{number}" / "0.png"), phantom(180, 140, seed=10 * number))
    return folder


STAND_IN = """
import os, signal, sys, time
from pathlib import Path
import mura_core.batch.reader as reader
import mura_core.batch.worker as worker
from tests.fake_predictor import FakePredictor

read = reader.read_radiograph

def dangerous(path: Path):
    if path.name == "crash.png":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "hang.png":
        time.sleep(600)
    return read(path)

reader.read_radiograph = dangerous
worker._load = lambda weights, device: FakePredictor()
worker.main()
"""


def stand_in(limit_s: float = 60.0) -> Worker:
    """A worker whose predictor is a stand-in and whose reader crashes or hangs on files of certain names."""
    return Worker(None, "cpu", command=[sys.executable, "-c", STAND_IN], limit_s=limit_s)


def test_a_file_that_ends_the_process_costs_itself_alone(studies: Path) -> None:
    film = str(studies / "s0" / "0.png")
    files = [film, str(studies / "crash.png"), str(studies / "s1" / "0.png")]
    worker = stand_in()
    try:
        outcome = worker.read(files)
        assert outcome["study_views"] == 2
        assert [view["view_probability"] for view in outcome["views"]] == [0.86, None, 0.2]
        assert "ended by signal 11" in outcome["views"][1]["error"]
        assert not outcome["final"]
        assert worker.read([film])["final"]
    finally:
        worker.close()


def test_a_file_that_hangs_is_given_up_and_the_rest_is_read(studies: Path) -> None:
    film = str(studies / "s0" / "0.png")
    orders = [(0, [str(studies / "hang.png")]), (1, [film]), (2, [film])]
    # Time enough to start; the hanging study has twice this.
    outcomes = dict(read_all([stand_in(limit_s=10.0)], iter(orders)))
    assert "ended by signal 9" in outcomes[0]["views"][0]["error"]
    assert outcomes[0]["study_call"] is None
    assert outcomes[1]["study_call"] == outcomes[2]["study_call"] == "abnormal"


def test_weights_that_do_not_load_end_the_run_with_their_reason(tmp_path: Path) -> None:
    refusing = 'import sys; sys.stdin.readline(); print(\'{"refused": "No such weights."}\')'
    worker = Worker(tmp_path, "cpu", command=[sys.executable, "-c", refusing])
    with pytest.raises(MuraError, match="No such weights"):
        list(read_all([worker], iter([(0, ["a.png"])])))
