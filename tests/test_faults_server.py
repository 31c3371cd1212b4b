"""A server that is ended or killed in the middle of a study, or has no disk, no port or other weights."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import gradio_client
import httpx
import pytest

from demo.examples.draw import draw_example
from mura_core.errors import WeightsError
from mura_core.images import read_radiograph
from mura_core.predictor import Predictor
from mura_core.study import Study, View
from tests.fake_predictor import png
from tests.small_disk import fill, small_disk
from tests.space_folder import free_port
from tests.stand_in_server import ROOT, started
from tests.test_app import analysed, connect, files_in, send

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 60


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begin_a_study(address: str, folder: Path) -> gradio_client.Client:
    """Let a study be analysed, which the file `held` keeps from its end, and let one upload wait."""
    film = folder / "Doe^Jane.png"
    film.write_bytes(png(1))
    client = connect(address, folder)
    send(client, film)
    client.submit(api_name="/analyse")
    other = connect(address, folder)
    httpx.post(
        f"{address}gradio_api/upload",
        files={"files": ("Doe^Jane.png", png(2))},
        headers={"x-gradio-session": other.session_hash},
    )
    return client


def test_a_server_that_is_ended_during_an_analysis_leaves_no_upload_and_says_nothing_ugly(
    tmp_path: Path,
) -> None:
    uploads, held = tmp_path / "uploads", tmp_path / "held"
    held.touch()
    with started(uploads, "--held", str(held), module="tests.load_server") as (address, process):
        begin_a_study(address, tmp_path)
        time.sleep(1.0)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        # The analysis never ends: the server does not wait for it.
        process.wait(timeout=20)
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert files_in(uploads) == []
    assert "Traceback" not in said
    assert "Doe" not in said


def test_what_a_killed_server_held_goes_with_the_next_start(tmp_path: Path) -> None:
    uploads, held = tmp_path / "uploads", tmp_path / "held"
    held.touch()
    with started(uploads, "--held", str(held), module="tests.load_server") as (address, process):
        begin_a_study(address, tmp_path)
        until(lambda: bool(files_in(uploads)))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    left = files_in(uploads)
    assert left
    held.unlink()
    with started(uploads, module="tests.load_server") as (address, _):
        assert not set(left) & set(files_in(uploads))
        assert analysed(connect(address, tmp_path), "/example_leg")["verdict"]


# app.py as it is, but for the copy of the sessions, which goes to a file instead of the hub.
APP = """
import sys
from pathlib import Path
import app
import mura_core.review.push as push
class Pusher:
    def stop(self):
        Path(sys.argv[1]).write_text("copied")
push.pusher_from_environment = lambda stores: Pusher()
sys.exit(app.main(sys.argv[2:]))
"""


def test_a_space_that_is_restarted_copies_its_sessions_first(tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    with subprocess.Popen(
        [sys.executable, "-c", APP, str(copied), "--sessions", str(tmp_path), "--port", str(free_port())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "uploads")},
    ) as process:
        assert process.stdout is not None
        assert "http://" in process.stdout.readline()
        assert not copied.exists()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=LIMIT_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert copied.read_text() == "copied"


def test_a_port_that_another_program_has_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        )
    assert done.returncode == 1
    assert f"port {port} is taken. Choose another with --port" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_in(tmp_path) == []


def test_on_a_full_disk_uploads_are_refused_in_words_and_the_page_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk, started(disk / "uploads") as (address, process):
        fill(disk)
        answer = httpx.post(f"{address}gradio_api/upload", files={"files": ("x.png", bytes(200_000))})
        assert answer.status_code == 503
        assert "Try again in a few minutes" in answer.text
        assert [path for path in files_in(disk) if path.suffix] == []
        assert analysed(connect(address, tmp_path), "/example_leg")["verdict"]
        assert process.poll() is None


def test_weights_that_are_altered_while_the_server_runs_change_no_answer_and_do_not_load_again(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(ROOT / "weights", folder)
    name, content = draw_example("leg")[0]
    study = Study((View(name, read_radiograph(content)),))
    predictor = Predictor.load(folder, "cpu")
    before = predictor.predict(study).views[0]
    shards = sorted(folder.glob("*.safetensors"))
    with shards[0].open("r+b") as file:
        file.seek(1_000_000)
        file.write(os.urandom(1000))
    shards[1].unlink()
    shutil.copyfile(shards[0], shards[2])
    after = predictor.predict(study).views[0]
    assert after.logit == before.logit
    assert (after.cam == before.cam).all()
    with pytest.raises(WeightsError, match="altered|missing"):
        Predictor.load(folder, "cpu")
