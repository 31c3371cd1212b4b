"""The app in a process of its own, and what that process takes, as Linux counts it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
START_LIMIT_S = 300
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Taken:
    """What a server takes at one moment.

    Attributes:
        at_s: Seconds since the first look.
        rss_mb: Resident memory of the process and of those it started, MB.
        files: Open files and connections.
        threads: Threads.
        disk_mb: What its folder of uploads holds, MB.
    """

    at_s: float
    rss_mb: float
    files: int
    threads: int
    disk_mb: float


class Server:
    """A running server.

    Attributes:
        address: Of the page, with a slash at the end.
        samples: What it took, look by look.
    """

    def __init__(self, address: str, pid: int, uploads: Path) -> None:
        self.address = address
        self.samples: list[Taken] = []
        self._pid = pid
        self._uploads = uploads
        self._start = time.monotonic()

    def look(self) -> Taken:
        """Look once, and keep what was seen."""
        processes = [self._pid, *_children(self._pid)]
        on_disk = (path for path in self._uploads.rglob("*") if path.is_file())
        taken = Taken(
            at_s=time.monotonic() - self._start,
            rss_mb=sum(_resident_bytes(pid) for pid in processes) / 1e6,
            files=sum(_count(f"/proc/{pid}/fd") for pid in processes),
            threads=sum(_count(f"/proc/{pid}/task") for pid in processes),
            disk_mb=sum(_size_bytes(path) for path in on_disk) / 1e6,
        )
        self.samples.append(taken)
        return taken

    async def watch(self, every_s: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(every_s)


@contextmanager
def served(command: list[str], log: Path | None = None) -> Iterator[Server]:
    """Start a server on a free port, with folders of its own that go at the end.

    Args:
        command: Its command line; `--port` and the port are added.
        log: Where its output goes; None for nowhere.

    Raises:
        RuntimeError: It ended, or did not answer in time.
    """
    with tempfile.TemporaryDirectory() as folder, (log or Path(os.devnull)).open("w") as said:
        port = _free_port()
        uploads = Path(folder) / "uploads"
        uploads.mkdir()
        process = subprocess.Popen(  # noqa: S603 - the project's own command
            [sys.executable, *command, "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "GRADIO_TEMP_DIR": str(uploads), "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}/"
            _wait_for(address, process)
            yield Server(address, process.pid, uploads)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended with {process.returncode} before it served a page.")
        try:
            with urlopen(address, timeout=30):  # noqa: S310 - http, to this machine
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The server served no page within {START_LIMIT_S} s.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    """Processes that a process started, and theirs."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(number) for number in listed.read_text().split()]
        except OSError:
            continue
    return [*found, *(each for child in found for each in _children(child))]


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _count(folder: str) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208 - names alone, of files that come and go
    except OSError:
        return 0


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
