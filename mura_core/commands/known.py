"""The known command: which films the weights know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "learn which films the weights know, and measure how others are told"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    flags.add_data(parser)
    parser.add_argument(
        "--films", type=int, default=3000, help="films of each split at most; default: %(default)s"
    )
    parser.add_argument(
        "--stand-ins", type=int, default=40, metavar="N", help="pictures of each kind; default: %(default)s"
    )
    flags.add_model(parser)


def run(options: argparse.Namespace) -> int:
    """Fit, measure, write, and print the figures."""
    from mura_core import known_fit

    print(known_fit.run(options))
    return 0
