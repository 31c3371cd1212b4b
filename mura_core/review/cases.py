"""From a folder or a ZIP to the cases of a session, with their truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mura_core.errors import ImageError, SessionError
from mura_core.images import read_radiograph
from mura_core.review import layouts
from mura_core.review.sources import open_films
from mura_core.review.studies import TRUTH_NAME, group_films
from mura_core.review.truth import TruthRow, apply_truth, read_truth
from mura_core.review.types import Case, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path


MAX_CASES = 1000
"""Studies of one session; give `count` to draw some of a larger source."""


@dataclass(frozen=True)
class Source:
    """What was found in a folder or ZIP.

    Attributes:
        path: The folder or ZIP.
        cases: The studies, in natural order.
        refused: Every file and study that is no part of it, and why.
        notes: Plain sentences about what was left out on purpose.
    """

    path: Path
    cases: tuple[Case, ...]
    refused: tuple[Refused, ...] = ()
    notes: tuple[str, ...] = ()


def open_cases(
    path: Path,
    truth: Path | None = None,
    *,
    count: int | None = None,
    seed: int = 0,
    wrapper: str = "",
) -> Source:
    """Find the studies of a session.

    - DICOM files are grouped by StudyInstanceUID, wherever they lie.
    - PNG and JPEG films that lie in one folder are one study; those at the top are a study each.
    - MURA's folders give body part, patient and truth. Where train and valid are both there, valid is read.
    - FracAtlas in its official layout is known by its dataset.csv; its test split is read.

    A file's kind is told by its content. The films' pixels are not looked at yet: see `check_films`.

    Args:
        path: A folder or a ZIP.
        truth: A CSV as `read_truth` takes it; None takes `truth.csv` at the top of the source, if there.
        count: Draw so many studies by chance; None takes all.
        seed: For that draw.
        wrapper: Another name of a ZIP. One folder of a ZIP's name at its top counts as the ZIP itself.

    Raises:
        SessionError: There is no such source, nothing in it is a radiograph, a limit is passed, or the truth
            file is wrong.
        DatasetError: FracAtlas is not laid out as documented.
    """
    if layouts.is_fracatlas(path):
        source = Source(path, layouts.fracatlas_cases(path), (), (layouts.FRACATLAS_NOTE,))
        own_truth = None
    else:
        with open_films(path) as films:
            found = group_films(films, {path.stem, wrapper} if path.is_file() else ())
        notes = (layouts.MURA_NOTE,) if found.train_left_out else ()
        source = Source(path, found.cases, found.refused, notes)
        own_truth = found.truth
    rows = _truth_rows(truth, own_truth)
    refused = {entry.name for entry in source.refused}
    source = replace(source, cases=apply_truth(source.cases, rows, refused))
    if not source.cases:
        raise SessionError(f"{path} holds no radiograph of a known kind.{_first_reasons(source.refused)}")
    if count is not None and count < len(source.cases):
        source = _draw(source, count, seed)
    if len(source.cases) > MAX_CASES:
        raise SessionError(
            f"{path} holds {len(source.cases)} studies; a session has at most {MAX_CASES}. "
            "Give a smaller folder, or a count of studies to draw."
        )
    return source


def check_films(source: Source, on_film: Callable[[int, int], None] | None = None) -> Source:
    """Decode every film once, so that no reader meets one that cannot be read.

    Args:
        source: From `open_cases`.
        on_film: Told after each film how many are done, and how many there are.

    Returns:
        The source without the films that cannot be read, and without the studies of which none is left; each
        is among `refused`.

    Raises:
        SessionError: No study is left.
    """
    cases, refused = [], list(source.refused)
    total, done = sum(len(case.views) for case in source.cases), 0
    with open_films(source.path) as films:
        for case in source.cases:
            unread = {}
            for view in case.views:
                try:
                    read_radiograph(films.read(view))
                except (ImageError, SessionError) as error:
                    unread[view] = str(error)
                done += 1
                if on_film is not None:
                    on_film(done, total)
            refused += [Refused(view, reason) for view, reason in unread.items()]
            if len(unread) < len(case.views):
                cases.append(_without(case, unread))
            else:
                refused.append(Refused(case.case_id, "none of its films can be read"))
    if not cases:
        raise SessionError(f"{source.path} holds no radiograph that can be read.{_first_reasons(refused)}")
    return replace(source, cases=tuple(cases), refused=tuple(refused))


def _without(case: Case, unread: Collection[str]) -> Case:
    """Take views out of a case; the boxes on those that stay keep to their films."""
    kept = [index for index, view in enumerate(case.views) if view not in unread]
    truth = case.truth
    if truth is not None and truth.boxes is not None:
        boxes = tuple(replace(box, view=kept.index(box.view)) for box in truth.boxes if box.view in kept)
        truth = replace(truth, boxes=boxes)
    return replace(case, views=tuple(case.views[index] for index in kept), truth=truth)


def _truth_rows(given: Path | None, own: bytes | None) -> tuple[TruthRow, ...]:
    if given is not None:
        try:
            return read_truth(given.read_bytes(), given.name)
        except OSError as error:
            raise SessionError(
                f"The truth file {given} cannot be read ({error.strerror}). Give a CSV as documented."
            ) from error
    return () if own is None else read_truth(own, TRUTH_NAME)


def _draw(source: Source, count: int, seed: int) -> Source:
    """Draw some of the cases; they stay in order."""
    if count < 1:
        raise SessionError(f"A session of {count} studies was asked for. Expected at least 1.")
    chance = random.Random(f"draw {seed}")  # noqa: S311 - a sample, no secret
    drawn = sorted(chance.sample(range(len(source.cases)), count))
    note = f"{count} of {len(source.cases)} studies were drawn by chance (seed {seed})."
    return replace(source, cases=tuple(source.cases[i] for i in drawn), notes=(*source.notes, note))


def _first_reasons(refused: Sequence[Refused]) -> str:
    """Say why the first files were refused."""
    return "".join(f" {entry.name}: {entry.reason}" for entry in refused[:3])
