"""Which files make one study: DICOM by StudyInstanceUID, other films by folder; what is refused is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mura_core.errors import ImageError, SessionError
from mura_core.grouping import Film, look_at
from mura_core.review.headers import patient_hash
from mura_core.review.layouts import held_out_mura, mura_study
from mura_core.review.names import Entry, natural
from mura_core.review.types import Case, Refused, Truth

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from mura_core.review.sources import Films

MAX_VIEWS = 12
"""Films of one study; more are several studies in one folder."""

TRUTH_NAME = "truth.csv"
"""A truth file of this name at the top of the source is found by itself."""


@dataclass(frozen=True)
class Grouped:
    """What was found in a source.

    Attributes:
        cases: The studies, in natural order.
        refused: Every file and study that is no part of them, and why.
        truth: Content of the source's own truth file.
        train_left_out: Whether MURA's train folder was passed over.
    """

    cases: tuple[Case, ...]
    refused: tuple[Refused, ...]
    truth: bytes | None
    train_left_out: bool


def group_films(films: Films, wrappers: Collection[str] = ()) -> Grouped:
    """Group the files of a folder or ZIP into cases.

    Args:
        films: The folder or ZIP.
        wrappers: One folder of such a name, alone at the top, counts as the top itself.
    """
    listed, refused = films.entries()
    entries, cut = held_out_mura(_unwrapped(listed, wrappers))
    own_truth = None
    found: list[Film] = []
    skipped = list(refused)
    name_patient = patient_hash()
    for entry in entries:
        if tuple(part.lower() for part in entry.parts) == (TRUTH_NAME,):
            own_truth = films.read(entry.name)
            continue
        try:
            found.append(look_at(entry, films.read, name_patient))
        except (ImageError, SessionError) as error:
            skipped.append(Refused("/".join(entry.parts), str(error)))
    cases, twice = _cases(found)
    return Grouped(cases, (*skipped, *twice), own_truth, train_left_out=cut)


def _unwrapped(entries: Sequence[Entry], wrappers: Collection[str]) -> tuple[Entry, ...]:
    """Take off the one folder that a ZIP made of that folder has at its top."""
    tops = {entry.parts[0] for entry in entries}
    if len(tops) != 1 or not tops & set(wrappers) or any(len(entry.parts) == 1 for entry in entries):
        return tuple(entries)
    return tuple(Entry(entry.name, entry.parts[1:]) for entry in entries)


def _cases(films: Iterable[Film]) -> tuple[tuple[Case, ...], list[Refused]]:
    """Put films that belong together into cases; names those that are there twice, or too many."""
    studies: dict[str, list[Film]] = {}
    refused = []
    images: dict[str, str] = {}
    for film in films:
        shown = "/".join(film.entry.parts)
        image = film.header.image if film.header else ""
        if image and image in images:
            refused.append(Refused(shown, f"the same image as {images[image]}, by its SOP instance number"))
            continue
        images[image] = shown
        studies.setdefault(film.study, []).append(film)
    cases = []
    for case_id in sorted(studies, key=lambda name: natural(tuple(name.split("/")))):
        group = sorted(studies[case_id], key=lambda film: film.rank)
        if len(group) > MAX_VIEWS:
            reason = (
                f"{len(group)} films; a study has at most {MAX_VIEWS}. Give each study a folder of its own."
            )
            refused.append(Refused(case_id, reason))
        else:
            cases.append(_case(case_id, group))
    return tuple(cases), refused


def _case(case_id: str, films: Sequence[Film]) -> Case:
    headers = [film.header for film in films if film.header is not None]
    patients = {header.patient for header in headers if header.patient}
    parts = {header.body_part for header in headers if header.body_part}
    body_part = "mixed" if len(parts) > 1 else next(iter(parts), "")
    # Two patients in one study are a mix-up; then nothing is known of who it is.
    patient_id = next(iter(patients)) if len(patients) == 1 else case_id
    truth = None
    mura = None if headers else mura_study(films[0].entry.parts[:-1])
    if mura is not None:
        patient_id, body_part, label = mura
        truth = Truth(label)
    return Case(case_id, patient_id, body_part, tuple(film.entry.name for film in films), truth)
