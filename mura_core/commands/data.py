"""The data command: counts of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "count the studies of a dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the dataset's folder")
    flags.add_format(parser)


def run(options: argparse.Namespace) -> int:
    """Print the counts."""
    from mura_core.datasets import census_table

    print(census_table(options.path, options.format))
    return 0
