"""What a dataset holds: studies, views, patients and abnormal studies by body part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mura_core.errors import DatasetError
from mura_core.records import is_arm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mura_core.records import StudyRecord


@dataclass(frozen=True)
class CensusRow:
    """Counts over one group of studies; `positives` are abnormal studies."""

    group: str
    studies: int
    views: int
    patients: int
    positives: int


def census(records: Sequence[StudyRecord]) -> list[CensusRow]:
    """Count by body part in alphabetical order, then "arm" where other limbs occur, then "all".

    >>> from mura_core.records import StudyRecord
    >>> census([StudyRecord("s1", "p1", "wrist", 1, ())])[-1]
    CensusRow(group='all', studies=1, views=0, patients=1, positives=1)
    """
    parts = sorted({record.body_part for record in records})
    rows = [_count(part, [record for record in records if record.body_part == part]) for part in parts]
    arm = [record for record in records if is_arm(record)]
    if len(arm) < len(records):
        rows.append(_count("arm", arm))
    return [*rows, _count("all", records)]


def format_census(splits: Mapping[str, Sequence[StudyRecord]]) -> str:
    """Lay out the census of each split as one table of text."""
    header = (
        f"{'split':<8}{'body part':<12}{'studies':>9}{'views':>9}{'patients':>10}{'abnormal':>10}{'share':>8}"
    )
    lines = [header, "-" * len(header)]
    for split, records in splits.items():
        for row in census(records):
            share = f"{row.positives / row.studies:.1%}" if row.studies else "-"
            lines.append(
                f"{split:<8}{row.group:<12}{row.studies:>9}{row.views:>9}{row.patients:>10}"
                f"{row.positives:>10}{share:>8}"
            )
    return "\n".join(lines)


def check_disjoint(splits: Mapping[str, Sequence[StudyRecord]]) -> None:
    """Make sure that no patient is in two splits.

    Raises:
        DatasetError: One is; the message names the first.
    """
    seen: dict[str, str] = {}
    for split, records in splits.items():
        for patient_id in sorted({record.patient_id for record in records}):
            if patient_id in seen:
                raise DatasetError(
                    f"{patient_id} is in the splits {seen[patient_id]} and {split}. Expected each "
                    "patient in one split: results on this data would be too good."
                )
            seen[patient_id] = split


def _count(group: str, records: Sequence[StudyRecord]) -> CensusRow:
    return CensusRow(
        group=group,
        studies=len(records),
        views=sum(len(record.views) for record in records),
        patients=len({record.patient_id for record in records}),
        positives=sum(record.label for record in records),
    )
