"""From ZIPs to cases: read like folders, and what a ZIP may not do."""

from __future__ import annotations

import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from mura_core.errors import SessionError
from mura_core.review import archive
from mura_core.review.cases import open_cases
from mura_core.review.sources import read_view
from tests.radiograph_files import jpeg_bytes
from tests.review_sources import FILM, PNG, reasons, views, zip_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_zip_is_read_like_the_folder_it_was_made_of(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "May.zip", "a/1.png", "a/2.png", "3.png", "__MACOSX/._3.png")
    source = open_cases(path)
    assert views(source) == {"3.png": ("3.png",), "a": ("a/1.png", "a/2.png")}
    assert read_view(path, source.cases[1], 1) == PNG


@pytest.mark.parametrize(("name", "wrapper"), [("May.zip", ""), ("studies.zip", "May")])
def test_a_zip_of_one_folder_of_its_own_name_holds_that_folders_content(
    tmp_path: Path, name: str, wrapper: str
) -> None:
    path = zip_of(tmp_path / name, "May/1.png", "May/2.png")
    source = open_cases(path, wrapper=wrapper)
    assert views(source) == {"1.png": ("May/1.png",), "2.png": ("May/2.png",)}
    assert read_view(path, source.cases[0], 0) == PNG
    other = zip_of(tmp_path / "other.zip", "wrist/1.png", "wrist/2.png")
    assert list(views(open_cases(other))) == ["wrist"]


@pytest.mark.parametrize(
    "name",
    ["../out.png", "a/../../out.png", "/etc/out.png", "..\\out.png", "C:\\out.png", "\\\\host\\x\\y.png"],
)
def test_a_zip_whose_names_lead_out_of_it_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SessionError, match="leads out of the ZIP"):
        open_cases(zip_of(tmp_path / "x.zip", "a/1.png", name))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "a/1.png")
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(SessionError, match="encrypted"):
        open_cases(path)


def test_a_zip_in_a_zip_and_a_link_are_named(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", "1.png").read_bytes()
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/1.png", PNG)
        file.writestr("a/more.zip", inner)
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    source = open_cases(path)
    assert views(source) == {"a": ("a/1.png",)}
    assert reasons(source).keys() == {"a/more.zip", "a/link.png"}


def test_zip_bombs_are_refused_before_anything_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = zip_of(tmp_path / "zeros.zip", "a/1.png", content=bytes(30 * 1024**2))
    with pytest.raises(SessionError, match="30 MiB from"):
        open_cases(zeros)
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    with pytest.raises(SessionError, match="4 files; at most 3"):
        open_cases(zip_of(tmp_path / "many.zip", *"abcd"))
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(SessionError, match="unpacks to"):
        open_cases(zip_of(tmp_path / "large.zip", "a/1.png", "b/1.png"))


def test_no_more_of_a_zips_file_is_unpacked_than_asked_for_or_than_it_says(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "a/1.png", content=PNG + bytes(10**6))
    with archive.ZipFilms.open(path) as films:
        assert len(films.read("a/1.png", 2000)) == 2000
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 24 : content.index(b"PK\x01\x02") + 28] = struct.pack("<I", 500)
    path.write_bytes(content)
    with archive.ZipFilms.open(path) as films, pytest.raises(SessionError, match="cannot be unpacked"):
        films.read("a/1.png")


def test_a_damaged_zip_and_a_damaged_entry_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(SessionError, match="no ZIP, or a damaged one"):
        open_cases(path)
    zip_of(path, "a/1.png", "b/1.png", content=jpeg_bytes(FILM))
    content = bytearray(path.read_bytes())
    start = content.index(b"a/1.png") + len("a/1.png")
    content[start : start + 50] = bytes(50)
    path.write_bytes(content)
    source = open_cases(path)
    assert list(views(source)) == ["b"]
    assert "cannot be unpacked" in reasons(source)["a/1.png"]


def test_korean_folder_names_of_an_old_zip_are_read(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", "abcd/1.png")
    # zipfile itself would write the name as UTF-8.
    path.write_bytes(path.read_bytes().replace(b"abcd", "손목".encode("cp949")))
    source = open_cases(path)
    assert list(views(source)) == ["손목"]
    assert read_view(path, source.cases[0], 0) == PNG
