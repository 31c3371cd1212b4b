"""`python -m mura_core train`: data, recipe, trainer, and at the end weights that can be served."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from safetensors.torch import load_file, save

from mura_core.checkpoint import SIDECAR_NAME, load_weights
from mura_core.curves import LOG, draw_curves, keep_log
from mura_core.datasets import DATASET_FORMATS, read_split
from mura_core.errors import WeightsError
from mura_core.export import export_weights
from mura_core.films import Films, load_films
from mura_core.models import Classifier, build_model
from mura_core.preprocess import PreprocessOptions
from mura_core.pretrain import pretrain
from mura_core.recipe import Recipe, SourceRecipe, add_recipe_arguments, read_recipe
from mura_core.resuming import WholeCheckpoints
from mura_core.staging import write_whole
from mura_core.two_phase import TwoPhase

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

SOURCE_FILE = "source.safetensors"


def add_arguments(
    parser: argparse.ArgumentParser, out: str = "runs/train", without: Collection[str] = ()
) -> None:
    """The flags of `train`: where data and results are, the machine, and the recipe `without` some fields."""
    _add_places(parser, out)
    add_recipe_arguments(parser, Recipe, without)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `pretrain`, the source task for data of its own."""
    _add_places(parser, "runs/source")
    add_recipe_arguments(parser, SourceRecipe)


def run(options: argparse.Namespace) -> None:
    """Train in two phases, resuming from `--out` where an earlier run stopped, and export the weights.

    Raises:
        MuraError: The data, the start weights or the recipe cannot be used.
    """
    recipe = read_recipe(options, Recipe)
    lightning.seed_everything(recipe.seed, verbose=False)
    model = start_model(recipe)
    train, valid = (
        load_films(read_split(options.data, options.format, split), recipe.preprocess, options.cache, noisy)
        for split, noisy in (("train", recipe.noisy), ("valid", False))
    )
    folder = options.out / "weights"
    if train_and_export(model, train, valid, recipe, options, options.out, folder):
        print(f"Weights: {folder}\nCurves: {options.out / 'curves.png'}")


def train_and_export(
    model: Classifier,
    train: Films,
    valid: Films,
    recipe: Recipe,
    options: argparse.Namespace,
    out: Path,
    weights: Path,
) -> bool:
    """Train in `out` as the flags of `train` say, and export the epoch to keep to `weights`.

    Returns:
        Whether this process is the first of several: that one exports.
    """
    machine = (options.devices, options.nodes, options.precision, options.workers)
    first = train_two_phase(model, train, valid, recipe, out, *machine)
    if first:
        command = shlex.join(["python", "-m", "mura_core", *sys.argv[1:]])
        export_weights(out / f"{recipe.kept_epoch}.ckpt", recipe, valid, options.format, command, weights)
    return first


def run_source(options: argparse.Namespace) -> None:
    """Learn the source task and keep the network for `train --init`.

    Raises:
        MuraError: The data cannot be used.
    """
    recipe = read_recipe(options, SourceRecipe)
    lightning.seed_everything(recipe.seed, verbose=False)
    model = start_model(recipe)
    preprocess = PreprocessOptions(size=recipe.size)
    records = read_split(options.data, options.format, "train")
    films = load_films(records, preprocess, options.cache, recipe.noisy)
    pretrain(films, model, recipe, options.out, options.devices, options.nodes, options.precision)
    path = options.out / SOURCE_FILE
    write_whole(path, save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))
    print(f"Start from it: python -m mura_core train --init {path}")


def train_two_phase(
    model: Classifier,
    train: Films,
    valid: Films,
    recipe: Recipe,
    out: Path,
    devices: int = 1,
    nodes: int = 1,
    precision: str = "bf16-mixed",
    workers: int = 1,
) -> bool:
    """Run both phases on Lightning; `out` gets checkpoints, metrics.csv, curves.png and TensorBoard's log.

    A killed run goes on from its last finished epoch and ends where an uninterrupted one would.

    Returns:
        Whether this process is the first of several, the one to report.
    """
    task = TwoPhase(model.to(memory_format=torch.channels_last), train, valid, recipe, workers)
    best = ModelCheckpoint(out, "best", monitor="valid_auroc", mode="max", enable_version_counter=False)
    last = ModelCheckpoint(
        out, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    stopping = EarlyStopping(
        "fine_tune_auroc", patience=recipe.patience or recipe.epochs, mode="max", strict=False
    )
    averaging = [EMAWeightAveraging(decay=recipe.averaging)] if recipe.averaging else []
    several = devices * nodes > 1
    keep_log(out)
    trainer = lightning.Trainer(
        max_epochs=recipe.epochs,
        precision=precision,  # type: ignore[arg-type]
        devices=devices,
        num_nodes=nodes,
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        use_distributed_sampler=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        default_root_dir=out,
        # Written at once: a kill must not take the log of epochs that a checkpoint has.
        logger=[
            CSVLogger(out, name="", version="", flush_logs_every_n_steps=1),
            TensorBoardLogger(out, name="tensorboard", version=""),
        ],
        callbacks=[*averaging, best, last, stopping],
        plugins=[WholeCheckpoints()],
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    resumed = out / "last.ckpt"
    trainer.fit(task, ckpt_path=str(resumed) if resumed.is_file() else None, weights_only=False)
    if trainer.is_global_zero:
        draw_curves(out / LOG, recipe.transfer_epochs, out / "curves.png")
    return trainer.is_global_zero


def start_model(recipe: Recipe | SourceRecipe) -> Classifier:
    """Build what the first phase starts from: transferred feature layers under a new classification layer.

    Raises:
        WeightsError: `init` names no weights, or weights of another network.
    """
    if recipe.init in ("imagenet", "none"):
        return build_model(recipe.architecture, imagenet=recipe.init == "imagenet", focus=recipe.focus)
    path = Path(recipe.init)
    if (path / SIDECAR_NAME).is_file():
        state = load_weights(path)[1]
    elif path.is_file() and path.suffix == ".safetensors":
        state = load_file(path)
    else:
        raise WeightsError(
            f"--init {recipe.init} is neither imagenet, none, a .safetensors file "
            f"nor a folder with {SIDECAR_NAME}."
        )
    model = build_model(recipe.architecture, focus=recipe.focus)
    body = {name.removeprefix("body."): value for name, value in state.items() if name.startswith("body.")}
    try:
        model.body.load_state_dict(body)
    except RuntimeError as error:
        raise WeightsError(
            f"The weights in {path} are not feature layers of {recipe.architecture}. Expected those that "
            "pretrain or train made for it: name the right file, or change --architecture."
        ) from error
    return model


def _add_places(parser: argparse.ArgumentParser, out: str) -> None:
    shown = "default: %(default)s"
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the dataset's folder")
    parser.add_argument("--format", choices=DATASET_FORMATS, default="mura", help=shown)
    parser.add_argument("--out", type=Path, default=Path(out), metavar="DIR", help=f"resumes there; {shown}")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache"), metavar="DIR", help=f"for prepared films; {shown}"
    )
    parser.add_argument("--devices", type=int, default=1, metavar="N", help=f"processes or GPUs; {shown}")
    parser.add_argument("--nodes", type=int, default=1, metavar="M", help=f"machines; {shown}")
    parser.add_argument("--precision", default="bf16-mixed", help=f"Lightning's name for it; {shown}")
    parser.add_argument("--workers", type=int, default=1, help=f"loading processes per device; {shown}")
