"""The served page through gradio_client, and app.py's flags, readers and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import gradio_client
import httpx
import pytest

import app
from demo.about import upload_notes
from demo.handlers import IDLE_S
from demo.wording import LANGUAGES, Wording
from mura_core.errors import MuraError
from mura_core.review.passwords import read_readers
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


def run_app(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_reader_is_added_by_one_line_where_nobody_sits(tmp_path: Path) -> None:
    file = tmp_path / "readers"
    done = run_app("--add-reader", "ann", "--auth", str(file), given="correct horse\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ann may sign in ({file}).\n", "")
    again = run_app("--add-reader", "ann", "--auth", str(file), given="another horse\r\n")
    assert again.stdout == f"ann has a new password ({file}).\n"
    (ann,) = read_readers(file).values()
    assert ann.matches("another horse")


def test_a_reader_at_a_terminal_is_asked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "readers"
    answers = ["correct horse", "correct hose", "correct horse", "correct horse"]
    monkeypatch.setattr("getpass.getpass", lambda _: answers.pop(0))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(MuraError, match="two passwords differ"):
        app.add_reader(file, "ann")
    assert not file.exists()
    app.add_reader(file, "ann")
    assert read_readers(file)["ann"].matches("correct horse")
    assert answers == []


def test_adding_a_reader_without_a_file_or_with_a_short_password_says_what_to_do(tmp_path: Path) -> None:
    done = run_app("--add-reader", "ann", "--auth", str(tmp_path / "readers"), given="short\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected 10 to 256" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(MuraError, match="--auth FILE"):
        app.add_reader(None, "ann")


def test_a_file_of_plain_passwords_lets_nobody_start_and_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ann:hunter2hunter2\n", encoding="utf-8")
    done = run_app("--auth", str(file))
    assert done.returncode == 1
    assert "line 1" in done.stderr
    assert "--add-reader NAME --auth FILE" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


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
    done = run_app("--weights", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "There is no weights folder" in done.stderr
    assert "Traceback" not in done.stderr
