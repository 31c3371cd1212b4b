"""A real disk of a few hundred kilobytes, for what happens when it is full or read-only."""

from __future__ import annotations

import errno
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk in memory; a test that may not mount is skipped."""
    folder.mkdir()
    made = _run("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder))
    if made is None or made.returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield folder
    finally:
        _run("umount", "--lazy", str(folder))


def make_read_only(folder: Path) -> None:
    """Let nobody write to a mounted disk, root included."""
    done = _run("mount", "-o", "remount,ro", str(folder))
    assert done is not None
    assert done.returncode == 0, done.stderr


def make_room(folder: Path, kilobytes: int) -> None:
    """Let a mounted disk be larger from now on."""
    done = _run("mount", "-o", f"remount,size={kilobytes}k", str(folder))
    assert done is not None
    assert done.returncode == 0, done.stderr


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a disk with one file, but for `leave` bytes; gives the file."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        file.truncate(max(0, file.tell() - leave))
    return filler


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
