"""Where Table 1 starts with `--init source`: every network first learns the source task, all by one recipe.

Each has a folder `<architecture>-source` under `--out`; in it the task resumes, and what is learnt is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import lightning
import torch
from lightning.pytorch.utilities import rank_zero_only
from safetensors.torch import save

from mura_core import train
from mura_core.curves import LOG, read_curves
from mura_core.errors import MuraError
from mura_core.pretrain import pretrain
from mura_core.recipe import Recipe, SourceRecipe
from mura_core.staging import write_whole

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from mura_core.films import Films
    from mura_core.models import Classifier

SOURCE = "source"
RATE = 3e-4
"""Below the 1e-3 of `pretrain`, for VGG16: without batch statistics it learns at this rate, if slowly."""

_LEAST_CROP = 32


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of the source task; all else of it is `pretrain`'s default or the table's own."""
    default = SourceRecipe()
    for name, value, text in (
        ("epochs", default.epochs, "rounds of the source task, for --init source"),
        ("cuts", default.cuts_per_epoch, "cuts drawn in one of its rounds"),
        ("crop", default.crop, "side of its cuts, px"),
        ("rate", RATE, "its highest learning rate, the same for all networks"),
    ):
        shown = f"{text}; default: %(default)s"
        parser.add_argument(f"--source-{name}", type=type(value), default=value, help=shown)


def read_source(options: argparse.Namespace, recipe: Recipe) -> SourceRecipe | None:
    """The source task of all networks; None where the table starts from something else.

    Raises:
        MuraError: A value is out of range.
    """
    if recipe.init != SOURCE:
        return None
    source = SourceRecipe(
        focus=recipe.focus,
        size=recipe.size,
        crop=options.source_crop,
        epochs=options.source_epochs,
        cuts_per_epoch=options.source_cuts,
        learning_rate=options.source_rate,
        augmentation=recipe.augmentation,
        seed=recipe.seed,
    )
    if source.epochs < 1 or source.cuts_per_epoch < source.batch or source.learning_rate <= 0:
        raise MuraError(
            f"The source task cannot be learnt in {source.epochs} rounds of {source.cuts_per_epoch} cuts at "
            f"a rate of {source.learning_rate:g}. Expected --source-epochs of 1 or more, --source-cuts of "
            f"{source.batch} or more, and --source-rate above 0."
        )
    if not _LEAST_CROP <= source.crop <= source.size:
        raise MuraError(
            f"--source-crop is {source.crop}, and the films are {source.size} px wide. Expected cuts of "
            f"{_LEAST_CROP} px up to the film's --size."
        )
    return source


def source_file(out: Path, architecture: str) -> Path:
    """Where a network's feature layers lie when it has learnt the source task."""
    return out / f"{architecture}-{SOURCE}" / train.SOURCE_FILE


def source_minutes(out: Path, architecture: str) -> float:
    """How long a network learnt the source task, min."""
    curves = read_curves(source_file(out, architecture).with_name(LOG))
    return sum(dict(curves["epoch_s"]).values()) / 60


def learn_source(source: SourceRecipe, architecture: str, films: Films, options: argparse.Namespace) -> None:
    """Teach one network the source task and keep its layers; every process returns when they are there.

    Args:
        source: How; its architecture does not count.
        architecture: The network.
        films: The prepared training films.
        options: The flags of `table1`.

    Raises:
        DatasetError: The films have no boxes.
    """
    mine = replace(source, architecture=architecture)
    path = source_file(options.out, architecture)
    lightning.seed_everything(mine.seed, verbose=False)
    model = train.start_model(mine)
    pretrain(films, model, mine, path.parent, options.devices, options.nodes, options.precision)
    _keep(model, path)
    # The others read what the first one writes.
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()


@rank_zero_only
def _keep(model: Classifier, path: Path) -> None:
    write_whole(path, save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))
