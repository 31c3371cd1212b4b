"""The figures for a person: tables for the terminal and for Markdown, beside the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mura_core.cells import LEAST, NOT_APPLICABLE, TOO_FEW, counted_cell, group_cell
from mura_core.localisation import MEASURES as LOCALISATION_MEASURES
from mura_core.operating_table import POINTS, call_rows, operating_rows, operating_rule
from mura_core.report_pictures import draw_confusion, draw_reliability, draw_roc

if TYPE_CHECKING:
    from mura_core.study_table import StudyRow

NOTICE = "Research only: not a medical device, not a replacement for clinician review."

_TITLES = {
    "auroc": "AUROC",
    "average_precision": "avg. precision",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "calibration err.",
    "accuracy": "accuracy",
    "cohen_kappa": "kappa",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "hit": "hit",
    "hit_margin": "hit + 1 cell",
    "energy": "energy in box",
    "iou": "IoU",
}
_PROBABILITY = ("auroc", "average_precision", "log_loss", "brier", "calibration_error")
_DECISION = ("accuracy", "cohen_kappa", "sensitivity", "specificity")


@dataclass(frozen=True)
class _Table:
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def format_table(measured: Mapping[str, Any]) -> str:
    """Lay the figures of `evaluate` out for a terminal; 95 % intervals in brackets, "n/a" where undefined."""
    return "\n\n".join(_as_text(table) for table in _build_tables(measured))


def render(measured: Mapping[str, Any], rows: Sequence[StudyRow]) -> dict[str, bytes]:
    """Build the report's files.

    Args:
        measured: The figures, as in metrics.json.
        rows: The studies they were computed from.

    Returns:
        Content by file name: report.md and the pictures it shows.
    """
    return {
        "roc.png": draw_roc(measured, rows),
        "reliability.png": draw_reliability(rows),
        "confusion.png": draw_confusion(measured),
        "report.md": _write_markdown(measured).encode(),
    }


def _build_tables(measured: Mapping[str, Any]) -> list[_Table]:
    groups = measured["groups"]

    def by_group(title: str, names: Sequence[str], where: Sequence[str]) -> _Table:
        lines = []
        for group, found in groups.items():
            values: Any = found
            for key in where:
                values = values[key]
            sizes = (group, str(found["studies"]), str(found["abnormal"]))
            lines.append(sizes + tuple(group_cell(found, values, name) for name in names))
        return _Table(title, ("studies", "n", "abnormal", *(_TITLES[n] for n in names)), tuple(lines))

    tables = [by_group("Probability", _PROBABILITY, ("probability",))]
    # Sensitivity and specificity at the operating points have tables of their own, where they were measured.
    operating = measured.get("operating")
    for key, point in POINTS.items():
        if operating is not None and key != "threshold":
            tables.append(_Table(*operating_rows(operating, key)))
            continue
        title = f"Abnormal from {point} on: {groups['all']['at'][key]['value']:.3f}"
        tables.append(by_group(title, _DECISION, ("at", key)))
    tables.append(_Table(*call_rows(groups)))
    for subset, found in (measured["localisation"] or {}).items():
        title = f"Localisation, {subset}: {found['views']} views of {found['patients']} patients"
        shown = found["methods"] | {f"heatmap - {over}": gain for over, gain in found["gain_over"].items()}
        lines = [
            (method, *(counted_cell(found["patients"], values, name) for name in LOCALISATION_MEASURES))
            for method, values in shown.items()
        ]
        tables.append(
            _Table(title, ("map", *(_TITLES[name] for name in LOCALISATION_MEASURES)), tuple(lines))
        )
    return tables


def markdown_tables(measured: Mapping[str, Any]) -> str:
    """Lay the figures of `evaluate` out as Markdown tables under headings of level 3."""
    return "\n\n".join(_as_markdown(table, level=3) for table in _build_tables(measured))


def _as_text(table: _Table) -> str:
    lines = [table.header, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
    padded = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    ]
    return "\n".join([table.title, *(line.rstrip() for line in padded)])


def _as_markdown(table: _Table, level: int = 2) -> str:
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    return "\n".join([f"{'#' * level} {table.title}", "", *(f"| {' | '.join(line)} |" for line in lines)])


def _write_markdown(measured: Mapping[str, Any]) -> str:
    model, options, everything = measured["model"], measured["options"], measured["groups"]["all"]
    dataset = measured.get("dataset", {})
    where = " ".join(str(value) for value in dataset.values()) or "studies given"
    head = [
        f"# {model['architecture']} {model['version']} on {where}",
        "",
        f"{everything['studies']} studies ({everything['views']} views) of {everything['patients']} "
        f"patients, {everything['abnormal']} abnormal. {NOTICE}",
        "",
        "Study probability: the mean of its views' probabilities, at temperature "
        f"{model['temperature']:.3f}. "
        f"In brackets: 95 % intervals of {options['resamples']} bootstrap draws of patients (seed "
        f"{options['seed']}). {NOT_APPLICABLE}: undefined, such as sensitivity without an abnormal study, or "
        "an interval where no draw differs. "
        f"Calibration error: {options['calibration_bins']} bins of equal width. "
        f'"{TOO_FEW.capitalize()}": fewer than {LEAST} patients, for what needs both kinds of study, or one '
        "kind, of that kind.",
    ]
    if everything["patients"] == everything["studies"]:
        head += [
            "",
            "Each study counts as its own patient. Where a dataset does not name patients, films of one "
            "patient pass for independent ones and the intervals are narrower than they should be.",
        ]
    if "command" in measured:
        head += ["", f"    {measured['command']}"]
    pictures = ["![ROC curve](roc.png)", "![Reliability](reliability.png)", "![Calls](confusion.png)"]
    if measured["localisation"] is None:
        note = ["", "No view of an abnormal study has boxes, so localisation was not measured."]
    else:
        note = [
            "",
            "`hit`: the heatmap's maximum lies in a box (or within one cell of the network's grid). IoU: of "
            f"the boxes and where the heatmap is at least {options['heatmap_threshold']}. True positives: "
            f"study probability at least {options['decision_threshold']}.",
        ]
    if "operating" in measured:
        note += ["", f"The operating points' tables: {operating_rule(measured['operating'])}"]
    tables = [part for table in _build_tables(measured) for part in ("", _as_markdown(table))]
    return "\n".join([*head, *tables, *note, "", *pictures]) + "\n"
