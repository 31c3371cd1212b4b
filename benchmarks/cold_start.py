"""From nothing to an answer: a process of its own for each contestant, and for the app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load_films import Sent
from benchmarks.load_reader import find_endpoints, opened
from benchmarks.load_server import served
from benchmarks.speed_films import draw_files
from demo.turns import REST_S

VIEWS = 4
TRIES = 3

_RESULT = """
import sys, time
from pathlib import Path
from benchmarks.contestants import build
name, weights, *files = sys.argv[1:]
contestant = build(name, Path(weights) if weights else None)
contestant.run([Path(file) for file in files])
print(time.time())
contestant.run([Path(file) for file in files])
# Not getrusage: its peak may be that of the process this one was started from.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""


def first_result(name: str, files: list[Path], weights: Path | None) -> dict[str, float]:
    """Start a contestant: time from the start of its process to its first result, and its peak memory."""
    start = time.time()
    done = subprocess.run(  # noqa: S603 - this very benchmark
        [sys.executable, "-c", _RESULT, name, str(weights or ""), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
    )
    at, peak_bytes = map(float, done.stdout.split()[-2:])
    return {"first_result_ms": 1e3 * (at - start), "peak_mb": peak_bytes / 1e6}


def first_answer(weights: Path | None) -> dict[str, Any]:
    """Start the app: seconds to its first page and to the first call, memory at the answer and after a rest.

    Each the median of `TRIES`; the page is asked for ten times a second until it comes.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = draw_files(Path(folder), "png", VIEWS)
        # Which numbers come back is not looked at here.
        sent = Sent(tuple((path.name, path.read_bytes()) for path in files), (0.0,) * VIEWS)
        tries = [_start_app(weights, sent) for _ in range(TRIES)]
    return {"views": VIEWS} | {key: sorted(one[key] for one in tries)[TRIES // 2] for key in tries[0]}


def _start_app(weights: Path | None, sent: Sent) -> dict[str, float]:
    start = time.perf_counter()
    command = ["app.py", *(["--weights", str(weights)] if weights else [])]
    with served(command) as server:
        page_s = time.perf_counter() - start
        answer_s = asyncio.run(_ask(server.address, sent, start))
        answered_mb = server.look().rss_mb
        # What the study freed goes back to the system after a rest; the study stays open.
        time.sleep(REST_S + 2)
        rested_mb = server.look().rss_mb
        return {
            "first_page_s": page_s,
            "first_answer_s": answer_s,
            "rss_mb": answered_mb,
            "rested_mb": rested_mb,
        }


async def _ask(address: str, sent: Sent, start: float) -> float:
    async with (
        httpx.AsyncClient(base_url=f"{address}gradio_api/", timeout=None) as http,  # noqa: S113
        opened(http, await find_endpoints(http, address)) as page,
    ):
        before = time.perf_counter() - start
        outcome = await page.read(sent)
        if outcome.trouble:
            raise RuntimeError(f"The app gave no answer: {outcome.trouble}")
        # What the page took up to the heatmaps, less what came after the call.
        return before + outcome.whole_s - (outcome.maps_s - outcome.verdict_s)
