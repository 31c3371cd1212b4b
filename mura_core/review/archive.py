"""A ZIP of films, read in place: nothing is unpacked to disk, and nothing in it is trusted."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from mura_core.decoding import MAX_BYTES
from mura_core.errors import SessionError
from mura_core.review.names import Entry, is_litter, natural
from mura_core.review.types import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAX_ENTRIES = 20_000
MAX_TOTAL_BYTES = 8 * 1024**3
MAX_RATIO = 300
"""Unpacked over packed size of one file; a film with a black border reaches some 50."""

_RATIO_FROM_BYTES = 1024**2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others unpack without a limit (bzip2), or take the memory that the file asks for (LZMA)."""

_MAX_LIST_BYTES = 400 * MAX_ENTRIES
"""Of the list of files, which is read before anything can be counted: some 100 bytes a file are usual."""

_HEADER_BYTES = 30
"""Of a file in front of its name and data (APPNOTE 4.3.7)."""

_MAX_NAME = 500
_MAX_SHOWN = 100
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    IndexError,
    OverflowError,
)
_AGAIN = "Make the ZIP again from the folder of studies, without a password."


class ZipFilms:
    """The files of a ZIP."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive = archive
        self._path = path

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[ZipFilms]:
        """Open a ZIP after a look at its list of files.

        Raises:
            SessionError: It is no ZIP, holds too many or too large files, an encrypted one, or one whose
                name leads out of it.
        """
        try:
            _check_list(path)
            archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise SessionError(
                f"{path} is no ZIP, or a damaged one ({type(error).__name__}). {_AGAIN}"
            ) from error
        with archive:
            _check(archive.infolist(), path)
            yield cls(archive, path)

    def entries(self) -> tuple[tuple[Entry, ...], tuple[Refused, ...]]:
        """Give the files in natural order, without what systems leave behind, and those that are refused."""
        found: dict[str, Entry] = {}
        refused = []
        for info in self._archive.infolist():
            entry = Entry(info.filename, _parts(info))
            if not entry.parts or info.is_dir() or is_litter(entry.parts):
                continue
            shown = "/".join(entry.parts)
            if stat.S_ISLNK(info.external_attr >> 16):
                refused.append(Refused(shown, "a link, which is not followed in a ZIP"))
            elif info.filename in found:
                refused.append(Refused(shown, "its name is in the ZIP twice; the first was taken"))
            else:
                found[info.filename] = entry
        return tuple(sorted(found.values(), key=lambda entry: natural(entry.parts))), tuple(refused)

    def read(self, name: str, limit: int = MAX_BYTES + 1) -> bytes:
        """Read a file's first `limit` bytes, whatever size the ZIP says it has.

        Raises:
            SessionError: There is no such file, or it cannot be unpacked.
        """
        try:
            with self._archive.open(name) as file:
                return file.read(limit)
        except KeyError:
            raise SessionError(
                f"{self._path} holds no {_shown(name)} any more. Put the session's own ZIP back."
            ) from None
        except _BROKEN as error:
            raise SessionError(
                f"{_shown(name)} in {self._path} cannot be unpacked ({type(error).__name__}). {_AGAIN}"
            ) from error


def _check(infos: list[zipfile.ZipInfo], path: Path) -> None:
    if len(infos) > MAX_ENTRIES:
        raise SessionError(
            f"{path} holds {len(infos)} files; at most {MAX_ENTRIES} are read. Split it into sessions."
        )
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL_BYTES:
        raise SessionError(
            f"{path} unpacks to {total / 1024**3:.1f} GiB; at most {MAX_TOTAL_BYTES // 1024**3} GiB fit. "
            "Split it into sessions."
        )
    for info in infos:
        _check_entry(info, path)
    _check_places(infos, path)


def _check_entry(info: zipfile.ZipInfo, path: Path) -> None:
    name = _shown(info.filename)
    if info.flag_bits & 0x1:
        raise SessionError(f"{name} in {path} is encrypted. {_AGAIN}")
    if info.compress_type not in _METHODS:
        raise SessionError(f"{name} in {path} is packed in an unusual way ({info.compress_type}). {_AGAIN}")
    if len(info.filename) > _MAX_NAME:
        raise SessionError(f"{name} in {path} has a name of {len(info.filename)} letters. {_AGAIN}")
    # Backslashes and drives count too: another system might follow them.
    windows = PureWindowsPath(info.filename)
    if windows.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise SessionError(f"{name} in {path} leads out of the ZIP: it is not safe. {_AGAIN}")
    large = info.file_size > _RATIO_FROM_BYTES
    if large and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise SessionError(
            f"{name} in {path} unpacks to {info.file_size / 1024**2:.0f} MiB from "
            f"{info.compress_size / 1024:.0f} KiB; no radiograph does. {_AGAIN}"
        )


def _check_places(infos: Sequence[zipfile.ZipInfo], path: Path) -> None:
    """Refuse files that lie over each other: a few bytes would be read as many films."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise SessionError(f"{_shown(info.filename)} in {path} lies over another file. {_AGAIN}")
        end = info.header_offset + _HEADER_BYTES + info.compress_size


def _check_list(path: Path) -> None:
    """Refuse a ZIP whose list of files is too long, before zipfile reads all of it.

    Raises:
        SessionError: It is.
        OSError, zipfile.BadZipFile: As zipfile itself does.
    """
    with path.open("rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > _MAX_LIST_BYTES:  # type: ignore[attr-defined]
        raise SessionError(
            f"{path} holds too many files; at most {MAX_ENTRIES} are read. Split it into sessions."
        )


def _shown(name: str) -> str:
    """Write a name as a message may: in quotes, without control characters, and not without end."""
    kept = "".join(letter for letter in name if letter.isprintable())
    return repr(kept if len(kept) <= _MAX_SHOWN else kept[:40] + "..." + kept[-40:])


def _parts(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """Split a name as a person reads it; old programs of Windows write backslashes, and Korean as CP949."""
    name = info.filename
    if not info.flag_bits & 0x800:
        for encoding in ("utf-8", "cp949"):
            try:
                name = name.encode("cp437").decode(encoding)
                break
            except UnicodeError:
                continue
    shown = (
        "".join(letter for letter in part if letter.isprintable()) for part in PureWindowsPath(name).parts
    )
    return tuple(part for part in shown if part)
