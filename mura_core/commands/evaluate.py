"""The evaluate command: the figures of a labelled split, and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "measure the weights on a labelled split"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    flags.add_data(parser)
    parser.add_argument("--split", choices=flags.SPLITS, default="test", help="default: %(default)s")
    flags.add_model(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the report; default: reports/FORMAT-SPLIT"
    )
    flags.add_prevalence(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command and print the figures."""
    from mura_core import evaluate

    print(
        evaluate.run(
            options.data,
            options.format,
            options.split,
            options.weights,
            options.out,
            options.device,
            options.prevalence,
        )
    )
    return 0
