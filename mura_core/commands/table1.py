"""The table1 command: the paper's first table. Its flags are those of `train` but for the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SUMMARY = "train the paper's networks by one recipe and compare them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    from mura_core import table1

    table1.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Train what is not finished yet, and write the table."""
    from mura_core import table1

    table1.run(options)
    return 0
