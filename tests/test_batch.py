"""Many studies in one go: what is read, what a bad file costs, what a kill costs, and the numbers."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from mura_core.__main__ import main
from mura_core.batch import run
from mura_core.batch.columns import COLUMNS
from mura_core.batch.worklist import read_worklist
from mura_core.known import KNOWN_NAME
from mura_core.remarks import NOT_COMPARED
from tests.radiograph_files import phantom, write_dicom

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 300


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six studies of one or two drawn films each; one DICOM, and one file that is no film."""
    folder = tmp_path_factory.mktemp("studies")
    for number in range(5):
        (folder / f"s{number}").mkdir()
        for view in range(1 + number % 2):
            film = phantom(180, 140, seed=10 * number + view)
            assert cv2.imwrite(str(folder / f"s{number}" / f"{view}.png"), film)
    (folder / "s1" / "broken.png").write_text("not a radiograph")
    write_dicom(
        folder / "s4" / "IM1", phantom(180, 140, bits=12, seed=99), StudyInstanceUID="1.2.3",
        BodyPartExamined="WRIST", ViewPosition="PA", BitsStored=12, HighBit=11,
    )  # fmt: skip
    return folder


def predict(studies: Path, out: Path, weights: Path, *flags: str) -> int:
    arguments = ["predict", "--worklist", studies, "--out", out, "--weights", weights, "--device", "cpu"]
    return main([*map(str, arguments), *flags])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_times(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "study_seconds"} for row in rows]


@pytest.fixture(scope="module")
def results(studies: Path, untrained_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table that one worker makes, with its journal beside it."""
    out = tmp_path_factory.mktemp("results") / "one.csv"
    assert predict(studies, out, untrained_weights, "--workers", "1") == 1
    return out


def test_the_numbers_are_the_predictors_to_the_last_digit(
    studies: Path, results: Path, untrained_weights: Path
) -> None:
    import torch

    from mura_core.images import read_radiograph
    from mura_core.predictor import Predictor
    from mura_core.study import Study, View

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        predictor = Predictor.load(untrained_weights, "cpu")
        rows = read_csv(results)
        for item in read_worklist(studies).items:
            found = [row for row in rows if row["study"] == item.study]
            assert [row["file"] for row in found] == list(item.files)
            read = [row for row in found if not row["error"]]
            films = [View(row["file"], read_radiograph(studies / row["file"])) for row in read]
            expected = predictor.predict(Study(tuple(films)))
            for row, view in zip(read, expected.views, strict=True):
                assert float(row["study_probability"]) == expected.study_probability
                assert row["study_call"] == expected.call
                assert float(row["view_probability"]) == view.abnormality_probability
                assert float(row["view_logit"]) == view.logit
                assert row["view_call"] == view.call
                assert row["study_views"] == str(len(read))
                assert row["model_version"] == expected.model_version
    finally:
        torch.set_num_threads(threads)


def test_two_workers_give_parquet_with_the_same_rows(
    studies: Path, results: Path, untrained_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra `batch`)")
    out = tmp_path / "two.parquet"
    assert predict(studies, out, untrained_weights, "--workers", "2") == 1
    said = capsys.readouterr().out
    assert "studies  6 (6 read now, 0 by an earlier run)" in said
    assert "views    8 of 9 files" in said
    assert "1 x This is not a radiograph file" in said
    table = pyarrow.read_table(out)
    kinds = {"string": str, "int32": int, "double": float}
    assert {field.name: kinds[str(field.type)] for field in table.schema} == COLUMNS
    assert b"Research only" in table.schema.metadata[b"notice"]
    rows = [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in table.to_pylist()
    ]
    assert without_times(rows) == without_times(read_csv(results))


def test_a_bad_file_is_a_row_with_its_reason_and_the_study_is_called_without_it(results: Path) -> None:
    rows = {row["file"]: row for row in read_csv(results)}
    assert "not a radiograph file" in rows["s1/broken.png"]["error"]
    assert rows["s1/broken.png"]["view_probability"] == ""
    assert rows["s1/broken.png"]["study_call"] == rows["s1/0.png"]["study_call"] != ""
    assert (rows["s1/0.png"]["study_views"], rows["s1/0.png"]["study_files"]) == ("2", "3")
    dicom = rows["s4/IM1"]
    assert (dicom["study"], dicom["body_part"], dicom["view_position"]) == ("1.2.3", "wrist", "PA")


def test_a_film_that_was_compared_with_no_other_says_so(results: Path) -> None:
    for row in read_csv(results):
        assert (NOT_COMPARED in row["warnings"]) == (not row["error"]), row["file"]


def test_a_second_run_reads_what_changed_and_nothing_else(
    studies: Path, results: Path, untrained_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results.read_bytes()
    assert predict(studies, results, untrained_weights) == 1
    assert "0 read now, 6 by an earlier run" in capsys.readouterr().out
    assert results.read_bytes() == before
    os.utime(studies / "s3" / "0.png", (1, 1))
    assert predict(studies, results, untrained_weights, "--workers", "1") == 1
    assert "1 read now, 5 by an earlier run" in capsys.readouterr().out
    changed = json.loads(results.with_name("one.csv.journal").read_text().splitlines()[-1])
    assert changed["study"] == "s3"


def test_what_the_weights_know_is_part_of_the_model(untrained_weights: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(untrained_weights, tmp_path / "weights")
    found = [run._fingerprint_model(folder)]
    for content in (b"one", b"other"):
        (folder / KNOWN_NAME).write_bytes(content)
        found.append(run._fingerprint_model(folder))
    assert len(set(found)) == 3


def test_a_kill_loses_at_most_what_was_in_flight(
    studies: Path, results: Path, untrained_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, journal = tmp_path / "killed.csv", tmp_path / "killed.csv.journal"
    flags = ["--out", out, "--weights", untrained_weights, "--device", "cpu", "--workers", "1"]
    killed = subprocess.Popen(
        [sys.executable, "-m", "mura_core", "predict", "--worklist", studies, *flags],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    stop = time.monotonic() + START_LIMIT_S
    while not journal.is_file() or journal.read_bytes().count(b"\n") < 1:
        assert killed.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < stop
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    kept = journal.read_bytes().count(b"\n")
    assert 1 <= kept < 6
    assert not out.exists()
    assert predict(studies, out, untrained_weights, "--workers", "1") == 1
    assert f"{6 - kept} read now, {kept} by an earlier run" in capsys.readouterr().out
    assert without_times(read_csv(out)) == without_times(read_csv(results))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--worklist", "films"],
        ["--worklist", "films", "--out", "x.csv", "film.png"],
        ["--worklist", "films", "--out", "x.csv", "--json"],
        ["film.png", "--out", "x.csv"],
        ["film.png", "--ray"],
        ["--worklist", "films", "--out", "x.csv", "--workers", "0"],
    ],
)
def test_flags_that_do_not_go_together_are_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["predict", *arguments])
    assert ended.value.code == 2
    assert "usage: python -m mura_core predict" in capsys.readouterr().err


TWO_NODES = """
import sys
import ray
from ray.cluster_utils import Cluster
from mura_core.__main__ import main

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
for _ in range(2):
    cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
ray.init(address=cluster.address, log_to_driver=False, logging_level="WARNING")
code = main(sys.argv[1:])
ray.shutdown()
cluster.shutdown()
sys.exit(code)
"""


def test_a_ray_cluster_of_two_workers_gives_the_same_rows(
    studies: Path, results: Path, untrained_weights: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="ray is not installed (the extra `ray`)")
    out = tmp_path / "ray.csv"
    flags = ["--out", out, "--weights", untrained_weights, "--device", "cpu", "--workers", "2", "--ray"]
    ended = subprocess.run(
        [sys.executable, "-c", TWO_NODES, "predict", "--worklist", *map(str, [studies, *flags])],
        cwd=ROOT,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "6 read now" in ended.stdout
    assert without_times(read_csv(out)) == without_times(read_csv(results))
    lines = (tmp_path / "ray.csv.journal").read_text().splitlines()
    assert len({json.loads(line)["outcome"]["node"] for line in lines}) == 2
