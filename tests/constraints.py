"""Write constraints.txt anew: every package that the project's own need, at the version installed here.

    python -m tests.constraints

To be run in an environment made from requirements.txt and all extras, after a change of either. A constraint
installs nothing, so what another platform does not need does not reach it; what it alone needs is not pinned.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
FILE = ROOT / "constraints.txt"
HEAD = """# The packages behind requirements.txt and the extras of pyproject.toml, pinned for `make`: what was
# tested is what is installed. Written by `python -m tests.constraints`; not to be edited by hand.
"""


def direct() -> list[Requirement]:
    """What requirements.txt and the extras name."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line.strip() and not line.startswith("#")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in project["optional-dependencies"].values():
        listed += extra
    return [Requirement(line) for line in listed]


def behind(requirements: list[Requirement]) -> dict[str, str]:
    """Name and version of every package that these need here, themselves included."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    left = [(each, extra) for each in requirements for extra in ("", *each.extras)]
    while left:
        wanted, extra = left.pop()
        name = canonical(wanted.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            # Of another platform, or an extra that is not installed: its own test names it.
            continue
        # Without what says for which processor it was built.
        found[name] = package.version.partition("+")[0]
        for line in package.requires or ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                left += [(need, each) for each in ("", *need.extras)]
    return found


def canonical(name: str) -> str:
    """Write a package's name as the index does."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    pins = behind(direct())
    FILE.write_text(HEAD + "".join(f"{name}=={pins[name]}\n" for name in sorted(pins)), encoding="utf-8")
    sys.stdout.write(f"{len(pins)} packages are pinned in {FILE.name}.\n")
