"""The process that tries files, from its owner's side: limited, and started anew when it dies."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from benchmarks.hostile.judge import order

if TYPE_CHECKING:
    from types import TracebackType

CPU_S = 5.0
"""For one file. The slowest that is read, 64 million pixels of RGBA, takes 3 s of one core."""

HANG_S = 300.0
"""After which a process that does not answer is ended; of the clock, so it leaves a busy machine its time."""

MEMORY_MIB = 1536.0
"""Peak growth for one file. A whole film of 64 million pixels has 128 MiB of values and 256 of pixels, and
its decoder as much again; a public machine of 16 GiB reads some at a time."""

SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc then ends a process that has written over its memory, where it might get away with it.
    "LD_PRELOAD": "libc_malloc_debug.so.0",
    "MALLOC_CHECK_": "3",
}
"""Of the environment in which files are tried. Systems without that library ignore it."""

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-W", "error", "-m", "benchmarks.hostile.judge")


@dataclass(frozen=True)
class Verdict:
    """What came of one file.

    Attributes:
        outcome: As `judge.try_file` gives it, or "finding".
        finding: What is wrong, "" if nothing is.
        cpu_s: CPU time of the reading.
        peak_mib: Growth of the process's resident memory at its peak.
        deaths: Crashes that `mura_core.gdcm_frames` contained; they are no findings.
    """

    outcome: str
    finding: str
    cpu_s: float
    peak_mib: float
    deaths: int = 0


def broken_limit(answer: dict[str, Any]) -> str:
    """Give what is wrong with an answer of `judge.measured`, or which limit it broke; "" if nothing."""
    if answer["finding"]:
        return str(answer["finding"])
    if answer["cpu_s"] > CPU_S:
        return f"slow: {answer['cpu_s']:.1f} s; at most {CPU_S} s"
    if answer["peak_mib"] > MEMORY_MIB:
        return f"memory: {answer['peak_mib']:.0f} MiB; at most {MEMORY_MIB:.0f} MiB"
    return ""


class Cage:
    """One process in which files are tried; a file on which it dies is a finding."""

    def __init__(self, keep: Path | None = None) -> None:
        """Start nothing yet.

        Args:
            keep: A folder for the files of findings, named by kind and hash; None keeps none.
        """
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def __enter__(self) -> Cage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def try_file(self, kind: str, data: bytes) -> Verdict:
        """Try a file, within the limits of time and memory."""
        answer = self._exchange(order(kind, data))
        finding = broken_limit(answer)
        outcome = "finding" if finding else answer["outcome"]
        verdict = Verdict(outcome, finding, answer["cpu_s"], answer["peak_mib"], answer["deaths"])
        if verdict.finding and self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
            (self._keep / f"{kind}-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
        return verdict

    def _exchange(self, message: bytes) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101
        start = time.monotonic()
        try:
            process.stdin.write(message)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], HANG_S)
            line = process.stdout.readline() if ready else b""
        except BrokenPipeError:
            line = b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        took = time.monotonic() - start
        finding = f"hang: no answer after {took:.0f} s" if took >= HANG_S else self._last_words()
        self._end()
        return {"outcome": "finding", "finding": finding, "cpu_s": took, "peak_mib": 0.0, "deaths": 0}

    def _last_words(self) -> str:
        assert self._process is not None  # noqa: S101 - for the type checker
        assert self._said is not None  # noqa: S101
        code = self._process.wait(HANG_S)
        name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        self._said.seek(0)
        return f"crash: {name} {self._said.read().decode(errors='replace')[-500:]}".strip()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
            self._process = subprocess.Popen(  # noqa: S603 - this project's own module
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                cwd=_ROOT,
                env={**os.environ, **SETTINGS},
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._said is not None:
            self._said.close()
            self._said = None
