"""What is done already, one line a study, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from mura_core.errors import MuraError


class Journal:
    """A file beside the results to which each study's outcome is added as soon as it is there.

    A line that a kill cut short is dropped when the file is opened again. Later lines of a study stand before
    earlier ones. Only one run at a time can have it open.
    """

    def __init__(self, results: Path) -> None:
        """Open or make the journal of a results file.

        Raises:
            MuraError: It cannot be written, or another run has it open.
        """
        self.path = results.with_name(results.name + ".journal")
        self._places: dict[str, tuple[int, str, bool]] = {}
        try:
            results.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("a+b")
        except OSError as error:
            raise MuraError(
                f"{self.path} cannot be written ({error.strerror}). Choose another place with --out."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise MuraError(
                f"Another run is writing {results}. Wait for it, or choose another name with --out."
            ) from None
        self._end = self._index()

    def close(self) -> None:
        """Let another run have it."""
        # What a full disk did not take is tried again here; `add` has told of it.
        with suppress(OSError):
            self._file.close()

    def has(self, study: str, key: str) -> bool:
        """Tell whether a study's last outcome is final and was made from the same files by the same model."""
        place = self._places.get(study)
        return place is not None and place[1:] == (key, True)

    def add(self, study: str, key: str, outcome: dict[str, Any]) -> None:
        """Keep an outcome; it is on the disk when this returns.

        Raises:
            MuraError: The disk is full or gone.
        """
        line = json.dumps({"study": study, "key": key, "outcome": outcome}).encode() + b"\n"
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise MuraError(
                f"{self.path} cannot be written ({error.strerror}). Make room and run the same command again."
            ) from error
        self._places[study] = (self._end, key, bool(outcome["final"]))
        self._end += len(line)

    def outcome(self, study: str) -> dict[str, Any] | None:
        """Give a study's last outcome, None where there is none."""
        place = self._places.get(study)
        if place is None:
            return None
        self._file.seek(place[0])
        found: dict[str, Any] = json.loads(self._file.readline())["outcome"]
        return found

    def _index(self) -> int:
        """Note where each study's last line begins; cut off what follows the last whole line."""
        self._file.seek(0)
        end = 0
        for line in self._file:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
                place = (end, entry["key"], bool(entry["outcome"]["final"])) if entry else None
            except (ValueError, KeyError, TypeError):
                place = None
            if not line.endswith(b"\n"):
                break
            if place and entry:
                self._places[entry["study"]] = place
            end += len(line)
        self._file.truncate(end)
        return end
