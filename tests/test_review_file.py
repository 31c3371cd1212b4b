"""The file of a session: what was confirmed survives kill -9, other programs and a full disk."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from mura_core.errors import SessionError
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, EventKind, Mode
from tests.session_case import AI, CALL, CASES, new_session

ROOT = Path(__file__).parents[1]

# Calls, withdraws and calls again, and says what was confirmed only once the store has returned.
READER = """
import sys
from pathlib import Path
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, ReaderCall, Verdict

store = SessionStore.open(Path(sys.argv[1]))
reader, first, rounds = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store.join(reader)
place = store.next_place(reader)
store.start(reader, place.number)
for number in range(first, first + rounds):
    store.commit(reader, place.number, Condition.UNAIDED, ReaderCall(Verdict.NORMAL, number % 101))
    print(number, flush=True)
    store.undo(reader, place.number)
"""


def start_reader(path: Path, reader: str, first: int = 0, rounds: int = 10**6) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", READER, str(path), reader, str(first), str(rounds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def confirmed_lines(output: IO[str]) -> list[int]:
    return [int(line) for line in output.read().splitlines(keepends=True) if line.endswith("\n")]


def calls_of(store: SessionStore, reader: str) -> list[int]:
    return [event.call.confidence for event in store.events(reader) if event.call]


def test_kill_9_loses_nothing_that_was_confirmed_and_the_session_goes_on(tmp_path: Path) -> None:
    new_session(tmp_path, Mode.UNAIDED).disconnect()
    path, expected = tmp_path / "s.sqlite", 0
    for pause_s in (0.0, 0.13, 0.29):
        with start_reader(path, "kim", first=expected) as process:
            assert process.stdout is not None
            said = [int(process.stdout.readline())]
            time.sleep(pause_s)
            process.send_signal(signal.SIGKILL)
            said += confirmed_lines(process.stdout)
        assert process.returncode == -signal.SIGKILL
        with SessionStore.open(path) as store:
            kept = calls_of(store, "kim")
            # One more may have been kept whose confirmation was cut off.
            assert kept[: said[-1] + 1] == [number % 101 for number in range(said[-1] + 1)]
            assert len(kept) <= said[-1] + 2
            for place in [0] if store.can_undo("kim", 0) else []:
                store.undo("kim", place)
            expected = len(kept)
    assert expected > 3
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_kill_while_a_session_is_made_leaves_it_whole_or_leaves_none(tmp_path: Path) -> None:
    maker = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'tests')\n"
        "from session_case import new_session\n"
        "print('go', flush=True)\n"
        "for number in range(10**6): new_session(Path(sys.argv[1]), name=f's{number}').disconnect()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", maker, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 30
        while len(list(tmp_path.glob("s*.sqlite"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    made = sorted(tmp_path.glob("s*.sqlite"))
    assert len(made) >= 3
    for path in made:
        with SessionStore.open(path) as store:
            assert store.cases == CASES


def test_two_processes_and_this_one_write_to_one_session(tmp_path: Path) -> None:
    store = new_session(tmp_path, Mode.UNAIDED)
    with store:
        processes = [start_reader(store.path, reader, rounds=20) for reader in ("kim", "lee")]
        store.join("park")
        store.start("park", 0)
        for _ in range(20):
            store.commit("park", 0, Condition.UNAIDED, CALL)
            store.undo("park", 0)
        for process in processes:
            with process:
                assert process.stdout is not None
                assert confirmed_lines(process.stdout) == list(range(20))
            assert process.returncode == 0
        for reader in ("kim", "lee"):
            assert calls_of(store, reader) == list(range(20))
        numbers = [event.number for event in store.events()]
        assert numbers == sorted(set(numbers))
        assert set(store.readers()) == {"kim", "lee", "park"}


def test_of_two_calls_for_one_place_at_the_same_moment_one_is_kept(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as one, SessionStore.open(tmp_path / "s.sqlite") as other:
        one.join("kim")
        one.start("kim", 0)

        def commit(store: SessionStore) -> bool:
            try:
                store.commit("kim", 0, Condition.UNAIDED, CALL)
            except SessionError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(commit, [one, other] * 4))
        assert sum(taken) == 1
        assert len(one.readings()) == len(other.readings()) == 1


def test_of_several_programs_that_make_the_same_session_one_does(tmp_path: Path) -> None:
    def make(_: int) -> str:
        try:
            new_session(tmp_path, ai=False).disconnect()
        except SessionError as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(make, range(6)))
    assert said.pop() == "made"
    assert all("already" in text for text in said)
    assert [path.name for path in tmp_path.iterdir()] == ["s.sqlite"]


def test_every_commit_is_synchronised_to_the_disk(tmp_path: Path) -> None:
    with new_session(tmp_path) as store:
        connection = store._ledger._connection
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_nothing_can_be_overwritten_or_removed(tmp_path: Path) -> None:
    with new_session(tmp_path) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, CALL)
    with closing(sqlite3.connect(tmp_path / "s.sqlite")) as raw:
        for table in ("session", "cases", "readers", "places", "events", "ai"):
            column = raw.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchone()[0]
            for change in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):  # noqa: S608
                with pytest.raises(sqlite3.IntegrityError, match="only ever grows"):
                    raw.execute(change)


def test_a_session_of_the_first_format_opens_and_is_of_the_second_from_its_first_pause(
    tmp_path: Path,
) -> None:
    new_session(tmp_path).disconnect()
    path = tmp_path / "s.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 1")

    def version() -> int:
        return int.from_bytes(path.read_bytes()[60:64], "big")

    with SessionStore.open(path) as store:
        store.join("kim")
        store.start("kim", 0)
    assert version() == 1
    with SessionStore.open(path) as store:
        store.pause("kim", 0)
    assert version() == 2
    with SessionStore.open(path) as store:
        assert store.paused("kim", 0)


def test_a_copy_of_a_running_session_is_a_session(tmp_path: Path) -> None:
    with new_session(tmp_path, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, CALL)
        store.backup(tmp_path / "copy.sqlite")
        store.undo("kim", 0)
        with SessionStore.open(tmp_path / "copy.sqlite") as copy:
            assert [reading.call for reading in copy.readings()] == [CALL]
            assert copy.model.result("case0") == AI
            assert EventKind.UNDONE not in [event.kind for event in copy.events()]


def test_changes_are_counted(tmp_path: Path) -> None:
    with new_session(tmp_path, ai=False) as store:
        counts = [store.changes()]
        store.join("kim")
        counts.append(store.changes())
        store.start("kim", 0)
        counts.append(store.changes())
        store.model.save("case0", AI)
        counts.append(store.changes())
        assert counts == sorted(set(counts))
        store.progress("kim")
        assert store.changes() == counts[-1]
