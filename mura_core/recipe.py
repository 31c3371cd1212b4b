"""The training recipe: every choice a run makes, the defaults being the paper's."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields
from typing import Any

from mura_core.errors import MuraError
from mura_core.preprocess import PreprocessOptions

CLASS_WEIGHTS = ("none", "class", "body-part")


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
    transfer_epochs: int = _flag(10, "epochs with the transferred layers frozen")
    fine_tune_epochs: int = _flag(10, "epochs in which all layers learn")
    transfer_rate: float = _flag(1e-3, "learning rate of the new layer while the others are frozen")
    fine_tune_rate: float = _flag(1e-4, "highest learning rate of all layers afterwards")
    weight_decay: float = _flag(1e-2, "AdamW's weight decay")
    batch: int = _flag(16, "films in one step, over all devices")
    class_weights: str = _flag("body-part", "weigh the loss so that both classes count alike", CLASS_WEIGHTS)
    box_weight: float = _flag(0.5, "weight of the fracture boxes in the loss, where the data has boxes")
    normals_per_abnormal: float = _flag(0.0, "normal films drawn for each abnormal one in an epoch; 0: all")
    patience: int = _flag(5, "stop after so many fine-tuning epochs without a better AUROC; 0: never")
    seed: int = _flag(1, "of weights, order and augmentation")

    def __post_init__(self) -> None:
        if self.class_weights not in CLASS_WEIGHTS:
            raise MuraError(
                f"Unknown class weights {self.class_weights!r}. Expected one of {', '.join(CLASS_WEIGHTS)}."
            )
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
    def preprocess(self) -> PreprocessOptions:
        """What is done to every film."""
        return PreprocessOptions(size=self.size, roi=self.roi, enhance=self.enhance)


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser one flag for each field of the recipe."""
    for item in fields(Recipe):
        name, text = "--" + item.name.replace("_", "-"), item.metadata["help"] + "; default: %(default)s"
        if isinstance(item.default, bool):
            action = argparse.BooleanOptionalAction
            parser.add_argument(name, action=action, default=item.default, help=text)
        else:
            kind, choices = type(item.default), item.metadata["choices"]
            parser.add_argument(name, type=kind, default=item.default, choices=choices, help=text)


def read_recipe(options: argparse.Namespace) -> Recipe:
    """Take the recipe out of parsed flags.

    Raises:
        MuraError: A value is out of range.
    """
    return Recipe(**{item.name: getattr(options, item.name) for item in fields(Recipe)})
