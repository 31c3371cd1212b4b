"""JPEG lossless and JPEG-LS frames for pydicom, decoded by GDCM in a process of its own, which may crash."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.uid import JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless

from mura_core.gdcm_process import receive, send

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

DECODER_DEPENDENCIES = dict.fromkeys(
    (JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless), ("gdcm>=3.0.10",)
)
COMMAND = (sys.executable, "-m", "mura_core.gdcm_process")
LIMIT_S = 20.0
"""For one frame, the start of the process included; a film of 10 million pixels takes half a second."""

PIPE_BYTES = 1024**2
"""Asked of Linux, which gives 64 KiB otherwise; a film is handed over in a few turns instead of a hundred."""

_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",  # it may write no file
    # glibc would give the memory of every film back, and fetch it anew for the next: a quarter of the time.
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024**2),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),  # it takes no more
}

_ROOT = Path(__file__).resolve().parents[1]
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "PYTHONHOME")
"""Of the environment: a process that hostile bytes may take over gets no token and no password."""


class DecoderProcess:
    """The process, started for the first frame, used for all of them, and started anew where it ended."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.deaths = 0
        """Frames on which it ended or was ended."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, facts: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
        """Decode a frame.

        Args:
            facts: "syntax" and pydicom's "options".
            frame: The compressed frame.

        Returns:
            The options that decoding changed, and the samples.

        Raises:
            ValueError: The frame cannot be decoded, whether with an error, a crash, or too late.
            OSError: The process cannot be started.
        """
        with self._lock:
            process = self._running()
            timer = threading.Timer(LIMIT_S, process.kill)
            timer.start()
            try:
                answer = self._exchange(process, facts, frame)
            finally:
                timer.cancel()
            if answer is None:
                self.deaths += 1
                self._end()
                raise ValueError("the decoder ended")
        if "error" in answer[0]:
            raise ValueError(answer[0]["error"])
        return answer[0]["changed"], answer[1]

    def close(self) -> None:
        """End the process; the next frame starts another."""
        with self._lock:
            self._end()

    def _exchange(
        self, process: subprocess.Popen[bytes], facts: dict[str, Any], frame: bytes
    ) -> tuple[dict[str, Any], bytes] | None:
        if process.stdin is None or process.stdout is None:
            return None
        with suppress(BrokenPipeError):
            send(process.stdin, facts, frame)
            return receive(process.stdout)
        return None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603 - this package's own module
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # GDCM prints what it finds in the file
            env={**kept, **_SETTINGS, "PYTHONPATH": os.pathsep.join(paths)},
            pipesize=PIPE_BYTES,
            start_new_session=True,  # an interrupt from the keyboard is its owner's to handle
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


DECODER = DecoderProcess()
atexit.register(DECODER.close)


def is_available(uid: str) -> bool:
    """Say whether this decodes a transfer syntax, as pydicom asks each decoder."""
    return uid in DECODER_DEPENDENCIES


def decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode a frame, as pydicom asks each decoder.

    Args:
        src: The frame.
        runner: pydicom's facts about it; those that GDCM corrects are changed.

    Raises:
        ValueError: The frame cannot be decoded.
        OSError: The process cannot be started.
    """
    options = {name: value for name, value in runner.options.items() if isinstance(value, (bool, int, str))}
    changed, samples = DECODER.decode({"syntax": str(runner.transfer_syntax), "options": options}, src)
    for name, value in changed.items():
        runner.set_option(name, value)
    return samples
