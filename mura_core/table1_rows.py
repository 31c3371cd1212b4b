"""The rows of Table 1: which network, trained how, and where on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mura_core.checkpoint import SIDECAR_NAME
from mura_core.curves import LOG, read_curves
from mura_core.errors import WeightsError
from mura_core.quantisation import weights_digest
from mura_core.table1_source import SOURCE, source_minutes

if TYPE_CHECKING:
    from pathlib import Path

    from mura_core.curves import Curves
    from mura_core.recipe import Recipe


WEIGHTS_DIGEST = "weights_digest"
"""The key in a report's metrics.json."""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        name: Of the network, as the paper writes it.
        architecture: One of `models.ARCHITECTURES`; its training lies in the folder of this name.
        both: Trained in both phases; in the first alone otherwise.
    """

    name: str
    architecture: str
    both: bool = False

    @property
    def title(self) -> str:
        """Name and phases."""
        return f"{self.name}, {'both phases' if self.both else 'transfer'}"

    def folder(self, out: Path) -> Path:
        """Where its weights and its report lie."""
        return out / f"{self.architecture}-{'both' if self.both else 'transfer'}"

    def recipe(self, recipe: Recipe) -> Recipe:
        """The table's recipe for this row."""
        epochs = recipe.fine_tune_epochs if self.both else 0
        return replace(recipe, architecture=self.architecture, fine_tune_epochs=epochs)

    def curves(self, out: Path, recipe: Recipe) -> Curves:
        """Its training by epoch; the first phase of a training that went on belongs to both rows."""
        epochs = self.recipe(recipe).epochs
        curves = read_curves(out / self.architecture / LOG)
        return {name: [point for point in line if point[0] <= epochs] for name, line in curves.items()}

    def is_trained(self, out: Path) -> bool:
        """Whether its weights are there."""
        return (self.folder(out) / "weights" / SIDECAR_NAME).is_file()

    def weights_digest(self, out: Path) -> str:
        """The digest of its weights, which its report is bound to.

        Raises:
            WeightsError: They are not there, or their sidecar cannot be read.
        """
        return weights_digest(self.folder(out) / "weights")

    def is_measured(self, out: Path) -> bool:
        """Whether its report is there, and of the weights beside it."""
        try:
            report = json.loads((self.folder(out) / "report" / "metrics.json").read_text(encoding="utf-8"))
            return bool(report[WEIGHTS_DIGEST] == self.weights_digest(out))
        except (OSError, ValueError, KeyError, TypeError, WeightsError):
            return False

    def describe(self, out: Path, recipe: Recipe) -> dict[str, Any]:
        """What its training took, as JSON values."""
        curves = self.curves(out, recipe)
        by_epoch = dict(curves["valid_auroc"])
        return {
            "title": self.title,
            "network": self.name,
            "phases": "both" if self.both else "transfer",
            "architecture": self.architecture,
            "minutes": sum(dict(curves["epoch_s"]).values()) / 60,
            "source_minutes": source_minutes(out, self.architecture) if recipe.init == SOURCE else None,
            "parameters": count_parameters(self.architecture),
            "epochs": max(by_epoch),
            "kept_epoch": max(by_epoch, key=lambda epoch: by_epoch[epoch]),
            "size": recipe.size,
            "init": recipe.init,
        }


ROWS = (
    Row("ResNet50", "resnet50"),
    Row("EfficientNetB0", "efficientnet_b0"),
    Row("VGG16", "vgg16"),
    Row("DenseNet169", "densenet169"),
    Row("DenseNet169", "densenet169", both=True),
)
"""In the paper's order. The last is what the others are compared with, and follows its own first phase."""


def count_parameters(architecture: str) -> int:
    """Weights of a network that training can change, all layers together."""
    import torch

    from mura_core.models import build_model

    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build_model(architecture).parameters())
