"""The results of a study as DICOM objects, and as files."""

from __future__ import annotations

import logging
import shutil
import uuid
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

from mura_core import __version__
from mura_core.decoding import quiet_decoders
from mura_core.errors import MuraError
from mura_core.pacs.identity import check_one_study, read_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from mura_core.study import Study, StudyResult

SOFTWARE = f"mura_core {__version__}"


def read_sources(files: Sequence[tuple[str, bytes]]) -> list[Dataset]:
    """Read the headers of a study's films, if results can be made for it.

    Args:
        files: (name, content) of each view, in the study's order.

    Raises:
        MuraError: A file is no DICOM that results can refer to, or the files are not one study; the text is a
            sentence for the screen.
    """
    headers = []
    for name, content in files:
        try:
            headers.append(read_header(content))
        except MuraError as error:
            raise MuraError(
                f"DICOM results need every view as a DICOM film of one study. {name}: {error}"
            ) from None
    check_one_study(headers)
    return headers


def build_results(
    sources: Sequence[Dataset], study: Study, result: StudyResult, *, software: str = SOFTWARE
) -> list[Dataset]:
    """Build everything that goes back to the archive: report, overlays, heatmaps, under the films' study.

    Args:
        sources: The header of each view, from `read_sources`; not changed.
        study: The films, in the same order.
        result: What the model says of them.
        software: Name and version of the program, in ASCII.

    Returns:
        A Structured Report, then a Secondary Capture for each view, then a Segmentation for each view.

    Raises:
        MuraError: The sources are not one study, or are not the films of this study.
    """
    check_one_study(sources)
    shapes = [view.radiograph.pixels.shape for view in study.views]
    stated = [(int(source.Rows), int(source.Columns)) for source in sources]
    if shapes != stated or len(result.views) != len(shapes):
        raise MuraError(
            f"The DICOM headers are of films of (rows, columns) {stated}, the analysed films are {shapes}. "
            "Expected the headers of the analysed films, in their order."
        )
    # highdicom takes a second to import; whoever asks for no results need not wait for it.
    from mura_core.pacs.capture import build_captures
    from mura_core.pacs.heat import build_heat
    from mura_core.pacs.report import build_report

    # Its log lines, like pydicom's warnings, may quote a header.
    logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)
    with quiet_decoders():
        return [
            build_report(sources, result, software=software),
            *build_captures(sources, study, result, software=software),
            *build_heat(sources, result, software=software),
        ]


def encode(results: Sequence[Dataset]) -> dict[str, bytes]:
    """Encode results as DICOM files by name: report.dcm, overlay-1.dcm, ..., heatmap-1.dcm, ..."""
    kinds = {"SR": "report", "OT": "overlay", "SEG": "heatmap"}
    files = {}
    for result in results:
        kind = kinds[result.Modality]
        name = f"{kind}.dcm" if kind == "report" else f"{kind}-{result.InstanceNumber}.dcm"
        buffer = BytesIO()
        with quiet_decoders():
            result.save_as(buffer, enforce_file_format=True)
        files[name] = buffer.getvalue()
    return files


def as_zip(results: Sequence[Dataset]) -> bytes:
    """Pack the files of `encode` into one ZIP, in memory."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in encode(results).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_results(results: Sequence[Dataset], folder: Path, originals: Sequence[Path]) -> Path:
    """Write results into a new folder inside `folder`, named after the study, whole or not at all.

    Args:
        results: From `build_results`.
        folder: Made if it is missing.
        originals: The films' files, which results never lie beside.

    Returns:
        The new folder.

    Raises:
        MuraError: An original lies in the folder or below it, or it cannot be written to.
    """
    check_folder(folder, originals)
    name = str(results[0].StudyInstanceUID)
    files = encode(results)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staged = folder / f".partial-{uuid.uuid4().hex}"
        staged.mkdir()
        try:
            for file, content in files.items():
                (staged / file).write_bytes(content)
            return _take_name(staged, folder, name)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        raise MuraError(
            f"The DICOM results cannot be written to {folder} ({error.strerror}). Expected a folder that "
            "can be written to, with space left: choose another with --dicom."
        ) from error


def check_folder(folder: Path, originals: Sequence[Path]) -> None:
    """Refuse a folder in which results would lie among the films they were made of.

    Raises:
        MuraError: An original lies in it or below it.
    """
    inside = [path for path in originals if path.resolve().is_relative_to(folder.resolve())]
    if inside:
        raise MuraError(
            f"The folder {folder} holds the film {inside[0].name} itself. Results are kept apart from "
            "originals: choose another folder with --dicom."
        )


def _take_name(staged: Path, folder: Path, name: str) -> Path:
    """Give the folder the first of NAME, NAME-2, NAME-3, ... that is free; what is there is never touched."""
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{name}-{number}")
        if not target.exists():
            try:
                return staged.rename(target)
            except OSError:
                if not target.exists():
                    raise
        number += 1
