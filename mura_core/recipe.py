"""The training recipe: every choice a run makes, the defaults being the paper's."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from mura_core.errors import MuraError
from mura_core.preprocess import PreprocessOptions

if TYPE_CHECKING:
    from collections.abc import Collection

CLASS_WEIGHTS = ("none", "class", "body-part")
KEPT_EPOCHS = ("best", "last")
AUGMENTATIONS = ("full", "noisy", "rough", "mild", "none")


def _flag(default: Any, text: str, choices: tuple[str, ...] | None = None) -> Any:
    return field(default=default, metadata={"help": text, "choices": choices})


@dataclass(frozen=True)
class Recipe:
    """Two phases of training; each field is a flag of `python -m mura_core train` of the same name."""

    architecture: str = _flag("densenet169", "densenet169, resnet50, efficientnet_b0 or vgg16")
    init: str = _flag("imagenet", "feature layers to start from: imagenet, none, or PATH of weights")
    focus: float = _flag(0.0, "sharpness of the pooling; 0 is the paper's plain mean")
    size: int = _flag(320, "side of the network's input, px")
    roi: bool = _flag(True, "crop each film to the region of interest")
    enhance: bool = _flag(True, "equalise each film's local contrast")
    augmentation: str = _flag(
        "full", "how much the training films are disturbed anew in each epoch", AUGMENTATIONS
    )
    transfer_epochs: int = _flag(10, "epochs with the transferred layers frozen")
    fine_tune_epochs: int = _flag(10, "epochs in which all layers learn")
    transfer_rate: float = _flag(1e-3, "learning rate of the new layer while the others are frozen")
    fine_tune_rate: float = _flag(1e-4, "highest learning rate of all layers afterwards")
    weight_decay: float = _flag(1e-2, "AdamW's weight decay")
    batch: int = _flag(16, "films in one step, over all devices")
    averaging: float = _flag(
        0.0, "decay a step of the weights' moving average, which is what is kept; 0: none"
    )
    class_weights: str = _flag("body-part", "weigh the loss so that both classes count alike", CLASS_WEIGHTS)
    box_weight: float = _flag(0.5, "weight of the fracture boxes in the loss, where the data has boxes")
    normals_per_abnormal: float = _flag(0.0, "normal films drawn for each abnormal one in an epoch; 0: all")
    patience: int = _flag(5, "stop after so many fine-tuning epochs without a better AUROC; 0: never")
    kept_epoch: str = _flag(
        "best", "whose weights are exported: of the best AUROC on valid, or the last", KEPT_EPOCHS
    )
    seed: int = _flag(1, "of weights, order and augmentation")

    def __post_init__(self) -> None:
        if self.class_weights not in CLASS_WEIGHTS:
            raise MuraError(
                f"Unknown class weights {self.class_weights!r}. Expected one of {', '.join(CLASS_WEIGHTS)}."
            )
        _check_augmentation(self.augmentation)
        if self.kept_epoch not in KEPT_EPOCHS:
            raise MuraError(f"Unknown epoch {self.kept_epoch!r} to keep. Expected best or last.")
        for name in ("size", "batch"):
            if getattr(self, name) < 1:
                raise MuraError(f"--{name} is {getattr(self, name)}. Expected 1 or more.")
        if self.transfer_epochs < 0 or self.fine_tune_epochs < 0 or self.epochs == 0:
            raise MuraError(
                "The recipe has no epoch. Expected --transfer-epochs or --fine-tune-epochs above 0."
            )

    @property
    def epochs(self) -> int:
        """Epochs of both phases."""
        return self.transfer_epochs + self.fine_tune_epochs

    @property
    def noisy(self) -> bool:
        """Whether training draws some films as they are after noise was added and they were prepared."""
        return self.augmentation == "noisy"

    @property
    def preprocess(self) -> PreprocessOptions:
        """What is done to every film."""
        return PreprocessOptions(size=self.size, roi=self.roi, enhance=self.enhance)


@dataclass(frozen=True)
class SourceRecipe:
    """The source task; each field is a flag of `python -m mura_core pretrain` of the same name."""

    architecture: str = _flag("densenet169", "as in train")
    init: str = _flag("none", "feature layers to start from: none, or PATH of an earlier source task")
    focus: float = _flag(0.0, "as in train")
    size: int = _flag(320, "side of the films before they are cut, px")
    crop: int = _flag(160, "side of a cut, px")
    epochs: int = _flag(12, "rounds of so many cuts")
    cuts_per_epoch: int = _flag(4096, "cuts drawn in one round")
    batch: int = _flag(32, "cuts in one step, over all devices")
    learning_rate: float = _flag(1e-3, "peak of the one-cycle schedule (Smith and Topin 2018)")
    augmentation: str = _flag("full", "as in train", AUGMENTATIONS)
    tag_weight: float = _flag(0.3, "weight of body part, view and hardware beside the fracture")
    seed: int = _flag(1, "of weights, drawing and augmentation")

    def __post_init__(self) -> None:
        _check_augmentation(self.augmentation)

    @property
    def noisy(self) -> bool:
        """As in `Recipe`."""
        return self.augmentation == "noisy"


def _check_augmentation(name: str) -> None:
    if name not in AUGMENTATIONS:
        raise MuraError(f"Unknown augmentation {name!r}. Expected one of {', '.join(AUGMENTATIONS)}.")


AnyRecipe = TypeVar("AnyRecipe", Recipe, SourceRecipe)


def add_recipe_arguments(
    parser: argparse.ArgumentParser, kind: type[Recipe] | type[SourceRecipe], without: Collection[str] = ()
) -> None:
    """Give a parser one flag for each field of a recipe; those `without` keep their default."""
    parser.set_defaults(**{item.name: item.default for item in fields(kind) if item.name in without})
    for item in fields(kind):
        if item.name in without:
            continue
        name, text = "--" + item.name.replace("_", "-"), item.metadata["help"] + "; default: %(default)s"
        if isinstance(item.default, bool):
            action = argparse.BooleanOptionalAction
            parser.add_argument(name, action=action, default=item.default, help=text)
        else:
            typed, choices = type(item.default), item.metadata["choices"]
            parser.add_argument(name, type=typed, default=item.default, choices=choices, help=text)


def read_recipe(options: argparse.Namespace, kind: type[AnyRecipe]) -> AnyRecipe:
    """Take a recipe out of parsed flags.

    Raises:
        MuraError: A value is out of range.
    """
    return kind(**{item.name: getattr(options, item.name) for item in fields(kind)})
