"""Signing in on a Hugging Face Space, by the account there."""

from __future__ import annotations

import base64
import hashlib
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import gradio as gr
import httpx
import itsdangerous
import pytest

from demo import login
from demo.wording import Wording
from tests.stand_in_server import served

if TYPE_CHECKING:
    from pathlib import Path


def request(session: dict[str, Any] | None, username: str | None = None) -> gr.Request:
    scope = {} if session is None else {"session": session}
    return gr.Request(SimpleNamespace(scope=scope), username=username)  # type: ignore[arg-type]


ON_HUB = {"userinfo": {"preferred_username": "dr-kim"}, "expires_at": 4e9}


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM", "spaces")
    for name in ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
        monkeypatch.setenv(name, "given")


@pytest.mark.usefixtures("space")
def test_on_a_space_the_account_names_the_reader() -> None:
    assert login.reader_name(request({"oauth_info": ON_HUB})) == "dr-kim"
    assert login.reader_name(request({"oauth_info": {**ON_HUB, "expires_at": 1.0}})) is None
    assert login.reader_name(request({"oauth_info": {}})) is None
    assert login.reader_name(request({})) is None
    assert login.reader_name(request(None)) is None


def test_elsewhere_the_password_names_the_reader_and_no_button_lets_everybody_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SYSTEM", raising=False)
    monkeypatch.setenv("SPACE_ID", "given")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "given")
    assert login.reader_name(request(None, username="ann")) == "ann"
    assert login.reader_name(request({"oauth_info": ON_HUB})) is None
    assert login.reader_name(request(None)) is None
    assert login.sign_in_button(Wording("ko")) is None


@pytest.mark.usefixtures("space")
def test_a_served_space_knows_who_signed_in_and_believes_no_other_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTH_SCOPES", "openid profile")
    monkeypatch.setenv("OPENID_PROVIDER_URL", "https://127.0.0.1:1")
    with served(tmp_path, module="tests.space_server") as found:
        config = httpx.get(f"{found}config").json()
        parts = [part["props"] for part in config["components"]]
        (button,) = [part for part in parts if part.get("elem_id") == "sign-in"]
        assert (button["value"], button["logout_value"]) == ("Sign in with Hugging Face", "Sign out ({})")
        # Its visitors see a Space in a frame of the hub's.
        policy = httpx.get(found).headers["content-security-policy"]
        assert policy.endswith("frame-ancestors https://huggingface.co https://*.hf.space")
        assert who(found, {}) == "nobody"
        assert who(found, {"session": cookie("given")}) == "dr-kim"
        assert who(found, {"session": cookie("guessed")}) == "nobody"


def cookie(secret: str) -> str:
    """What Gradio leaves in the browser of somebody who signed in, signed with a Space's secret."""
    key = hashlib.sha256(f"{secret}-v4".encode()).hexdigest()
    content = base64.b64encode(json.dumps({"oauth_info": ON_HUB}).encode())
    return itsdangerous.TimestampSigner(key).sign(content).decode()


def who(address: str, cookies: dict[str, str]) -> str:
    """Ask tests.space_server who asks."""
    with httpx.Client(base_url=address, cookies=cookies) as client:
        event = client.post("gradio_api/call/who", json={"data": []}).raise_for_status().json()["event_id"]
        answer = client.get(f"gradio_api/call/who/{event}").text
    (name,) = json.loads(answer.partition("data: ")[2].partition("\n")[0])
    return str(name)
