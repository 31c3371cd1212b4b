"""A served page with readers: before the log-in only what is documented answers, and no guess helps."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo.gate import OPEN, SERVED
from demo.login import FREE_TRIES, FREE_TRIES_OF_AN_ADDRESS
from mura_core.review import passwords
from mura_core.review.passwords import add_reader
from tests.fake_predictor import png
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = "correct horse"
PAGES = {"/", "/ko", "/review", "/review-ko"}
FILLED = {
    "path_or_url": "/etc/passwd",
    "url_path": "https://example.hf.space/x",
    "path": "etc/passwd",
    "api_name": "analyse",
    "size": "16",
    "component_id": "1",
    "run": "1",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """Address, and what the server has."""
    folder = tmp_path_factory.mktemp("web-login")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_COST", 2)
        for name in ("ann", "bob", "eve"):
            add_reader(folder / "readers", name, GOOD)
    arguments = (
        "--auth",
        folder / "readers",
        "--sessions",
        folder / "sessions",
        "--routes",
        folder / "routes",
    )
    with served(folder, *map(str, arguments), module="tests.web_server") as address:
        yield address, json.loads((folder / "routes").read_text())


def guest(site: tuple[str, Any], address: str | None = None) -> httpx.Client:
    """A client, perhaps from another address than this machine's usual one."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=site[0], transport=transport, timeout=60)


def sign_in(client: httpx.Client, name: str, password: str, **headers: str) -> int:
    answer = client.post("login", data={"username": name, "password": password}, headers=headers)
    return answer.status_code


@contextmanager
def member(site: tuple[str, Any], name: str) -> Iterator[httpx.Client]:
    with guest(site) as client:
        assert sign_in(client, name, GOOD) == 200
        yield client


def test_every_route_is_closed_before_the_log_in_but_those_that_are_documented(site: tuple[str, Any]) -> None:
    seen = []
    with guest(site) as client:
        for route, methods in site[1]["routes"]:
            path = re.sub(r"{(\w+)(:path)?}", lambda found: FILLED.get(found[1], "x"), route)
            for method in methods:
                if is_open(path, method):
                    continue
                answer = client.request(method, path, params={"session_hash": "abc"}, json={"data": []})
                assert answer.status_code in (401, 404), (method, path, answer.status_code)
                assert "root:" not in answer.text
                seen.append((method, path, answer.status_code))
    assert sum(status == 401 for *_, status in seen) >= 15
    assert len(seen) > 60


def is_open(path: str, method: str) -> bool:
    return (path.rstrip("/") or "/") in PAGES or any(
        method in methods and re.fullmatch(pattern, path) for pattern, methods in OPEN
    )


def test_what_is_open_says_nothing_but_that_one_has_to_sign_in(site: tuple[str, Any]) -> None:
    with guest(site) as client:
        for page in PAGES:
            answer = client.get(page)
            assert answer.status_code == 200
            assert '"auth_required":true' in answer.text
            assert '"components":[]' in answer.text
        assert client.get("gradio_api/startup-events").text in ("true", "false")


def test_every_function_is_closed_before_the_log_in_and_there_are_no_others_after_it(
    site: tuple[str, Any],
) -> None:
    numbers = site[1]["functions"]
    with guest(site) as client, member(site, "ann") as ann:
        for number in numbers:
            call = {"data": [], "fn_index": number, "session_hash": "abc"}
            assert client.post("gradio_api/queue/join", json=call).status_code == 401
            assert client.post("gradio_api/run/predict", json=call).status_code == 401
        for number in (-1, max(numbers) + 1, 10**30, True, "0", 1.0, None):
            call = {"data": [], "fn_index": number, "session_hash": "abc"}
            answer = ann.post("gradio_api/queue/join", json=call)
            assert answer.status_code in (400, 404), (number, answer.text)


def test_a_token_that_was_never_given_out_opens_nothing(site: tuple[str, Any]) -> None:
    with member(site, "ann") as ann, guest(site) as client:
        (name,) = (cookie for cookie in ann.cookies if cookie.startswith("access-token-unsecure"))
        for forged in ("", "null", "undefined", "x" * 22, "ann", "0"):
            answer = client.get("config", headers={"Cookie": f"{name}={forged}"})
            assert answer.status_code == 401
        given = {"Cookie": f"{name}={ann.cookies[name]}"}
        assert client.get("config", headers=given).status_code == 200


def test_another_readers_session_is_closed_to_who_knows_its_number(site: tuple[str, Any]) -> None:
    join, body = "gradio_api/queue/join", {"data": [], "fn_index": 0, "session_hash": "annsession"}
    with member(site, "ann") as ann, member(site, "bob") as bob:
        assert ann.get("config").status_code == 200
        assert ann.post(join, json={**body, "fn_index": 10**9}).status_code == 404
        ann.post("gradio_api/cancel", json={"session_hash": "annsession", "fn_index": 0, "event_id": "x"})
        assert bob.post(join, json=body).status_code == 403
        assert bob.post("gradio_api/run/predict", json=body).status_code == 403
        cancel = {"session_hash": "annsession", "fn_index": 0, "event_id": "x"}
        assert bob.post("gradio_api/cancel", json=cancel).status_code == 403
        assert bob.get("gradio_api/queue/data", params={"session_hash": "annsession"}).status_code == 403
        assert bob.get("gradio_api/heartbeat/annsession").status_code == 403


def test_guessing_waits_however_many_names_are_tried_and_whatever_address_is_claimed(
    site: tuple[str, Any],
) -> None:
    # 127.0.0.2 is this machine, and none of the proxies that the server believes.
    with guest(site, "127.0.0.2") as guesser:
        for number in range(FREE_TRIES_OF_AN_ADDRESS):
            claimed = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
            claimed |= {"Forwarded": f"for=203.0.113.{number}", "CF-Connecting-IP": f"203.0.113.{number}"}
            assert sign_in(guesser, f"name{number}", "wrong password", **claimed) == 400
        assert sign_in(guesser, "eve", GOOD, **{"X-Forwarded-For": "203.0.113.99"}) == 400
    with guest(site, "127.0.0.3") as other:
        assert sign_in(other, "eve", GOOD) == 200


def test_guessing_one_readers_password_waits_from_however_many_addresses(site: tuple[str, Any]) -> None:
    for number in range(FREE_TRIES):
        with guest(site, f"127.0.1.{number + 1}") as guesser:
            assert sign_in(guesser, "bob", f"wrong {number}") == 400
    with guest(site, "127.0.1.99") as guesser:
        # Refused unheard: a right password waits too.
        assert sign_in(guesser, "bob", GOOD) == 400


def test_who_signs_out_is_out(site: tuple[str, Any]) -> None:
    with member(site, "ann") as ann:
        kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in ann.cookies.items())}
        with guest(site) as client:
            assert client.get("config", headers=kept).status_code == 200
        assert ann.get("logout").status_code == 302
        with guest(site) as client:
            assert client.get("config", headers=kept).status_code == 401


def test_no_other_site_acts_with_a_readers_cookies(site: tuple[str, Any]) -> None:
    with member(site, "ann") as ann:
        foreign: list[dict[str, str]] = [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        ]
        for headers in foreign:
            for method, path in (("POST", "gradio_api/queue/join"), ("GET", "config"), ("GET", "logout")):
                answer = ann.request(method, path, headers=headers, json={"data": []})
                assert answer.status_code == 403, (headers, path)
                assert "access-control-allow-origin" not in answer.headers
            files = {"files": ("x.png", png())}
            assert ann.post("gradio_api/upload", files=files, headers=headers).status_code == 403
        preflight = ann.options(
            "config", headers={"Origin": "https://evil.example", "Host": "public.example"}
        )
        assert not [name for name in preflight.headers if name.startswith("access-control")]
        linked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert ann.get("/", headers=linked).status_code == 200
        assert ann.get("logout", headers=linked).status_code == 403
        assert ann.get("config").status_code == 200


def test_cookies_are_for_no_script_and_no_other_site_and_under_https_for_nothing_else(
    site: tuple[str, Any],
) -> None:
    for scheme in ("http", "https"):
        with guest(site) as client:
            answer = client.post(
                "login",
                data={"username": "ann", "password": GOOD},
                headers={"X-Forwarded-Proto": scheme},
            )
            cookies = answer.headers.get_list("set-cookie")
            assert len(cookies) == 2
            for cookie in cookies:
                assert "; HttpOnly" in cookie
                assert cookie.endswith("; SameSite=Lax")
                assert "; Secure" in cookie or scheme == "http"


def test_the_table_of_routes_is_what_gradio_has(site: tuple[str, Any]) -> None:
    have = {re.sub(r"{\w+(:path)?}", "x", route) for route, _ in site[1]["routes"]}
    for pattern, _ in (*OPEN, *SERVED):
        # Of a Space alone.
        if "huggingface" not in pattern:
            assert any(re.fullmatch(pattern, path) for path in have), pattern
