"""Worker processes from their owner's side: started, given studies, and replaced when one ends."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mura_core.batch.columns import failed_outcome
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = (sys.executable, "-m", "mura_core.batch.worker")
LIMIT_S = 120.0
"""A study that has taken this long, and as long again for each of its files, is given up."""

_ROOT = Path(__file__).resolve().parents[2]
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Worker:
    """One worker process. Not safe among threads: each thread has its own."""

    def __init__(
        self,
        weights: Path | None,
        device: str,
        *,
        command: Sequence[str] = COMMAND,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Start nothing yet.

        Args:
            weights: Weights folder; None for the default.
            device: As the Predictor takes it.
            command: What to start; tests give another.
            limit_s: See `LIMIT_S`.
        """
        self._order = {"weights": str(weights.resolve()) if weights else None, "device": device}
        self._command, self._limit_s = command, limit_s
        self._process: subprocess.Popen[str] | None = None
        self._model: dict[str, Any] = {}
        self._closed = False

    def read(self, files: Sequence[str]) -> dict[str, Any]:
        """Read one study, whatever happens to the process.

        A file on which the process ends is left out and named in the outcome; the others are read again.

        Args:
            files: Paths.

        Returns:
            As `reader.read_study`.

        Raises:
            MuraError: The process cannot be started, or the weights cannot be loaded.
        """
        lost: dict[int, str] = {}
        start = time.perf_counter()
        while True:
            process = self._running()
            at, message = self._exchange(process, {"files": list(files), "lost": lost}, len(files))
            if "outcome" in message:
                outcome: dict[str, Any] = message["outcome"]
                return outcome
            reason = self._how_it_ended(process)
            if at is None:
                return failed_outcome(len(files), lost, reason, self._model, time.perf_counter() - start)
            lost[at] = reason

    def close(self) -> None:
        """End the process, whatever it is at; no other is started."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            with suppress(OSError):
                _pipe(self._process.stdin).close()
            self._process.kill()
            self._process.wait()
            _pipe(self._process.stdout).close()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        if self._closed:
            raise MuraError("The worker was closed.")
        self._end()
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603 - this package's own module
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # an interrupt from the keyboard is its owner's to handle
        )
        _, message = self._exchange(self._process, self._order, 10)
        if "ready" not in message:
            reason = message.get("refused") or f"A worker did not start: {self._how_it_ended(self._process)}"
            self._end()
            raise MuraError(reason)
        self._model = message["ready"]
        return self._process

    def _exchange(
        self, process: subprocess.Popen[str], order: dict[str, Any], files: int
    ) -> tuple[int | None, dict[str, Any]]:
        """Send a line; return what the process was last at, and its answer, empty where it ended instead."""
        at: int | None = None
        timer = threading.Timer(self._limit_s * (1 + files), process.kill)
        timer.start()
        try:
            with suppress(BrokenPipeError):
                print(json.dumps(order), file=_pipe(process.stdin), flush=True)
            for line in _pipe(process.stdout):
                message: dict[str, Any] = json.loads(line)
                if "at" not in message:
                    return at, message
                at = message["at"]
        finally:
            timer.cancel()
        return at, {}

    def _how_it_ended(self, process: subprocess.Popen[str]) -> str:
        code = process.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return (
            f"The process that read it ended {how} (a decoder's crash, too little memory, or over "
            f"{self._limit_s:.0f} s a file). Read it by itself."
        )


def read_all(workers: Sequence[Worker], orders: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Any]]:
    """Let workers read studies side by side.

    Args:
        workers: One thread is started for each.
        orders: (number, paths) of each study; drawn as workers become free.

    Yields:
        (number, outcome) in the order in which they are done.

    Raises:
        MuraError: A worker cannot be started.
    """
    done: queue.Queue[tuple[int, Any]] = queue.Queue()
    lock, stop = threading.Lock(), threading.Event()

    def work(worker: Worker) -> None:
        try:
            while not stop.is_set():
                with lock:
                    order = next(orders, None)
                if order is None:
                    break
                done.put((order[0], worker.read(order[1])))
            done.put((-1, None))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            done.put((-1, error))

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        working = len(threads)
        while working:
            number, outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            if number < 0:
                working -= 1
            else:
                yield number, outcome
    finally:
        stop.set()
        for worker in workers:
            worker.close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise MuraError("A worker has no pipe to its owner.")
    return stream
