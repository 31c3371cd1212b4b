"""Who may enter: readers with a password of a file, or, on a Hugging Face Space, with their account there."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from mura_core.review.passwords import LONGEST, hash_password

if TYPE_CHECKING:
    from demo.wording import Wording
    from mura_core.review.passwords import PasswordHash

FREE_TRIES = 5
"""Failures of a name after which each next try waits: 1 s, 2 s, 4 s, ... up to `LONGEST_WAIT_S`."""

FREE_TRIES_OF_AN_ADDRESS = 20
"""More than of a name: a whole department may come from one address."""

LONGEST_WAIT_S = 300.0
"""Short enough that nobody can keep a reader out for long by failing in the reader's name."""

_FORGOTTEN_AFTER_S = 3600.0
_REMEMBERED = 4096
_HASHED_AT_ONCE = 2
_WAITING = 32
_address: ContextVar[str] = ContextVar("_address", default="")


@dataclass
class _Failures:
    count: int = 0
    latest: float = 0.0
    until: float = 0.0


class Tries:
    """Counts failed tries by key and makes them wait. Safe among threads; its memory is bounded.

    A try counts as failed from its beginning until `succeeded` says otherwise, so that many at once are no
    way round the limit.
    """

    def __init__(self, free: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def begin(self, key: str) -> bool:
        """Whether a try may be made now; a refused one changes nothing."""
        with self._lock:
            now = self._clock()
            known = self._failures.setdefault(key, _Failures())
            if now < known.until:
                return False
            if now > known.latest + _FORGOTTEN_AFTER_S:
                known.count = 0
            self._failures.move_to_end(key)
            known.latest = now
            known.count += 1
            if known.count >= self._free:
                # 2 ** 20 s is beyond the longest wait, and still a float.
                known.until = now + min(LONGEST_WAIT_S, 2.0 ** min(20, known.count - self._free))
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
            return True

    def succeeded(self, key: str, *, forget: bool) -> None:
        """Take a try back; with `forget`, all failures before it too."""
        with self._lock:
            known = self._failures.get(key)
            if known is None:
                return
            known.count = 0 if forget else known.count - 1
            if known.count < self._free:
                known.until = 0.0
            if known.count <= 0:
                del self._failures[key]


class Door:
    """Lets readers in who know their password, at a limited pace."""

    def __init__(
        self, readers: Mapping[str, PasswordHash], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the readers of `read_readers`; `clock` gives seconds."""
        self._readers = dict(readers)
        # Names nobody has are counted apart: a flood of them cannot push a reader's failures out of memory.
        self._known, self._unknown = Tries(FREE_TRIES, clock), Tries(FREE_TRIES, clock)
        self._addresses = Tries(FREE_TRIES_OF_AN_ADDRESS, clock)
        # An unknown name takes as long as a known one.
        self._nobody = hash_password(os.urandom(16).hex())
        self._hashing = asyncio.Semaphore(_HASHED_AT_ONCE)
        self._waiting = 0

    async def admit(self, name: str, password: str) -> bool:
        """Say whether this is a reader's name and password. To be given to Gradio as `auth`."""
        names = self._known if name in self._readers else self._unknown
        address = _address.get()
        if len(password) > LONGEST or len(name) > LONGEST or self._waiting >= _WAITING:
            return False
        if (address and not self._addresses.begin(address)) or not names.begin(name):
            return False
        self._waiting += 1
        try:
            async with self._hashing:
                # In a thread: the server answers others meanwhile.
                kept = self._readers.get(name, self._nobody)
                admitted = await asyncio.to_thread(kept.matches, password) and name in self._readers
        finally:
            self._waiting -= 1
        if admitted:
            names.succeeded(name, forget=True)
            # Not forgotten: who has one password could otherwise guess others without end.
            self._addresses.succeeded(address, forget=False)
        return admitted


class RememberAddress:
    """ASGI middleware that tells `Door.admit` whence a try comes; Gradio gives name and password alone."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle one request."""
        client = scope.get("client")
        _address.set(_network(client[0]) if client else "")
        await self._app(scope, receive, send)


MIDDLEWARE: tuple[type, tuple[()], dict[str, Any]] = (RememberAddress, (), {})
"""`RememberAddress` as FastAPI takes it: class, arguments, named arguments."""


def on_space() -> bool:
    """Whether this is a Hugging Face Space whose visitors sign in with their account (`hf_oauth: true`)."""
    # SYSTEM is what Gradio goes by: without it, its button would let everybody in as the machine's owner.
    named = all(os.environ.get(name) for name in ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"))
    return named and os.environ.get("SYSTEM") == "spaces"


def sign_in_button(words: Wording) -> gr.LoginButton | None:
    """Lay out the button to sign in and out on a Space; elsewhere None, and Gradio's own form asks."""
    if not on_space():
        return None
    # Gradio puts the name in.
    leave = words.text("login.sign_out", name="{}")
    return gr.LoginButton(words["login.sign_in"], logout_value=leave, elem_id="sign-in", size="sm")


def reader_name(request: gr.Request) -> str | None:
    """Name who sends a request: by password or, on a Space, by account; None where nobody signed in."""
    if request.username:
        return str(request.username)
    if not on_space():
        return None
    scope = getattr(request.request, "scope", None)
    session = scope.get("session") if isinstance(scope, dict) else None
    signed_in = session.get("oauth_info") if isinstance(session, Mapping) else None
    if not isinstance(signed_in, Mapping):
        return None
    expires = signed_in.get("expires_at")
    if expires is not None and expires < time.time():
        return None
    name = (signed_in.get("userinfo") or {}).get("preferred_username")
    return name if isinstance(name, str) and name else None


def _network(host: str) -> str:
    """The address by which failures are counted: of IPv6 the first 64 bits, which one line has to itself."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((host, 64), strict=False)) if found.version == 6 else host
