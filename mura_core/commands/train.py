"""The train command: both phases. Its flags are those of `mura_core.recipe.Recipe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SUMMARY = "train a network in two phases"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    from mura_core import train

    train.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Train, or go on."""
    from mura_core import train

    train.run(options)
    return 0
