"""Folders and ZIPs of films for tests of what becomes a case."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from mura_core.review.cases import Source
from tests.radiograph_files import phantom, png_bytes

if TYPE_CHECKING:
    from pathlib import Path

FILM = phantom(96, 80)
PNG = png_bytes(FILM)


def put(folder: Path, *names: str, content: bytes = PNG) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def zip_of(path: Path, *names: str, content: bytes = PNG) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, content)
    return path


def views(source: Source) -> dict[str, tuple[str, ...]]:
    return {case.case_id: case.views for case in source.cases}


def reasons(source: Source) -> dict[str, str]:
    return {entry.name: entry.reason for entry in source.refused}
