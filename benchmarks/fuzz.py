"""Does any file break the reader? Ten thousand hostile and damaged ones, tried in a process that may die.

`python -m benchmarks.fuzz [--cases N] [--seed N] [--keep DIR] [--out FILE]` tries every bomb once, then files
of valid structure and hostile values (hypothesis), then damaged bytes (atheris where it is installed, else by
chance). Each must end as a radiograph or session as documented, or in the documented error, within the
limits of `cage`. Files that did not are kept. Writes the counts as JSON, and ends with status 1 if there
was a finding.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from benchmarks.hostile.archives import zips
from benchmarks.hostile.bombs import bombs
from benchmarks.hostile.cage import CPU_S, HANG_S, MEMORY_MIB, SETTINGS, Cage, Verdict, broken_limit
from benchmarks.hostile.films import dicoms
from benchmarks.hostile.mutate import damaged_files
from benchmarks.hostile.pictures import jpegs, pngs
from benchmarks.hostile.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARES = {"png": 0.2, "jpeg": 0.15, "dicom": 0.45, "zip": 0.2}
"""Of the cases; DICOM has the most ways to be wrong."""

STRUCTURE = 0.4
"""Of each kind's cases; the others are damaged bytes."""

PACKAGES = ("atheris", "hypothesis", "numpy", "opencv-python-headless", "pillow", "pydicom", "python-gdcm")
_ROOT = Path(__file__).resolve().parents[1]
_MAX_RESTARTS = 20


@dataclass
class Row:
    """What came of the files of one kind and making."""

    kind: str
    how: str
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    peak_mib: float = 0.0
    contained_crashes: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count one file."""
        self.cases += 1
        self.outcomes[verdict.outcome] += 1
        self.slowest_s = max(self.slowest_s, verdict.cpu_s)
        self.peak_mib = max(self.peak_mib, verdict.peak_mib)
        self.contained_crashes += verdict.deaths
        if verdict.finding:
            self.findings[verdict.finding[:200]] += 1


def main() -> int:
    """Try the files and write what came of them."""
    options = _parse()
    started = datetime.datetime.now(datetime.UTC)
    warnings.filterwarnings("ignore", "Duplicate name", UserWarning)  # zipfile, while it writes such a ZIP
    with Cage(options.keep) as cage:
        costly = dict(_bombs(cage))
        rows = list(costly.values())
        left = options.cases - len(rows)
        for kind, share in SHARES.items() if left > 0 else ():
            count = math.ceil(left * share)
            rows.append(_structures(cage, kind, round(count * STRUCTURE), options.seed))
            rows.append(_damaged(cage, kind, count - rows[-1].cases, options))
            print(*map(_line, rows[-2:]), sep="\n", flush=True)
    report = _report(options, started, costly, rows)
    options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"{report['cases']} files, {len(report['findings'])} findings; written to {options.out}")
    return 1 if report["findings"] else 0


def _bombs(cage: Cage) -> Iterator[tuple[str, Row]]:
    for name, (kind, build) in bombs().items():
        row = Row(kind, "bomb")
        row.add(cage.try_file(kind, build()))
        print(f"{name}: {_line(row)}", flush=True)
        yield name, row


def _structures(cage: Cage, kind: str, count: int, seed: int) -> Row:
    row = Row(kind, "structure, hypothesis")
    strategy = {"png": pngs, "jpeg": jpegs, "dicom": dicoms, "zip": zips}[kind]()

    @seeded(seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def try_one(data: bytes) -> None:
        row.add(cage.try_file(kind, data))

    # A round may be short: hypothesis counts what it drew, not what it handed over.
    while row.cases < count:
        try_one()
    return row


def _damaged(cage: Cage, kind: str, count: int, options: argparse.Namespace) -> Row:
    if importlib.util.find_spec("atheris"):
        return _by_coverage(kind, count, options)
    row = Row(kind, "bytes, by chance")
    for data in damaged_files(kind, count, options.seed):
        row.add(cage.try_file(kind, data))
    return row


def _by_coverage(kind: str, count: int, options: argparse.Namespace) -> Row:
    """Let atheris try files in its own process, started anew after a crash for those that are left."""
    row = Row(kind, "bytes, atheris")
    with tempfile.TemporaryDirectory() as folder:
        corpus, log = Path(folder) / "corpus", Path(folder) / "log"
        corpus.mkdir()
        for number, data in enumerate(seeds()[kind].values()):
            (corpus / str(number)).write_bytes(data)
        for restart in range(_MAX_RESTARTS):
            before = row.cases
            ended = _run_atheris(kind, count - row.cases, options, corpus, log, restart)
            for answer in map(json.loads, log.read_text().splitlines()):
                finding = broken_limit(answer)
                outcome = "finding" if finding else answer["outcome"]
                row.add(Verdict(outcome, finding, answer["cpu_s"], answer["peak_mib"], answer["deaths"]))
            log.unlink()
            if row.cases >= count:
                return row
            row.add(Verdict("finding", f"crash or hang of the process: {ended}", 0.0, 0.0))
            if row.cases == before + 1:
                break
    return row


def _run_atheris(
    kind: str, count: int, options: argparse.Namespace, corpus: Path, log: Path, restart: int
) -> str:
    options.keep.mkdir(parents=True, exist_ok=True)
    log.touch()
    flags = {
        "runs": count, "seed": options.seed * 1000 + restart + 1, "timeout": round(HANG_S),
        "rss_limit_mb": 8192,
        "max_len": 200_000, "len_control": 0, "detect_leaks": 0, "verbosity": 0,
        "artifact_prefix": f"{options.keep}/{kind}-",
    }  # fmt: skip
    command = [
        sys.executable,
        "-W",
        "error::RuntimeWarning",
        "-m",
        "benchmarks.hostile.coverage",
        kind,
        str(log),
    ]
    command += [str(options.keep), *(f"-{name}={value}" for name, value in flags.items()), str(corpus)]
    done = subprocess.run(  # noqa: S603 - this project's own module
        command, cwd=_ROOT, env={**os.environ, **SETTINGS}, capture_output=True, text=True, check=False
    )
    return f"status {done.returncode} {done.stderr[-300:]}"


def _report(
    options: argparse.Namespace, started: datetime.datetime, costly: dict[str, Row], rows: list[Row]
) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    for row in rows:
        outcomes += row.outcomes
    took = datetime.datetime.now(datetime.UTC) - started
    return {
        "command": f"python -m benchmarks.fuzz --cases {options.cases} --seed {options.seed}",
        "date": started.date().isoformat(),
        "minutes": round(took.total_seconds() / 60, 1),
        "versions": {"python": platform.python_version(), **_versions()},
        "limits": {"cpu_s": CPU_S, "clock_s": HANG_S, "peak_mib": MEMORY_MIB},
        "cases": sum(row.cases for row in rows),
        "outcomes": dict(outcomes),
        "contained_crashes": sum(row.contained_crashes for row in rows),
        "slowest_s": round(max(row.slowest_s for row in rows), 2),
        "peak_mib": round(max(row.peak_mib for row in rows)),
        "findings": [
            {"kind": row.kind, "how": row.how, "what": what, "cases": count}
            for row in rows
            for what, count in row.findings.items()
        ],
        "rows": [_plain(row) for row in rows if row.how != "bomb"],
        "bombs": {name: _plain(row) for name, row in costly.items()},
    }


def _plain(row: Row) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "how": row.how,
        "cases": row.cases,
        "outcomes": dict(row.outcomes),
        "slowest_s": round(row.slowest_s, 2),
        "peak_mib": round(row.peak_mib),
        "contained_crashes": row.contained_crashes,
    }


def _line(row: Row) -> str:
    found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(row.outcomes.items()))
    worst = "".join(f"\n    {count} x {what}" for what, count in row.findings.most_common(5))
    return f"{row.kind}, {row.how}: {found}; {row.slowest_s:.2f} s, {row.peak_mib:.0f} MiB at most{worst}"


def _versions() -> dict[str, str]:
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed[name] = "not installed"
    return installed


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="files to try (default 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other files")
    parser.add_argument(
        "--keep", type=Path, default=_ROOT / "runs" / "fuzz", help="folder for the files of findings"
    )
    parser.add_argument(
        "--out", type=Path, default=_ROOT / "benchmarks" / "fuzz.json", help="where the counts go"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
