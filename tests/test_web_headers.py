"""The headers of every answer, without a server; that they arrive and hold, the other web tests say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from demo.gate import is_at_server
from demo.headers import PagePolicy, SecureHeaders, frame_ancestors, script_hashes
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from demo.headers import Message, Receive, Send

PAGE = b"<html><script>one()</script><script src='a.js'></script><SCRIPT data-x>two()</SCRIPT></html>"


def answered(
    path: str = "/",
    *,
    ancestors: tuple[str, ...] = (),
    asked: tuple[tuple[bytes, bytes], ...] = (),
    given: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"text/html; charset=utf-8"),),
    chunks: tuple[bytes, ...] = (PAGE,),
) -> tuple[list[tuple[str, str]], bytes]:
    """What the browser gets of an answer that an app gives in `chunks`: headers and body."""

    async def app(_scope: Any, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(given)})
        for index, chunk in enumerate(chunks):
            more = index < len(chunks) - 1
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "path": path, "scheme": "http", "headers": list(asked)}
    asyncio.run(SecureHeaders(PagePolicy(app, ancestors), ancestors)(scope, receive, send))
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    return headers, b"".join(message["body"] for message in sent[1:])


def policy(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    (written,) = (value for name, value in headers if name == "content-security-policy")
    return {name: values for name, *values in (part.split() for part in written.split(";"))}


def test_a_page_runs_its_own_inline_scripts_and_no_other() -> None:
    headers, body = answered(chunks=(PAGE[:30], PAGE[30:]))
    assert body == PAGE
    rules = policy(headers)
    assert rules["script-src"] == ["'self'", "'unsafe-eval'", *script_hashes(PAGE)]
    assert len(script_hashes(PAGE)) == 2
    assert rules["default-src"] == rules["object-src"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["base-uri"] == rules["form-action"] == rules["connect-src"] == ["'self'"]
    named = {
        value
        for values in rules.values()
        for value in values
        if "." in value or "http" in value or value == "*"
    }
    assert named == set()


def test_what_is_no_page_loads_and_runs_nothing() -> None:
    headers, body = answered(given=((b"content-type", b"application/json"),), chunks=(b"{}", b"{}"))
    assert body == b"{}{}"
    assert policy(headers)["default-src"] == ["'none'"]
    assert "script-src" not in policy(headers)


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/queue/data", "/gradio_api/call/x/y", "/nowhere"]
)
def test_nothing_about_a_study_is_kept_by_a_browser(path: str) -> None:
    given = ((b"content-type", b"text/plain"), (b"Cache-Control", b"public, max-age=9"))
    headers, _ = answered(path, given=given)
    assert [value for name, value in headers if name == "cache-control"] == ["no-store"]


def test_scripts_and_styles_may_be_kept() -> None:
    headers, _ = answered("/assets/index.js", given=((b"content-type", b"text/javascript"), (b"etag", b"1")))
    assert "cache-control" not in dict(headers)
    assert ("etag", "1") in headers


def test_only_behind_https_a_browser_is_told_to_stay_there() -> None:
    assert "strict-transport-security" not in dict(answered()[0])
    asked = ((b"x-forwarded-proto", b"https, http"),)
    assert "max-age=" in dict(answered(asked=asked)[0])["strict-transport-security"]


def test_no_answer_is_opened_to_other_origins() -> None:
    given = ((b"Access-Control-Allow-Origin", b"*"), (b"access-control-allow-credentials", b"true"))
    names = {name for name, _ in answered(given=given)[0]}
    assert not {name for name in names if name.startswith("access-control")}
    assert {"x-content-type-options", "referrer-policy", "permissions-policy", "x-frame-options"} <= names
    assert {"cross-origin-opener-policy", "cross-origin-resource-policy"} <= names


def test_who_may_frame_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert frame_ancestors(None) == frame_ancestors("") == ()
    origins = ("https://intranet.example", "https://*.hospital.example:8443")
    assert frame_ancestors("https://intranet.example, https://*.hospital.example:8443") == origins
    headers, _ = answered(ancestors=origins)
    assert policy(headers)["frame-ancestors"] == list(origins)
    assert "x-frame-options" not in dict(headers)
    monkeypatch.setenv("SPACE_ID", "someone/reader")
    assert frame_ancestors(None) == ("https://huggingface.co", "https://*.hf.space")
    assert frame_ancestors("https://intranet.example") == ("https://intranet.example",)


@pytest.mark.parametrize(
    "embed", ["*", "intranet.example", "https://a.example/path", "https://a;script-src", "'self'"]
)
def test_what_is_no_origin_may_not_frame_the_page(embed: str) -> None:
    with pytest.raises(MuraError, match="expected an origin"):
        frame_ancestors(embed)


LOCAL = {"host": "127.0.0.1:7860"}


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        ("127.0.0.1", LOCAL, True),
        ("::1", {"host": "[::1]:7860", "origin": "http://[::1]:7860"}, True),
        ("127.0.0.1", {"host": "localhost:7860", "origin": "http://localhost:7860"}, True),
        ("192.0.2.1", LOCAL, False),
        ("", LOCAL, False),
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {**LOCAL, "x-forwarded-for": "192.0.2.1"}, False),
        ("127.0.0.1", {**LOCAL, "x-real-ip": "192.0.2.1"}, False),
        ("127.0.0.1", {**LOCAL, "forwarded": "for=192.0.2.1"}, False),
        ("127.0.0.1", {**LOCAL, "x-forwarded-proto": "https"}, False),
        ("127.0.0.1", {**LOCAL, "via": "1.1 proxy"}, False),
        # A proxy that says nothing of itself, but lets through what the browser says.
        ("127.0.0.1", {"host": "reader.example"}, False),
        ("127.0.0.1", {**LOCAL, "origin": "https://reader.example"}, False),
        ("127.0.0.1", {**LOCAL, "origin": "null"}, False),
        ("127.0.0.1", {"host": "[::1].evil.example"}, False),
    ],
)
def test_only_who_comes_from_this_machine_under_its_own_name_sits_at_it(
    address: str, headers: dict[str, str], local: bool
) -> None:
    assert is_at_server(address, headers) is local
