"""`python -m benchmarks.figures`: write the README's figures anew from the sidecar and the speed results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mura_core.checkpoint import load_weights
from mura_core.model_card import summary_table
from mura_core.report import cell

ROOT = Path(__file__).parents[1]
START, END = "<!-- figures:start -->", "<!-- figures:end -->"


def figures_block(weights: Path, speed: Path) -> str:
    """Build the Markdown between the README's markers from files alone."""
    sidecar, _ = load_weights(weights)
    places: dict[str, Any] = sidecar.metrics["localisation"]["true positives"]
    lines = [
        f"Released weights: {sidecar.architecture}, version {sidecar.version}. {sidecar.data}",
        "",
        "Test split; accuracy, kappa, sensitivity and specificity at probability 0.5; 95 % intervals in "
        "brackets:",
        "",
        summary_table(sidecar),
        "",
        f"Heatmaps of the {places['views']} true positives: does the hottest place lie in a fracture's box?",
        "",
        "| map | hit | within one cell |",
        "|---|---|---|",
    ]
    for method, values in places["methods"].items():
        lines.append(f"| {method} | {cell(values, 'hit')} | {cell(values, 'hit_margin')} |")
    lines += [
        "",
        f"Measured by `{sidecar.metrics['command']}`; more in [the model card](weights/MODEL_CARD.md).",
    ]
    return "\n".join(lines + (["", *_speed_lines(json.loads(speed.read_text()))] if speed.is_file() else []))


def _speed_lines(results: dict[str, Any]) -> list[str]:
    machine = results["machine"]
    lines = [
        f"Speed, files of {results['megapixels']:.1f} megapixels to heatmaps, on {machine['processor']}, "
        f"torch {machine['torch']}; the peer is the same network under pytorch-grad-cam, film by film "
        "(`make bench`):",
        "",
        "| views | this, ms | peer, ms | peer / this, median of pairs (range) |",
        "|---|---|---|---|",
    ]
    for row in results["rows"]:
        low, high = row["ratio_range"]
        times = f"{row['total_ms']:.0f} | {row['peer_ms']:.0f}"
        lines.append(f"| {row['views']} | {times} | {row['ratio']:.1f} ({low:.1f} to {high:.1f}) |")
    return lines


def main() -> None:
    """Rewrite the block in README.md."""
    path = ROOT / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    block = figures_block(ROOT / "weights", ROOT / "benchmarks" / "results.json")
    path.write_text(f"{before}{START}\n{block}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
