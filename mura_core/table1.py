"""`python -m mura_core table1`: the paper's first table, networks trained by one recipe and compared.

Every network has a folder under `--out` in which its training resumes. The last row is no training of its
own: it goes on from the DenseNet169 of the row above, exactly as one training of both phases would.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import lightning
from lightning.pytorch.utilities import rank_zero_only

from mura_core import evaluate, table1_text, train
from mura_core.answers import show_progress
from mura_core.curves import LOG, draw_side_by_side, read_curves
from mura_core.datasets import SPLITS, read_split
from mura_core.errors import MuraError
from mura_core.films import load_films
from mura_core.predictor import Predictor
from mura_core.recipe import Recipe, read_recipe
from mura_core.staging import Staging
from mura_core.table1_folder import MACHINE, claim, digest_data
from mura_core.table1_rows import ROWS, WEIGHTS_DIGEST, Row
from mura_core.table1_source import SOURCE, add_source_arguments, learn_source, read_source, source_file
from mura_core.torch_engine import choose_device

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from mura_core.datasets import StudyRecord
    from mura_core.recipe import SourceRecipe

_FIXED = ("architecture", "init")
_STARTS = ("imagenet", "none", SOURCE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `train` but for the network, and where the table goes."""
    train.add_arguments(parser, "runs/table1", without=_FIXED)
    shown = "default: %(default)s"
    parser.add_argument(
        "--init",
        default="imagenet",
        help=f"all networks start from imagenet, none, or source: what pretrain teaches; {shown}",
    )
    add_source_arguments(parser)
    parser.add_argument(
        "--report", type=Path, default=Path("reports/table1"), metavar="DIR", help=f"for the table; {shown}"
    )


def run(options: argparse.Namespace) -> None:
    """Train and evaluate what is not finished yet, then write the table.

    Raises:
        MuraError: Data, flags or what `--out` holds cannot be used; what was finished is kept.
    """
    recipe = read_recipe(options, Recipe)
    _check(recipe)
    source = read_source(options, recipe)
    records = {split: read_split(options.data, options.format, split) for split in SPLITS}
    with Staging(options.report):
        pass
    machine = {name: getattr(options, name) for name in MACHINE}
    claim(options.out, options.format, digest_data(options.data, records), recipe, source, machine)
    try:
        if not _train_missing(recipe, source, records, options):
            return
        _evaluate_missing(records["test"], options)
    finally:
        _name_missing(options.out)
    table = table1_text.build(
        [row.describe(options.out, recipe) for row in ROWS],
        [row.folder(options.out) / "report" for row in ROWS],
        {
            "command": _command(),
            "dataset": {"format": options.format, "split": "test"},
            "recipe": {name: value for name, value in asdict(recipe).items() if name != "architecture"},
            "source": None if source is None else asdict(source),
        },
    )
    figure = draw_side_by_side(
        {row.title: row.curves(options.out, recipe) for row in ROWS}, recipe.transfer_epochs
    )
    text = table1_text.write_markdown(table)
    with Staging(options.report) as staging:
        content = (json.dumps(table, indent=2, allow_nan=False) + "\n").encode()
        staging.publish({"curves.png": figure, "table1.json": content, "TABLE1.md": text.encode()})
    print(f"{text}\nTable: {options.report / 'TABLE1.md'}")


def _check(recipe: Recipe) -> None:
    if recipe.init not in _STARTS:
        raise MuraError(
            f"--init {recipe.init} cannot start Table 1: weights from a file fit one network, and it "
            "compares four. Expected imagenet, none for random layers, or source for what pretrain teaches; "
            "for one network use train --init."
        )
    if not (recipe.transfer_epochs and recipe.fine_tune_epochs):
        raise MuraError(
            f"Table 1 compares the first phase with both, and found {recipe.transfer_epochs} and "
            f"{recipe.fine_tune_epochs} epochs. Expected --transfer-epochs and --fine-tune-epochs above 0."
        )


def _train_missing(
    recipe: Recipe,
    source: SourceRecipe | None,
    records: Mapping[str, list[StudyRecord]],
    options: argparse.Namespace,
) -> bool:
    """Train and export the rows that have no weights; tell whether this is the first of several processes.

    Lightning starts the other processes with this very command line when the first training begins. They
    take the same work in the same order: all look at what is missing before anything is trained, no row is
    exported before all have trained it, and none reads what the source task taught before it is written.
    """
    missing = [row for row in ROWS if not row.is_trained(options.out)]
    if not missing:
        return True
    _check_first_phase(missing, options.out, recipe)
    networks = {row.architecture for row in missing}
    unlearnt = {name for name in networks if not source_file(options.out, name).is_file()}
    first = False
    with contextlib.redirect_stdout(sys.stderr):
        films = [
            load_films(records[split], recipe.preprocess, options.cache, noisy)
            for split, noisy in (("train", recipe.noisy), ("valid", False))
        ]
        for row in missing:
            mine = row.recipe(recipe)
            if source is not None:
                if row.architecture in unlearnt:
                    _say(f"{row.name}: learning the source task")
                    learn_source(source, row.architecture, films[0], options)
                    unlearnt.remove(row.architecture)
                mine = replace(mine, init=str(source_file(options.out, row.architecture)))
            _say(f"{row.title}: training, row {ROWS.index(row) + 1} of {len(ROWS)}")
            lightning.seed_everything(mine.seed, verbose=False)
            model = train.start_model(mine)
            folders = options.out / row.architecture, row.folder(options.out) / "weights"
            first = train.train_and_export(model, films[0], films[1], mine, options, *folders)
    return first


def _check_first_phase(missing: list[Row], out: Path, recipe: Recipe) -> None:
    """Refuse to export a first phase whose training has gone on to the second.

    Raises:
        MuraError: The weights of such a row were removed.
    """
    for row in missing:
        folder, epochs = out / row.architecture, row.recipe(recipe).epochs
        if (folder / "last.ckpt").is_file() and max(dict(read_curves(folder / LOG)["valid_auroc"])) > epochs:
            raise MuraError(
                f"{row.folder(out)} holds no weights, and the training in {folder} has gone on beyond them. "
                f"Expected both as they were: remove {folder} and every {folder.name}-* beside it to train "
                "this network anew."
            )


def _evaluate_missing(records: list[StudyRecord], options: argparse.Namespace) -> None:
    found = choose_device("auto").type
    for row in ROWS:
        if row.is_measured(options.out):
            continue
        folder = row.folder(options.out)
        _say(f"{row.title}: evaluating")
        predictor = Predictor.load(folder / "weights", "torch" if found == "cpu" else found)
        about = {
            "command": _command(),
            "dataset": {"format": options.format, "split": "test"},
            WEIGHTS_DIGEST: row.weights_digest(options.out),
        }
        evaluate.evaluate(records, predictor, folder / "report", about=about, progress=show_progress)


def _command() -> str:
    return shlex.join(["python", "-m", "mura_core", *sys.argv[1:]])


@rank_zero_only
def _name_missing(out: Path) -> None:
    missing = [row.title for row in ROWS if not row.is_measured(out)]
    if missing:
        _say(f"Not finished: {'; '.join(missing)}. No table is written; the same command goes on from here.")


@rank_zero_only
def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
