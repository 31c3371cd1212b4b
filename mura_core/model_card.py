"""The model card: the text of model_card.md with the figures of the sidecar, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mura_core.cells import LEAST, cell, group_cell
from mura_core.known import served_digest
from mura_core.known_table import known_text
from mura_core.operating_table import operating_rule
from mura_core.quantisation import INT8_NAME, weights_digest
from mura_core.report import markdown_tables
from mura_core.stability import STABILITY_NAME
from mura_core.stability_table import stability_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mura_core.sidecar import Sidecar

ROBUSTNESS_NAME = "robustness.json"
FAILURES_NAME = "failures.md"
KNOWN_FIGURES_NAME = "known.json"
SERVED = "served"
"""Among the sidecar's figures: the `served_digest` that they were measured of."""

_OUTDATED = (
    "**Measured before it was learnt how films lie, as they are read now: "
    "`python -m mura_core release weights` measures anew.**"
)
TOLERATED = 0.03
"""What loses more AUROC than this needs augmentation or preprocessing."""

_TEMPLATE = Path(__file__).with_name("model_card.md")


def write_model_card(sidecar: Sidecar, folder: Path) -> str:
    """Write MODEL_CARD.md for released weights.

    Args:
        sidecar: With the figures of the test split under `metrics`, as `release` stores them.
        folder: The weights folder, for what was measured of these weights later.
    """
    figures, options = sidecar.metrics, sidecar.preprocess
    half = figures["half_precision"]
    precision = (
        f" Half precision changed {half['calls_changed']} calls and no probability by more than "
        f"{half['largest_probability_change']:.4f}."
    )
    return _TEMPLATE.read_text(encoding="utf-8").format(
        architecture=sidecar.architecture,
        version=sidecar.version,
        sensitive=sidecar.operating_points.sensitive,
        specific=sidecar.operating_points.specific,
        data=sidecar.data,
        command=sidecar.command,
        size=options.size,
        roi="on" if options.roi else "off",
        enhance="on" if options.enhance else "off",
        temperature=sidecar.temperature,
        valid_auroc=figures["valid_auroc"],
        precision=precision,
        pointing=_pointing(figures["localisation"]),
        tables=markdown_tables(figures),
        operating=_operating(figures),
        measured_by=_commands(figures, folder),
        engines=_engines(folder),
        robustness=_robustness(folder),
        stability=_stability(folder),
        known=_known(folder),
        failures=_failures(sidecar, folder),
        licence=sidecar.licence,
    )


def _commands(figures: Mapping[str, Any], folder: Path) -> str:
    """The command that measured, and the one that counted its answers anew."""
    if figures.get(SERVED, weights_digest(folder)) != served_digest(folder):
        return f"{figures['command']}\n\n{_OUTDATED}"
    if "recounted_by" not in figures:
        return str(figures["command"])
    return f"{figures['command']}\n\nand counted anew from `studies.csv` by\n\n    {figures['recounted_by']}"


def _operating(figures: Mapping[str, Any]) -> str:
    """What the operating points' tables say, or how they are had."""
    if "operating" in figures:
        return f"The operating points' tables: {operating_rule(figures['operating'])}"
    return "Predictive values and body parts: `python -m mura_core release` measures them."


def _engines(folder: Path) -> str:
    """The engines' answers against the reference's, as a table."""
    path = folder / INT8_NAME
    content = json.loads(path.read_text()) if path.is_file() else {}
    if content.get("weights") != weights_digest(folder):
        return "Not compared for these weights: `python -m mura_core quantise`."
    checked = content["checked"]
    where = f"{checked['dataset']['studies']} studies of the test split on {checked['processor']}"
    return f"Against torch in float32, {where}:\n\n{engine_table(checked['engines'])}"


def _robustness(folder: Path) -> str:
    """What changes of the films do to AUROC, as a table."""
    path = folder / ROBUSTNESS_NAME
    content = json.loads(path.read_text()) if path.is_file() else {}
    if content.get("weights") != served_digest(folder):
        return "Not measured for these weights: `python -m benchmarks.robustness DATA`."
    return (
        f"{content['data']}, {content['studies']} studies, {content['engine']}; each film changed, stored, "
        f"read again. Bold: more than {TOLERATED} lost.\n\n{robustness_table(content['rows'])}"
    )


def _stability(folder: Path) -> str:
    """Whether a call that small changes of the films alter is more often wrong, as tables."""
    path = folder / STABILITY_NAME
    content = json.loads(path.read_text()) if path.is_file() else {}
    if content.get("weights") != served_digest(folder):
        return "Not measured for these weights: `python -m benchmarks.stability DATA`."
    return stability_lines(content)


def _known(folder: Path) -> str:
    """How films unlike those of the training are told, and body parts recognised."""
    path = folder / KNOWN_FIGURES_NAME
    content = json.loads(path.read_text()) if path.is_file() else {}
    if content.get("weights") != served_digest(folder):
        return "Not measured for these weights, and films are not compared: `python -m mura_core known`."
    return known_text(content)


def _failures(sidecar: Sidecar, folder: Path) -> str:
    """What was seen when the errors were looked at, from a file of words that names its version."""
    path = folder / FAILURES_NAME
    first, _, seen = path.read_text(encoding="utf-8").partition("\n") if path.is_file() else ("", "", "")
    if first != f"<!-- {sidecar.version} -->":
        return "The errors of this version were not looked at one by one."
    return seen.strip()


def robustness_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay the rows out as Markdown; a change beyond what is tolerated is set in bold."""
    lines = ["| change | AUROC | difference | mean change of probability |", "|---|---|---|---|"]
    for row in rows:
        mark = "**" if row["difference"] < -TOLERATED else ""
        span = row["difference_ci95"]
        interval = f" [{span[0]:+.3f}, {span[1]:+.3f}]" if span else ""
        lines.append(
            f"| {mark}{row['change']}{mark} | {row['auroc']:.3f} | {row['difference']:+.3f}{interval} "
            f"| {row['mean_probability_change']:.3f} |"
        )
    return "\n".join(lines)


def engine_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Lay the comparison of `quantise` out as Markdown: p a study's probability, r of a film's map."""
    names = ("engine", "AUROC", "change", "largest change of p", "mean", "calls changed", "lowest r")
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for name, row in rows.items():
        cells = (
            name,
            f"{row['auroc']:.4f}",
            f"{row['auroc_change']:+.5f}",
            f"{row['largest_probability_change']:.1e}",
            f"{row['mean_probability_change']:.1e}",
            f"{row['calls_changed']} of {row['studies']}",
            f"{row['lowest_map_correlation']:.4f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _pointing(localisation: Mapping[str, Any] | None) -> str:
    """Say in one line whether the map was shown to point better than the middle of the film."""
    if localisation is None:
        return "- How well the heatmap points was not measured: the data has no boxes."
    found = localisation["true positives"]
    if found["patients"] < LEAST:
        return f"- How well the heatmap points is not known: {found['patients']} true positives are too few."
    shares = [cell(found["methods"][name], "hit_margin") for name in ("heatmap", "centre")]
    gain = found["gain_over"]["centre"]["hit_margin_ci95"]
    verdict = "was" if gain is not None and gain[0] > 0 else "was not"
    return (
        f"- The heatmap {verdict} shown to point better than the middle of the region of interest: within "
        f"one cell of a fracture in {shares[0]} of true positives, the middle in {shares[1]}."
    )


def summary_table(sidecar: Sidecar) -> str:
    """The README's table: the headline figures of the test split by group, in Markdown."""
    lines = [
        "| test studies | n | abnormal | AUROC | accuracy | kappa | sensitivity | specificity |",
        "|" + "---|" * 8,
    ]
    for name, group in sidecar.metrics["groups"].items():
        decision = group["at"]["threshold"]
        cells = [group_cell(group, group["probability"], "auroc")]
        cells += [
            group_cell(group, decision, key)
            for key in ("accuracy", "cohen_kappa", "sensitivity", "specificity")
        ]
        lines.append(f"| {name} | {group['studies']} | {group['abnormal']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
