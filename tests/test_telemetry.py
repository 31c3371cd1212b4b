"""No library tells its maker that it was used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROGRAM = """
import sys
import {module}
told = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
assert not told, told
"""


@pytest.mark.parametrize("module", ["mura_core.openvino_engine", "mura_core.graph"])
def test_openvino_is_imported_without_what_reports_its_use(tmp_path: Path, module: str) -> None:
    # In a process of its own, whose home folder is empty: there it would keep a number for this machine.
    quiet_there_anyway = ("CI", "TF_BUILD", "JENKINS_URL")
    kept = {name: value for name, value in os.environ.items() if name not in quiet_there_anyway}
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    subprocess.run(command, cwd=ROOT, env={**kept, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.rglob("*")) == []
