"""The recount command: the figures of released weights anew, from what they answered before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "compute the figures of released weights anew from what they answered"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    parser.add_argument("--weights", type=Path, metavar="DIR", help="default: $MURA_WEIGHTS, then weights/")
    flags.add_prevalence(parser)


def run(options: argparse.Namespace) -> int:
    """Compute, write sidecar and model card, and print the figures."""
    from mura_core import recount

    print(recount.run(options.weights, options.prevalence))
    return 0
