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
def served(uploads: Path, *arguments: str, module: str = "tests.stand_in_server") -> Iterator[str]:
    """Serve the page on a free port of this machine; gives its address.

    Args:
        uploads: Folder that Gradio may put uploads in.
        arguments: Of the module as a program, see below.
        module: What serves the page.
    """
    with started(uploads, *arguments, module=module) as (address, _):
        yield address


@contextmanager
def started(
    uploads: Path, *arguments: str, module: str = "tests.stand_in_server"
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve the page; gives its address and the process, which a test may kill."""
    environment = {
        **os.environ,
        "GRADIO_TEMP_DIR": str(uploads),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process), process
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
    import argparse

    from demo.login import Door
    from demo.review_desk import Desk
    from demo.serving import launch
    from demo.ui import build_ui
    from mura_core.pacs.dicomweb import Archive
    from mura_core.review.passwords import read_readers
    from tests.fake_predictor import FakePredictor

    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=Path, help="folder of review sessions; none without it")
    parser.add_argument("--port", type=int)
    parser.add_argument("--auth", type=Path, help="file of readers; without it everybody may enter")
    parser.add_argument("--told-by-film", action="store_true", help="see FakePredictor")
    parser.add_argument("--dicomweb", help="an archive")
    flags = parser.parse_args()
    predictor = FakePredictor(told_by_film=flags.told_by_film)
    desk = Desk(flags.sessions, predictor) if flags.sessions else None
    door = Door(read_readers(flags.auth)) if flags.auth else None
    pacs = Archive(flags.dicomweb) if flags.dicomweb else None
    launch(build_ui(predictor, desk, pacs), port=flags.port, door=door)
