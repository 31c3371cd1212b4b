"""Where uploads lie until they are read: a folder of this server alone, readable by its owner alone.

Gradio deletes what it has taken in, but not what it began to take in when a connection broke, and nothing
after a kill. The folder is emptied by age, and removed at the end or by the next server.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from demo.handlers import IDLE_S

if TYPE_CHECKING:
    import gradio as gr

STALLED_S = 60
"""A file that is still being sent grows more often than this."""

LEAST_FREE_BYTES = 1 << 30
MOST_WAITING_BYTES = 4 << 30

_PREFIX = "mura-uploads-"


class UploadFolder:
    """The folder of one server.

    Attributes:
        path: Where it is.
    """

    def __init__(self) -> None:
        """Make it where Gradio would put uploads."""
        # The folder above may be shared with other Gradio apps, and with other people.
        above = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
        above.mkdir(parents=True, exist_ok=True)
        _remove_left(above)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=above))
        self._lock = _locked(self.path)
        os.environ["GRADIO_TEMP_DIR"] = str(self.path)
        self._above = above

    def take_in(self, ui: gr.Blocks) -> None:
        """Let an app that is not launched yet put its uploads here."""
        for block in (ui, *ui.blocks.values()):
            # Gradio copies uploads to there; from the same place to the same place it copies nothing.
            block.GRADIO_CACHE = str(self.path)

    def sweep(self, now: float | None = None) -> None:
        """Delete what nobody took: broken off uploads soon, whole ones when they have waited long enough.

        Args:
            now: Seconds since the epoch; None for the present.
        """
        now = time.time() if now is None else now
        for path in self._files():
            # Gradio writes into the folder itself, and moves what is whole to a folder named after it.
            limit = STALLED_S if path.parent == self.path else IDLE_S
            with suppress(OSError):
                if now - path.lstat().st_mtime > limit:
                    path.unlink()
        for folder in self.path.iterdir():
            with suppress(OSError):
                # One that holds a file stays, and so does one that was just made for a file.
                if now - folder.lstat().st_mtime > STALLED_S:
                    folder.rmdir()

    def is_full(self) -> bool:
        """Whether another upload has to wait: those there take too much, or the disk is nearly full."""
        waiting = 0
        for path in self._files():
            with suppress(OSError):
                waiting += path.lstat().st_size
        return waiting > MOST_WAITING_BYTES or shutil.disk_usage(self.path).free < LEAST_FREE_BYTES

    def remove(self) -> None:
        """Delete it with all that is in it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        shutil.rmtree(self.path, ignore_errors=True)
        os.environ["GRADIO_TEMP_DIR"] = str(self._above)

    def _files(self) -> list[Path]:
        # Unlike `rglob`, `walk` does not mind that others take files and folders away meanwhile.
        found = [
            Path(folder, name) for folder, *names in os.walk(self.path) for some in names for name in some
        ]
        return [path for path in found if path.is_symlink() or not path.is_dir()]


def _remove_left(above: Path) -> None:
    """Remove the folders of servers that were killed."""
    for folder in above.glob(_PREFIX + "*"):
        lock = _locked(folder)
        if lock is not None:
            os.close(lock)
            shutil.rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> int | None:
    """Hold a folder that no other process holds, for as long as this one lives; None where that fails."""
    try:
        import fcntl
    except ImportError:
        # Windows keeps no such promise; what a killed server left stays there.
        return None
    try:
        kept = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(kept)
        return None
    return kept
