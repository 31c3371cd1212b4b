"""The release command: measure trained weights once, and put them where the page takes them from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

SUMMARY = "measure trained weights on the test split and release them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    parser.add_argument("candidate", type=Path, metavar="DIR", help="weights that train made")
    flags.add_data(parser)
    default = "default: %(default)s"
    parser.add_argument("--out", type=Path, default=Path("weights"), metavar="DIR", help=default)
    parser.add_argument("--report", type=Path, default=Path("reports/release"), metavar="DIR", help=default)
    parser.add_argument("--device", default="torch", help=f"torch, the reference, or cuda, mps; {default}")
    flags.add_prevalence(parser)


def run(options: argparse.Namespace) -> int:
    """Measure and release."""
    from mura_core import release

    release.run(options)
    return 0
