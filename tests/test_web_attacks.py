"""A served page without log-in, and what somebody sends it who means no good."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from tests.fake_predictor import png
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

JOIN = "gradio_api/queue/join"
FILE_DATA = {"_type": "gradio.FileData"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address, and the folder with `uploads`, `sessions` and `secret.png`."""
    folder = tmp_path_factory.mktemp("web-attacks")
    (folder / "secret.png").write_bytes(png(9))
    arguments = ("--sessions", str(folder / "sessions"), "--routes", str(folder / "routes"))
    with served(folder / "uploads", *arguments, module="tests.web_server") as address:
        yield address, folder


@pytest.fixture
def client(site: tuple[str, Path]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site[0], timeout=60) as made:
        yield made


def call(client: httpx.Client, name: str, data: list[Any]) -> str:
    """Call an endpoint; gives what comes back, as text."""
    answer = client.post(f"gradio_api/call/{name}", json={"data": data})
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.text}"
    return client.get(f"gradio_api/call/{name}/{answer.json()['event_id']}").text


def upload(client: httpx.Client, *contents: bytes, name: str = "x.png") -> list[str]:
    answer = client.post("gradio_api/upload", files=[("files", (name, content)) for content in contents])
    found: list[str] = answer.raise_for_status().json()
    return found


def names_taken(said: str) -> list[str]:
    """The files that wait, as an answer of `add` tells."""
    *_, last = (line for line in said.splitlines() if line.startswith("data: "))
    listed = json.loads(last.removeprefix("data: "))
    return [
        file["name"]
        for part in listed
        if isinstance(part, dict) and "files" in part
        for file in part["files"]
    ]


ROUTES = (
    "gradio_api/file=",
    "file=",
    "gradio_api/file/",
    "assets/",
    "static/",
    "svelte/",
    "gradio_api/proxy=",
)
CLIMBS = (
    "",
    "../" * 12,
    "..%2f" * 12,
    "%2e%2e/" * 12,
    "..%5c" * 12,
    "....//" * 12,
    "..%252f" * 12,
    "%c0%ae%c0%ae/" * 12,
)


@pytest.mark.parametrize("route", ROUTES)
def test_no_file_of_the_server_is_given_out(client: httpx.Client, site: tuple[str, Path], route: str) -> None:
    (site[1] / "uploads").mkdir(exist_ok=True)
    link = site[1] / "uploads" / "link.png"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    wanted = ["etc/passwd", str(site[1] / "secret.png"), str(link), "file:///etc/passwd", f"{link}%00.png"]
    for climb in CLIMBS:
        for path in wanted:
            # As written: httpx would tidy the dots away.
            target = httpx.URL(site[0]).copy_with(raw_path=f"/{route}{climb}{path}".encode())
            answer = client.send(client.build_request("GET", target))
            assert answer.status_code in (403, 404), target
            assert b"root:" not in answer.content
            assert answer.content != png(9)


def test_not_even_an_upload_is_given_out_by_its_path(client: httpx.Client) -> None:
    (path,) = upload(client, png(3))
    assert Path(path).exists()
    for route in ("gradio_api/file=", "file=", "gradio_api/file/"):
        for written in (path, quote(path, safe=""), path.lstrip("/")):
            assert client.get(route + written).status_code == 404
    Path(path).unlink()


class Heard(BaseHTTPRequestHandler):
    """Notes who asks."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(png(4))

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """A service in the server's own network: its address, and what it was asked for."""
    handler = type("Handler", (Heard,), {"asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{service.server_port}", handler.asked
        service.shutdown()
        thread.join()


def test_the_server_fetches_nothing_for_anybody(client: httpx.Client, heard: tuple[str, list[str]]) -> None:
    inside, asked = heard
    targets = [f"{inside}/a.png", inside.replace("127.0.0.1", "localhost") + "/b.png", "file:///etc/passwd"]
    targets += [
        inside.replace("http", "HTTP") + "/c.png",
        "https://example.invalid/d.png",
        f" {inside}/e.png",
    ]
    for target in targets:
        for file in (
            {"path": target, "meta": FILE_DATA},
            {"path": target, "url": target, "orig_name": "x.png", "meta": FILE_DATA, "is_stream": True},
        ):
            assert call(client, "add", [[file], None]).startswith("422"), target
        # The address beside an upload's path is not followed either.
        (path,) = upload(client, png(5))
        said = call(
            client, "add", [[{"path": path, "url": target, "orig_name": "u.png", "meta": FILE_DATA}], None]
        )
        assert names_taken(said) == ["u.png"]
        for route in ("gradio_api/file=", "gradio_api/proxy="):
            assert client.get(route + target).status_code == 404
            assert client.get(route + quote(target, safe="")).status_code == 404
    assert asked == []


def test_a_file_that_is_no_upload_is_neither_read_nor_deleted_however_it_is_named(
    client: httpx.Client, site: tuple[str, Path]
) -> None:
    secret = site[1] / "secret.png"
    (path,) = upload(client, png(6))
    inside = Path(path).parent
    link = inside / "link.png"
    link.symlink_to(secret)
    wanted = [
        str(secret),
        f"{inside}/../../../../secret.png",
        str(link),
        f"//{secret}",
        f"{inside}/./../../../../secret.png",
    ]
    for target in wanted:
        for file in (
            {"path": target, "orig_name": "x.png", "meta": FILE_DATA},
            {"path": target, "orig_name": "x.png"},
            {"path": target, "orig_name": "x.png", "meta": {"_type": "other"}},
        ):
            for data in ([[file], None], [file, None], [[[file]], None]):
                assert "event: complete" not in call(client, "add", data), (target, file)
    assert secret.read_bytes() == png(9)
    assert link.is_symlink()
    link.unlink()


def test_whoever_guesses_a_path_has_no_part_in_anothers_upload(client: httpx.Client) -> None:
    (path,) = upload(client, png(7), name="knee.png")
    folder = Path(path).parents[1]
    for guess in (
        folder / "knee.png",
        folder / ("0" * 64) / "knee.png",
        folder,
        folder / Path(path).parent.name,
    ):
        file = {"path": str(guess), "orig_name": "x.png", "meta": FILE_DATA}
        said = call(client, "add", [[file], None])
        assert "event: complete" not in said or names_taken(said) == []
    assert Path(path).read_bytes() == png(7)
    # The folder's name is the content's hash: who knows it has the film.
    assert len(Path(path).parent.name) == 64
    Path(path).unlink()


def test_numbers_that_a_browser_sends_are_not_the_models(client: httpx.Client) -> None:
    forged = {"verdict": {"call": "normal", "probability": 0.01, "sensitive": 0.99, "specific": 0.99}}
    honest = shown(call(client, "example_leg", []))
    assert honest["verdict"]["call"] == "abnormal"
    for data in ([forged], [forged, forged]):
        said = call(client, "example_leg", data)
        if "event: complete" in said:
            assert shown(said)["verdict"] == honest["verdict"]
    # The tray and the open study are the server's: what is sent in their place is not looked at.
    for sent in ([[{"files": [["a.png", "x"]]}]], [forged], [None]):
        said = call(client, "analyse", sent)
        assert "abnormal" not in said
        assert '"probability": 0.01' not in said


def shown(said: str) -> dict[str, Any]:
    """The viewer's last value in an answer."""
    *_, last = (line for line in said.splitlines() if line.startswith("data: "))
    found: dict[str, Any] = json.loads(last.removeprefix("data: "))[0]
    return found


def test_under_a_foreign_name_nobody_is_lured_to_this_machine(client: httpx.Client) -> None:
    for name in (
        "evil.example",
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "127.0.0.1.",
        "[::1].evil.example",
    ):
        answer = client.get("config", headers={"Host": name})
        assert answer.status_code in ((200, 421, 400) if name == "127.0.0.1." else (421, 400)), name
    for name in ("127.0.0.1:7860", "localhost:7860", "[::1]:7860", "workstation", "film-room.local"):
        assert client.get("config", headers={"Host": name}).status_code == 200, name
    proxied = {"Host": "radiology.example", "X-Forwarded-For": "192.0.2.1"}
    assert client.get("config", headers=proxied).status_code == 200


def test_every_answer_says_what_a_browser_may_do_with_it(client: httpx.Client) -> None:
    answers = [
        client.get("/"),
        client.get("ko"),
        client.get("review"),
        client.get("config"),
        client.get("nowhere"),
        client.get("gradio_api/queue/data", params={"session_hash": "none"}),
        client.post(JOIN, content=b"{"),
        client.get("theme.css"),
        client.get("assets/nowhere.js"),
        client.head("/"),
    ]
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        # The name of a program, no version.
        assert re.fullmatch(r"[a-z]*", answer.headers.get("server", ""))
        kept = answer.url.path in ("/theme.css", "/assets/nowhere.js")
        assert (answer.headers.get("cache-control") == "no-store") is not kept
    with client.stream("GET", "gradio_api/heartbeat/abc") as answer:
        assert answer.headers["cache-control"] == "no-store"


def test_no_socket_is_opened(client: httpx.Client) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = client.get(JOIN, headers=upgrade | key)
    assert answer.status_code in (403, 404, 426)
