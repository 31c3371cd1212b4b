"""A contestant in a process of its own, so that none meets the memory or the threads that another leaves."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


class Apart:
    """A contestant somewhere else, as a context; it is made at the beginning and ends with it."""

    def __init__(self, name: str, weights: Path | None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._line, there = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(name, weights, there), daemon=True)

    def __enter__(self) -> Apart:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._line.send(None)
        self._process.join()

    def seconds(self, files: list[Path]) -> float:
        """Time one run there, the second of two."""
        taken: float = self._ask("run", files)
        return taken

    def stages(self, files: list[Path]) -> dict[str, float]:
        """Time its stages there."""
        taken: dict[str, float] = self._ask("stages", files)
        return taken

    def _ask(self, what: str, files: list[Path]) -> Any:
        self._line.send((what, files))
        return self._line.recv()


def _serve(name: str, weights: Path | None, line: Connection) -> None:
    from benchmarks.contestants import PEERS, build
    from mura_core.glibc import share_arenas

    if name not in PEERS:
        # As the app does before it takes memory.
        share_arenas()
    contestant = build(name, weights)
    while (order := line.recv()) is not None:
        what, files = order
        # Untimed: while the others had their turns, this process's memory and caches went cold.
        contestant.run(files)
        start = time.perf_counter()
        if what == "run":
            contestant.run(files)
            line.send(time.perf_counter() - start)
        else:
            line.send(contestant.stages(files))
