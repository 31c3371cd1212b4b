"""The pretrain command: the source task. Its flags are those of `mura_core.recipe.SourceRecipe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SUMMARY = "learn a source task from the data, where ImageNet weights cannot be had"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    from mura_core import train

    train.add_source_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Train, or go on."""
    from mura_core import train

    train.run_source(options)
    return 0
