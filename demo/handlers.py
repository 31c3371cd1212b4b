"""From uploaded files to what the viewer shows. Knows nothing of Gradio's components."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from demo import render
from demo.worth import stated_part
from mura_core.cores import side_by_side
from mura_core.images import read_radiograph
from mura_core.study import Study, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.wording import Wording
    from mura_core.study import StudyResult


MAX_VIEWS = 6
"""Views of one study: what an examination of one body part has, and the keys 1 to 6."""

MAX_FILE_MB = 60

IDLE_S = 900
"""After this many seconds, files that wait and a study that is open leave the server's memory."""

_NAME_LIMIT = 120
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadedFile:
    """A file where the server put it, and the name the client gave it. Neither is trusted."""

    name: str
    path: Path


@dataclass(frozen=True)
class Refusal:
    """A file that is not part of the call, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Tray:
    """What one reader has dropped and not yet analysed; lives in the server's memory only.

    Attributes:
        files: (name, content) in the order given.
        refused: Files that were not taken.
        let_go: Whether files waited here until the memory was needed for others.
    """

    files: tuple[tuple[str, bytes], ...] = ()
    refused: tuple[Refusal, ...] = ()
    let_go: bool = False


@dataclass(frozen=True, eq=False)
class OpenStudy:
    """The study on screen; in the server's memory only, until Clear, the next analysis or `IDLE_S` seconds.

    The films themselves take ten times what their files do, and are asked for rarely: they are not kept.

    Attributes:
        files: (name, content) of each file that was read, in the order of the views.
        formats: What kind of file each is, as in Radiograph.
        result: What the model says of it.
        whole: Whether every file that was given is in it.
    """

    files: tuple[tuple[str, bytes], ...]
    formats: tuple[str, ...]
    result: StudyResult
    whole: bool = True

    def read_study(self) -> Study:
        """Read the views once more from the files."""
        return Study(tuple(View(name, read_radiograph(content)) for name, content in self.files))


def base_name(name: str, unnamed: str) -> str:
    r"""Reduce a client's file name to what may be shown: no folders, no control characters, not endless.

    >>> base_name("../../wrist\n.png", "unnamed file")
    'wrist.png'
    """
    last = PureWindowsPath(PurePosixPath(name).name).name
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    return shown[:_NAME_LIMIT] or unnamed


def take_uploads(uploads: Sequence[UploadedFile], tray: Tray, words: Wording) -> Tray:
    """Move uploads from disk to memory. Every one leaves the disk, taken or not.

    Args:
        uploads: What arrived.
        tray: What is waiting already; not changed.
        words: The page's language.

    Returns:
        The tray with the new files, and a refusal for each that was not taken.
    """
    # A file dropped twice at once lies at one path, for paths are named after the content.
    contents = {path: _read_and_delete(path) for path in {upload.path for upload in uploads}}
    for upload in uploads:
        name = base_name(upload.name, words["page.unnamed"])
        content = contents[upload.path]
        twin = next((taken for taken, given in tray.files if given == content), None)
        position = len(tray.files) + len(tray.refused) + 1
        if content is None:
            tray = _refuse(tray, name, words["page.gone"])
        elif not content:
            tray = _refuse(tray, name, words["page.empty_file"])
        elif twin is not None:
            tray = _refuse(tray, name, words.text("page.same_content", name=twin))
        elif len(tray.files) >= MAX_VIEWS:
            reason = words.text("page.too_many", position=position, limit=MAX_VIEWS)
            tray = _refuse(tray, name, reason)
        else:
            tray = replace(tray, files=(*tray.files, (name, content)))
    return tray


def remove_file(tray: Tray, index: object) -> Tray:
    """Take one waiting file out of the tray; an index that is not there changes nothing."""
    if not isinstance(index, int) or not 0 <= index < len(tray.files):
        return tray
    return replace(tray, files=tray.files[:index] + tray.files[index + 1 :])


def tray_payload(tray: Tray) -> dict[str, Any]:
    """What the list of waiting files shows."""
    files = [{"name": name, "size": _size(len(content))} for name, content in tray.files]
    return {"files": files, "refused": refused_payload(tray.refused)}


def log_without_content(error: BaseException) -> None:
    """Log where an unexpected error came from, without its message: that may quote a file or a patient."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("unexpected %s in the analysis\n%s", type(error).__name__, frames)


def _refuse(tray: Tray, name: str, reason: str) -> Tray:
    return replace(tray, refused=(*tray.refused, Refusal(name, reason)))


def _read_and_delete(path: Path) -> bytes | None:
    """Return the content and leave nothing behind; None if the file is gone.

    Equal content has one path for all readers, so that another reader's upload may just have deleted it.
    """
    try:
        content = path.read_bytes()
    except OSError:
        content = None
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        # The folder is named after the content. One that holds another file is in use and stays.
        path.parent.rmdir()
    return content


def failure(error: str) -> dict[str, Any]:
    """What the viewer shows where there is no film, but a sentence."""
    return _payload(error=error)


def _payload(**parts: object) -> dict[str, Any]:
    empty = {
        "status": "",
        "busy": False,
        "error": "",
        "refused": [],
        "rests": "",
        "views": [],
        "verdict": None,
    }
    return {**empty, **parts}


def study_payload(study: Study, words: Wording) -> dict[str, Any]:
    """What the viewer shows of the films alone."""
    count = len(study.views)

    def show(index: int) -> dict[str, Any]:
        return _view_payload(study.views[index], index + 1, count, words)

    return _payload(views=list(side_by_side(show, range(count))))


def with_result(
    base: dict[str, Any], result: StudyResult, words: Wording, *, maps: bool = True
) -> dict[str, Any]:
    """The same with what the model says of them; without `maps`, the heatmaps are still to come."""

    def show(index: int) -> dict[str, Any]:
        seen = render.encode_view_result(result.views[index], result, index + 1, words, maps=maps)
        return {**base["views"][index], "result": seen}

    views = list(side_by_side(show, range(len(result.views))))
    return {**base, "views": views, "verdict": render.encode_verdict(result, words)}


def _view_payload(view: View, index: int, count: int, words: Wording) -> dict[str, Any]:
    return {
        "name": view.name,
        "alt": words.thumbnail(index, count, view.name),
        "film": render.encode_film(view.radiograph),
        "facts": words.facts(view.radiograph),
        "warnings": list(view.radiograph.warnings),
        "stated": stated_part(view.radiograph.body_part),
        "result": None,
    }


def refused_payload(refused: Sequence[Refusal]) -> list[dict[str, str]]:
    """Name each file that is no part of the call, and why."""
    return [{"name": refusal.name, "reason": refusal.reason} for refusal in refused]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{max(1, round(count / 1e3))} kB"
