"""The figures of `benchmarks.ablation`: each variant beside the base, on the same patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mura_core import bootstrap
from mura_core.bootstrap import PROBABILITY_MEASURES, RESAMPLES
from mura_core.cells import NOT_APPLICABLE, cell
from mura_core.records import is_arm
from mura_core.report import NOTICE
from mura_core.study_table import as_json
from mura_core.table1_text import machine_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mura_core.records import StudyRecord

SEED_NAME = "second-seed"
"""The variant that differs from the base by chance alone."""

_HEADER = ("variant", "changed", "AUROC", "minus base", "AUROC, arm", "minus base, arm", "minutes")


def build(
    recipes: Mapping[str, Mapping[str, Any]],
    answers: Mapping[str, Mapping[str, Any]],
    records: Sequence[StudyRecord],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Measure every variant that answered, and its difference from the base.

    Args:
        recipes: The values of all variants' recipes by name, the base first.
        answers: By name, of those that are finished: "minutes", "valid_auroc_by_epoch" and "probabilities",
            one for each study.
        records: The studies.
        about: What the table should say of itself.

    Returns:
        JSON values: `about`, the base's recipe, the numbers of each group of studies, and "rows", each with
        `changed` fields and for each group AUROC and `minus_base`; null where the base is not finished, and
        in the base itself.
    """
    base = next(iter(recipes))
    arm = [place for place, record in enumerate(records) if is_arm(record)]
    groups = {"all": list(range(len(records))), "arm": arm}
    compared = {name: _compare(members, records, answers, base) for name, members in groups.items()}
    rows = [
        {
            "name": name,
            "changed": {key: value for key, value in recipe.items() if value != recipes[base][key]},
            "groups": {group: found[name] for group, found in compared.items()},
            **{key: answers[name][key] for key in ("minutes", "valid_auroc_by_epoch")},
        }
        for name, recipe in recipes.items()
        if name in answers
    ]
    return {
        "format": 1,
        **about,
        "machine": machine_name(),
        "resamples": RESAMPLES,
        "recipe": dict(recipes[base]),
        "groups": {name: _count(members, records) for name, members in groups.items()},
        "rows": rows,
        "missing": [name for name in recipes if name not in answers],
    }


def write_markdown(table: Mapping[str, Any]) -> str:
    """Lay the figures of `build` out."""
    recipe, everything, arm = table["recipe"], table["groups"]["all"], table["groups"]["arm"]
    epochs = f"{recipe['transfer_epochs']} epoch(s) in which the new layer alone learns, then "
    epochs += f"{recipe['fine_tune_epochs']} in which all layers do"
    text = [
        "# What each choice of the recipe adds",
        f"{table['data']}: {everything['studies']} studies of {everything['patients']} patients, "
        f"{everything['abnormal']} abnormal; {arm['studies']} of the arm, {arm['abnormal']} abnormal. "
        f"{NOTICE}",
        f"    {table['command']}",
        f"One training a row, all from the same weights and alike but for what is named: {epochs}; films of "
        f"{recipe['size']} px. That is far less than a release is trained, and what helps here need not help "
        "there. Measured after the **last** epoch, not the best one: nothing is chosen. The test split is "
        f"not read. In brackets: 95 % intervals of {table['resamples']} bootstrap draws of patients, the "
        f"same draws for both sides of a difference; {NOT_APPLICABLE} where undefined.",
        _describe_chance(table),
    ]
    if everything["patients"] == everything["studies"]:
        text.append(
            "Each study counts as its own patient: where the data does not name patients, the intervals are "
            "narrower than they should be."
        )
    rows = [_row(row) for row in table["rows"]]
    text.append("\n".join(f"| {' | '.join(line)} |" for line in (_HEADER, ["---"] * len(_HEADER), *rows)))
    if table["missing"]:
        text.append(f"Not trained: {', '.join(table['missing'])}.")
    text.append(f"Minutes are of training with validation, on {table['machine']}.")
    return "\n\n".join(text) + "\n"


def _compare(
    members: Sequence[int],
    records: Sequence[StudyRecord],
    answers: Mapping[str, Mapping[str, Any]],
    base: str,
) -> dict[str, dict[str, Any]]:
    """AUROC of each variant among some studies, and less the base's, by the variant's name."""
    auroc = PROBABILITY_MEASURES["auroc"]
    labels = [records[place].label for place in members]
    weights = bootstrap.resample_patients([records[place].patient_id for place in members])
    given = {name: [found["probabilities"][place] for place in members] for name, found in answers.items()}
    rows = {}
    for name, mine in given.items():
        rows[name] = as_json({"auroc": bootstrap.estimate(auroc, labels, mine, weights)})
        rows[name] |= {"minus_base": None, "minus_base_ci95": None}
        if name != base and base in given:
            less = bootstrap.paired_difference(auroc, labels, mine, given[base], weights)
            rows[name] |= as_json({"minus_base": less})
    return rows


def _count(members: Sequence[int], records: Sequence[StudyRecord]) -> dict[str, int]:
    mine = [records[place] for place in members]
    return {
        "studies": len(mine),
        "patients": len({record.patient_id for record in mine}),
        "abnormal": sum(record.label for record in mine),
    }


def _describe_chance(table: Mapping[str, Any]) -> str:
    rows = {row["name"]: row for row in table["rows"]}
    found = [rows.get(SEED_NAME, {}).get("groups", {}).get(group, {}) for group in ("all", "arm")]
    shifts = [group.get("minus_base") for group in found]
    if None in shifts:
        return (
            "**One seed each.** The base with another seed is not measured, so nothing is known of what "
            "chance alone does to a training, and the differences say little."
        )
    over, arm = (abs(shift) for shift in shifts)
    return (
        f"**One seed each.** The base with another seed differs by {over:.3f} over all and {arm:.3f} on arm: "
        "a difference no larger than that says nothing. A larger one may still be chance, for two seeds "
        "measure chance badly, and the intervals know of the patients' alone."
    )


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    changed = ", ".join(f"{name.replace('_', '-')} {value}" for name, value in row["changed"].items())
    cells = [cell(row["groups"][group], name) for group in ("all", "arm") for name in ("auroc", "minus_base")]
    return (row["name"], changed or "nothing", *cells, f"{row['minutes']:.1f}")
