"""The quantise command: 8 bits calibrated, and every engine of this CPU compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "prepare released weights for 8 bits, and compare the engines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    flags.add_data(parser)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="default: $MURA_WEIGHTS, then weights/")
    parser.add_argument(
        "--films", type=int, default=128, help="training films to calibrate on; default: %(default)s"
    )


def run(options: argparse.Namespace) -> int:
    """Calibrate, compare, and write what the engines need."""
    from mura_core import quantise

    quantise.run(options)
    return 0
