"""Every file ends as a radiograph or in words: a few hundred of the cases of `make fuzz`, always the same."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.hostile import cage, judge
from benchmarks.hostile.archives import zips
from benchmarks.hostile.bombs import bombs
from benchmarks.hostile.cage import Cage
from benchmarks.hostile.films import dicoms
from benchmarks.hostile.mutate import damaged_files
from benchmarks.hostile.pictures import jpegs, pngs
from benchmarks.hostile.seeds import seeds
from mura_core.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRUCTURES = {"png": pngs(), "jpeg": jpegs(), "dicom": dicoms(), "zip": zips()}
QUICK_BOMBS = [
    "PNG, 60,000 x 60,000",
    "JPEG, 1,000 scans of 64 million",
    "JPEG, 100,000 scans",
    "DICOM, a thousand scans",
    "DICOM, 1,000 frames",
    "DICOM, sequences 100,000 deep",
    "DICOM, a million items",
    "DICOM, a million elements",
    "DICOM, a window without end",
    "DICOM, a million fragments",
    "DICOM, a palette of long lines",
    "PNG, a million empty chunks",
    "JPEG, a million empty segments",
    "JPEG, 50 million bytes of fill",
    "DICOM, a million fragments of stated length",
    "DICOM, JPEG 2000 in a million boxes",
    "DICOM, a JPEG of a million segments",
    "ZIP, overlapping files",
    "ZIP, zip64",
    "ZIP, a million names",
]


@pytest.fixture(scope="module")
def tried() -> Iterator[Cage]:
    with Cage() as caged:
        yield caged


@pytest.mark.parametrize("kind", seeds())
def test_every_seed_is_read(tried: Cage, kind: str) -> None:
    for name, data in seeds()[kind].items():
        assert tried.try_file(kind, data).outcome == ("session" if kind == "zip" else "radiograph"), name


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile, while it writes such a ZIP
@pytest.mark.parametrize("kind", STRUCTURES)
def test_hostile_structure_ends_in_a_radiograph_or_in_words(tried: Cage, kind: str) -> None:
    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(STRUCTURES[kind])
    def holds(data: bytes) -> None:
        assert not tried.try_file(kind, data).finding

    holds()


@pytest.mark.parametrize("kind", seeds())
def test_damaged_bytes_end_in_a_radiograph_or_in_words(tried: Cage, kind: str) -> None:
    for data in damaged_files(kind, 60, seed=0):
        assert not tried.try_file(kind, data).finding, data[:2000].hex()


@pytest.mark.parametrize("name", QUICK_BOMBS)
def test_a_bomb_costs_little(tried: Cage, name: str) -> None:
    kind, build = bombs()[name]
    verdict = tried.try_file(kind, build())
    assert not verdict.finding
    assert verdict.outcome.endswith("Error")
    assert verdict.peak_mib < 400


@pytest.mark.parametrize(
    ("raised", "found"),
    [(ValueError("no"), "ValueError: no"), (ImageError("short"), "an unfit message"), (None, "wrong types")],
)
def test_whatever_is_not_promised_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, raised: Exception | None, found: str
) -> None:
    class Film:
        pixels = values = np.zeros((64, 64))

    def read(_: bytes) -> object:
        if raised:
            raise raised
        return Film()

    monkeypatch.setattr(judge, "read_radiograph", read)
    answer = judge.measured("png", b"")
    assert answer["outcome"] == "finding"
    assert found in answer["finding"]


@pytest.mark.parametrize(
    ("program", "found"),
    [("import os; os.abort()", "crash: SIGABRT"), ("import time; time.sleep(60)", "hang: no answer after")],
)
def test_a_crash_and_a_hang_are_findings_and_the_next_file_is_tried(
    monkeypatch: pytest.MonkeyPatch, program: str, found: str
) -> None:
    monkeypatch.setattr(cage, "HANG_S", 1.0)
    whole = cage._COMMAND
    with Cage() as caged:
        monkeypatch.setattr(cage, "_COMMAND", (whole[0], "-c", program))
        assert caged.try_file("png", b"").finding.startswith(found)
        monkeypatch.setattr(cage, "_COMMAND", whole)
        monkeypatch.setattr(cage, "HANG_S", 60.0)
        assert caged.try_file("png", seeds()["png"]["L"]).outcome == "radiograph"


def test_damage_is_the_same_for_the_same_seed() -> None:
    once, again, other = (list(damaged_files("png", 5, seed)) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_the_long_run_that_was_committed_found_nothing_within_these_limits() -> None:
    report = json.loads((fuzz._ROOT / "benchmarks" / "fuzz.json").read_text(encoding="utf-8"))
    assert report["cases"] >= 10_000
    assert report["findings"] == []
    assert "finding" not in report["outcomes"]
    assert sum(report["outcomes"].values()) == report["cases"]
    assert report["limits"] == {"cpu_s": cage.CPU_S, "clock_s": cage.HANG_S, "peak_mib": cage.MEMORY_MIB}
    assert {row["kind"] for row in report["rows"]} == set(seeds())
    assert set(report["bombs"]) == set(bombs())


def test_a_short_run_counts_what_it_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "bombs", lambda: {"small": ("png", lambda: seeds()["png"]["L"])})
    monkeypatch.setattr(fuzz.importlib.util, "find_spec", lambda _: None)
    out = tmp_path / "fuzz.json"
    monkeypatch.setattr(sys, "argv", ["fuzz", "--cases", "41", "--keep", str(tmp_path), "--out", str(out)])
    assert fuzz.main() == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    assert sum(report["outcomes"].values()) == report["cases"] >= 41
    assert report["bombs"]["small"]["outcomes"] == {"radiograph": 1}
    assert {row["how"] for row in report["rows"]} == {"structure, hypothesis", "bytes, by chance"}


def test_a_finding_ends_with_status_1_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "bombs", lambda: {"slow": ("png", lambda: seeds()["png"]["L"])})
    monkeypatch.setattr(cage, "CPU_S", 0.0)
    out = tmp_path / "fuzz.json"
    monkeypatch.setattr(sys, "argv", ["fuzz", "--cases", "1", "--keep", str(tmp_path), "--out", str(out)])
    assert fuzz.main() == 1
    found = json.loads(out.read_text(encoding="utf-8"))["findings"]
    assert found[0]["what"].startswith("slow: ")
    kept = [path for path in tmp_path.iterdir() if path != out]
    assert [path.read_bytes() for path in kept] == [seeds()["png"]["L"]]


def test_strategies_stand_for_every_kind_that_is_read() -> None:
    assert set(STRUCTURES) == set(seeds()) == set(judge.KINDS)
    assert all(isinstance(strategy, st.SearchStrategy) for strategy in STRUCTURES.values())
