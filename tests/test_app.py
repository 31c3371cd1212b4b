"""The served page through gradio_client, and app.py's flags, users and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio_client
import httpx
import pytest

import app
from demo.about import upload_notes
from demo.handlers import IDLE_S
from demo.wording import LANGUAGES, Wording
from mura_core.errors import MuraError
from tests.fake_predictor import png
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
NO_FILES = Wording("en")["page.no_files"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page with a stand-in for the model: its address and its upload folder."""
    uploads = tmp_path_factory.mktemp("uploads")
    with served(uploads) as address:
        yield address, uploads


def connect(address: str, folder: Path) -> gradio_client.Client:
    return gradio_client.Client(address, verbose=False, download_files=folder, analytics_enabled=False)


@pytest.fixture
def client(server: tuple[str, Path], tmp_path: Path) -> gradio_client.Client:
    return connect(server[0], tmp_path)


def send(client: gradio_client.Client, *paths: Path) -> dict[str, Any]:
    """Upload files as the page does; returns the list of waiting files."""
    answer = client.predict([gradio_client.handle_file(path) for path in paths], api_name="/add")
    return next(part for part in answer if isinstance(part, dict) and "refused" in part)


def analysed(client: gradio_client.Client, api_name: str = "/analyse") -> dict[str, Any]:
    answer = client.predict(api_name=api_name)
    return answer[0] if isinstance(answer, tuple) else answer


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_study_goes_through_the_server_and_leaves_no_file(
    client: gradio_client.Client, server: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    (tmp_path / "text.png").write_bytes(b"only text")
    waiting = send(client, tmp_path / "a.png", tmp_path / "text.png")
    assert [file["name"] for file in waiting["files"]] == ["a.png", "text.png"]
    assert files_in(server[1]) == []
    shown = analysed(client)
    assert shown["verdict"]["call"] == "abnormal"
    assert shown["rests"] == "The call rests on 1 of 2 files."
    assert files_in(server[1]) == []
    assert analysed(client)["error"] == NO_FILES


def test_one_readers_files_are_not_anothers(
    client: gradio_client.Client, server: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    send(client, tmp_path / "a.png")
    assert analysed(connect(server[0], tmp_path))["error"] == NO_FILES
    assert analysed(client)["verdict"]


def test_closing_the_page_ends_what_the_server_kept(
    client: gradio_client.Client, server: tuple[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    heartbeat = f"{server[0]}gradio_api/heartbeat/{client.session_hash}"
    with httpx.stream("GET", heartbeat) as answer:
        beats = answer.iter_text()
        next(beats)
        send(client, tmp_path / "a.png")
        assert waiting_files(client) == ["a.png"]
    # The connection ended, as it does with a page that is closed; the server notices at its next beat.
    deadline = time.monotonic() + 60
    while waiting_files(client) and time.monotonic() < deadline:
        time.sleep(1)
    assert waiting_files(client) == []
    send(client, tmp_path / "a.png")
    assert waiting_files(client) == ["a.png"]


def waiting_files(client: gradio_client.Client) -> list[str]:
    """Names of what waits on the server."""
    answer = client.predict([], api_name="/add")
    return [
        file["name"]
        for part in answer
        if isinstance(part, dict) and "files" in part
        for file in part["files"]
    ]


TIMES_TO_LIVE = """
import gradio
from demo.ui import build_ui
from tests.fake_predictor import FakePredictor
states = [block for block in build_ui(FakePredictor()).blocks.values() if isinstance(block, gradio.State)]
print([state.time_to_live for state in states])
"""


def test_nothing_of_a_study_is_kept_for_longer_than_the_page_says() -> None:
    # In a process of its own: even an app that is not served leaves an event loop open.
    command = [sys.executable, "-c", TIMES_TO_LIVE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    kept = json.loads(done.stdout)
    assert len(kept) >= 4
    assert set(kept) == {IDLE_S}
    for language in LANGUAGES:
        assert f" {IDLE_S // 60}" in upload_notes(Wording(language))


@pytest.mark.parametrize(("suffix", "word"), [("", "abnormal"), ("_ko", "이상 소견")])
def test_both_languages_have_their_own_endpoints(
    client: gradio_client.Client, suffix: str, word: str
) -> None:
    shown = analysed(client, f"/example_leg{suffix}")
    assert (shown["verdict"]["call"], shown["verdict"]["word"]) == ("abnormal", word)


def test_an_example_is_analysed(client: gradio_client.Client) -> None:
    shown = analysed(client, "/example_forearm")
    assert [view["film"]["bit_depth"] for view in shown["views"]] == [12, 12]
    assert shown["verdict"]["model"] == "fake-network, version 0.0-test"


def test_a_path_outside_the_upload_folder_is_neither_read_nor_deleted(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    assert "event: error" in add_by_path(server[0], str(secret))
    assert secret.exists()
    uploaded = httpx.post(f"{server[0]}gradio_api/upload", files={"files": ("x.png", png())}).json()[0]
    assert "event: complete" in add_by_path(server[0], uploaded)


def add_by_path(address: str, path: str) -> str:
    """Name a file to the server, which the client would upload instead."""
    call = f"{address}gradio_api/call/add"
    reference = {"path": path, "orig_name": "x.png", "meta": {"_type": "gradio.FileData"}}
    event = httpx.post(call, json={"data": [[reference], None]}).raise_for_status().json()["event_id"]
    return httpx.get(f"{call}/{event}").text


def test_users_are_read_from_lines(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# readers\nann:pass:word\n\nbob: x\n", encoding="utf-8")
    assert app.read_users(file) == [("ann", "pass:word"), ("bob", " x")]


@pytest.mark.parametrize("text", ["ann-hunter2", "ann:", ":hunter2"])
def test_a_bad_line_of_users_is_named_without_its_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users"
    file.write_text(f"bob:x\n{text}\n", encoding="utf-8")
    with pytest.raises(MuraError, match="line 2: expected user:password") as caught:
        app.read_users(file)
    assert "hunter2" not in str(caught.value)


def test_a_file_without_users_lets_nobody_start(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# none\n", encoding="utf-8")
    with pytest.raises(MuraError, match="names no user"):
        app.read_users(file)
    with pytest.raises(MuraError, match="cannot be read"):
        app.read_users(tmp_path / "absent")


def test_the_environment_stands_in_for_flags_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "MURA_HOST",
        "MURA_PORT",
        "MURA_DEVICE",
        "MURA_AUTH",
        "GRADIO_SERVER_NAME",
        "GRADIO_SERVER_PORT",
    ):
        monkeypatch.delenv(name, raising=False)
    plain = app.parse_flags([])
    assert (plain.host, plain.port, plain.device, plain.auth) == ("127.0.0.1", None, "auto", None)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")  # noqa: S104 - what a Space sets
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7000")
    space = app.parse_flags([])
    assert (space.host, space.port) == ("0.0.0.0", 7000)  # noqa: S104
    for name, value in (("HOST", "10.0.0.1"), ("PORT", "7001"), ("DEVICE", "cpu"), ("AUTH", "users")):
        monkeypatch.setenv(f"MURA_{name}", value)
    ours = app.parse_flags([])
    assert (ours.host, ours.port, ours.device, ours.auth) == ("10.0.0.1", 7001, "cpu", Path("users"))
    assert app.parse_flags(["--host", "::1", "--port", "7002"]).port == 7002


def test_without_weights_the_app_ends_with_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--weights", str(tmp_path / "none")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no weights folder" in done.stderr
    assert "Traceback" not in done.stderr
