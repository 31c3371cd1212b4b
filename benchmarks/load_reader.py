"""One reader's page, as the server sees it: heartbeat, uploads, place in the line, answers."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from gradio_client.utils import apply_diff

from benchmarks.load_films import APART

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from benchmarks.load_films import Sent

TOLERANCE = APART / 2
"""How far a probability may be from that of the same film read alone: other batches, other roundings."""


@dataclass
class Outcome:
    """What became of one study.

    Attributes:
        films_s: From the button to the films, seconds; as the next two, of the try that was not refused.
        verdict_s: To the call.
        maps_s: To the heatmaps.
        whole_s: From dropping the files to the heatmaps, with every try.
        busy: How often the line was full.
        places: The places in line that were shown, in order.
        trouble: Empty, or what went wrong.
        mixed: Whether the answer was somebody else's.
    """

    films_s: float = 0.0
    verdict_s: float = 0.0
    maps_s: float = 0.0
    whole_s: float = 0.0
    busy: int = 0
    places: list[int] = field(default_factory=list)
    trouble: str = ""
    mixed: bool = False


class ReaderPage:
    """One open page. Talks as the browser does: uploads, then events in a queue, answered over one stream."""

    def __init__(self, http: httpx.AsyncClient, endpoints: dict[str, int]) -> None:
        self.session = secrets.token_hex(6)
        self._http = http
        self._endpoints = endpoints

    async def read(self, sent: Sent) -> Outcome:
        """Drop a study, have it analysed, come again when told to, look whose answer it is. Never raises."""
        outcome, start = Outcome(), time.perf_counter()
        try:
            await self._drop(sent)
            while (again_s := await self._analyse(sent, outcome)) > 0:
                outcome.busy += 1
                await asyncio.sleep(again_s)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is what is counted
            outcome.trouble = f"{type(error).__name__}: {error}"[:200]
        outcome.whole_s = time.perf_counter() - start
        return outcome

    async def leave_early(self, sent: Sent, after_s: float) -> str:
        """Drop a study, press the button, be gone before it is read; gives what went wrong, if anything."""
        try:
            await self._drop(sent)
            await asyncio.wait_for(self._analyse(sent, Outcome()), after_s)
        except TimeoutError:
            return ""
        except Exception as error:  # noqa: BLE001 - as in `read`
            return f"{type(error).__name__}: {error}"[:200]
        return ""

    async def beat(self) -> None:
        """Keep the page open, until cancelled."""
        async with self._http.stream("GET", f"heartbeat/{self.session}") as answer:
            async for _ in answer.aiter_bytes():
                pass

    async def _drop(self, sent: Sent) -> None:
        form = [("files", (name, content)) for name, content in sent.files]
        paths = (await self._http.post("upload", files=form)).raise_for_status().json()
        uploads = [
            {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
            for path, (name, _) in zip(paths, sent.files, strict=True)
        ]
        waiting: dict[str, Any] = {}
        async for answer in self._ask("add", [uploads, None]):
            waiting = next((part for part in answer if isinstance(part, dict) and "refused" in part), {})
        names = [file["name"] for file in waiting.get("files", [])]
        if names != [name for name, _ in sent.files]:
            raise ValueError(f"dropped {len(sent.files)} files, and {waiting} wait")

    async def _analyse(self, sent: Sent, outcome: Outcome) -> float:
        """One try; gives after how many seconds to come again, or 0."""
        start, shown = time.perf_counter(), {}
        outcome.films_s = outcome.verdict_s = outcome.maps_s = 0.0
        async for answer in self._ask("analyse", [None]):
            shown, spent_s = answer[0], time.perf_counter() - start
            if "place" in shown:
                outcome.places.append(shown["place"])
            if shown["views"] and not outcome.films_s:
                outcome.films_s = spent_s
            if shown["verdict"] and not outcome.verdict_s:
                outcome.verdict_s = spent_s
            if shown["verdict"] and shown["views"][0]["result"]["heatmap"] and not outcome.maps_s:
                outcome.maps_s = spent_s
        if shown.get("again_s"):
            return float(shown["again_s"])
        if shown["error"] or shown["refused"] or not shown["verdict"]:
            raise ValueError(f"no call: {shown['error'] or shown['refused']}")
        outcome.mixed = not _is_of(shown["views"], sent)
        return 0.0

    async def _ask(self, name: str, data: list[Any]) -> AsyncIterator[list[Any]]:
        """Put an event into the server's queue; gives its answers, each whole."""
        event = {"data": data, "fn_index": self._endpoints[name], "session_hash": self.session}
        (await self._http.post("queue/join", json=event)).raise_for_status()
        last: list[Any] = []
        async for message in self._messages():
            if message["msg"] == "process_generating":
                sent = message["output"]["data"]
                last = [apply_diff(old, new) for old, new in zip(last, sent, strict=True)] if last else sent
                yield last
            if message["msg"] == "process_completed":
                if not message["success"]:
                    raise ValueError(f"the server failed: {message['output']}")
                yield message["output"]["data"]
            if message["msg"] in ("unexpected_error", "server_stopped"):
                raise ValueError(f"the server said {message}")

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        where = {"session_hash": self.session}
        async with self._http.stream("GET", "queue/data", params=where) as answer:
            answer.raise_for_status()
            kept, seen = bytearray(), 0
            async for part in answer.aiter_bytes():
                kept += part
                while (end := kept.find(b"\n\n", seen)) >= 0:
                    message, seen = bytes(kept[:end]), 0
                    del kept[: end + 2]
                    yield orjson.loads(message.removeprefix(b"data: "))
                seen = max(0, len(kept) - 1)


@asynccontextmanager
async def opened(http: httpx.AsyncClient, endpoints: dict[str, int]) -> AsyncIterator[ReaderPage]:
    """Open a page, and close it at the end."""
    page = ReaderPage(http, endpoints)
    beating = asyncio.create_task(page.beat())
    try:
        yield page
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await beating


async def find_endpoints(http: httpx.AsyncClient, address: str) -> dict[str, int]:
    """The number of each event that has a name."""
    config = (await http.get(f"{address}config")).raise_for_status().json()
    return {event["api_name"]: event["id"] for event in config["dependencies"] if event["api_name"]}


def _is_of(views: list[dict[str, Any]], sent: Sent) -> bool:
    """Whether an answer has the names and probabilities of just these films, in their order."""
    if [view["name"] for view in views] != [name for name, _ in sent.files]:
        return False
    found = [view["result"]["probability"] for view in views]
    return all(abs(one - other) <= TOLERANCE for one, other in zip(found, sent.expected, strict=True))
