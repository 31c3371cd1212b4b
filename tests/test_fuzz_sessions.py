"""Uploads and ZIPs with hostile names, sizes and lists make a session or are refused in words."""

from __future__ import annotations

import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from benchmarks.hostile.archives import raw_zip
from benchmarks.hostile.seeds import picture
from mura_core.errors import SessionError
from mura_core.review import archive
from mura_core.review.cases import open_cases
from mura_core.review.uploads import create_from_uploads, safe_parts

if TYPE_CHECKING:
    from pathlib import Path

PNG = picture("PNG", "L")


@pytest.mark.parametrize(
    "names",
    [
        ["a/b.png", "a"],
        ["d/" * 3000 + "a.png"],
        ["\U0001f9b4" * 90 + ".png"],
        ["\uac00" * 100 + ".png"],
        ["\0\0", "...", "..", "/"],
        ["../../../etc/passwd", "C:\\a.png", "\\\\host\\share\\a.png"],
    ],
    ids=["folder, then file", "deep", "bones", "korean", "nothing", "outside"],
)
def test_films_of_any_name_make_a_session_inside_its_folder(tmp_path: Path, names: list[str]) -> None:
    with create_from_uploads(tmp_path / "s", "May", [(name, PNG) for name in names]) as store:
        assert sum(len(case.views) for case in store.cases) == len(names)
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "s")]
    assert not outside
    assert max(len(part.encode()) for name in names for part in safe_parts(name)) <= 255


def test_a_name_given_as_file_and_as_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="a was given as a file and as a folder"):
        create_from_uploads(tmp_path, "May", [("a", PNG), ("a/b.png", PNG)])
    assert not list(tmp_path.iterdir())


def test_two_thousand_files_of_one_name_take_no_long_search(tmp_path: Path) -> None:
    start = time.process_time()
    with pytest.raises(SessionError, match="no radiograph of a known kind"):
        create_from_uploads(tmp_path, "May", [("a/a.png", b"text")] * 2000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([("a.png", 0, 4, 0, b"text"), ("b.png", 0, 4, 0, None)], "'b.png' in .* lies over another file"),
        ([("a.png", 14, 4, 0, b"text")], "packed in an unusual way"),
        ([("a.png", 12, 4, 0, b"text")], "packed in an unusual way"),
        ([("x" * 600, 0, 4, 0, b"text")], "has a name of 600 letters"),
        ([("", 0, 4, 0, b"text"), (".", 0, 4, 0, b"text")], "no radiograph of a known kind"),
        ([("\x1b[31m.png", 8, 4, 0, b"\xff")], r"'\[31m.png' in .* cannot be unpacked"),
    ],
    ids=["overlap", "LZMA", "bzip2", "long name", "no name", "control characters"],
)
def test_a_zip_that_lies_or_bombs_is_refused_by_what_was_found(
    tmp_path: Path, entries: list[tuple[str, int, int, int, bytes | None]], found: str
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip(entries))
    with pytest.raises(SessionError, match=found) as refusal:
        open_cases(path)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 1000


def test_a_long_list_of_files_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(raw_zip([("a", 0, 0, 0, b""), *[("x" * 60, 0, 0, 0, None)] * 100]))
    monkeypatch.setattr(archive, "_MAX_LIST_BYTES", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda _: pytest.fail("read"))
    with pytest.raises(SessionError, match="too many files"):
        open_cases(path)
