"""An assembled Space, started as Hugging Face starts one: its own files, packages and variables."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.stand_in_server import _address

if TYPE_CHECKING:
    from collections.abc import Iterator

GATE = """
import sys
from importlib.machinery import PathFinder
class Gate(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {names!r} else super().find_spec(name, path, target)
kept = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]
sys.meta_path[:] = [Gate if finder is PathFinder else finder for finder in kept]
"""
"""A `sitecustomize` that hides what a Space has not: this repository, and packages it does not install."""


@contextmanager
def started_space(
    folder: Path, scratch: Path, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `python app.py` in an assembled Space; gives its address and its process.

    Args:
        folder: The Space's files.
        scratch: An empty folder; gets `home`, which may not be written to, and `tmp`.
        variables: Of the environment, beside those of a Space.
    """
    home, tmp, gate = (scratch / name for name in ("home", "tmp", "gate"))
    for path in (home, tmp, gate):
        path.mkdir()
    names = not_installed_there(folder / "requirements.txt")
    (gate / "sitecustomize.py").write_text(GATE.format(names=names), encoding="utf-8")
    home.chmod(0o555)
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=folder,
        env={**environment(home, tmp, f"{gate}:{folder}", port), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _address(process)
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def environment(home: Path, tmp: Path, path: str, port: str) -> dict[str, str]:
    """The variables of a Space."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/reader",
        "SPACE_HOST": "somebody-reader.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",  # noqa: S104 - what a Space sets
        "GRADIO_SERVER_PORT": port,
        "PORT": port,
        "GRADIO_ALLOW_FLAGGING": "never",
        "GRADIO_NUM_PORTS": "1",
        "GRADIO_THEME": "huggingface",
    }


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def not_installed_there(requirements: Path) -> set[str]:
    """Names that can be imported here, and not where only these requirements and the Space's Gradio are."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    waiting = [line for line in lines if re.match(r"\w", line)] + ["gradio[oauth]"]
    there: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                needs = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            there.add(name)
            waiting += [
                str(need).partition(";")[0]
                for need in map(Requirement, needs)
                if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return {
        module
        for module, homes in metadata.packages_distributions().items()
        # What the Space brings itself is this repository's, which may be installed here under its name.
        if not {canonicalize_name(home) for home in homes} & there
        and not (requirements.parent / module).exists()
    }
