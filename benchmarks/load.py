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
import math
import os
import platform
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from benchmarks.load_films import draw_films, draw_study
from benchmarks.load_reader import Outcome, find_endpoints, opened
from benchmarks.load_server import served
from benchmarks.load_table import crowd_table
from demo.turns import REST_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.load_films import Film
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
    report["machine"] = f"{_processor()}, {os.cpu_count()} cores"
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

        async def reader(studies: Iterable[Any]) -> tuple[list[Outcome], list[float]]:
            read, times = [], []
            async with opened(http, endpoints) as page:
                for study in studies:
                    read.append(await page.read(study))
                    times.append(time.perf_counter())
            return read, times

        await _warm_up(http, endpoints, films)
        before = server.look()
        watching = asyncio.create_task(server.watch(0.5))
        start = time.perf_counter()
        done = await asyncio.gather(*(reader(studies) for studies in plan))
        seconds = time.perf_counter() - start
        watching.cancel()
        await asyncio.sleep(settle_s)
        after = server.look()
    outcomes = [outcome for read, _ in done for outcome in read]
    answered = [outcome for outcome in outcomes if not outcome.trouble]
    return {
        "clients": clients,
        "studies": len(outcomes),
        "views": sum(len(study.files) for studies in plan for study in studies),
        "seconds": seconds,
        "studies_per_s": len(answered) / seconds,
        "lost": len(outcomes) - len(answered),
        "mixed_up": sum(outcome.mixed for outcome in answered),
        "troubles": sorted({outcome.trouble for outcome in outcomes if outcome.trouble})[:5],
        "busy_answers": sum(outcome.busy for outcome in outcomes),
        "told_a_place": sum(bool(outcome.places) for outcome in outcomes),
        "last_place": max((place for outcome in outcomes for place in outcome.places), default=0),
        "films_s": _spread([outcome.films_s for outcome in answered]),
        "verdict_s": _spread([outcome.verdict_s for outcome in answered]),
        "maps_s": _spread([outcome.maps_s for outcome in answered]),
        "whole_s": _spread([outcome.whole_s for outcome in answered]),
        "fairness": fairness([times for _, times in done]),
        "rss_mb": {
            "start": before.rss_mb,
            "peak": max(taken.rss_mb for taken in server.samples),
            "end": after.rss_mb,
        },
        "threads": max(taken.threads for taken in server.samples),
        "disk_mb_end": after.disk_mb,
    }


async def soak(
    server: Server, films: list[Film], seconds: float, settle_s: float = SETTLE_S
) -> dict[str, Any]:
    """Let a few pages at a time come and go for so many seconds; what the server takes should stay level."""
    chance = random.Random(0)  # noqa: S311 - as above
    outcomes: list[Outcome] = []
    left_early = 0
    async with _connected(server) as http:
        endpoints = await find_endpoints(http, server.address)

        async def pages(seat: int) -> None:
            nonlocal left_early
            visit = 0
            while time.perf_counter() < deadline:
                visit += 1
                async with opened(http, endpoints) as page:
                    if (visit + seat) % 5 == 0:
                        left_early += 1
                        gone = draw_study(films, chance, f"p{seat}-gone{visit}")
                        if trouble := await page.leave_early(gone, 0.3):
                            outcomes.append(Outcome(trouble=trouble))
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
    lost = [outcome for outcome in outcomes if outcome.trouble]
    return {
        "minutes": seconds / 60,
        "studies": len(outcomes),
        "left_early": left_early,
        "lost": len(lost),
        "mixed_up": sum(outcome.mixed for outcome in outcomes),
        "troubles": sorted({outcome.trouble for outcome in lost})[:5],
        "verdict_s": _spread([outcome.verdict_s for outcome in outcomes if not outcome.trouble]),
        **levels(server),
        "rss_mb_per_100_studies": slope(server, "rss_mb") * seconds / 3600 / max(1, len(outcomes)) * 100,
        "disk_mb_end": end.disk_mb,
    }


def levels(server: Server) -> dict[str, Any]:
    """Start, peak, end of what a server took, and the slope of its later three quarters."""
    return {
        name: {
            "start": getattr(server.samples[0], name),
            "peak": max(getattr(taken, name) for taken in server.samples),
            "end": getattr(server.samples[-1], name),
            "slope_per_hour": slope(server, name),
        }
        for name in ("rss_mb", "files", "threads")
    }


def slope(server: Server, name: str) -> float:
    """The line through what was seen, per hour; the first quarter, when caches fill, is left out."""
    later = server.samples[len(server.samples) // 4 :]
    seen = [(taken.at_s / 3600, float(getattr(taken, name))) for taken in later]
    return float(np.polyfit(*zip(*seen, strict=True), 1)[0]) if len(seen) > 2 else math.nan


def fairness(answered: list[list[float]]) -> float:
    """Jain's index of how many answers each reader has at the moment when the first one has all of them.

    Args:
        answered: For each reader, when the answers came; as many for everyone.

    >>> fairness([[1.0, 2.0], [1.5, 3.0]]), fairness([[1.0, 2.0], [4.0, 6.0]])
    (0.9, 0.5)
    """
    first = min(times[-1] for times in answered)
    return jain([float(sum(at <= first for at in times)) for times in answered])


def jain(shares: list[float]) -> float:
    """Jain's index of fairness: 1 if all have the same share, 1/n if one has all.

    >>> jain([2.0, 2.0]), jain([1.0, 0.0])
    (1.0, 0.5)
    """
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


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


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {"median": math.nan, "p95": math.nan, "max": math.nan}
    median, p95 = (float(value) for value in np.percentile(values, (50, 95)))
    return {"median": median, "p95": p95, "max": max(values)}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next(
        (line.partition(":")[2].strip() for line in lines if line[:10] == "model name"), platform.machine()
    )


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
