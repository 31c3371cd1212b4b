"""The command line: `python -m mura_core COMMAND`. Exit codes: 0 fine, 1 a stated failure, 2 wrong usage."""

from __future__ import annotations

import argparse
import errno
import sys
from typing import TYPE_CHECKING, Protocol

from mura_core import __version__
from mura_core.commands import (
    augment,
    data,
    evaluate,
    known,
    predict,
    pretrain,
    preview,
    quantise,
    recount,
    release,
    studies,
    table1,
    train,
)
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRAIN_EXTRA = {"lightning", "matplotlib", "sklearn", "tensorboard"}
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


class Command(Protocol):
    """One command: a module of `mura_core.commands`."""

    @property
    def SUMMARY(self) -> str:  # noqa: N802 - a module's constant
        """What it does, for the help."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Give a parser the command's flags."""

    def run(self, options: argparse.Namespace, /) -> int:
        """Do it and return the exit code."""


COMMANDS: dict[str, Command] = {
    "predict": predict,
    "studies": studies,
    "evaluate": evaluate,
    "data": data,
    "preview": preview,
    "augment": augment,
    "pretrain": pretrain,
    "train": train,
    "table1": table1,
    "release": release,
    "recount": recount,
    "quantise": quantise,
    "known": known,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = build_parser(arguments).parse_args(arguments)
        code: int = options.run(options)
    except MuraError as error:
        return _fail(str(error))
    except OSError as error:
        if error.errno not in _DISK:
            raise
        return _fail(
            f"{error.filename or 'A file'} cannot be read or written ({error.strerror}). What was finished "
            "before is kept: make room or allow writing, and run the same command again."
        )
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _TRAIN_EXTRA:
            raise
        return _fail(f"This command needs {package}, which is not installed: pip install -e '.[train]'")
    return code


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; of the commands, only the one that `arguments` name gets its flags."""
    parser = argparse.ArgumentParser(
        prog="python -m mura_core", description="Read musculoskeletal radiographs. For research only."
    )
    parser.add_argument("--version", action="version", version=f"mura_core {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        if name == chosen:
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
    return parser


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fail(message: str) -> int:
    print(f"error: {_one_line(message)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
