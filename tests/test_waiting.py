"""A page in the line before the model: what its reader is told, and what is left when it goes."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from demo import comparing
from demo.analysing import analyse
from demo.handlers import OpenStudy, Tray
from demo.turns import Turns
from demo.wording import Wording
from tests.fake_predictor import FakePredictor, png, steps
from tests.occupied import LIMIT_S, occupied

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = Wording("en")


def tray(seed: int = 1) -> Tray:
    return Tray(files=((f"{seed}.png", png(seed)),))


async def collect(turns: Turns, user: str, predictor: FakePredictor, shown: list[dict[str, Any]]) -> None:
    async for payload, _ in analyse(predictor, tray(), WORDS, turns, user):
        shown.append(payload)


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(LIMIT_S * 50):
        if happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_reader_in_line_is_told_the_place_and_sees_the_films_once_the_turn_is_near() -> None:
    turns, predictor = Turns(), FakePredictor()
    shown: list[dict[str, Any]] = []

    async def scene() -> None:
        with occupied(turns):
            ahead = [turns.join(f"{index}", int) for index in range(5)]
            task = asyncio.create_task(collect(turns, "reader", predictor, shown))
            await until(lambda: bool(shown))
            assert shown[-1]["place"] == 6
            assert shown[-1]["status"].startswith("Place 6 of 6 in line, about ")
            assert (shown[-1]["busy"], shown[-1]["views"], shown[-1]["error"]) == (True, [], "")
            for ticket in ahead[:4]:
                ticket.leave()
            await until(lambda: shown[-1]["place"] == 2)
            assert shown[-1]["views"][0]["film"]["data"]
            assert shown[-1]["status"].startswith("Place 2 of 2 in line")
            assert predictor.studies == []
        await task

    asyncio.run(scene())
    assert shown[-1]["verdict"]["call"] == "abnormal"
    assert len(predictor.studies) == 1


def test_a_full_line_is_said_at_once_in_both_languages_and_when_to_come_again() -> None:
    turns = Turns(most_waiting=1)

    async def only(language: Any) -> dict[str, Any]:
        ((payload, opened),) = [
            step async for step in analyse(FakePredictor(), tray(), Wording(language), turns, language)
        ]
        assert opened is None
        return payload

    with occupied(turns):
        turns.join("a", int, views=20)
        english, korean = (asyncio.run(only(language)) for language in ("en", "ko"))
    assert english["error"].startswith("Busy: 1 study is waiting, about 7 s. Try again after that")
    assert "검사 1건이 대기 중이며 약 7초" in korean["error"]
    assert english["again_s"] == 7
    assert "again_s" not in steps(FakePredictor(), tray(), WORDS)[-1][0]


@pytest.mark.parametrize("way", ["closed", "cancelled", "page closed"])
def test_a_reader_who_has_gone_leaves_no_ghost_in_the_line(way: str) -> None:
    turns, predictor = Turns(), FakePredictor()
    shown: list[dict[str, Any]] = []

    async def scene() -> None:
        if way == "closed":
            stream = analyse(predictor, tray(), WORDS, turns, "reader")
            shown.append((await anext(stream))[0])
            assert turns.waiting() == 1
            await stream.aclose()  # type: ignore[attr-defined]
            return
        task = asyncio.create_task(collect(turns, "reader", predictor, shown))
        await until(lambda: bool(shown))
        assert turns.waiting() == 1
        if way == "cancelled":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            turns.leave("reader")
            await task

    with occupied(turns):
        asyncio.run(scene())
        assert turns.waiting() == 0
    turns.run("next", int)
    assert predictor.studies == []
    assert all(payload["verdict"] is None for payload in shown)


def test_fifty_readers_wait_without_a_thread_each() -> None:
    turns, predictor = Turns(), FakePredictor()
    shown: list[list[dict[str, Any]]] = [[] for _ in range(50)]

    async def scene() -> int:
        with occupied(turns):
            tasks = [
                asyncio.create_task(collect(turns, f"{index}", predictor, mine))
                for index, mine in enumerate(shown)
            ]
            await until(lambda: all(shown))
            count = threading.active_count()
        await asyncio.gather(*tasks)
        return count

    before = threading.active_count()
    # The model's, two for films, and one that asyncio may start.
    assert asyncio.run(scene()) <= before + 4
    assert all(mine[-1]["verdict"] for mine in shown)


def test_what_the_model_sees_is_asked_in_turn_too() -> None:
    turns, predictor = Turns(most_waiting=1), FakePredictor()
    opened = next(kept for _, kept in steps(predictor, tray(), WORDS) if kept)

    async def ask(asked: int, kept: OpenStudy | None = opened) -> dict[str, Any]:
        return await comparing.compare_in_turn(predictor, kept, asked, WORDS, turns, "reader")

    async def scene() -> None:
        with occupied(turns):
            task = asyncio.create_task(ask(7))
            await until(lambda: turns.waiting() == 1)
            busy = await ask(8)
            assert busy["error"].startswith("Busy: 1 study is waiting")
            assert "no longer in memory" in (await ask(9, None))["error"]
        answer = await task
        assert (answer["asked"], answer["error"], len(answer["variants"])) == (7, "", 3)
        with occupied(turns):
            task = asyncio.create_task(ask(10))
            await until(lambda: turns.waiting() == 1)
            turns.leave("reader")
            assert (await task)["variants"] == []

    asyncio.run(scene())
