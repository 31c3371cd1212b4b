"""The predict command: one study's files, a study of an archive, or a worklist of many studies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.commands import flags

if TYPE_CHECKING:
    import argparse

    from pydicom.dataset import Dataset

    from mura_core.reading import Reading
    from mura_core.study import StudyResult

SUMMARY = "read one study or many and say normal, doubt or abnormal"

_MOST_WORKERS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the command's flags."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="the views of one study: PNG, JPEG or DICOM")
    parser.add_argument("--json", action="store_true", help="print JSON with every number in full")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="write each film with its heatmap to DIR")
    parser.add_argument(
        "--stability",
        action="store_true",
        help="say how far the answer moves under small changes of the films",
    )
    parser.add_argument(
        "--dicom",
        type=Path,
        metavar="DIR",
        help="write report, overlays and heatmaps as DICOM into a new folder in DIR",
    )
    _archive_arguments(parser)
    many = parser.add_argument_group("many studies in one go")
    many.add_argument(
        "--worklist", type=Path, metavar="DIR|CSV", help="a folder of studies, or a CSV with study,file[,...]"
    )
    many.add_argument("--out", type=Path, metavar="FILE", help="the table to write: .parquet or .csv")
    many.add_argument(
        "--workers",
        type=_workers,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes, of one thread each; default: the number of cores",
    )
    many.add_argument("--ray", action="store_true", help="let Ray Data hand the studies out")
    model = parser.add_argument_group("the model")
    flags.add_model(model)
    parser.set_defaults(misused=parser.error)


def _archive_arguments(parser: argparse.ArgumentParser) -> None:
    archive = parser.add_argument_group("a study of an archive")
    archive.add_argument("--study", metavar="UID", help="its StudyInstanceUID: see the studies command")
    flags.add_archive(archive)
    archive.add_argument(
        "--store", action="store_true", help="store report, overlays and heatmaps in the archive"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command; the exit code is 1 if a file has no result."""
    if [bool(options.files), options.worklist is not None, options.study is not None].count(True) != 1:
        options.misused("give the files of one study, or --worklist, or --study")
    if options.study is not None and not options.dicomweb:
        options.misused("--study needs --dicomweb")
    if options.store and options.study is None:
        options.misused("--store goes with --study")
    if options.worklist is None:
        if options.out is not None or options.ray:
            options.misused("--out and --ray go with --worklist")
        return _one_study(options)
    if options.out is None:
        options.misused("--worklist needs --out")
    if options.json or options.stability or options.overlay is not None or options.dicom is not None:
        options.misused("--json, --stability, --overlay and --dicom are for one study")
    return _many_studies(options)


def _one_study(options: argparse.Namespace) -> int:
    from mura_core.reading import as_json, table, write_overlays
    from mura_core.study import Study

    reading = _read(options)
    wanted = options.dicom is not None or options.store
    sources = _dicom_sources(reading, options.dicom) if wanted else []
    result, overlays, results, stability = None, [], None, None
    if reading.views:
        from mura_core.predictor import Predictor

        study = Study(reading.views)
        predictor = Predictor.load(options.weights, options.device)
        result = predictor.predict(study)
        if options.stability:
            stability = predictor.stability(study)
        if options.overlay is not None:
            overlays = write_overlays(reading, result, options.overlay)
        if sources:
            results = _hand_out(options, reading, sources, result)
    if options.json:
        print(as_json(reading, result, overlays, results, stability))
    elif result is not None:
        print(table(reading, result, stability))
        if results is not None:
            print(f"DICOM results: {results}")
        if options.store:
            print("Report, overlays and heatmaps are stored in the archive.")
    for file, reason in reading.refused:
        print(f"{file} was not read: {' '.join(reason.split())}", file=sys.stderr)
    return 1 if reading.refused else 0


def _read(options: argparse.Namespace) -> Reading:
    if options.study is None:
        from mura_core.reading import read_views

        return read_views(options.files)
    from mura_core.archive import fetch

    return fetch(options.dicomweb, options.study)


def _hand_out(
    options: argparse.Namespace, reading: Reading, sources: list[Dataset], result: StudyResult
) -> Path | None:
    """Build the results as DICOM; write them, store them, or both. Gives the folder written."""
    from mura_core.pacs.results import build_results, write_results
    from mura_core.study import Study

    built = build_results(sources, Study(reading.views), result)
    folder = None
    if options.dicom is not None:
        originals = [] if options.study else [Path(file) for file in reading.files]
        folder = write_results(built, options.dicom, originals)
    if options.store:
        from mura_core.archive import store

        store(options.dicomweb, options.study, built)
    return folder


def _dicom_sources(reading: Reading, folder: Path | None) -> list[Dataset]:
    """Find out whether results can be made and written, before the network runs.

    Raises:
        MuraError: They cannot.
    """
    from mura_core.errors import MuraError
    from mura_core.pacs.results import check_folder, read_sources

    if reading.refused:
        file, reason = reading.refused[0]
        raise MuraError(f"DICOM results are made of whole studies only. {file} was not read: {reason}")
    if folder is not None:
        check_folder(folder, [Path(file) for file in reading.files])
    names = [view.name for view in reading.views]
    return read_sources(list(zip(names, reading.contents, strict=True)))


def _many_studies(options: argparse.Namespace) -> int:
    from mura_core.batch.run import Options, run
    from mura_core.errors import MuraError
    from mura_core.reading import NOTICE

    how = Options(options.out, options.weights, options.device, options.workers, options.ray)
    try:
        summary = run(options.worklist, how)
    except KeyboardInterrupt:
        raise MuraError("Interrupted. What was read is kept: the same command goes on from there.") from None
    print(summary.text())
    print(f"written  {options.out}\n{NOTICE}")
    return 1 if summary.refused else 0


def _workers(text: str) -> int:
    import argparse

    value = int(text)
    if not 1 <= value <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"expected 1 to {_MOST_WORKERS} workers, found {value}")
    return value
