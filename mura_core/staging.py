"""Results on disk that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_whole(path: Path, content: bytes) -> None:
    """Write one file: until all of it is on the disk, an earlier file of its name stays as it is.

    Args:
        path: Where; its folder exists, and nobody else writes this file meanwhile.
        content: What.

    Raises:
        OSError: It cannot be written; nothing of it is left.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A full disk is reported without the file's name.
            error.filename = str(path)
        raise


class Staging:
    """A folder inside the folder to write to, where files are completed before they take their names.

    Entering it finds out whether the folder can be written to, before the work whose results go there.

    Raises:
        MuraError: It cannot.
    """

    def __init__(self, out: Path) -> None:
        self._out = out

    def __enter__(self) -> Staging:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._out))
        except OSError as error:
            raise self._refusal(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Write all files, then give them their names; on a failure while writing no name has changed.

        Args:
            files: Content by file name.

        Raises:
            MuraError: They cannot be written.
        """
        try:
            for name, content in files.items():
                write_whole(self._folder / name, content)
            for name in files:
                (self._folder / name).replace(self._out / name)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> MuraError:
        return MuraError(
            f"The report cannot be written to {self._out} ({error.strerror}). Expected a folder that can be "
            "written to, with space left: choose another with --out."
        )
