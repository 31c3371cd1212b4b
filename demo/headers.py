"""What every answer tells the browser: what the page may load and run, who may frame it, what may be kept.

Gradio compiles the templates of its HTML components in the browser, which takes 'unsafe-eval', and puts
styles into the document, which takes 'unsafe-inline' for styles. Inline scripts run by their hash alone:
those that the server itself wrote into the document.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from mura_core.errors import MuraError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

KEPT_PATHS = ("/assets/", "/static/", "/theme.css", "/favicon.ico")
"""Answers that are the same for everybody, which a browser may keep."""

_SPACE_FRAMES = ("https://huggingface.co", "https://*.hf.space")
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
_INLINE = re.compile(rb"<script\b(?![^>]*\bsrc\s*=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HALF_A_YEAR_S = 15_768_000
_FEATURES = (
    *("accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope"),
    *("hid", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "serial", "usb"),
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", ", ".join([*(f"{name}=()" for name in _FEATURES), "fullscreen=(self)"]).encode()),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-permitted-cross-domain-policies", b"none"),
)


def frame_ancestors(embed: str | None) -> tuple[str, ...]:
    """Say which pages may show this one in a frame.

    Args:
        embed: Origins between spaces, as `https://intranet.example`; None or "" for what is usual: on a
            Hugging Face Space its own frame, elsewhere nobody.

    Returns:
        Origins; none where nobody may.

    Raises:
        MuraError: Something is not an origin.
    """
    origins = tuple((embed or "").replace(",", " ").split())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise MuraError(
                f"{origin!r} cannot be allowed to embed the page: expected an origin like "
                "https://intranet.example, without a path. Several are separated by spaces."
            )
    if not origins and os.environ.get("SPACE_ID"):
        return _SPACE_FRAMES
    return origins


def page_policy(hashes: Iterable[str], ancestors: Iterable[str]) -> str:
    """Write the Content-Security-Policy of a page.

    Args:
        hashes: Of its inline scripts, as `script_hashes` gives them.
        ancestors: Origins that may frame it.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self' 'unsafe-eval'", *hashes)),
            "style-src 'self' 'unsafe-inline'",
            " ".join(("img-src 'self'", "data:", "blob:")),
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            _ancestors(ancestors),
        )
    )


def script_hashes(page: bytes) -> list[str]:
    """Hash the inline scripts of a page, as a Content-Security-Policy names them.

    >>> script_hashes(b"<script>1</script><script src='a.js'></script>")
    ["'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"]
    """
    digests = (hashlib.sha256(script).digest() for script in _INLINE.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


class PagePolicy:
    """ASGI middleware that gives each HTML page its policy; it has to see the page uncompressed."""

    def __init__(self, app: App, ancestors: tuple[str, ...]) -> None:
        self._app = app
        self._ancestors = ancestors

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        page = bytearray()

        async def look(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is not None and message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    policy = page_policy(script_hashes(bytes(page)), self._ancestors)
                    start["headers"] = [*start["headers"], (b"content-security-policy", policy.encode())]
                    await send(start)
                    await send({"type": "http.response.body", "body": bytes(page)})
            else:
                await send(message)

        await self._app(scope, receive, look)


class SecureHeaders:
    """ASGI middleware around everything else: headers on every answer, and nothing for other origins."""

    def __init__(self, app: App, ancestors: tuple[str, ...]) -> None:
        self._app = app
        self._ancestors = ancestors

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        https = is_https(scope)

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._dressed(message.get("headers", ()), str(scope["path"]), https)
            await send(message)

        await self._app(scope, receive, dress)

    def _dressed(self, given: Iterable[tuple[bytes, bytes]], path: str, https: bool) -> list[Any]:
        # Gradio would let every origin read what a signed-in browser may read.
        kept = [(name.lower(), value) for name, value in given]
        kept = [(name, value) for name, value in kept if not name.startswith(b"access-control-")]
        headers = [
            (name, secure_cookie(value, https=https, framed=bool(self._ancestors)))
            if name == b"set-cookie"
            else (name, value)
            for name, value in kept
        ]
        names = {name for name, _ in headers}
        headers += [header for header in _ALWAYS if header[0] not in names]
        if b"content-security-policy" not in names:
            policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; {_ancestors(self._ancestors)}"
            headers.append((b"content-security-policy", policy.encode()))
        if self._ancestors:
            headers.append((b"cross-origin-opener-policy", b"same-origin-allow-popups"))
        else:
            headers.append((b"cross-origin-opener-policy", b"same-origin"))
            headers.append((b"x-frame-options", b"DENY"))
        if not path.startswith(KEPT_PATHS):
            headers = [header for header in headers if header[0] != b"cache-control"]
            headers.append((b"cache-control", b"no-store"))
        if https:
            headers.append((b"strict-transport-security", f"max-age={_HALF_A_YEAR_S}".encode()))
        return headers


def is_https(scope: MutableMapping[str, Any]) -> bool:
    """Whether the browser spoke HTTPS, here or to the proxy in front.

    A browser that says so of itself falsely changes its own cookies alone.
    """
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-proto"]
    first = forwarded[0].split(b",")[0].strip().lower() if forwarded else b""
    return scope.get("scheme") == "https" or first == b"https"


def secure_cookie(cookie: bytes, *, https: bool, framed: bool) -> bytes:
    """Write a Set-Cookie header so that no script reads it and, unless framed, no other site sends it.

    >>> secure_cookie(b"a=1; Path=/; SameSite=none; Secure", https=False, framed=False)
    b'a=1; Path=/; HttpOnly; Secure; SameSite=Lax'
    >>> secure_cookie(b"a=1", https=True, framed=True)
    b'a=1; HttpOnly; Secure; SameSite=None'
    """
    parts = [part.strip() for part in cookie.split(b";")]
    names = [part.split(b"=")[0].lower() for part in parts]
    secure = https or b"secure" in names[1:]
    pairs = list(zip(parts, names, strict=True))
    kept = [part for part, name in pairs[1:] if name not in (b"httponly", b"samesite", b"secure")]
    site = b"SameSite=None" if framed and secure else b"SameSite=Lax"
    return b"; ".join([parts[0], *kept, b"HttpOnly", *([b"Secure"] if secure else []), site])


def _is_page(start: Message) -> bool:
    kinds = (value for name, value in start.get("headers", ()) if name.lower() == b"content-type")
    return any(value.lower().startswith(b"text/html") for value in kinds)


def _ancestors(origins: Iterable[str]) -> str:
    return " ".join(("frame-ancestors", *(origins or ("'none'",))))
