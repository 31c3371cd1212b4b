"""A full or read-only disk: each ends in words that say so, and what was there before is still there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from demo.review_desk import Desk
from deploy.space import place
from mura_core.__main__ import main
from mura_core.batch.journal import Journal
from mura_core.batch.table import write_table
from mura_core.checkpoint import load_weights, save_weights
from mura_core.errors import MuraError, SessionError, WeightsError
from mura_core.images import read_radiograph
from mura_core.reading import Reading, write_overlays
from mura_core.resuming import WholeCheckpoints
from mura_core.review.passwords import add_reader, read_readers
from mura_core.review.session import Wish
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, Mode
from mura_core.staging import Staging
from mura_core.study import Study, View
from tests.fake_predictor import FakePredictor, png
from tests.session_case import CALL, new_session
from tests.small_disk import fill, make_read_only, small_disk
from tests.space_folder import digest
from tests.test_checkpoint import SIDECAR, state

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = "No space left on device"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """About a megabyte."""
    with small_disk(tmp_path / "disk", 1024) as folder:
        yield folder


def test_a_session_on_a_full_disk_loses_nothing_and_goes_on_once_there_is_room(disk: Path) -> None:
    with new_session(disk, Mode.UNAIDED) as store:
        store.join("kim")
        store.start("kim", 0)
        filler = fill(disk)
        confirmed = 0
        with pytest.raises(SessionError, match="disk"):  # noqa: PT012 - it takes some calls to fill it
            for _ in range(200):
                store.commit("kim", 0, Condition.UNAIDED, CALL)
                confirmed += 1
                store.undo("kim", 0)
        # Others still see what was confirmed.
        kept = [event.call for event in store.events("kim") if event.call]
        assert len(kept) == confirmed
        filler.unlink()
        if store.can_undo("kim", 0):
            store.undo("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, CALL)
    with SessionStore.open(disk / "s.sqlite") as store:
        assert len([event for event in store.events("kim") if event.call]) == confirmed + 1


def test_a_session_that_a_full_disk_has_no_room_for_leaves_nothing(disk: Path) -> None:
    desk = Desk(disk / "sessions", FakePredictor())
    filler = fill(disk, leave=100_000)
    films = [(f"study {number}/film.png", png(number)) for number in range(20)]
    with pytest.raises(SessionError, match=f"cannot be opened or written .*{FULL}.*has room"):
        desk.create("wrists", films, Wish(), owner="kim")
    assert list((disk / "sessions").rglob("*")) == []
    # The films find room, the session's file does not.
    with pytest.raises(SessionError, match="the disk is full"):
        desk.create("wrists", films[:2], Wish(), owner="kim")
    assert list((disk / "sessions").rglob("*")) == []
    filler.unlink()
    desk.create("wrists", films, Wish(), owner="kim").disconnect()
    assert desk.owner("wrists") == "kim"


def test_a_batch_on_a_full_disk_keeps_what_was_read(disk: Path) -> None:
    table = disk / "results.csv"
    journal = Journal(table)
    journal.add("first", "key", {"final": True, "text": "a"})
    filler = fill(disk, leave=4096)
    with pytest.raises(MuraError, match=f"{FULL}.*run the same command again"):
        journal.add("second", "key", {"final": True, "text": "b" * 20_000})
    journal.close()
    filler.unlink()
    again = Journal(table)
    assert again.has("first", "key")
    assert not again.has("second", "key")
    again.add("second", "key", {"final": True, "text": "c"})
    assert again.outcome("second") == {"final": True, "text": "c"}
    again.close()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_that_finds_no_room_leaves_the_earlier_one(disk: Path, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    table = disk / f"results.{ending}"
    write_table(table, [{"study": "a"}], [], {})
    before = table.read_bytes()
    filler = fill(disk, leave=8192)
    noise = ({"study": os.urandom(2000).hex()} for _ in range(50))
    with pytest.raises(MuraError, match="cannot be written .*Nothing that was read is lost"):
        write_table(table, noise, [], {})
    assert table.read_bytes() == before
    assert sorted(disk.iterdir()) == sorted([filler, table])


def test_an_overlay_that_finds_no_room_leaves_the_earlier_one(disk: Path) -> None:
    content = png(1)
    view = View("film.png", read_radiograph(content))
    reading = Reading(("film.png",), (content,), (view,), ())
    result = FakePredictor().predict(Study((view,)))
    (path,) = write_overlays(reading, result, disk)
    before = path.read_bytes()
    filler = fill(disk)
    with pytest.raises(MuraError, match=f"overlay .*{FULL}.*--overlay"):
        write_overlays(reading, result, disk)
    assert path.read_bytes() == before
    assert sorted(disk.iterdir()) == sorted([filler, path])


def test_a_report_that_finds_no_room_leaves_the_earlier_one(disk: Path) -> None:
    (disk / "metrics.json").write_text("earlier")
    filler = fill(disk, leave=8192)
    files = {"metrics.json": b"later", "roc.png": os.urandom(50_000)}
    with pytest.raises(MuraError, match=f"{FULL}.*--out"), Staging(disk) as staging:
        staging.publish(files)
    assert (disk / "metrics.json").read_text() == "earlier"
    assert sorted(path.name for path in disk.iterdir()) == [filler.name, "metrics.json"]


def test_weights_that_find_no_room_leave_the_earlier_ones(disk: Path) -> None:
    folder = disk / "weights"
    small = {name: value for name, value in state(0).items() if name != "head.weight"}
    save_weights(folder, small, SIDECAR, half=False)
    before = digest(folder)
    fill(disk, leave=8192)
    with pytest.raises(WeightsError, match=f"cannot be written to .*{FULL}.*still loads"):
        save_weights(folder, state(1), SIDECAR, half=False)
    assert digest(folder) == before
    assert set(load_weights(folder)[1]) == set(small)


def test_a_checkpoint_that_finds_no_room_leaves_the_earlier_one(disk: Path) -> None:
    last = disk / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"epoch": 1, "noise": torch.zeros(1000)}, last)
    before = last.read_bytes()
    filler = fill(disk, leave=8192)
    with pytest.raises(OSError, match=FULL):
        WholeCheckpoints().save_checkpoint({"epoch": 2, "noise": torch.zeros(10_000)}, last)
    assert last.read_bytes() == before
    assert sorted(disk.iterdir()) == sorted([filler, last])
    assert WholeCheckpoints().load_checkpoint(last, weights_only=True)["epoch"] == 1


def test_a_command_on_a_full_disk_says_so_in_a_line(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(_: Any) -> None:
        WholeCheckpoints().save_checkpoint({"noise": torch.zeros(100_000)}, disk / "last.ckpt")

    fill(disk)
    monkeypatch.setattr("mura_core.train.run", train)
    assert main(["train", "--data", str(disk)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"error: {disk}")
    assert FULL in said
    assert "run the same command again" in said


def test_a_space_that_finds_no_room_leaves_the_earlier_one(disk: Path) -> None:
    out = disk / "build" / "space"
    place({"a.txt": b"a"}, out)
    before = digest(out)
    fill(disk, leave=8192)
    with pytest.raises(MuraError, match=f"{FULL}.*--out"):
        place({"a.txt": os.urandom(50_000)}, out)
    assert digest(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["space"]


def test_a_reader_who_finds_no_room_does_not_shut_the_others_out(disk: Path) -> None:
    readers = disk / "readers.txt"
    add_reader(readers, "kim", "correct horse")
    fill(disk)
    with pytest.raises(SessionError, match=FULL):
        add_reader(readers, "lee", "correct horse")
    assert set(read_readers(readers)) == {"kim"}


def test_weights_load_from_a_disk_that_nobody_may_write_to(disk: Path) -> None:
    folder = disk / "weights"
    save_weights(folder, state(), SIDECAR, half=False)
    before = digest(folder)
    make_read_only(disk)
    assert set(load_weights(folder)[1]) == set(state())
    with pytest.raises(WeightsError, match="Read-only file system.*still loads"):
        save_weights(folder, state(1), SIDECAR, half=False)
    assert digest(folder) == before


def test_sessions_on_a_disk_that_became_read_only_are_named(disk: Path) -> None:
    store = new_session(disk / "sessions")
    store.join("kim")
    store.disconnect()
    make_read_only(disk)
    with (
        pytest.raises(SessionError, match="read-only|cannot be opened"),
        SessionStore.open(store.path) as opened,
    ):
        opened.join("lee")
    with pytest.raises(SessionError, match="Read-only file system"):
        Desk(disk / "sessions", FakePredictor()).create("new", [("a.png", png())], Wish(), owner="kim")
