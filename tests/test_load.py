"""What `make load` does, small: many readers at once, a stand-in for the model, and a line that is full."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest

from benchmarks.figures import load_lines
from benchmarks.load import crowd, soak
from benchmarks.load_films import APART, Film, Sent, draw_films, draw_study, marked
from benchmarks.load_measures import jain
from benchmarks.load_reader import ReaderPage, find_endpoints, opened
from benchmarks.load_server import Server, served
from mura_core.images import read_radiograph
from tests.load_server import KnowingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITING = 4


@pytest.fixture(scope="module")
def films() -> list[Film]:
    return draw_films(9, KnowingPredictor().predict)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file is there, the model's answers wait."""
    return tmp_path_factory.mktemp("held") / "held"


@pytest.fixture(scope="module")
def server(held: Path) -> Iterator[Server]:
    command = ["-m", "tests.load_server", "--waiting", str(WAITING), "--view-s", "0.01", "--held", str(held)]
    with served(command) as running:
        yield running


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_marked_copy_is_another_file_of_the_same_film(films: list[Film], kind: int) -> None:
    film, chance = films[kind], Random(3)
    copies = {marked(film.content, film.kind, chance) for _ in range(5)}
    assert len(copies | {film.content}) == 6
    values = read_radiograph(film.content).values
    assert all((read_radiograph(copy).values == values).all() for copy in copies)


def test_every_film_has_a_probability_of_its_own(films: list[Film]) -> None:
    values = sorted(film.probability for film in films)
    assert min(high - low for low, high in pairwise(values)) >= APART
    assert {film.kind for film in films} == {"png", "jpg", "dcm"}


def test_twenty_readers_at_once_get_their_own_answers_and_the_full_line_loses_nobody(
    server: Server, films: list[Film]
) -> None:
    found = asyncio.run(crowd(server, films, clients=20, rounds=1, settle_s=0.5))
    assert (found["lost"], found["mixed_up"], found["troubles"]) == (0, 0, [])
    assert found["studies"] == 20
    assert found["busy_answers"] > 0
    assert found["told_a_place"] > 0
    assert 1 <= found["last_place"] <= WAITING
    assert found["disk_mb_end"] == 0
    assert found["films_s"]["max"] <= found["verdict_s"]["max"] <= found["maps_s"]["max"]
    assert found["rss_mb"]["start"] > 50
    assert load_lines({"machine": "M", "crowds": [found]})[-1].startswith("| 20 | 20 (")


def test_pages_that_come_and_go_are_counted_and_leave_nothing(server: Server, films: list[Film]) -> None:
    found = asyncio.run(soak(server, films, seconds=1, settle_s=1))
    assert (found["troubles"], found["mixed_up"], found["disk_mb_end"]) == ([], 0, 0)
    assert found["studies"] > 0
    assert found["left_early"] > 0
    # The last look comes after a rest: some 30 MB more than before the crowd, 160 and more where freed films
    # are not given back then.
    assert 0 < found["rss_mb"]["end"] < found["rss_mb"]["start"] + 100
    assert found["files"]["end"] > 0
    assert f"{found['studies']} studies" in load_lines({"machine": "M", "soak": found})[-1]


def test_a_swapped_answer_is_noticed(server: Server, films: list[Film]) -> None:
    """The test of the tests: expected probabilities or names of others must count as mixed up."""
    one, other = films[:2]
    mine = Sent((("mine.png", one.content),), (one.probability,))

    async def read(sent: Sent) -> bool:
        async with _http(server) as http, opened(http, await find_endpoints(http, server.address)) as page:
            outcome = await page.read(sent)
            assert outcome.trouble == ""
            return outcome.mixed

    assert not asyncio.run(read(mine))
    assert asyncio.run(read(Sent(mine.files, (other.probability,))))


def test_who_closes_the_page_or_breaks_off_makes_room_for_others(
    server: Server, held: Path, films: list[Film]
) -> None:
    async def scene() -> list[int]:
        held.touch()
        chance = Random(5)
        async with _http(server) as http:
            endpoints = await find_endpoints(http, server.address)
            first = asyncio.create_task(_read(http, endpoints, draw_study(films, chance, "first")))
            await asyncio.sleep(0.3)
            gone = [ReaderPage(http, endpoints) for _ in range(WAITING)]
            beats = [asyncio.create_task(page.beat()) for page in gone[:2]]
            # Two have a heartbeat, as a browser's page; two have none, and merely stop listening.
            await asyncio.gather(
                *(page.leave_early(draw_study(films, chance, f"gone{at}"), 1) for at, page in enumerate(gone))
            )
            for beat in beats:
                beat.cancel()
            await asyncio.sleep(5)
            late = [
                asyncio.create_task(_read(http, endpoints, draw_study(films, chance, f"late{at}")))
                for at in range(WAITING)
            ]
            await asyncio.sleep(0.5)
            held.unlink()
            return [*await asyncio.gather(*late), await first]

    # With a ghost in the line, one of them would have been refused.
    assert asyncio.run(scene()) == [0] * (WAITING + 1)


def test_jains_index_is_one_for_equal_shares_alone() -> None:
    assert jain([0.5] * 7) == pytest.approx(1)
    assert jain([1.0, 0, 0, 0]) == 0.25


async def _read(http: httpx.AsyncClient, endpoints: dict[str, int], sent: Sent) -> int:
    async with opened(http, endpoints) as page:
        outcome = await page.read(sent)
    assert (outcome.trouble, outcome.mixed) == ("", False)
    return outcome.busy


def _http(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"{server.address}gradio_api/", timeout=60)
