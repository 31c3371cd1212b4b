"""What is said where an archive is not there, answers oddly or may not be asked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from mura_core.pacs import connection
from mura_core.pacs.connection import PASSWORD, TOKEN, USER, ArchiveError, check_url, travels_in_the_open
from mura_core.pacs.dicomweb import Archive
from mura_core.pacs.qido import Query
from tests import orthanc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER, orthanc.USER)
    monkeypatch.setenv(PASSWORD, orthanc.PASSWORD)
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.delenv("MURA_DICOMWEB", raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Start servers that answer every request alike: give status, headers and body."""
    servers = []
    seen: list[Any] = []

    def start(status: int, body: bytes = b"", **headers: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(self.headers)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        start.seen = seen
        return f"http://127.0.0.1:{server.server_port}/dicom-web"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers", "message"),
    [
        (200, b"<html>Welcome</html>", {}, "not a DICOMweb service"),
        (200, b'["1", "2"]', {}, "not a DICOMweb service"),
        (200, b'[{"0020000D": "no element"}]', {}, "not a DICOMweb service"),
        (302, b"", {"Location": "http://169.254.169.254/"}, "sends requests on to another address"),
        (403, b"", {}, "refuses access"),
        (404, b"", {}, "no DICOMweb service at the archive's address"),
        (500, b"", {}, "answers with an error .HTTP 500"),
    ],
)
def test_an_odd_answer_is_an_error_in_words(
    serve: Callable[..., str], status: int, body: bytes, headers: dict[str, str], message: str
) -> None:
    with pytest.raises(ArchiveError, match=message):
        Archive(serve(status, body, **headers)).list_studies(Query())


def test_an_endless_answer_is_cut_off(serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LIMIT_BYTES", 1000)
    with pytest.raises(ArchiveError, match="in one answer"):
        Archive(serve(200, b"[" + b" " * 5000 + b"]")).list_studies(Query())
    assert Archive(serve(200, b"[]")).list_studies(Query()).studies == ()


def test_a_token_is_sent_and_the_users_netrc_is_not_asked(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv(USER)
    monkeypatch.delenv(PASSWORD)
    archive = Archive(serve(200, b"[]"))
    archive.list_studies(Query())
    assert serve.seen[-1]["Authorization"] is None
    monkeypatch.setenv(TOKEN, "abc")
    archive.list_studies(Query())
    assert serve.seen[-1]["Authorization"] == "Bearer abc"


def test_an_archive_that_is_not_there_is_said_without_what_was_asked() -> None:
    with pytest.raises(ArchiveError, match="cannot be reached") as caught:
        Archive("http://127.0.0.1:1/dicom-web").list_studies(Query(patient_id="0815"))
    assert "0815" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pacs.example.org",
        "ftp://pacs.example.org",
        "file:///etc/passwd",
        "http://",
        "https://pacs.example.org/dicom-web?x=1",
        "http://pacs.example.org:port/",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ArchiveError, match="address is not valid"):
        check_url(url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ArchiveError, match=USER) as caught:
        check_url("https://ann:hunter2@pacs.example.org/dicom-web")
    assert "hunter2" not in str(caught.value)


def test_half_or_double_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "abc")
    with pytest.raises(ArchiveError, match="Leave one of the two unset"):
        Archive("https://pacs.example.org/dicom-web")
    monkeypatch.delenv(TOKEN)
    monkeypatch.delenv(PASSWORD)
    with pytest.raises(ArchiveError, match="Set both, or neither"):
        Archive("https://pacs.example.org/dicom-web")


def test_what_crosses_a_network_unencrypted_is_known() -> None:
    assert travels_in_the_open("http://pacs.example.org/dicom-web")
    assert not travels_in_the_open("https://pacs.example.org/dicom-web")
    assert not travels_in_the_open("http://localhost:8042/dicom-web")
    assert not travels_in_the_open("http://127.0.0.1:8042/dicom-web")


@pytest.mark.parametrize(
    "query",
    [
        Query(date="2024"),
        Query(date="20240101-2024"),
        Query(patient_id="*"),
        Query(patient_id="a\\b"),
        Query(body_part="WRIST*"),
        Query(modality="DX&limit=1"),
        Query(limit=0),
    ],
)
def test_a_search_that_is_not_as_dicom_writes_it_is_not_sent(query: Query) -> None:
    with pytest.raises(ArchiveError, match="Expected|words such as"):
        Archive("http://127.0.0.1:1/dicom-web").list_studies(query)
