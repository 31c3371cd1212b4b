"""What `--out` of Table 1 is kept for: one recipe and one dataset, that all rows may be comparable."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mura_core.errors import DatasetError, MuraError
from mura_core.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mura_core.recipe import Recipe, SourceRecipe
    from mura_core.records import StudyRecord

RECIPE_FILE = "recipe.json"
MACHINE = ("devices", "nodes", "precision")
"""Flags of the machine that change a network: how many films share batch statistics, and the arithmetic."""

_DATA = "data"


def claim(
    out: Path,
    dataset_format: str,
    data_digest: str,
    recipe: Recipe,
    source: SourceRecipe | None,
    machine: Mapping[str, Any],
) -> None:
    """Keep a folder for one recipe and one dataset, or find that it is kept for these.

    Args:
        out: The folder; made if absent.
        dataset_format: One of `datasets.DATASET_FORMATS`.
        data_digest: Of `digest_data`.
        recipe: Of all rows.
        source: Of the source task, where the networks start from that.
        machine: The values of the flags in `MACHINE`.

    Raises:
        MuraError: It cannot be written to, or holds networks of another recipe.
        DatasetError: It holds networks of another dataset.
    """
    asked = {**asdict(recipe), **_source_values(source), **machine}
    mine = {"format": dataset_format, _DATA: data_digest, **asked}
    path = out / RECIPE_FILE
    if not path.is_file():
        with Staging(out) as staging:
            staging.publish({RECIPE_FILE: (json.dumps(mine, indent=2) + "\n").encode()})
        return
    try:
        earlier = _by_todays_names(dict(json.loads(path.read_text(encoding="utf-8"))))
    except (ValueError, TypeError) as error:
        raise MuraError(
            f"{path} is damaged, so the recipe of what lies there is unknown. Expected what an earlier run "
            "wrote: choose another folder with --out."
        ) from error
    changed = [name for name in {**earlier, **mine} if name != _DATA and earlier.get(name) != mine.get(name)]
    if changed:
        found = ", ".join(
            f"{name.replace('_', '-')} {earlier.get(name, 'unknown')} (now {mine.get(name)})"
            for name in changed
        )
        raise MuraError(
            f"{out} holds networks of another recipe: {found}. Expected the same for all rows: give "
            "the flags of then, or another folder with --out."
        )
    if earlier.get(_DATA) != data_digest:
        raise DatasetError(
            f"{out} holds networks of another dataset: of digest {_short(earlier.get(_DATA))}, and --data is "
            f"{_short(data_digest)}. Expected the same studies, labels, boxes and files for all rows: "
            "give the --data of then, as it was, or another folder with --out."
        )


def digest_data(root: Path, splits: Mapping[str, Sequence[StudyRecord]]) -> str:
    """SHA-256 of what a dataset says and of its files' sizes, wherever it lies; pixels are not read.

    Args:
        root: The dataset's folder.
        splits: Its studies by split.
    """
    digest = hashlib.sha256()
    for split, records in splits.items():
        for record in records:
            said = (split, record.study_id, record.patient_id, record.body_part, record.label)
            digest.update(f"{said!r}\n".encode())
            for view in record.views:
                place = view.path.relative_to(root).as_posix()
                size = view.path.stat().st_size
                digest.update(f"{place!r} {size} {view.boxes!r} {sorted(view.tags)!r}\n".encode())
    return digest.hexdigest()


def _by_todays_names(kept: dict[str, Any]) -> dict[str, Any]:
    """Name a folder's choices as now; earlier the best epoch was kept, and augmented fully or not at all."""
    augmented = kept.pop("augment", True)
    # Its source task was augmented whatever was asked of the rest.
    learnt = {"source_augmentation": "full"} if "source_epochs" in kept else {}
    return {"augmentation": "full" if augmented else "none", "kept_epoch": "best", **learnt, **kept}


def _source_values(source: SourceRecipe | None) -> dict[str, Any]:
    if source is None:
        return {}
    # The rest is the table's own or the network's.
    names = ("epochs", "cuts_per_epoch", "crop", "batch", "learning_rate", "augmentation", "tag_weight")
    return {f"source_{name}": getattr(source, name) for name in names}


def _short(digest: object) -> str:
    return digest[:12] if isinstance(digest, str) else "unknown"
