"""A session whose clock jumps, whose file goes, or that two servers write to: nothing confirmed is lost."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mura_core.errors import SessionError
from mura_core.review.clock import Moment, seconds_between
from mura_core.review.results import summarise
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, Mode
from tests.session_case import AI, CALL, CASES, OTHER_CALL, new_session

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
AIDED, UNAIDED = Condition.AIDED, Condition.UNAIDED


class BrokenClock:
    """The calendar jumps by years to and fro, the machine restarts, and once in a while ticks go back."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._at = datetime(2026, 3, 1, tzinfo=UTC)
        self._boot, self._ticks = 0, 1000.0

    def __call__(self) -> Moment:
        self._at -= timedelta(seconds=self._draw.choice((-3, -1, 0, 40, 86_400, 10**8)))
        self._ticks += self._draw.choice((0.0, 1.5, 20.0, -30.0))
        if self._draw.random() < 0.05:
            self._boot, self._ticks = self._boot + 1, 0.0
        self._at = max(self._at, datetime(1980, 1, 1, tzinfo=UTC))
        return Moment(self._at.isoformat(timespec="microseconds"), str(self._boot), self._ticks)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mode", [Mode.SEQUENTIAL, Mode.AIDED])
def test_with_a_broken_clock_no_time_is_negative_and_the_order_is_that_of_the_calls(
    tmp_path: Path, mode: Mode, seed: int
) -> None:
    new_session(tmp_path, mode).disconnect()
    with SessionStore(tmp_path / "s.sqlite", BrokenClock(seed)) as store:
        made = [call for reader in ("kim", "lee") for call in read_all(store, mode, reader)]
        readings = store.readings()
        assert [(found.reader, found.place.number, found.condition) for found in readings] == made
        assert all(found.reading_s >= 0 for found in readings)
        assert all(found.opened_at <= found.committed_at for found in readings)
        numbers = [event.number for event in store.events()]
        assert numbers == sorted(numbers)
        store.close()
        assert summarise(store).as_json()


def read_all(store: SessionStore, mode: Mode, reader: str) -> list[tuple[str, int, Condition]]:
    """Read every study, with pauses and a call taken back; gives the calls that stand, in their order."""
    store.join(reader)
    made = []
    while (place := store.next_place(reader)) is not None:
        store.start(reader, place.number)
        if place.number % 3 == 0:
            store.pause(reader, place.number)
            store.resume(reader, place.number)
        if mode is Mode.SEQUENTIAL:
            store.commit(reader, place.number, UNAIDED, OTHER_CALL)
            made.append((reader, place.number, UNAIDED))
        store.reveal(reader, place.number)
        if place.number % 4 == 0:
            store.commit(reader, place.number, AIDED, OTHER_CALL)
            store.undo(reader, place.number)
        store.commit(reader, place.number, AIDED, CALL)
        made.append((reader, place.number, AIDED))
        left_s = store.progress(reader).left_s
        assert left_s is not None
        assert left_s >= 0
    return made


def test_seconds_between_two_moments_are_never_negative() -> None:
    clock = BrokenClock(0)
    moments = [clock() for _ in range(200)]
    spans = [seconds_between(one, other) for one, other in itertools.pairwise(moments)]
    assert min(spans) == 0.0
    assert max(spans) > 0.0


def delete(path: Path) -> None:
    path.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("away.sqlite"))


def replace_by_another(path: Path) -> None:
    other = path.parent / "other"
    other.mkdir()
    new_session(other).disconnect()
    (other / "s.sqlite").replace(path)


def put_a_copy_back(path: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(path.with_name("copy"))) as copy:
        source.backup(copy)
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("happens", [delete, move_away, replace_by_another, put_a_copy_back])
def test_a_file_that_goes_under_a_running_server_takes_no_call_that_nobody_would_see(
    tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        happens(store.path)
        before = store.path.read_bytes() if store.path.exists() else None
        for step in (
            lambda: store.commit("kim", 0, UNAIDED, CALL),
            lambda: store.model.save("case0", AI),
            lambda: store.join("lee"),
            lambda: store.progress("kim"),
            lambda: store.closed,
        ):
            with pytest.raises(SessionError, match=r"deleted, moved or replaced.*Put the file back"):
                step()
        assert (store.path.read_bytes() if store.path.exists() else None) == before


def test_a_file_that_is_put_back_goes_on_with_every_call(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, UNAIDED, CALL)
        move_away(store.path)
        with pytest.raises(SessionError, match="moved"):
            store.start("kim", 1)
        (tmp_path / "away.sqlite").rename(store.path)
        store.start("kim", 1)
        store.commit("kim", 1, UNAIDED, CALL)
    with SessionStore.open(tmp_path / "s.sqlite") as store:
        assert [found.place.number for found in store.readings()] == [0, 1]


# Reads the whole list of a session; of a second server, as long as another holds the file.
READER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from session_case import CALL
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition
with SessionStore.open(Path(sys.argv[1])) as store:
    store.join(sys.argv[2])
    while (place := store.next_place(sys.argv[2])) is not None:
        store.start(sys.argv[2], place.number)
        store.commit(sys.argv[2], place.number, Condition.UNAIDED, CALL)
        print(store.progress(sys.argv[2]).done, flush=True)
"""


def test_readers_of_two_servers_only_wait_for_each_other(tmp_path: Path) -> None:
    new_session(tmp_path, Mode.UNAIDED).disconnect()
    path = tmp_path / "s.sqlite"
    command = [sys.executable, "-c", READER, str(path)]
    readers = ("kim", "lee", "park", "choi")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # All of them begin while the file is held.
        other.execute("BEGIN IMMEDIATE")
        running = [
            subprocess.Popen(
                [*command, reader], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for reader in readers
        ]
        with pytest.raises(subprocess.TimeoutExpired):
            running[0].wait(timeout=2)
        other.execute("COMMIT")
        for process in running:
            said, failed = process.communicate(timeout=120)
            assert (process.returncode, failed) == (0, "")
            assert said.split() == [str(number + 1) for number in range(len(CASES) + 2)]
    with SessionStore.open(path) as store:
        assert len(store.readings()) == len(readers) * (len(CASES) + 2)
        for reader in readers:
            assert store.progress(reader).done == len(CASES) + 2


def test_a_folder_of_sessions_that_was_copied_while_in_use_is_whole(tmp_path: Path) -> None:
    with new_session(tmp_path / "here", Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, UNAIDED, CALL)
        # File, journal and index together, as a backup of the folder takes them.
        shutil.copytree(tmp_path / "here", tmp_path / "there")
    with SessionStore.open(tmp_path / "there" / "s.sqlite") as copy:
        assert [found.call for found in copy.readings()] == [CALL]
