"""The page with a stand-in for the model, in a process of its own.

In the tests' own process Gradio's event loops are still open at the end, and warnings are errors.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 180
"""Four seconds on an idle machine; a busy one may take long."""


@contextmanager
def served(uploads: Path) -> Iterator[str]:
    """Serve the page on a free port of this machine; gives its address.

    Args:
        uploads: Folder that Gradio may put uploads in.
    """
    environment = {
        **os.environ,
        "GRADIO_TEMP_DIR": str(uploads),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stand_in_server"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    """Wait for the line that names the address. A thread reads: a silent server must not hang the tests."""
    lines: queue.Queue[str] = queue.Queue()
    said = []

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while line := lines.get(timeout=START_LIMIT_S):
        said.append(line)
        if "http://" in line:
            return line[line.index("http://") :].strip()
    raise RuntimeError("the server ended: " + "".join(said))


if __name__ == "__main__":
    from demo.ui import build_ui, launch
    from tests.fake_predictor import FakePredictor

    launch(build_ui(FakePredictor()))
