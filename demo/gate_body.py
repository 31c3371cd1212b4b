"""Bodies of requests: of bounded size, and calls that say what Gradio expects."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demo.headers import App, Message, Receive, Send

# Two letters at least: one is a drive.
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:")


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A request that is not let through, with the answer it gets."""

    def __init__(self, status: int, reason: Any) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason


class Body:
    """The body of one request, cut off beyond its limit.

    Attributes:
        limit: Bytes.
        exceeded: Whether more came.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self.limit = limit
        self.exceeded = False
        self._receive = receive
        self._seen = 0

    async def receive(self) -> Message:
        """Hand on the next part; beyond the limit, that nobody is there any more."""
        if self.exceeded:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self.limit:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message

    def again(self, content: bytes) -> Receive:
        """Give what was read once more."""
        given = False

        async def receive() -> Message:
            nonlocal given
            if given:
                return await self._receive()
            given = True
            return {"type": "http.request", "body": content, "more_body": False}

        return receive

    async def guard(self, app: App, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Run an app; where the body was too large, that is the answer, whatever the app makes of it."""
        answered = False

        async def answer(message: Message) -> None:
            nonlocal answered
            if not self.exceeded:
                await send(message)
            elif not answered:
                answered = True
                await refuse(send, _too_large())

        try:
            await app(scope, receive, answer)
        except Exception:
            if not self.exceeded:
                raise
            if not answered:
                await refuse(send, _too_large())


def _too_large() -> Refused:
    return Refused(413, HTTPStatus(413).phrase)


async def refuse(send: Send, refused: Refused) -> None:
    """Send a refusal's answer, and take no more of the request."""
    body = json.dumps({"detail": refused.reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_whole(body: Body) -> bytes:
    """Read a body to its end.

    Raises:
        Refused: It is too large, or ends before its end.
    """
    content = bytearray()
    while True:
        message = await body.receive()
        if body.exceeded:
            raise _too_large()
        if message["type"] != "http.request":
            raise Refused(400, "The body ended too early.")
        content += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(content)


def checked_call(content: bytes, functions: Container[int]) -> dict[str, Any]:
    """Read a call that a browser sent.

    Gradio would fetch a file whose path is an address, and would answer what is malformed with an internal
    error that quotes it in the log.

    Args:
        content: JSON.
        functions: The numbers of the functions there are.

    Raises:
        Refused: It is no call.
    """
    try:
        called = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused(400, "The body is not JSON.") from None
    if not isinstance(called, dict) or not isinstance(called.get("data", []), list):
        raise Refused(422, "The body is no call.")
    number = called.get("fn_index")
    if number is not None and (type(number) is not int or number not in functions):
        raise Refused(404, "There is no such function.")
    for name in ("session_hash", "event_id"):
        if not isinstance(called.get(name), str | None):
            raise Refused(422, "The body is no call.")
    for path in _paths(called):
        if not isinstance(path, str) or _ADDRESS.match(path) or "\x00" in path:
            raise Refused(422, "A file is named by where its upload lies.")
    return called


def _paths(called: dict[str, Any]) -> Iterator[object]:
    """Every `path` of a file anywhere in a call."""
    left: list[Any] = [called]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            if "meta" in part and "path" in part:
                yield part["path"]
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)
