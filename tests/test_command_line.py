"""`python -m mura_core`: exit codes, what goes to which stream, and numbers that are the Predictor's own."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import cv2
import numpy as np
import pytest

from mura_core.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[1]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run("-m", "mura_core", *arguments)


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """Two drawn films of one study: a bright bar on a dim limb, upright and lying."""
    rows, columns = np.mgrid[0:240, 0:180]
    limb = 60.0 * (np.abs(columns - 90) < 60) + 120.0 * (np.abs(columns - 90) < 20) + 5 * np.sin(rows / 9)
    upright = np.clip(limb + 10, 0, 255).astype(np.uint8)
    paths = [tmp_path / "frontal view.png", tmp_path / "lateral.jpg"]
    for path, film in zip(paths, (upright, upright.T), strict=True):
        assert cv2.imwrite(str(path), film)
    return paths


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "notes.png"
    path.write_text("not a radiograph")
    return path


def test_predict_gives_the_predictors_numbers_and_names_what_it_refused(
    untrained_weights: Path, films: list[Path], broken: Path, tmp_path: Path
) -> None:
    from mura_core.images import read_radiograph
    from mura_core.predictor import Predictor
    from mura_core.study import Study, View

    flags = ["--weights", untrained_weights, "--device", "cpu", "--json", "--overlay", tmp_path / "out"]
    ended = command("predict", films[0], broken, films[1], *flags)
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr.startswith(f"{broken} was not read: ")
    assert ended.stderr.count("\n") == 1
    given = json.loads(ended.stdout)

    study = Study(tuple(View(path.name, read_radiograph(path)) for path in films))
    expected = Predictor.load(untrained_weights, "cpu").predict(study)
    assert given["model"] == {
        "name": expected.model_name,
        "version": expected.model_version,
        "engine": "torch cpu",
    }
    assert given["study"]["call"] == expected.call
    # Another process may use other threads, whose sums round differently in the last place.
    assert given["study"]["probability"] == pytest.approx(expected.study_probability, abs=1e-6)
    assert [view["file"] for view in given["views"]] == [str(path) for path in films]
    for view, film, answer in zip(given["views"], films, expected.views, strict=True):
        assert view["probability"] == pytest.approx(answer.abnormality_probability, abs=1e-6)
        assert view["heatmap_maximum"] == pytest.approx(float(answer.heatmap.max()), abs=1e-5)
        picture = cv2.imread(view["overlay"], cv2.IMREAD_COLOR)
        original = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert original is not None
        assert picture.shape == (*original.shape, 3)
    assert [entry["file"] for entry in given["refused"]] == [str(broken)]
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_predict_prints_a_table_that_says_how_many_files_it_rests_on(
    untrained_weights: Path, films: list[Path], broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--weights", str(untrained_weights), "--device", "cpu"]
    assert main(["predict", *map(str, films), *flags]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    rows = [line.rsplit(maxsplit=2) for line in printed.out.splitlines()[1:4]]
    assert [row[0] for row in rows] == ["frontal view.png", "lateral.jpg", "study"]
    assert float(rows[2][1]) == pytest.approx((float(rows[0][1]) + float(rows[1][1])) / 2, abs=2e-4)
    assert {row[2] for row in rows} <= {"normal", "doubt", "abnormal"}
    assert "not a medical device" in printed.out
    assert "rests on" not in printed.out

    assert main(["predict", str(films[0]), str(broken), *flags]) == 1
    assert "rests on 1 of 2 files" in capsys.readouterr().out


def test_predict_without_a_readable_file_makes_no_call(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(broken), "--json"]) == 1
    given = json.loads(capsys.readouterr().out)
    assert given["study"] is None
    assert given["views"] == []
    assert len(given["refused"]) == 1


def test_a_stated_failure_is_one_line_and_exit_code_1(
    films: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere")
    for arguments in (
        ["predict", str(films[0]), "--weights", nowhere],
        ["data", nowhere],
        ["evaluate", "--data", nowhere],
        ["preview", nowhere],
        ["augment", nowhere],
    ):
        assert main(arguments) == 1, arguments
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert printed.err.count("\n") == 1
        assert nowhere in printed.err


def test_wrong_usage_is_exit_code_2_and_help_names_every_command() -> None:
    for arguments in ([], ["diagnose"], ["predict"], ["data", ".", "--format", "cifar"]):
        ended = command(*arguments)
        assert (ended.returncode, ended.stdout) == (2, ""), arguments
        assert "usage: python -m mura_core" in ended.stderr
    told = command("--help")
    assert told.returncode == 0
    assert all(f"    {name}" in told.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"usage: python -m mura_core {name}" in told
    assert COMMANDS[name].SUMMARY in told


def read_of_options(function: FunctionType) -> set[str]:
    """What a function, and those it hands its `options` on to, read of them but by getattr."""
    nodes = list(ast.walk(ast.parse(inspect.getsource(function))))
    names = dict(vars(sys.modules[function.__module__]))
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            exec(compile(ast.Module([node], []), "an import inside", "exec"), names)  # noqa: S102
    read = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "options"
    }
    for node in nodes:
        if isinstance(node, ast.Call) and any(getattr(one, "id", "") == "options" for one in node.args):
            called = eval(ast.unparse(node.func), names)  # noqa: S307
            if isinstance(called, FunctionType):
                read |= read_of_options(called)
    return read


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_reads_no_flag_that_its_parser_lacks(name: str) -> None:
    parser = argparse.ArgumentParser()
    COMMANDS[name].add_arguments(parser)
    given = {action.dest for action in parser._actions} | parser._defaults.keys()
    read = read_of_options(COMMANDS[name].run)  # type: ignore[arg-type]
    assert read
    assert read <= given


def test_help_answers_without_loading_the_network() -> None:
    program = (
        "import sys; from mura_core.__main__ import build_parser; build_parser(['predict']); "
        "print({'torch', 'cv2', 'numpy', 'lightning', 'sklearn'} & set(sys.modules))"
    )
    assert run("-c", program).stdout == "set()\n"


def test_a_missing_train_extra_is_named_with_the_remedy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None; from mura_core.__main__ import main; "
        f"sys.exit(main(['evaluate', '--data', {str(tmp_path)!r}]))"
    )
    ended = run("-c", program)
    assert ended.returncode == 1
    assert "needs sklearn" in ended.stderr
    assert "pip install -e '.[train]'" in ended.stderr


def test_preview_draws_a_sheet(films: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["preview", str(films[0].parent), "--out", str(sheet)]) == 0
    assert capsys.readouterr().out == f"{sheet}\n"
    drawn = cv2.imread(str(sheet), cv2.IMREAD_COLOR)
    assert drawn is not None
    assert drawn.std() > 1


def test_a_sheet_takes_its_films_evenly_and_from_subfolders(tmp_path: Path) -> None:
    from mura_core.preview import find_films

    (tmp_path / "deep").mkdir()
    for index in range(10):
        (tmp_path / "deep" / f"{index}.PNG").touch()
    (tmp_path / "notes.txt").touch()
    assert [path.stem for path in find_films(tmp_path, 5)] == ["0", "2", "4", "6", "8"]
    assert [path.stem for path in find_films(tmp_path, 7)] == ["0", "1", "2", "4", "5", "7", "8"]
    assert len(find_films(tmp_path, 40)) == 10
