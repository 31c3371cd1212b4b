"""Many readers at once against the running app: is anything lost or mixed up, how long do they wait?

`python -m benchmarks.load [--clients N ...] [--rounds N] [--soak MINUTES] [--weights DIR] [--out FILE]`
starts `app.py` in a process of its own. Each client is a page: it drops studies of 1 to 6 films, one after
the other without a pause, and looks whether names and probabilities of the answer are those of its own films.
Told that the line is full, it comes again when the answer says. `--soak` instead lets pages come and go for
so long, one in five of them before it is answered, and fits a line through what the server takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.load_films import draw_films, draw_study
from benchmarks.load_measures import crowd_figures, levels, memory_figures, slope, soak_figures
from benchmarks.load_reader import Outcome, find_endpoints, opened
from benchmarks.load_server import served
from benchmarks.load_table import crowd_table
from demo.turns import REST_S
from mura_core.cores import processor_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.load_films import Film, Sent
    from benchmarks.load_reader import ReaderPage
    from benchmarks.load_server import Server

FILMS = 24
SOAK_PAGES = 6
STUDIES_A_PAGE = 5
SETTLE_S = REST_S + 5
"""Until the server has noticed who is gone, and what was freed has gone back to the system."""
OUT = Path("benchmarks/load.json")


def main() -> None:
    """Measure, print and write."""
    options = _parse()
    from mura_core.predictor import Predictor

    films = draw_films(FILMS, Predictor.load(options.weights).predict)
    report: dict[str, Any] = json.loads(options.out.read_text()) if options.out.is_file() else {}
    report["machine"] = f"{processor_name()}, {os.cpu_count()} cores"
    command = ["app.py", *(["--weights", str(options.weights)] if options.weights else [])]
    if options.soak:
        with served(command, options.log) as server:
            report["soak"] = asyncio.run(soak(server, films, options.soak * 60))
        print(json.dumps(report["soak"], indent=2))
    else:
        report["crowds"] = []
        for clients in options.clients:
            # A server of its own for each, so that the memory is that of this crowd.
            with served(command, options.log) as server:
                report["crowds"].append(asyncio.run(crowd(server, films, clients, options.rounds)))
        print("\n".join(crowd_table(report["crowds"])))
    options.out.write_text(json.dumps(report, indent=2) + "\n")


async def crowd(
    server: Server, films: list[Film], clients: int, rounds: int, settle_s: float = SETTLE_S
) -> dict[str, Any]:
    """Let so many pages read so many studies each, all at once.

    Args:
        server: The server.
        films: What studies are made of.
        clients: How many pages.
        rounds: How many studies each reads.
        settle_s: After so long the server has noticed that they are gone.

    Returns:
        Counts, seconds and megabytes, as they go into the results.
    """
    chance = random.Random(clients)  # noqa: S311 - a draw that can be repeated, not a secret
    plan = [
        [draw_study(films, chance, f"c{client}-s{number}") for number in range(rounds)]
        for client in range(clients)
    ]
    async with _connected(server) as http:
        endpoints = await find_endpoints(http, server.address)
        await _warm_up(http, endpoints, films)
        before = server.look()
        watching = asyncio.create_task(server.watch(0.5))
        start = time.perf_counter()
        done = await asyncio.gather(*(_read_all(http, endpoints, studies) for studies in plan))
        seconds = time.perf_counter() - start
        watching.cancel()
        await asyncio.sleep(settle_s)
        after = server.look()
    return {**crowd_figures(plan, done, seconds), **memory_figures(before, server.samples, after)}


async def _read_all(
    http: httpx.AsyncClient, endpoints: dict[str, int], studies: Iterable[Sent]
) -> tuple[list[Outcome], list[float]]:
    """Read studies on one page, one after the other; what became of each, and when."""
    read, times = [], []
    async with opened(http, endpoints) as page:
        for study in studies:
            read.append(await page.read(study))
            times.append(time.perf_counter())
    return read, times


async def soak(
    server: Server, films: list[Film], seconds: float, settle_s: float = SETTLE_S
) -> dict[str, Any]:
    """Let a few pages at a time come and go for so many seconds; what the server takes should stay level."""
    chance = random.Random(0)  # noqa: S311 - as above
    outcomes: list[Outcome] = []
    left_early = 0
    async with _connected(server) as http:
        endpoints = await find_endpoints(http, server.address)

        async def leave(page: ReaderPage, study: Sent) -> None:
            nonlocal left_early
            left_early += 1
            if trouble := await page.leave_early(study, 0.3):
                outcomes.append(Outcome(trouble=trouble))

        async def pages(seat: int) -> None:
            visit = 0
            while time.perf_counter() < deadline:
                visit += 1
                async with opened(http, endpoints) as page:
                    if (visit + seat) % 5 == 0:
                        await leave(page, draw_study(films, chance, f"p{seat}-gone{visit}"))
                        continue
                    for number in range(STUDIES_A_PAGE):
                        name = f"p{seat}-v{visit}-s{number}"
                        outcomes.append(await page.read(draw_study(films, chance, name)))

        await _warm_up(http, endpoints, films)
        deadline = time.perf_counter() + seconds
        watching = asyncio.create_task(server.watch(min(5.0, seconds / 60)))
        await asyncio.gather(*(pages(seat) for seat in range(SOAK_PAGES)))
        watching.cancel()
        await asyncio.sleep(settle_s)
        end = server.look()
    return {
        **soak_figures(outcomes, left_early, seconds),
        **levels(server),
        "rss_mb_per_100_studies": slope(server, "rss_mb") * seconds / 3600 / max(1, len(outcomes)) * 100,
        "disk_mb_end": end.disk_mb,
    }


def _connected(server: Server) -> httpx.AsyncClient:
    # As a browser: no time-out of its own, so that only the server could make one.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    return httpx.AsyncClient(base_url=f"{server.address}gradio_api/", timeout=None, limits=limits)  # noqa: S113


async def _warm_up(http: httpx.AsyncClient, endpoints: dict[str, int], films: list[Film]) -> None:
    """One study of most views, so that what is loaded at the first one is loaded."""
    async with opened(http, endpoints) as page:
        outcome = await page.read(draw_study(films, random.Random(1), "warm-up"))  # noqa: S311 - as above
        if outcome.trouble or outcome.mixed:
            raise SystemExit(f"One reader alone has no answer of his own: {outcome}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[50, 200], help="default: 50 and 200")
    parser.add_argument("--rounds", type=int, default=3, help="studies of each; default: %(default)s")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="pages that come and go, for so long")
    parser.add_argument("--weights", type=Path, help="weights folder; default: $MURA_WEIGHTS, then weights/")
    parser.add_argument("--log", type=Path, help="file for the server's output")
    parser.add_argument("--out", type=Path, default=OUT, help="default: %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
