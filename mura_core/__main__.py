"""The command line: `python -m mura_core COMMAND`. Exit codes: 0 fine, 1 a stated failure, 2 wrong usage."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core import __version__
from mura_core.errors import MuraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TRAIN_EXTRA = {"lightning", "matplotlib", "sklearn", "tensorboard"}
_FORMATS = ("mura", "fracatlas")
_FILM_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm")
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)
_SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Command:
    """One subcommand. What it needs is imported when it is chosen, so that the others start fast."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


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
        subparser = commands.add_parser(name, help=command.summary, description=command.summary)
        if name == chosen:
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
    return parser


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import predict

    predict.add_arguments(parser)


def _predict(options: argparse.Namespace) -> int:
    from mura_core import predict

    return predict.run(options)


def _studies_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import archive

    archive.add_arguments(parser)


def _studies(options: argparse.Namespace) -> int:
    from mura_core import archive

    return archive.run(options)


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data_arguments(parser)
    parser.add_argument("--split", choices=_SPLITS, default="test", help="default: %(default)s")
    _add_model_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of the report; default: reports/FORMAT-SPLIT"
    )


def _evaluate(options: argparse.Namespace) -> int:
    from mura_core import evaluate

    print(
        evaluate.run(
            options.data, options.format, options.split, options.weights, options.out, options.device
        )
    )
    return 0


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="PATH", help="the dataset's folder")
    parser.add_argument("--format", choices=_FORMATS, default="mura", help="default: %(default)s")


def _data(options: argparse.Namespace) -> int:
    from mura_core.datasets import census_table

    print(census_table(options.path, options.format))
    return 0


def _sheet_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="any folder of radiographs, searched through"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("sheet.png"), metavar="PNG", help="default: %(default)s"
    )
    parser.add_argument(
        "--count",
        type=_positive,
        default=40,
        help="films, taken evenly from the folder; default: %(default)s",
    )


def _preview(options: argparse.Namespace) -> int:
    paths = _find_films(options.folder, options.count)
    from mura_core.preview import contact_sheet

    contact_sheet(paths, options.out)
    print(options.out)
    return 0


def _augment(options: argparse.Namespace) -> int:
    paths = _find_films(options.folder, options.count)
    from mura_core.preview import augmented_sheet

    augmented_sheet(paths, options.out)
    print(options.out)
    return 0


def _find_films(folder: Path, count: int) -> list[Path]:
    """Pick up to `count` films from all of a folder, evenly spaced over its sorted files.

    Raises:
        MuraError: There is no such folder, or no film in it.
    """
    if not folder.is_dir():
        raise MuraError(f"There is no folder {folder}. Expected a folder of radiographs: check the path.")
    films = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _FILM_SUFFIXES)
    if not films:
        raise MuraError(f"No film in {folder}. Expected files that end in {', '.join(_FILM_SUFFIXES)}.")
    step = max(1.0, len(films) / count)
    return [films[int(index * step)] for index in range(min(count, len(films)))]


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import train

    train.add_arguments(parser)


def _train(options: argparse.Namespace) -> int:
    from mura_core import train

    train.run(options)
    return 0


def _pretrain_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import train

    train.add_source_arguments(parser)


def _pretrain(options: argparse.Namespace) -> int:
    from mura_core import train

    train.run_source(options)
    return 0


def _table1_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import table1

    table1.add_arguments(parser)


def _table1(options: argparse.Namespace) -> int:
    from mura_core import table1

    table1.run(options)
    return 0


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("candidate", type=Path, metavar="DIR", help="weights that train made")
    _add_data_arguments(parser)
    default = "default: %(default)s"
    parser.add_argument("--out", type=Path, default=Path("weights"), metavar="DIR", help=default)
    parser.add_argument("--report", type=Path, default=Path("reports/release"), metavar="DIR", help=default)
    parser.add_argument("--device", default="torch", help=f"torch, the reference, or cuda, mps; {default}")


def _release(options: argparse.Namespace) -> int:
    from mura_core import release

    release.run(options)
    return 0


def _quantise_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import quantise

    quantise.add_arguments(parser)


def _quantise(options: argparse.Namespace) -> int:
    from mura_core import quantise

    quantise.run(options)
    return 0


def _known_arguments(parser: argparse.ArgumentParser) -> None:
    from mura_core import known_fit

    known_fit.add_arguments(parser)
    _add_model_arguments(parser)


def _known(options: argparse.Namespace) -> int:
    from mura_core import known_fit

    print(known_fit.run(options))
    return 0


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the dataset's folder")
    parser.add_argument("--format", choices=_FORMATS, default="mura", help="default: %(default)s")


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="weights folder; default: $MURA_WEIGHTS, then weights/"
    )
    parser.add_argument(
        "--device",
        default=os.environ.get("MURA_DEVICE") or "auto",
        help="auto, cpu, cuda, mps, or an engine: int8, bf16, f32, torch; default: $MURA_DEVICE, then auto",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fail(message: str) -> int:
    print(f"error: {_one_line(message)}", file=sys.stderr)
    return 1


COMMANDS = {
    "predict": Command(
        "read one study or many and say normal, doubt or abnormal", _predict_arguments, _predict
    ),
    "studies": Command("list the studies of an archive over DICOMweb", _studies_arguments, _studies),
    "evaluate": Command("measure the weights on a labelled split", _evaluate_arguments, _evaluate),
    "data": Command("count the studies of a dataset", _data_arguments, _data),
    "preview": Command("draw a contact sheet of what preprocessing does", _sheet_arguments, _preview),
    "augment": Command("draw a sheet of augmented samples", _sheet_arguments, _augment),
    "pretrain": Command(
        "learn a source task from the data, where ImageNet weights cannot be had",
        _pretrain_arguments,
        _pretrain,
    ),
    "train": Command("train a network in two phases", _train_arguments, _train),
    "table1": Command(
        "train the paper's networks by one recipe and compare them", _table1_arguments, _table1
    ),
    "release": Command(
        "measure trained weights on the test split and release them", _release_arguments, _release
    ),
    "quantise": Command(
        "prepare released weights for 8 bits, and compare the engines", _quantise_arguments, _quantise
    ),
    "known": Command(
        "learn which films the weights know, and measure how others are told", _known_arguments, _known
    ),
}

if __name__ == "__main__":
    sys.exit(main())
