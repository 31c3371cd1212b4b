"""A real archive for the tests: Orthanc with its DICOMweb plugin, in a folder and on a port of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path("/usr/sbin/Orthanc")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "correct horse"
START_LIMIT_S = 120


def need_orthanc() -> None:
    """Skip where Orthanc is not installed; CI installs it, so there nothing is skipped."""
    if not (PROGRAM.is_file() and PLUGIN.is_file()) and os.environ.get("CI") != "true":
        pytest.skip("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run an empty archive; gives its HTTP address without a slash at the end."""
    port = _free_port()
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DefaultEncoding": "Utf8",
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "storage").mkdir()
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, folder / "orthanc.json"], cwd=folder, stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    stop = time.monotonic() + START_LIMIT_S
    while time.monotonic() < stop:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"http://127.0.0.1:{port}/system", auth=(USER, PASSWORD)).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("Orthanc did not start:\n" + log.read_text(errors="replace")[-2000:])
