"""`python -m benchmarks.figures`: write the README's figures and the model card anew from measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.load_table import crowd_table
from benchmarks.speed_tables import summary
from mura_core.cells import counted_cell
from mura_core.checkpoint import load_weights
from mura_core.model_card import engine_table, summary_table, write_model_card
from mura_core.quantisation import INT8_NAME

ROOT = Path(__file__).parents[1]
START, END = "<!-- figures:start -->", "<!-- figures:end -->"


def figures_block(weights: Path, speed: Path) -> str:
    """Build the Markdown between the README's markers from files alone; `load.json` lies beside `speed`."""
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
        cells = [counted_cell(places["patients"], values, name) for name in ("hit", "hit_margin")]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Measured by `{sidecar.metrics['command']}`; more in [the model card](weights/MODEL_CARD.md).",
    ]
    lines += ["", *engine_lines(weights)]
    for path, show in ((speed, summary), (speed.with_name("load.json"), load_lines)):
        if path.is_file():
            lines += ["", *show(json.loads(path.read_text()))]
    return "\n".join(lines)


def engine_lines(weights: Path) -> list[str]:
    """How far the engines' answers differ, as Markdown."""
    path = weights / INT8_NAME
    if not path.is_file():
        return []
    checked = json.loads(path.read_text())["checked"]
    return [
        f"The engines' answers against torch's on the {checked['dataset']['studies']} studies of the test "
        f"split ({checked['processor']}; `python -m mura_core quantise`), p a study's probability, r the "
        "correlation of a film's map:",
        "",
        engine_table(checked["engines"]),
    ]


def load_lines(results: dict[str, Any]) -> list[str]:
    """What came of many readers at once, as Markdown."""
    lines = [
        "Many readers at once, each with studies of 1 to 6 films without a pause, on "
        f"{results['machine']}, which they share (`make load`); seconds from the button to the call:",
        "",
        *crowd_table(results.get("crowds", [])),
    ]
    if "soak" in results:
        soak = results["soak"]
        memory = soak["rss_mb"]
        lines += [
            "",
            f"In {soak['minutes']:.0f} minutes pages came and went with {soak['studies']} studies "
            f"({soak['left_early']} left early; {soak['lost']} lost, {soak['mixed_up']} mixed up): memory "
            f"from {memory['start'] / 1000:.2f} to {memory['end'] / 1000:.2f} GB, at the end "
            f"{soak['rss_mb_per_100_studies']:+.1f} MB in 100 studies.",
        ]
    return lines


def main() -> None:
    """Rewrite the block in README.md, and the model card."""
    path = ROOT / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    block = figures_block(ROOT / "weights", ROOT / "benchmarks" / "results.json")
    path.write_text(f"{before}{START}\n{block}\n{END}{after}", encoding="utf-8")
    folder = ROOT / "weights"
    card = write_model_card(load_weights(folder)[0], folder)
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
