"""Signing in: the right password opens, failures wait, unknown names look like known ones."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from demo import login
from demo.login import FREE_TRIES, FREE_TRIES_OF_AN_ADDRESS, LONGEST_WAIT_S, Door, Tries
from mura_core.review import passwords
from mura_core.review.passwords import add_reader, hash_password
from tests.stand_in_server import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mura_core.review.passwords import PasswordHash

GOOD = "correct horse"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash in no time; what the real cost is, the tests of passwords hold."""
    monkeypatch.setattr(passwords, "_COST", 2)


@pytest.fixture
def ann() -> PasswordHash:
    return hash_password(GOOD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(ann: PasswordHash, clock: Clock) -> Door:
    return Door({"ann": ann}, clock)


def admits(door: Door, name: str, password: str, address: str = "") -> bool:
    async def ask() -> bool:
        login._address.set(address)
        return await door.admit(name, password)

    return asyncio.run(ask())


def test_the_right_password_of_the_right_name_is_admitted(door: Door) -> None:
    assert admits(door, "ann", GOOD)
    assert not admits(door, "ann", GOOD + " ")
    assert not admits(door, "Ann", GOOD)
    assert not admits(door, "", "")
    assert not admits(door, "bob", GOOD)


def test_gradio_waits_for_the_answer_of_the_door(door: Door) -> None:
    # Where this does not hold, Gradio takes the coroutine itself for a yes.
    assert inspect.iscoroutinefunction(door.admit)


def test_after_five_failures_even_the_right_password_waits_longer_and_longer(
    door: Door, clock: Clock
) -> None:
    for _ in range(FREE_TRIES):
        assert not admits(door, "ann", "wrong")
    assert not admits(door, "ann", GOOD)
    clock.now += 0.9
    assert not admits(door, "ann", GOOD)
    clock.now += 0.2
    assert not admits(door, "ann", "wrong")
    clock.now += 1.9
    assert not admits(door, "ann", GOOD)
    clock.now += 0.2
    assert admits(door, "ann", GOOD)
    # A success forgets the failures.
    for _ in range(FREE_TRIES - 1):
        assert not admits(door, "ann", "wrong")
    assert admits(door, "ann", GOOD)


def test_the_wait_has_an_end_and_failures_are_forgotten(clock: Clock) -> None:
    tries = Tries(1, clock)
    for _ in range(40):
        assert tries.begin("ann")
        clock.now += LONGEST_WAIT_S
    assert tries.begin("ann")
    assert not tries.begin("ann")
    clock.now += 2 * 3600
    assert tries.begin("ann")
    clock.now += 1.01
    assert tries.begin("ann")


def test_many_tries_at_once_are_no_way_round(door: Door) -> None:
    async def rush() -> int:
        seen = 0
        kept = door._readers["ann"]

        class Counted:
            def matches(self, password: str) -> bool:
                nonlocal seen
                seen += 1
                return kept.matches(password)

        door._readers["ann"] = Counted()  # type: ignore[assignment]
        found = await asyncio.gather(*(door.admit("ann", f"wrong {number}") for number in range(30)))
        assert not any(found)
        return seen

    assert asyncio.run(rush()) == FREE_TRIES


def test_an_address_that_tries_many_names_waits_and_others_do_not(door: Door) -> None:
    for number in range(FREE_TRIES_OF_AN_ADDRESS):
        assert not admits(door, f"nobody {number}", "wrong", "192.0.2.1")
    assert not admits(door, "ann", GOOD, "192.0.2.1")
    assert admits(door, "ann", GOOD, "192.0.2.2")


def test_a_success_does_not_wash_an_address_clean(door: Door) -> None:
    for number in range(FREE_TRIES_OF_AN_ADDRESS - 1):
        assert not admits(door, f"nobody {number}", "wrong", "192.0.2.1")
    assert admits(door, "ann", GOOD, "192.0.2.1")
    assert not admits(door, "somebody", "wrong", "192.0.2.1")
    assert not admits(door, "ann", GOOD, "192.0.2.1")


def test_a_flood_of_names_neither_fills_the_memory_nor_hides_failures(
    clock: Clock, ann: PasswordHash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "_REMEMBERED", 50)
    tries = Tries(5, clock)
    for number in range(500):
        tries.begin(str(number))
    assert len(tries._failures) == 50
    door = Door({"ann": ann}, clock)
    for _ in range(FREE_TRIES):
        door._known.begin("ann")
    for number in range(500):
        door._unknown.begin(str(number))
    assert not admits(door, "ann", GOOD)


def test_an_unknown_name_costs_as_much_as_a_known_one(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []
    original = type(door._nobody).matches

    def counted(self: PasswordHash, password: str) -> bool:
        asked.append((self.cost, self.block, self.lanes))
        return original(self, password)

    monkeypatch.setattr(type(door._nobody), "matches", counted)
    admits(door, "ann", "wrong")
    admits(door, "nobody", "wrong")
    assert len(asked) == 2
    assert asked[0] == asked[1]
    # And it waits as a known one does.
    for _ in range(FREE_TRIES + 1):
        admits(door, "nobody", "wrong")
    assert len(asked) == 1 + FREE_TRIES


def test_an_endless_password_is_not_even_hashed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(door._nobody), "matches", lambda *_: pytest.fail("hashed"))
    assert not admits(door, "ann", "x" * 1_000_000)


def test_failures_are_counted_by_the_line_an_address_belongs_to() -> None:
    assert login._network("192.0.2.7") == "192.0.2.7"
    assert login._network("2001:db8::1") == login._network("2001:db8::ffff:2") == "2001:db8::/64"
    assert login._network("testclient") == "testclient"


# The served page.


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("login")
    add_reader(folder / "readers", "ann", GOOD)
    with served(folder, "--auth", str(folder / "readers")) as found:
        yield found


def sign_in(client: httpx.Client, name: str, password: str) -> int:
    return client.post("login", data={"username": name, "password": password}).status_code


def test_the_served_page_is_closed_until_the_password_is_right(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        assert client.get("config").status_code == 401
        assert client.post("gradio_api/upload", files={"files": ("x", b"x")}).status_code == 401
        assert sign_in(client, "ann", "wrong") == 400
        assert sign_in(client, "bob", GOOD) == 400
        assert client.get("config").status_code == 401
        assert sign_in(client, "ann", GOOD) == 200
        assert client.get("config").status_code == 200
        assert client.get("gradio_api/user").json() == "ann"


def test_the_served_page_counts_failures(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        for _ in range(FREE_TRIES):
            assert sign_in(client, "mallory", "wrong") == 400
        # Nobody is there to count whether a try was refused unheard; it answers without hashing.
        started = time.perf_counter()
        assert sign_in(client, "mallory", "wrong") == 400
        assert time.perf_counter() - started < 60
        assert sign_in(client, "ann", GOOD) == 200
