"""A process that decodes JPEG lossless and JPEG-LS frames: `python -m mura_core.gdcm_process`.

GDCM writes over its memory on some damaged frames, which ends the process it runs in: here it costs one film.
`gdcm_frames` is its other side; frames come in on standard input, samples go out on standard output.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from typing import IO, Any

MEMORY_BYTES = 3 * 1024**3
"""Address space: the libraries take half a GiB of it, 64 million pixels some hundred MiB."""

LENGTHS = struct.Struct(">II")
"""In front of every message: bytes of its facts (JSON) and of its frame or samples."""


def main() -> None:
    """Decode until standard input ends."""
    _limit()
    # What a library prints must not come between the answers.
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, out)


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Answer every frame with the facts that its decoding changed and its samples, or with an error."""
    while (message := receive(source)) is not None:
        facts, frame = message
        try:
            send(sink, *_decode(facts, frame))
        except Exception as error:  # noqa: BLE001 - its owner raises it again
            send(sink, {"error": type(error).__name__}, b"")


def send(sink: IO[bytes], facts: dict[str, Any], data: bytes) -> None:
    """Write a message."""
    head = json.dumps(facts).encode()
    sink.write(LENGTHS.pack(len(head), len(data)) + head)
    sink.write(data)
    sink.flush()


def receive(source: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read a message; None where there is none, or no whole one."""
    lengths = source.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head, size = LENGTHS.unpack(lengths)
    facts, data = source.read(head), source.read(size)
    return (json.loads(facts), data) if len(data) == size and len(facts) == head else None


def _decode(facts: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
    from pydicom.pixels.decoders.base import DecodeRunner
    from pydicom.pixels.decoders.gdcm import _decode_frame
    from pydicom.uid import UID

    runner = DecodeRunner(UID(facts["syntax"]))
    runner.set_options(**facts["options"])
    before = dict(runner.options)
    samples = _decode_frame(frame, runner)
    changed = {name: value for name, value in runner.options.items() if value != before.get(name)}
    return {"changed": changed}, samples


def _limit() -> None:
    """Bound what a hostile frame can take; systems without `resource` have no such bounds."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
