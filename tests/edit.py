"""Damage a text file on purpose."""

from collections.abc import Callable
from pathlib import Path


def edit_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    """Change one line, counted from 1, of a file."""
    lines = path.read_text().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    path.write_text("".join(lines))
