"""The file of a session where it cannot be used: a full disk, other programs, other versions, damage."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mura_core.errors import SessionError
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, Mode
from tests.session_case import CALL, new_session
from tests.test_review_file import calls_of


def test_a_full_disk_is_named_and_costs_nothing_that_was_confirmed(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        connection = store._ledger._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        store.join("kim")
        store.start("kim", 0)
        confirmed: list[int] = []

        def call_on() -> None:
            while True:
                store.commit("kim", 0, Condition.UNAIDED, CALL)
                confirmed.append(CALL.confidence)
                store.undo("kim", 0)

        with pytest.raises(SessionError, match="disk is full.*Make room"):
            call_on()
        connection.execute("PRAGMA max_page_count = 100000")
        assert calls_of(store, "kim") == confirmed
        assert confirmed
        if store.can_undo("kim", 0):
            store.undo("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, CALL)
        assert len(store.readings()) == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with new_session(tmp_path) as store:
        store._ledger._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(SessionError, match="read-only"):
            store.join("kim")
        assert store.readers() == ()
    with pytest.raises(SessionError, match="cannot be opened or written"):
        new_session(tmp_path / "s.sqlite")


def test_another_program_that_holds_the_file_is_named(tmp_path: Path) -> None:
    with new_session(tmp_path) as store, closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        store._ledger._connection.execute("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SessionError, match="held by another program"):
            store.join("kim")
        assert store.readers() == ()
        other.execute("ROLLBACK")
        store.join("kim")


def test_what_is_no_session_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "text.sqlite", tmp_path / "foreign.sqlite"
    text.write_text("SQLite is not here")
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE session (id)")
    before = foreign.read_bytes()
    for path, found in ((text, "no database"), (foreign, "another program's database")):
        with pytest.raises(SessionError, match=found):
            SessionStore.open(path)
    with pytest.raises(SessionError, match="No such file"):
        SessionStore.open(tmp_path / "absent.sqlite")
    assert foreign.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"text.sqlite", "foreign.sqlite"}


def test_a_session_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    new_session(tmp_path).disconnect()
    with (tmp_path / "s.sqlite").open("r+b") as file:
        file.seek(60)
        file.write((3).to_bytes(4, "big"))
    with pytest.raises(SessionError, match="format 3; this program reads formats up to 2"):
        SessionStore.open(tmp_path / "s.sqlite")


def test_a_damaged_session_is_named(tmp_path: Path) -> None:
    new_session(tmp_path).disconnect()
    path = tmp_path / "s.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:100] + os.urandom(len(content) - 100))
    with pytest.raises(SessionError, match="damaged"):
        SessionStore.open(path)
