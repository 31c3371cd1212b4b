"""What the measurements on a labelled split have in common: their flags, the studies, the weights."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mura_core.checkpoint import find_weights
from mura_core.datasets import read_split
from mura_core.known import served_digest
from mura_core.predictor import Predictor

if TYPE_CHECKING:
    from mura_core.records import StudyRecord


@dataclass(frozen=True)
class Labelled:
    """Studies of FracAtlas, and the weights that are measured on them.

    Attributes:
        split: Which the studies are of.
        records: The studies.
        folder: Of the weights; the figures go there too.
        predictor: With these weights.
    """

    split: str
    records: list[StudyRecord]
    folder: Path
    predictor: Predictor

    def header(self) -> dict[str, Any]:
        """Say what is measured, for the file of the figures."""
        return {
            "weights": served_digest(self.folder),
            "engine": self.predictor.engine.name,
            "data": f"FracAtlas, {self.split} split",
        }


def read_labelled(description: str | None, split: str) -> Labelled:
    """Parse the command line and read what it names.

    Args:
        description: For the help.
        split: The one that is taken unasked.

    Raises:
        MuraError: The data or the weights cannot be used.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default=split, choices=("valid", "test"))
    parser.add_argument("--every", type=int, default=1, help="take every n-th study")
    parser.add_argument("--weights", type=Path, help="weights folder; default: $MURA_WEIGHTS, then weights/")
    options = parser.parse_args()
    records = read_split(options.data, "fracatlas", options.split)[:: options.every]
    folder = find_weights(options.weights)
    return Labelled(options.split, records, folder, Predictor.load(folder))
