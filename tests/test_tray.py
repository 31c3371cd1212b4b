"""Uploads: what is kept of them, for how long, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demo import handlers, memory
from demo.handlers import Tray, UploadedFile
from demo.wording import Wording
from tests.fake_predictor import FakePredictor, last, png, steps

WORDS = Wording("en")


def upload(folder: Path, name: str, content: bytes) -> UploadedFile:
    """Lay a file where Gradio would: in a folder of its own."""
    path = folder / f"{len(list(folder.iterdir()))}" / name
    path.parent.mkdir()
    path.write_bytes(content)
    return UploadedFile(name, path)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\wrist.png", "wrist.png"),
        ("a\x00b\u202e\n.png", "ab.png"),
        ("/", "unnamed file"),
        ("<b>x.png", "<b>x.png"),
    ],
)
def test_only_the_base_name_of_an_upload_is_kept(given: str, shown: str) -> None:
    assert handlers.base_name(given, "unnamed file") == shown


def test_an_endless_name_is_cut() -> None:
    assert len(handlers.base_name("n" * 5000 + ".png", "")) <= 120


def test_every_upload_leaves_the_disk_taken_or_not(tmp_path: Path) -> None:
    uploads = [upload(tmp_path, f"{index}.png", png(index)) for index in range(8)]
    uploads.append(upload(tmp_path, "empty.png", b""))
    tray = handlers.take_uploads(uploads, Tray(), WORDS)
    assert list(tmp_path.iterdir()) == []
    assert [name for name, _ in tray.files] == [f"{index}.png" for index in range(handlers.MAX_VIEWS)]
    reasons = {refusal.name: refusal.reason for refusal in tray.refused}
    assert set(reasons) == {"6.png", "7.png", "empty.png"}
    assert f"at most {handlers.MAX_VIEWS} views" in reasons["6.png"]
    assert "empty" in reasons["empty.png"]


def test_an_upload_that_is_gone_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    gone, there = upload(tmp_path, "gone.png", png(1)), upload(tmp_path, "there.png", png(2))
    gone.path.unlink()
    tray = handlers.take_uploads([gone, there], Tray(), WORDS)
    assert [name for name, _ in tray.files] == ["there.png"]
    assert tray.refused == (handlers.Refusal("gone.png", WORDS["page.gone"]),)


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    first = upload(tmp_path, "a.png", png())
    tray = handlers.take_uploads([first, first, upload(tmp_path, "b.png", png())], Tray(), WORDS)
    assert [name for name, _ in tray.files] == ["a.png"]
    assert [refusal.name for refusal in tray.refused] == ["a.png", "b.png"]
    assert all("same image file as a.png" in refusal.reason for refusal in tray.refused)


@pytest.mark.parametrize("index", [None, -1, 2, "0", 0.0, [], {"index": 0}])
def test_an_index_that_is_no_waiting_file_removes_nothing(index: object) -> None:
    tray = Tray(files=(("a", b"1"), ("b", b"2")))
    assert handlers.remove_file(tray, index) == tray


def test_a_waiting_file_can_be_taken_out() -> None:
    assert handlers.remove_file(Tray(files=(("a", b"1"), ("b", b"2"))), 0).files == (("b", b"2"),)


def test_of_all_open_studies_those_used_last_are_kept() -> None:
    tray = Tray(files=(("a.png", png(1)), ("b.png", png(2))))
    opened = steps(FakePredictor(), tray, WORDS)[-1][1]
    assert opened is not None
    # Two coarse maps for each film, the files: nothing of the size of a film unpacked.
    assert memory.size_bytes(opened) == 2 * 2 * 400 + len(png(1)) + len(png(2))
    last, middle, first = states = [{1: Tray(), 2: opened} for _ in range(3)]
    memory.keep_newest(states, 2 * memory.size_bytes(opened))
    assert (last[2], middle[2], first[2]) == (opened, opened, None)
    assert first[1] == Tray()
    memory.keep_newest(states, memory.size_bytes(opened) - 1)
    assert (last[2], middle[2]) == (None, None)


def test_files_that_wait_are_let_go_too_and_their_reader_is_told() -> None:
    waiting = Tray(files=(("a.png", bytes(100)),))
    newer, older = states = [{1: waiting}, {1: waiting}]
    # Files may take half of it.
    memory.keep_newest(states, 300)
    assert (newer[1], older[1]) == (waiting, Tray(let_go=True))
    assert last(FakePredictor(), older[1], WORDS)["error"] == WORDS["page.let_go"]


def test_files_that_wait_in_line_are_kept_before_studies_that_were_read() -> None:
    opened = steps(FakePredictor(), Tray(files=(("a.png", png(1)),)), WORDS)[-1][1]
    assert opened is not None
    waiting = Tray(files=(("a.png", bytes(5000)),))
    large = replace(opened, files=(("a.png", bytes(6000)),))
    newest, oldest = states = [{1: large}, {1: waiting}]
    memory.keep_newest(states, 10_000)
    assert (newest[1], oldest[1]) == (None, waiting)


def test_files_let_go_leave_their_room_to_studies() -> None:
    opened = steps(FakePredictor(), Tray(files=(("a.png", png(1)),)), WORDS)[-1][1]
    newest, oldest = states = [{1: opened}, {1: Tray(files=(("a.png", bytes(9000)),))}]
    memory.keep_newest(states, 10_000)
    assert (newest[1], oldest[1]) == (opened, Tray(let_go=True))
