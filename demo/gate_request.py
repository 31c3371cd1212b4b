"""A request as the gate sees it: where it comes from, what it asks for, under whose name."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Asked:
    """A request without its body.

    Attributes:
        method: As sent, GET for one.
        path: Decoded.
        address: Whence it came; "" if that is not known.
        headers: By their names in small letters; what was sent twice stands there twice, with a comma.
        query: Of a name that comes twice, the last value, as Gradio reads it.
        cookies: Likewise.
    """

    method: str
    path: str
    address: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str]


def read_request(scope: MutableMapping[str, Any]) -> Asked:
    """Read an ASGI scope of the type "http"."""
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for raw, content in scope["headers"]:
        name, value = raw.decode("latin-1").lower(), content.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if name == "cookie":
            pairs = (pair.partition("=") for pair in value.split(";"))
            cookies.update((key.strip(), kept.strip()) for key, _, kept in pairs)
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
    client = scope.get("client")
    return Asked(scope["method"], scope["path"], client[0] if client else "", headers, query, cookies)
