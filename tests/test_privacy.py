"""What a server leaves behind of a patient: nothing in what it writes, nothing on the disk."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from pydicom.config import disable_value_validation

from demo.handlers import IDLE_S
from demo.quiet import WithoutMessages, describe
from demo.uploads import STALLED_S, UploadFolder
from tests.fake_predictor import png
from tests.radiograph_files import dicom_bytes
from tests.stand_in_server import ROOT, START_LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = "GEHEIMNIS"
"""Part of every name, number and text of the patient in these tests."""

FILE_DATA = {"_type": "gradio.FileData"}


@contextmanager
def written_down(folder: Path, module: str = "tests.web_server") -> Iterator[tuple[httpx.Client, Any, Path]]:
    """Serve the page with all that it writes in a file: a client, the process, the file."""
    log = folder / "log"
    command = [sys.executable, "-m", module, "--sessions", folder / "sessions", "--routes", folder / "routes"]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads"), "OMP_NUM_THREADS": "1"}
    environment |= {"TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"), "PYTHONUNBUFFERED": "1"}
    for name in ("tmp", "home"):
        (folder / name).mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not (found := re.search(r"http://\S+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with httpx.Client(base_url=found[0], timeout=120) as client:
            yield client, process, log
    finally:
        process.kill()
        process.wait(30)


def secret_film() -> bytes:
    """A DICOM full of the patient, and not quite by the book, so that its reader has something to say."""
    values = np.full((64, 48), 9, np.uint16)
    values[20:40, 10:30] = 900
    tags = {
        "PatientName": f"{PATIENT}^JANE",
        "PatientID": f"{PATIENT}4711",
        "PatientBirthDate": f"{PATIENT}",
        "StudyDate": f"{PATIENT}",
        "AccessionNumber": f"{PATIENT} is far too long for this",
        "StudyDescription": f"{PATIENT} knee",
        "BodyPartExamined": f"{PATIENT.lower()}",
        "ImageComments": f"{PATIENT} comment",
    }
    with disable_value_validation():
        return dicom_bytes(values, **tags)


def send(client: httpx.Client, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    """Upload, as the page does; gives what an event names the files by."""
    answer = client.post("gradio_api/upload", files=[("files", file) for file in files])
    paths = answer.raise_for_status().json()
    return [
        {"path": path, "orig_name": name, "meta": FILE_DATA}
        for path, (name, _) in zip(paths, files, strict=True)
    ]


def ask(client: httpx.Client, name: str, data: list[Any], session: str = "one") -> str:
    """Call a named function in a session, through the queue; gives all that comes back."""
    config = client.get("config").json()
    (number,) = [each["id"] for each in config["dependencies"] if each["api_name"] == name]
    body = {"data": data, "fn_index": number, "session_hash": session}
    client.post("gradio_api/queue/join", json=body).raise_for_status()
    return client.get("gradio_api/queue/data", params={"session_hash": session}).text


def on_disk(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_neither_name_nor_number_nor_file_of_a_patient_is_written_anywhere(tmp_path: Path) -> None:
    dicom = secret_film()
    with written_down(tmp_path) as (client, process, log):
        named = f"{PATIENT}^JANE knee.dcm"
        sent = send(
            client, (named, dicom), (f"{PATIENT}.png", png(1)), (f"{PATIENT} broken.dcm", dicom[:-3000])
        )
        folder = Path(sent[0]["path"]).parents[1]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        # While they wait to be taken in they lie there, and only there.
        assert len(on_disk(tmp_path / "uploads")) == 3
        said = ask(client, "add", [sent, None])
        assert named in said
        assert on_disk(tmp_path / "uploads") == []
        said = ask(client, "analyse", [None])
        assert '"probability"' in said
        provoke(client)
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
        assert log.read_text().startswith("http://")
        kept = [path for path in on_disk(tmp_path) if PATIENT.encode() in path.read_bytes().upper()]
        assert kept == [], log.read_text()
        assert not [path for path in tmp_path.rglob("*") if PATIENT in path.name.upper()]


def provoke(client: httpx.Client) -> None:
    """Let the server fail in every way that a browser can bring about, over names that it must not repeat."""
    (file,) = send(client, (f"{PATIENT} a.dcm", b"x"))
    missing = {**file, "path": file["path"] + PATIENT}
    outside = {**file, "path": f"/var/lib/{PATIENT}.dcm"}
    odd: list[list[Any]] = [
        [[missing], None],
        [[outside], None],
        [[{**file, "meta": {}}], None],
        [PATIENT, None],
    ]
    odd += [[[PATIENT], None], [], [[file], None, PATIENT, PATIENT], [{PATIENT: PATIENT}, None]]
    for index, data in enumerate(odd):
        answer = ask(client, "add", data, f"odd{index}")
        assert "Traceback" not in answer
        client.post("gradio_api/call/add", json={"data": data})
    client.get(f"gradio_api/file=/{PATIENT}")
    client.get(f"nowhere/{PATIENT}", params={"q": PATIENT})
    client.post(
        "gradio_api/upload", content=PATIENT.encode(), headers={"Content-Type": "multipart/form-data"}
    )
    client.post("gradio_api/upload", files={PATIENT: (f"{PATIENT}.dcm", b"not named files")})
    client.post("gradio_api/queue/join", content=PATIENT.encode())
    client.post("gradio_api/queue/join", json={"data": [PATIENT], "fn_index": 0, "session_hash": [PATIENT]})


def test_a_broken_off_upload_does_not_stay(tmp_path: Path) -> None:
    with written_down(tmp_path) as (client, process, _):
        with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as line:
            head = (
                "POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000000\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
                f'--x\r\nContent-Disposition: form-data; name="files"; filename="{PATIENT}.dcm"\r\n\r\n'
            )
            line.sendall(head.encode() + PATIENT.encode() * 20_000)
            deadline = time.monotonic() + 60
            while not on_disk(tmp_path / "uploads") and time.monotonic() < deadline:
                time.sleep(0.05)
            (left,) = on_disk(tmp_path / "uploads")
            assert PATIENT not in left.name
        send(client, ("whole.png", png(1)))
        assert len(on_disk(tmp_path / "uploads")) == 2
        # What a killed server leaves, the next one clears away; what one that runs has, it leaves alone.
        running = on_disk(tmp_path / "uploads")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
            UploadFolder().remove()
            assert on_disk(tmp_path / "uploads") == running
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            UploadFolder().remove()
            assert on_disk(tmp_path / "uploads") == []


def test_what_nobody_takes_in_is_deleted_by_its_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    folder = UploadFolder()
    whole, part = folder.path / "0abc" / "knee.dcm", folder.path / "tmp123"
    whole.parent.mkdir()
    for path in (whole, part):
        path.write_bytes(b"film")
    now = time.time()
    folder.sweep(now)
    assert whole.exists()
    assert part.exists()
    folder.sweep(now + STALLED_S + 1)
    assert whole.exists()
    assert not part.exists()
    folder.sweep(now + IDLE_S + 1)
    assert list(folder.path.iterdir()) == []
    folder.remove()
    assert list(tmp_path.iterdir()) == []
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)


def test_an_upload_waits_where_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    folder = UploadFolder()
    monkeypatch.setattr("demo.uploads.LEAST_FREE_BYTES", 0)
    assert not folder.is_full()
    (folder.path / "film").write_bytes(b"12345")
    monkeypatch.setattr("demo.uploads.MOST_WAITING_BYTES", 4)
    assert folder.is_full()
    monkeypatch.setattr("demo.uploads.MOST_WAITING_BYTES", 5)
    assert not folder.is_full()
    monkeypatch.setattr("demo.uploads.LEAST_FREE_BYTES", 1 << 60)
    assert folder.is_full()
    folder.remove()


def test_an_error_is_told_by_its_kind_and_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.privacy")
    logger.addFilter(WithoutMessages())

    def fail() -> None:
        try:
            raise KeyError(PATIENT)
        except KeyError as error:
            raise ValueError(f"{PATIENT} again") from error

    try:
        fail()
    except ValueError as error:
        told = describe(error)
        logger.exception("it failed")
    for text in (told, caplog.text):
        assert "ValueError" in text
        assert "KeyError" in text
        assert "in fail" in text
        assert PATIENT not in text.replace('raise ValueError(f"{PATIENT} again")', "").replace(
            "KeyError(PATIENT)", ""
        )
