"""Which requests reach Gradio: those that the page makes, from the page itself, by who may, of bounded size.

Gradio serves much that this app never uses: files by their path, fetched addresses, direct calls past the
queue, recordings, links that put what is on screen on the disk. None of it is let through.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from demo.gate_body import Body, Refused, checked_call, read_whole, refuse
from demo.gate_request import Asked, read_request
from demo.gate_sessions import Sessions

if TYPE_CHECKING:
    from demo.headers import App, Receive, Send
    from demo.uploads import UploadFolder

_READ = frozenset({"GET", "HEAD"})
_POST = frozenset({"POST"})
_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
_MAX_CALL_BYTES = 2 << 20

OPEN: tuple[tuple[str, frozenset[str]], ...] = (
    (r"/(?:assets|static)/.+", _READ),
    (r"/(?:theme\.css|favicon\.ico|robots\.txt|manifest\.json)", _READ),
    (rf"{_API}/theme\.css", _READ),
    # Gradio asks itself for it; it says nothing.
    (rf"{_API}/startup-events", _READ),
    (r"/login/?", _POST),
    (r"/logout", _READ),
    # A Space's.
    (r"/login/(?:huggingface|callback)", _READ),
)
"""Path (a whole match) and methods that need no log-in; beside them the pages, which show the log-in form."""

CALLS: tuple[str, ...] = (rf"{_API}/queue/join", rf"{_API}/(?:run|call)/[^/]+", rf"{_API}/(?:cancel|reset)")
"""Paths that take a call as JSON."""

SERVED: tuple[tuple[str, frozenset[str]], ...] = (
    *((path, _POST) for path in CALLS),
    (r"/config/?", _READ),
    (rf"{_API}/(?:info|user|login_check)/?", _READ),
    (_UPLOAD, _POST),
    (rf"{_API}/(?:upload_progress|queue/data|queue/status)", _READ),
    (rf"{_API}/heartbeat/[^/]+", _READ),
    (rf"{_API}/call/[^/]+/[^/]+", _READ),
)
"""The rest of what the page and gradio_client use; where readers sign in, for those alone who did."""

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]+))(?::\d{1,5})?")
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via")


class Gate:
    """ASGI middleware before Gradio's own."""

    def __init__(self, app: App, server: Any, uploads: UploadFolder | None, *, max_upload_bytes: int) -> None:
        """Take the app to guard, Gradio's `App` in it, which knows who signed in, and where uploads lie."""
        self._app = app
        self._server = server
        self._uploads = uploads
        self._max_upload_bytes = max_upload_bytes
        self._sessions = Sessions()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "websocket":
            # Gradio has none.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = read_request(scope)
        body = Body(receive, self._limit(request.path))
        try:
            receive = await self._let_in(request, body)
        except Refused as refused:
            await refuse(send, refused)
            return
        await body.guard(self._app, scope, receive, send)

    async def _let_in(self, request: Asked, body: Body) -> Receive:
        """Look at a request; gives where its body comes from.

        Raises:
            Refused: It is not let in.
        """
        path = request.path
        is_open = self._is_open(path, request.method)
        if not is_open and not _matches(SERVED, path, request.method):
            raise Refused(404, "Not found.")
        if is_foreign(request):
            raise Refused(403, "This page answers no other site.")
        if is_rebound(request):
            raise Refused(421, "Reached under a name that is not this machine's; a proxy has to say so.")
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > body.limit:
            raise Refused(413, "Too large.")
        reader = self._reader(request)
        if self._server.auth is not None and not is_open and reader is None:
            raise Refused(401, {"error": "Not authenticated", "auth_message": self._auth_message()})
        if path == _UPLOAD and self._uploads is not None and await asyncio.to_thread(self._uploads.is_full):
            raise Refused(503, "Too many files are waiting on the server. Try again in a few minutes.")
        if not any(re.fullmatch(call, path) for call in CALLS):
            self._sessions.check(_session_of(request), reader)
            self._check_waiting(request)
            return body.receive
        content = await read_whole(body)
        called = checked_call(content, self._server.get_blocks().fns)
        self._check_name(request, called)
        self._sessions.check(called.get("session_hash"), reader)
        return body.again(content)

    def _check_name(self, request: Asked, called: Mapping[str, Any]) -> None:
        """Refuse a call by a name that no function has; Gradio would fail over it."""
        *_, kind, name = request.path.split("/")
        if kind not in ("run", "call") or called.get("fn_index") is not None:
            return
        if name not in {function.api_name for function in self._server.get_blocks().fns.values()}:
            raise Refused(404, "There is no such function.")

    def _check_waiting(self, request: Asked) -> None:
        """Refuse who waits for an answer that nobody will give; Gradio would fail over it."""
        waiting = self._server.get_blocks()._queue
        if request.path == f"{_API}/queue/data":
            known = request.query.get("session_hash") in waiting.pending_messages_per_session
        elif re.fullmatch(rf"{_API}/call/[^/]+/[^/]+", request.path):
            event = request.path.rpartition("/")[2]
            events = (waiting.event_ids_to_events, *waiting.pending_event_ids_session.values())
            known = any(event in kept for kept in events)
        else:
            return
        if not known:
            raise Refused(404, "Nothing is asked under this number.")

    def _is_open(self, path: str, method: str) -> bool:
        pages = {"/" + page[0].strip("/") for page in self._server.get_blocks().pages}
        return (method in _READ and (path.rstrip("/") or "/") in pages) or _matches(OPEN, path, method)

    def _limit(self, path: str) -> int:
        return self._max_upload_bytes if path == _UPLOAD else _MAX_CALL_BYTES

    def _reader(self, request: Asked) -> str | None:
        """Name who signed in with a password."""
        for kind in ("access-token", "access-token-unsecure"):
            name = self._server.tokens.get(request.cookies.get(f"{kind}-{self._server.cookie_id}", ""))
            if name is not None:
                return str(name)
        return None

    def _auth_message(self) -> str:
        return self._server.get_blocks().auth_message or ""


def is_foreign(request: Asked) -> bool:
    """Whether another site's page makes the browser send this; a plain link to a page is not meant.

    Browsers that say where a request comes from (Sec-Fetch-Site) are believed; of others, the origin they
    name. Who names neither is no browser, or asks for a page.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        linked = request.headers.get("sec-fetch-mode") == "navigate" and request.method in _READ
        # A link may lead to a page, not sign a reader out; a Space's way back from signing in is one too.
        return site not in ("same-origin", "none") and (not linked or request.path == "/logout")
    origin = request.headers.get("origin")
    return origin is not None and not _is_own(origin, request)


def is_rebound(request: Asked) -> bool:
    """Whether a browser on this machine was lured here under a foreign name (DNS rebinding).

    A proxy on this machine names itself by one of `_FORWARDED`.
    """
    if not is_loopback(request.address) or was_forwarded(request.headers):
        return False
    name = _host_name(request.headers.get("host", ""))
    if is_loopback(name) or _is_address(name):
        return False
    # Names without a dot, or of these ends, are in no public DNS.
    return "." in name and not name.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def is_at_server(address: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser runs on the server's own machine, with no proxy in between that shows.

    A proxy shows by its headers, or by the name or origin under which it is reached.

    Args:
        address: Where the request comes from.
        headers: The request's.
    """
    if not is_loopback(address) or was_forwarded(headers):
        return False
    origin = headers.get("origin")
    names = [headers.get("host", ""), *([urlsplit(origin).netloc] if origin else [])]
    return all(is_loopback(_host_name(name)) for name in names)


def was_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy names itself."""
    return any(name in headers for name in _FORWARDED)


def is_loopback(host: str) -> bool:
    """Whether a name or address means the machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _matches(table: tuple[tuple[str, frozenset[str]], ...], path: str, method: str) -> bool:
    return any(method in methods and re.fullmatch(pattern, path) for pattern, methods in table)


def _is_own(origin: str, request: Asked) -> bool:
    forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
    return urlsplit(origin).netloc.lower() in {request.headers.get("host", "").lower(), forwarded.lower()} - {
        ""
    }


def _host_name(host: str) -> str:
    """The name in `name:port` or `[address]:port`; what is neither comes back as it is."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2]).rstrip(".") if found else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _session_of(request: Asked) -> str | None:
    found = re.fullmatch(rf"{_API}/heartbeat/([^/]+)", request.path)
    return found[1] if found else request.query.get("session_hash")
