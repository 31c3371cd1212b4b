"""Look for known vulnerabilities in what is installed; without a service to ask, say so and go on.

    python -m tests.audit

`audit-ignored.toml` names those that do not concern the project, each with its reason and a date after which
it has to be looked at again. Ends with 1 if there is one that is not named there, or a date has passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

IGNORED = Path(__file__).parents[1] / "audit-ignored.toml"
COMMAND = (
    "pip_audit",
    "--local",
    "--skip-editable",
    "--progress-spinner",
    "off",
    "--format",
    "json",
    "--timeout",
    "10",
)


def main() -> int:
    """Ask, and print what came of it."""
    done = subprocess.run([sys.executable, "-m", *COMMAND], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = [line for line in done.stderr.strip().splitlines() if line.strip()]
        print(f"The packages were not audited: {said[-1] if said else 'pip-audit said nothing'}")
        return 0
    status, lines = judge(packages, read_ignored(), datetime.now(UTC).date())
    print("\n".join(lines))
    return status


def read_ignored(path: Path = IGNORED) -> list[dict[str, Any]]:
    """Read what is set aside: `id`, `package`, `reason` and `until`, a date."""
    listed: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8")).get("ignored", [])
    for each in listed:
        if set(each) != {"id", "package", "reason", "until"} or not isinstance(each["until"], date):
            raise ValueError(f"{path.name}: expected id, package, reason and until, found {each}")
    return listed


def judge(
    packages: list[dict[str, Any]], ignored: list[dict[str, Any]], today: date
) -> tuple[int, list[str]]:
    """Judge what pip-audit found.

    Args:
        packages: Its `dependencies`: each with `vulns`, or with the reason why it was skipped.
        ignored: From `read_ignored`.
        today: The date.

    Returns:
        The exit code, and what to say.
    """
    skipped = [each["name"] for each in packages if "skip_reason" in each]
    if len(skipped) == len(packages):
        return 0, ["The packages were not audited: no service that knows vulnerabilities could be reached."]
    lines, status = [f"{len(packages) - len(skipped)} of {len(packages)} packages were audited."], 0
    if skipped:
        lines.append("Not audited: " + ", ".join(skipped))
    aside = {(each["package"], each["id"]): each for each in ignored}
    for package in packages:
        for found in package.get("vulns", ()):
            names = [found["id"], *found.get("aliases", ())]
            reasons = [aside[package["name"], name] for name in names if (package["name"], name) in aside]
            what = f"{package['name']} {package['version']}: {found['id']}"
            if any(today <= each["until"] for each in reasons):
                lines.append(f"{what}, set aside: {reasons[0]['reason']}")
            else:
                fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
                lines.append(f"{what}, fixed in {fixed}" + (" (set aside until then)" if reasons else ""))
                status = 1
    return status, lines


if __name__ == "__main__":
    sys.exit(main())
