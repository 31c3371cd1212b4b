"""What the page is sent that is malformed, odd or too large: refused, without a word about the inside."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from demo.handlers import MAX_FILE_MB
from tests.test_web_attacks import JOIN, client, site

__all__ = ["client", "site"]

MALFORMED: list[tuple[bytes, set[int]]] = [
    (b"{", {400}),
    (b"\xff\xfe", {400}),
    (b"[" * 100_000, {400}),
    (b"[]", {422}),
    (b"null", {422}),
    (b'"text"', {422}),
    (b'{"data": {}}', {422}),
    (b'{"data": [], "fn_index": 99999999}', {404}),
    (b'{"data": [], "fn_index": -1}', {404}),
    (b'{"data": [], "fn_index": 1e400}', {404}),
    (b'{"data": [], "fn_index": true}', {404}),
    (b'{"data": [], "fn_index": "0"}', {404}),
    (b'{"data": [], "fn_index": 0, "session_hash": 5}', {422}),
    (b'{"data": [], "fn_index": 0, "session_hash": "../../x"}', {422}),
    (b'{"data": [], "fn_index": 0, "session_hash": ""}', {422}),
    (b'{"data": [], "fn_index": 0, "event_id": {}}', {422}),
    (b'{"data": [], "fn_index": 0, "trigger_id": "x", "session_hash": "a"}', {422}),
    (b'{"data": []}', {400, 422}),
    (b"", {400, 422}),
]


@pytest.mark.parametrize(("body", "statuses"), MALFORMED)
@pytest.mark.parametrize(
    "path", [JOIN, "gradio_api/cancel", "gradio_api/run/predict", "gradio_api/call/analyse"]
)
def test_what_is_malformed_is_refused_without_a_word_about_the_inside(
    client: httpx.Client, path: str, body: bytes, statuses: set[int]
) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    assert answer.status_code in statuses | ({200, 404, 422} if path != JOIN else set()), answer.text
    assert_silent(answer.text)


def assert_silent(text: str) -> None:
    for sign in (
        "Traceback",
        "site-packages",
        ".py",
        'File "',
        "Error at",
        str(Path.home()),
        str(Path.cwd()),
    ):
        assert sign not in text, text


def test_every_function_survives_what_it_does_not_expect(
    client: httpx.Client, site: tuple[str, Path]
) -> None:
    for number in json.loads((site[1] / "routes").read_text())["functions"]:
        data = [{"path": "x"}, "x", 5]
        session = f"odd{number}"
        body = {
            "data": data,
            "fn_index": number,
            "session_hash": session,
            "event_data": {"index": "x", "uid": 5},
        }
        answer = client.post(JOIN, json=body)
        assert answer.status_code < 500, (number, answer.text)
        assert_silent(answer.text)
        if answer.status_code == 200:
            with client.stream("GET", "gradio_api/queue/data", params={"session_hash": session}) as stream:
                for line in stream.iter_lines():
                    assert_silent(line if "process_completed" in line and '"success":false' in line else "")
                    if "process_completed" in line:
                        break


def test_a_session_nobody_opened_shows_nothing_of_anybody(client: httpx.Client) -> None:
    for forged in ("0", "a" * 64, "undefined", "null"):
        assert client.get("gradio_api/queue/data", params={"session_hash": forged}).status_code == 404
    for forged in ("", "a" * 65, "../x", "a b", "<b>"):
        assert client.get("gradio_api/queue/data", params={"session_hash": forged}).status_code == 422
        assert client.get(f"gradio_api/heartbeat/{quote(forged, safe='')}").status_code in (404, 422)
    assert client.get("gradio_api/call/analyse/00000000").status_code == 404


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(
    client: httpx.Client, site: tuple[str, Path]
) -> None:
    before = on_disk(site[1] / "uploads")
    answer = client.post("gradio_api/upload", files={"files": ("x.png", bytes(MAX_FILE_MB * 1_050_000))})
    assert answer.status_code in (400, 413)
    assert on_disk(site[1] / "uploads") == before


def test_a_thousand_files_at_once_are_refused_and_leave_nothing(
    client: httpx.Client, site: tuple[str, Path]
) -> None:
    before = on_disk(site[1] / "uploads")
    answer = client.post(
        "gradio_api/upload", files=[("files", (f"{number}", b"x")) for number in range(1001)]
    )
    assert answer.status_code == 400
    assert "Too many files" in answer.text
    assert on_disk(site[1] / "uploads") == before


def test_a_body_beyond_the_limit_is_cut_off_whether_it_says_its_length_or_not(client: httpx.Client) -> None:
    large = b'{"data": ["' + b"x" * (3 << 20) + b'"]}'
    pieces = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    for path in (JOIN, "login"):
        assert client.post(path, content=large).status_code == 413
    assert client.post(JOIN, content=pieces).status_code == 413
    # Before a single byte of it is there.
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port or 80, timeout=60)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Length", str(3 << 30))
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def on_disk(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
