"""Which modules of the repository a file pulls in, read from the source: nothing is imported."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

OWN = frozenset({"mura_core", "demo", "app", "deploy", "benchmarks", "tests"})
"""Top-level names of this repository."""

INSTALLED_AS = {
    "cv2": "opencv-python-headless",
    "dicomweb_client": "dicomweb-client",
    "gdcm": "python-gdcm",
    "PIL": "pillow",
    "pytorch_grad_cam": "grad-cam",
    "sklearn": "scikit-learn",
}
"""Where the name to import is not the name to install."""


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, at its top or inside a function, in dotted absolute form."""
    package = path.parent.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from package import module` names a module of ours where there is such a file.
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.add(full if source(full) else base)
    return frozenset(found)


def source(module: str) -> Path | None:
    """The file of a module of this repository, None for anything else."""
    stem = ROOT.joinpath(*module.split("."))
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def named(path: Path) -> frozenset[str]:
    """Every module of this repository that a file names as text: to a library, or to start as a process."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    dotted = {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z_]+(\.\w+)+", text)}
    return frozenset(text for text in dotted if text.partition(".")[0] in OWN and source(text))


@cache
def reached_from(start: Path) -> frozenset[Path]:
    """Every file of this repository that a file pulls in, itself included."""
    reached, waiting = set(), [start]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += [found for name in imports(path) | named(path) if (found := source(name))]
    return frozenset(reached)


def third_party(paths: frozenset[Path]) -> set[str]:
    """The distributions that files import from outside the standard library and this repository."""
    names = {name.partition(".")[0] for path in paths for name in imports(path)}
    return {INSTALLED_AS.get(name, name) for name in names - OWN - set(sys.stdlib_module_names)}


def pins() -> dict[str, str]:
    """The lines of requirements.txt that name a package, by its name in small letters."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {found[0].lower(): line.strip() for line in lines if (found := re.match(r"[\w-]+", line))}
