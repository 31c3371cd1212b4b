"""A study of an archive, on its way through the predict command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from mura_core.pacs.dicomweb import Archive
    from mura_core.reading import Reading

MOST_FILMS = 12
"""Films of one archived study that are read."""


def fetch(url: str, uid: str) -> Reading:
    """Fetch a study's films and read them as the predict command reads files.

    Raises:
        MuraError: The archive does not give them.
    """
    from mura_core.errors import ImageError
    from mura_core.images import read_radiograph
    from mura_core.reading import Reading
    from mura_core.study import View

    read, contents, views, refused = [], [], [], []
    for name, content in open_archive(url).fetch_study(uid, MOST_FILMS):
        try:
            views.append(View(name, read_radiograph(content)))
            read.append(name)
            contents.append(content)
        except ImageError as error:
            refused.append((name, str(error)))
    return Reading(tuple(read), tuple(contents), tuple(views), tuple(refused))


def store(url: str, uid: str, results: Sequence[Dataset]) -> None:
    """Store a study's results in the archive that it came from.

    Raises:
        MuraError: The archive does not take every one.
    """
    from mura_core.pacs.results import encode

    open_archive(url).store(encode(results), uid)


def open_archive(url: str) -> Archive:
    """Open the archive at an address, and say on stderr where the way to it is not encrypted.

    Raises:
        MuraError: The address or the credentials cannot be used.
    """
    from mura_core.pacs.connection import travels_in_the_open
    from mura_core.pacs.dicomweb import Archive

    archive = Archive(url)
    if travels_in_the_open(url):
        print(
            "The archive's address is not https: films and names cross the network unencrypted.",
            file=sys.stderr,
        )
    return archive
