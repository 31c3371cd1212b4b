"""Measure what each choice of the recipe adds: one training for each change of a small one, side by side.

    python -m benchmarks.ablation DATA --init runs/source/source.safetensors --devices 2 [--only base,no-roi]

DATA is FracAtlas. All networks start from the same `--init` weights and are measured on the valid split after
their last epoch, so that none is chosen by luck; the test split is not read. Each has a folder under `--out`
in which it resumes; what is finished is not trained again. After each, `ablation.json` and `ABLATION.md` in
`--report` hold all that there are.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.utilities import rank_zero_only

from benchmarks.ablation_table import build, write_markdown
from mura_core.checkpoint import SIDECAR_NAME
from mura_core.curves import LOG, read_curves
from mura_core.datasets import read_split
from mura_core.errors import MuraError
from mura_core.export import load_checkpoint, predict_films
from mura_core.films import load_films
from mura_core.quantisation import weights_digest
from mura_core.recipe import Recipe
from mura_core.staging import Staging, write_whole
from mura_core.table1_folder import claim, digest_data
from mura_core.train import start_model, train_two_phase
from mura_core.two_phase import study_probabilities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mura_core.films import Films
    from mura_core.records import StudyRecord

ANSWERS = "answers.json"
"""In a variant's folder: what its last epoch says of every valid study. It is there once all is done."""

_FORMAT = "fracatlas"


def variants(base: Recipe) -> dict[str, Recipe]:
    """The recipes that are compared, by name; the first is what the others are compared with."""
    return {
        "base": base,
        "second-seed": replace(base, seed=base.seed + 1),
        "no-roi": replace(base, roi=False),
        "no-enhancement": replace(base, enhance=False),
        "no-augmentation": replace(base, augmentation="none"),
        "no-boxes": replace(base, box_weight=0.0),
        "weighted-classes": replace(base, class_weights="body-part"),
        "averaging": replace(base, averaging=0.98),
        "coarser": replace(base, size=base.size * 5 // 7),
        "finer": replace(base, size=base.size * 9 // 7),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and measure what is not finished yet, and write the table after each.

    Lightning starts further processes with this very command line when the first training begins; they take
    the same work in the same order, and the first one alone measures and writes.

    Raises:
        MuraError: Data, weights or flags cannot be used, or `--out` is kept for others.
    """
    options = _read_options(arguments)
    base = Recipe(
        init=options.init,
        focus=1.0,
        size=options.size,
        transfer_epochs=1,
        fine_tune_epochs=options.epochs,
        fine_tune_rate=2e-4,
        class_weights="none",
        box_weight=1.0,
        normals_per_abnormal=2.0,
        patience=0,
    )
    recipes = variants(base)
    chosen = _choose(options.only, recipes)
    start_model(base)  # refuses weights that do not fit before a folder is kept for them
    records = {split: read_split(options.data, _FORMAT, split) for split in ("train", "valid")}
    with Staging(options.report):
        pass
    init = digest_init(options.init)
    digest = digest_data(options.data, records)
    for name, recipe in recipes.items():
        bound = replace(recipe, init=init)
        claim(options.out / name, _FORMAT, digest, bound, None, {"devices": options.devices})
    missing, first = [name for name in chosen if not (options.out / name / ANSWERS).is_file()], True
    for place, name in enumerate(missing, start=1):
        _say(f"{name}: training, {place} of {len(missing)}")
        first = train_and_measure(recipes[name], records, options.out / name, options)
        if first:
            _write_table(recipes, records["valid"], options, init)
    if first:
        text = _write_table(recipes, records["valid"], options, init)
        print(f"{text}\nTable: {options.report / 'ABLATION.md'}")


def train_and_measure(
    recipe: Recipe, records: Mapping[str, Sequence[StudyRecord]], folder: Path, options: argparse.Namespace
) -> bool:
    """Train one variant, or go on, and keep what its last epoch says of the valid split.

    Args:
        recipe: How.
        records: The studies of "train" and "valid".
        folder: The variant's.
        options: The command line's.

    Returns:
        Whether this process is the first of several: that one measures.
    """
    with contextlib.redirect_stdout(sys.stderr):
        train, valid = (
            load_films(records[split], recipe.preprocess, options.cache, noisy)
            for split, noisy in (("train", recipe.noisy), ("valid", False))
        )
        lightning.seed_everything(recipe.seed, verbose=False)
        model = start_model(recipe)
        if not train_two_phase(model, train, valid, recipe, folder, options.devices):
            return False
    write_whole(folder / ANSWERS, (json.dumps(measure(recipe, folder, valid)) + "\n").encode())
    return True


def measure(recipe: Recipe, folder: Path, valid: Films) -> dict[str, Any]:
    """What a finished training took, and what its last epoch says of each valid study, in their order."""
    curves = read_curves(folder / LOG)
    model = load_checkpoint(folder / "last.ckpt", recipe)
    # As in the training's own validation, and twice as fast as without.
    with torch.autocast("cpu", torch.bfloat16):
        logits = predict_films(model, valid)
    probabilities = study_probabilities(valid, list(enumerate(logits.tolist())))[1]
    return {
        "minutes": sum(dict(curves["epoch_s"]).values()) / 60,
        "valid_auroc_by_epoch": list(dict(curves["valid_auroc"]).values()),
        "probabilities": probabilities.tolist(),
    }


def digest_init(init: str) -> str:
    """Name what the networks start from by its content; "imagenet" and "none" by their name."""
    path = Path(init)
    if (path / SIDECAR_NAME).is_file():
        return weights_digest(path)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else init


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shown = "default: %(default)s"
    parser.add_argument("data", type=Path, help="the folder of FracAtlas")
    parser.add_argument("--init", required=True, help="weights that all networks start from, as in train")
    parser.add_argument("--out", type=Path, default=Path("runs/ablation"), help=f"resumes there; {shown}")
    parser.add_argument("--report", type=Path, default=Path("docs/ablation"), help=f"for the table; {shown}")
    parser.add_argument("--cache", type=Path, default=Path(".cache"), help=f"for prepared films; {shown}")
    parser.add_argument("--devices", type=int, default=1, help=f"processes or GPUs; {shown}")
    parser.add_argument("--size", type=int, default=224, help=f"side of the network's input, px; {shown}")
    parser.add_argument("--epochs", type=int, default=3, help=f"after the first, of all layers; {shown}")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="the variants to train; default: all")
    return parser.parse_args(arguments)


def _choose(only: str | None, recipes: Mapping[str, Recipe]) -> list[str]:
    wanted = list(recipes) if only is None else only.split(",")
    unknown = [name for name in wanted if name not in recipes]
    if unknown:
        raise MuraError(
            f"--only names {', '.join(map(repr, unknown))}, which is no variant. Expected some of "
            f"{', '.join(recipes)}, with commas and no blanks between them."
        )
    return [name for name in recipes if name in wanted]


def _write_table(
    recipes: Mapping[str, Recipe], valid: Sequence[StudyRecord], options: argparse.Namespace, init: str
) -> str:
    """Write the table of all variants that are finished, whichever run finished them."""
    paths = {name: options.out / name / ANSWERS for name in recipes}
    answers = {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}
    # Not as it was typed: what `--only` chose and where DATA lies changes nothing in the figures.
    flags = ["--init", options.init, "--size", str(options.size), "--epochs", str(options.epochs)]
    command = ["python", "-m", "benchmarks.ablation", "DATA", *flags, "--devices", str(options.devices)]
    about = {"command": shlex.join(command), "data": "FracAtlas, valid split", "init_digest": init}
    table = build({name: asdict(recipe) for name, recipe in recipes.items()}, answers, valid, about)
    text = write_markdown(table)
    with Staging(options.report) as staging:
        content = (json.dumps(table, indent=1, allow_nan=False) + "\n").encode()
        staging.publish({"ablation.json": content, "ABLATION.md": text.encode()})
    return text


@rank_zero_only
def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
