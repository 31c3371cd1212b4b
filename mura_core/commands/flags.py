"""The flags that several commands share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mura_core.operating_table import PREVALENCE

SPLITS = ("train", "valid", "test")

_FORMATS = ("mura", "fracatlas")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Which labelled studies: `--data` and `--format`."""
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the dataset's folder")
    add_format(parser)


def add_format(parser: argparse.ArgumentParser) -> None:
    """How the dataset lies on disk: `--format`."""
    parser.add_argument("--format", choices=_FORMATS, default="mura", help="default: %(default)s")


def add_model(parser: argparse._ActionsContainer) -> None:
    """Which weights, and what runs them: `--weights` and `--device`."""
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="weights folder; default: $MURA_WEIGHTS, then weights/"
    )
    parser.add_argument(
        "--device",
        default=os.environ.get("MURA_DEVICE") or "auto",
        help="auto, cpu, cuda, mps, or an engine: int8, bf16, f32, torch; default: $MURA_DEVICE, then auto",
    )


def add_prevalence(parser: argparse.ArgumentParser) -> None:
    """What predictive values are stated at: `--prevalence`."""
    parser.add_argument(
        "--prevalence",
        type=float,
        default=PREVALENCE,
        metavar="SHARE",
        help="share of abnormal studies that PPV and NPV are stated at; default: %(default)s",
    )


def add_archive(parser: argparse._ActionsContainer) -> None:
    """Which archive: `--dicomweb`."""
    parser.add_argument(
        "--dicomweb",
        metavar="URL",
        default=os.environ.get("MURA_DICOMWEB"),
        help="the archive's DICOMweb service; default: $MURA_DICOMWEB",
    )


def add_sheet(parser: argparse.ArgumentParser) -> None:
    """Which films a contact sheet shows, and where it goes: a folder, `--out` and `--count`."""
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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value
