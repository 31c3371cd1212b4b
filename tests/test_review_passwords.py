"""The file of readers: hashes that match, lines that are refused, and a file that is never half written."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import unicodedata
from typing import TYPE_CHECKING

import pytest

from mura_core.errors import SessionError
from mura_core.review.passwords import add_reader, hash_password, read_readers

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "correct horse"
LONG = base64.b64encode(b"hunter2" * 5).decode()


def test_a_hash_is_scrypts_with_a_salt_of_its_own() -> None:
    first, second = str(hash_password(GOOD)), str(hash_password(GOOD))
    assert first != second
    method, cost, block, lanes, salt, digest = first.split("$")
    assert (method, cost, block, lanes) == ("scrypt", "32768", "8", "1")
    expected = hashlib.scrypt(
        GOOD.encode(), salt=base64.b64decode(salt), n=2**15, r=8, p=1, maxmem=2**27, dklen=32
    )
    assert base64.b64decode(digest) == expected


def test_a_password_matches_itself_alone_however_its_letters_are_composed() -> None:
    kept = hash_password("비밀번호 café 1")
    assert kept.matches(unicodedata.normalize("NFD", "비밀번호 café 1"))
    assert not kept.matches("비밀번호 cafe 1")
    assert not kept.matches("")


def test_readers_are_added_and_changed_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "readers"
    assert add_reader(file, "ann", GOOD)
    file.write_text("# the department\n\n" + file.read_text(), encoding="utf-8")
    assert add_reader(file, "김영희", "another horse")
    assert not add_reader(file, "ann", "third horse")
    assert file.read_text(encoding="utf-8").startswith("# the department\n\n")
    readers = read_readers(file)
    assert set(readers) == {"ann", "김영희"}
    assert readers["ann"].matches("third horse")
    assert not readers["ann"].matches(GOOD)
    assert readers["김영희"].matches("another horse")
    assert all(word not in file.read_text(encoding="utf-8") for word in (GOOD, "horse"))


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "readers"
    before = os.umask(0)
    try:
        add_reader(file, "ann", GOOD)
        file.chmod(0o644)
        add_reader(file, "bob", GOOD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["readers"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "readers"
    add_reader(file, "ann", GOOD)
    before = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SessionError, match="No space left on device"):
        add_reader(file, "bob", GOOD)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["readers"]


@pytest.mark.parametrize("name", ["", " ann", "a:b", "#ann", "a\nb", "x" * 500])
def test_a_name_that_would_break_the_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SessionError, match="Give another"):
        add_reader(tmp_path / "readers", name, GOOD)
    assert not (tmp_path / "readers").exists()


@pytest.mark.parametrize("password", ["", "ninechars", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused_without_repeating_it(
    tmp_path: Path, password: str
) -> None:
    with pytest.raises(SessionError, match=f"has {len(password)} characters") as caught:
        add_reader(tmp_path / "readers", "ann", password)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "ann:hunter2hunter2",
        "ann-hunter2",
        "ann:",
        ":hunter2",
        "ann:scrypt$32768$8$1$hunter2=$hunter2=",
        # A few bytes of hash; not a power of two; more memory than a try may take; no work at all.
        "ann:scrypt$32769$8$1$" + LONG + "$" + LONG,
        "ann:scrypt$67108864$8$1$" + LONG + "$" + LONG,
        "ann:scrypt$32768$99$99$" + LONG + "$" + LONG,
        "ann:scrypt$0$8$1$" + LONG + "$" + LONG,
    ],
)
def test_a_line_that_is_no_hash_is_named_by_its_number_alone(tmp_path: Path, line: str) -> None:
    file = tmp_path / "readers"
    file.write_text(f"bob:{hash_password(GOOD)}\n{line}\n", encoding="utf-8")
    for attempt in (lambda: read_readers(file), lambda: add_reader(file, "eve", GOOD)):
        with pytest.raises(SessionError, match=r"line 2: expected NAME:scrypt.*--add-reader NAME") as caught:
            attempt()
        assert "hunter2" not in str(caught.value)
        assert LONG not in str(caught.value)
    assert file.read_text(encoding="utf-8").endswith(f"{line}\n")


def test_a_file_without_readers_or_with_one_twice_lets_nobody_start(tmp_path: Path) -> None:
    file = tmp_path / "readers"
    file.write_text("# none\n", encoding="utf-8")
    with pytest.raises(SessionError, match="names no reader"):
        read_readers(file)
    with pytest.raises(SessionError, match="cannot be read"):
        read_readers(tmp_path / "absent")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SessionError, match="cannot be read"):
        read_readers(file)
    kept = hash_password(GOOD)
    file.write_text(f"ann:{kept}\nann:{kept}\n", encoding="utf-8")
    with pytest.raises(SessionError, match="line 2: this name has a line already"):
        read_readers(file)
