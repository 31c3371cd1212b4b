"""Killed while it writes, at moments nobody chose: what was there before is there, or all of the new."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from demo.review_desk import Desk
from mura_core.batch.journal import Journal
from mura_core.checkpoint import load_weights
from mura_core.resuming import WholeCheckpoints
from mura_core.review.session import Wish
from tests.fake_predictor import FakePredictor, png

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
KILLS = 8

# Each writes number after number to a folder.
WEIGHTS = """
import torch
from mura_core.checkpoint import save_weights
from tests.test_checkpoint import SIDECAR
def write(number):
    say(number)
    state = {name: torch.full((300, 300), float(number)) for name in ("body.a", "body.b", "head")}
    save_weights(folder, state, SIDECAR, half=False)
"""
REPORT = """
from mura_core.staging import Staging
def write(number):
    say(number)
    with Staging(folder) as staging:
        staging.publish({f"part-{part}.csv": f"{number} ".encode() * 20_000 for part in range(3)})
"""
JOURNAL = """
from mura_core.batch.journal import Journal
def write(number, journals=[]):
    if not journals:
        journals.append(Journal(folder / "results.csv"))
    journals[0].add(f"study {number}", "key", {"final": True, "text": str(number) * 5000})
    say(number)
"""
CHECKPOINT = """
import torch
from mura_core.resuming import WholeCheckpoints
def write(number):
    say(number)
    values = torch.full((300, 300), float(number))
    WholeCheckpoints().save_checkpoint({"values": values}, folder / "last.ckpt")
"""
SPACE = """
from deploy.space import place
def write(number):
    say(number)
    place({f"{part}.txt": f"{number}".encode() * 50_000 for part in range(5)}, folder / "space")
"""
# A fork for each kill: what they import takes longer than all the rest.
FRAME = """
import itertools, os, sys
from pathlib import Path
folder = Path(sys.argv[1])
say = lambda *words: print(*words, flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        say(os.getpid())
        for number in itertools.count(int(line)):
            write(number)
    os.wait()
    say("killed")
"""


def kills(program: str, folder: Path) -> Iterator[int]:
    """Let the program write, kill it at a random moment, and give the last number it said; several times."""
    draw = random.Random(0)
    command = [sys.executable, "-c", program + FRAME, str(folder)]
    first = 0
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(KILLS):
            process.stdin.write(f"{first}\n")
            process.stdin.flush()
            writer = int(process.stdout.readline())
            said = [process.stdout.readline()]
            time.sleep(draw.uniform(0.0, 0.12))
            os.kill(writer, signal.SIGKILL)
            while not said[-1].endswith("killed\n"):
                said.append(process.stdout.readline())
            last = int([line for line in said if line.strip().isdigit()][-1])
            yield last
            first = last + 1
        process.stdin.close()


def test_weights_are_the_old_or_the_new_ones(tmp_path: Path) -> None:
    earlier = None
    for last in kills(WEIGHTS, tmp_path):
        if earlier is None and not (tmp_path / "weights.json").exists():
            continue
        values = {float(value) for tensor in load_weights(tmp_path)[1].values() for value in tensor.unique()}
        assert len(values) == 1
        assert values <= {earlier, last - 1, last}
        earlier = values.pop()
    assert earlier


def test_each_file_of_a_report_is_whole(tmp_path: Path) -> None:
    looked = 0
    for last in kills(REPORT, tmp_path):
        for file in tmp_path.glob("part-*.csv"):
            words = file.read_text().split()
            assert len(words) == 20_000
            assert len(set(words)) == 1
            assert int(words[0]) <= last
            looked += 1
    assert looked > KILLS


def test_what_the_journal_of_a_batch_confirmed_is_kept(tmp_path: Path) -> None:
    confirmed: set[int] = set()
    for last in kills(JOURNAL, tmp_path):
        confirmed |= set(range(max(confirmed, default=-1) + 1, last + 1))
        journal = Journal(tmp_path / "results.csv")
        for number in confirmed:
            outcome = journal.outcome(f"study {number}")
            assert outcome is not None
            assert outcome["text"] == str(number) * 5000
        journal.close()
    assert len(confirmed) > KILLS


def test_a_checkpoint_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    earlier = None
    for last in kills(CHECKPOINT, tmp_path):
        if earlier is None and not (tmp_path / "last.ckpt").exists():
            continue
        values = WholeCheckpoints().load_checkpoint(tmp_path / "last.ckpt", weights_only=True)["values"]
        assert len(torch.unique(values)) == 1
        assert values[0, 0].item() in {earlier, last - 1, last}
        earlier = values[0, 0].item()
    assert earlier


def test_a_space_is_whole_or_can_be_made_again(tmp_path: Path) -> None:
    from deploy.space import MANIFEST, place

    looked = 0
    for _ in kills(SPACE, tmp_path):
        out = tmp_path / "space"
        if out.exists():
            assert len({(out / f"{part}.txt").read_text() for part in range(5)}) == 1
            assert (out / MANIFEST).is_file()
            looked += 1
    place({"a.txt": b"a"}, tmp_path / "space")
    assert looked


@pytest.mark.parametrize("cut", [1, 100])
def test_a_checkpoint_cut_short_is_not_what_a_kill_leaves(tmp_path: Path, cut: int) -> None:
    # What the tests above would see if it were.
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint({"values": torch.zeros(10)}, path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(RuntimeError):
        WholeCheckpoints().load_checkpoint(path, weights_only=True)


# Takes in the first film of a session, then waits for a second that never comes.
UPLOADS = """
import sys, time
from pathlib import Path
from mura_core.review.uploads import create_from_uploads
from tests.fake_predictor import png
def films():
    yield "study 1/Doe^Jane.png", png(1)
    print("half", flush=True)
    time.sleep(600)
create_from_uploads(Path(sys.argv[1]), "wrists", films(), owner="kim")
"""


def test_uploads_of_a_session_that_was_never_finished_go_with_the_next_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UPLOADS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        # While they are being taken in, another server lets them be.
        Desk(tmp_path, FakePredictor())
        kept = list(tmp_path.rglob("*.png"))
        process.send_signal(signal.SIGKILL)
    assert kept
    assert list(tmp_path.rglob("*.png")) == kept
    desk = Desk(tmp_path, FakePredictor())
    assert list(tmp_path.iterdir()) == []
    desk.check_new("wrists")
    desk.create("wrists", [("study 1/film.png", png(2))], Wish(), owner="kim").disconnect()
    # What is finished stays.
    Desk(tmp_path, FakePredictor())
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} >= {"film.png", "wrists.sqlite"}
    assert not list(tmp_path.rglob(".making"))
