"""No file that is read can run code: no pickle in the project's own code, and weights as safetensors alone.

The one exception is a training run that goes on from its own checkpoint: Lightning keeps the state of its
optimiser and callbacks as pickle. It is read from the run's own folder, which only whoever trains writes.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("mura_core", "demo", "deploy", "benchmarks")
RUNS_CODE = {
    "pickle",
    "_pickle",
    "cPickle",
    "joblib",
    "shelve",
    "marshal",
    "dill",
    "cloudpickle",
    "imp",
    "yaml",
}
OWN_RUNS = {"mura_core/train.py", "mura_core/pretrain.py"}
"""Where `trainer.fit` may read a run's own checkpoint."""


def sources() -> list[Path]:
    return [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every call, with what is called as it is written."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def imported(path: Path) -> set[str]:
    """The packages that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


def given(call: ast.Call, name: str) -> object:
    """A literal keyword argument, None where it is not given."""
    values = (word.value for word in call.keywords if word.arg == name)
    return next((value.value if isinstance(value, ast.Constant) else ... for value in values), None)


def unsafe(path: Path, where: str) -> list[str]:
    """What in a file may run the code that another file holds."""
    found = [f"imports {name}" for name in imported(path) if name in RUNS_CODE]
    for name, call in calls(path):
        last = name.rpartition(".")[2]
        if name in {"torch.load", "load"} and last == "load" and name.startswith("torch"):
            found += [] if given(call, "weights_only") is True else [f"{name} without weights_only=True"]
        elif given(call, "allow_pickle") not in (None, False):
            found.append(f"{name} with allow_pickle")
        elif given(call, "weights_only") is False and not (last == "fit" and where in OWN_RUNS):
            found.append(f"{name} with weights_only=False")
        elif last in {"load_from_checkpoint", "read_pickle", "to_pickle"} or name in {
            "eval",
            "exec",
            "__import__",
        }:
            found.append(name)
    return found


def test_nothing_that_is_read_can_run_code() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): unsafe(path, path.relative_to(ROOT).as_posix())
        for path in sources()
    }
    assert len(found) > 100
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=flag)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "Task.load_from_checkpoint(path)",
        "trainer.fit(task, weights_only=False)",
        "eval(text)",
    ],
)
def test_what_could_run_code_is_noticed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "some.py"
    path.write_text(f"{line}\n", encoding="utf-8")
    assert unsafe(path, "mura_core/predictor.py")


def test_the_released_weights_are_safetensors() -> None:
    kinds = {path.suffix for path in (ROOT / "weights").iterdir() if path.is_file()}
    assert kinds <= {".safetensors", ".json", ".md", ".csv"}
    for path in (ROOT / "weights").glob("*.safetensors"):
        # The format: a length, then a header in JSON, then numbers.
        content = path.read_bytes()
        length = int.from_bytes(content[:8], "little")
        assert isinstance(json.loads(content[8 : 8 + length]), dict)
