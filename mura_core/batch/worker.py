"""A process that reads studies, one at a time, and says what it is at: `python -m mura_core.batch.worker`.

Lines of JSON come in on its standard input and go out on its standard output. A file that ends the process
(a decoder's crash, no memory left) thereby costs one file, and its owner knows which.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO, Any

from mura_core.errors import MuraError


def main() -> None:
    """Load the weights that the first line names, then read the studies of the others until they end."""
    # What a library prints must not come between the lines.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        serve(sys.stdin, out)


def serve(lines: IO[str], out: IO[str]) -> None:
    """Answer line by line; see `main`."""

    def say(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=out, flush=True)

    first = lines.readline()
    if not first:
        return
    order = json.loads(first)
    try:
        predictor = _load(order["weights"], order["device"])
    except MuraError as error:
        say({"refused": str(error)})
        return
    from mura_core.batch.reader import model_facts, read_study

    say({"ready": model_facts(predictor)})
    for line in lines:
        order = json.loads(line)
        lost = {int(index): reason for index, reason in order["lost"].items()}
        say({"outcome": read_study(predictor, order["files"], lost, lambda index: say({"at": index}))})


def _load(weights: str | None, device: str) -> Any:
    import cv2

    from mura_core.predictor import Predictor

    # Several processes share the cores, and sums come out the same whatever the number of processes.
    cv2.setNumThreads(1)
    return Predictor.load(Path(weights) if weights else None, device, threads=1)


if __name__ == "__main__":
    main()
