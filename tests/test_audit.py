"""The audit of the packages, and their pins."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests import audit
from tests.constraints import FILE, behind, canonical, direct

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 23)
FINE = {"name": "numpy", "version": "2.0", "vulns": []}
SKIPPED = {"name": "mura-core", "skip_reason": "Dependency not found on PyPI"}
BAD = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"]}],
}
ASIDE: dict[str, Any] = {"id": "CVE-2026-1", "package": "pillow", "reason": "No TIFF is read."}


def test_a_known_vulnerability_fails_and_says_what_helps() -> None:
    status, lines = audit.judge([FINE, BAD, SKIPPED], [], TODAY)
    assert status == 1
    assert "pillow 1.0: PYSEC-1, fixed in 1.1" in lines
    assert "Not audited: mura-core" in lines


def test_what_is_set_aside_passes_until_its_date() -> None:
    assert audit.judge([BAD], [{**ASIDE, "until": TODAY}], TODAY)[0] == 0
    assert audit.judge([BAD], [{**ASIDE, "until": date(2026, 11, 22)}], TODAY)[0] == 1
    assert audit.judge([BAD], [{**ASIDE, "package": "numpy", "until": TODAY}], TODAY)[0] == 1


def test_without_a_service_nothing_is_claimed() -> None:
    status, lines = audit.judge([SKIPPED, SKIPPED], [], TODAY)
    assert (status, len(lines)) == (0, 1)
    assert "not audited" in lines[0]


@pytest.mark.parametrize(
    ("said", "complaint", "status", "told"),
    [
        ("", "Traceback ...\nConnectionError: no route\n", 0, "not audited: ConnectionError: no route"),
        (json.dumps({"dependencies": [FINE]}), "", 0, "1 of 1 packages were audited"),
        (json.dumps({"dependencies": [FINE, BAD]}), "Found 1 known vulnerability\n", 1, "PYSEC-1"),
    ],
)
def test_the_command_tells_what_came_of_it(
    said: str,
    complaint: str,
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = subprocess.CompletedProcess((), 1, said, complaint)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert audit.main() == status
    assert told in capsys.readouterr().out


def test_what_is_set_aside_has_a_reason_and_a_date(tmp_path: Path) -> None:
    for each in audit.read_ignored():
        assert each["reason"]
        assert each["until"] >= datetime.now(UTC).date()
    wrong = tmp_path / "ignored.toml"
    wrong.write_text('[[ignored]]\nid = "x"\npackage = "y"\nreason = "z"\n')
    with pytest.raises(ValueError, match="until"):
        audit.read_ignored(wrong)


def pins() -> dict[str, str]:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_package_behind_the_requirements_is_pinned_and_none_contradicts_them() -> None:
    pinned = pins()
    assert len(pinned) > 100
    for each in direct():
        if canonical(each.name) in pinned:
            assert each.specifier.contains(pinned[canonical(each.name)]), each
    missing = set(behind(direct())) - set(pinned)
    assert missing == set(), "run `python -m tests.constraints`"
