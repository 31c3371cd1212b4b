"""The model card: the text of model_card.md with the figures of the sidecar, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mura_core import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mura_core.sidecar import Sidecar

_TEMPLATE = Path(__file__).with_name("model_card.md")


def write_model_card(sidecar: Sidecar) -> str:
    """Write MODEL_CARD.md for released weights.

    Args:
        sidecar: With the figures of the test split under `metrics`, as `release` stores them.
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
        tables=report.markdown_tables(figures),
        measured_by=figures["command"],
        licence=sidecar.licence,
    )


def _pointing(localisation: Mapping[str, Any] | None) -> str:
    """Say in one line whether the map was shown to point better than the middle of the film."""
    if localisation is None:
        return "- How well the heatmap points was not measured: the data has no boxes."
    found = localisation["true positives"]
    shares = [report.cell(found["methods"][name], "hit_margin") for name in ("heatmap", "centre")]
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
        cells = [report.cell(group["probability"], "auroc")]
        cells += [
            report.cell(decision, key) for key in ("accuracy", "cohen_kappa", "sensitivity", "specificity")
        ]
        lines.append(f"| {name} | {group['studies']} | {group['abnormal']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
