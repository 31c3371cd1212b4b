"""The results of a review session: every figure of its page and its report in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mura_core.review.agreement import Agreement, agree_with_others, agree_with_self
from mura_core.review.reader_results import ReaderResults, measure_reader
from mura_core.review.rows import ReadingRow, collect_rows
from mura_core.review.types import Case, Finding

if TYPE_CHECKING:
    from mura_core.review.store import SessionStore

BODY_PART = "body part"
FINDING = "finding"


@dataclass(frozen=True)
class Group:
    """The same for the cases of one body part, or for one finding.

    A finding's cases are the abnormal ones whose truth names it, and all normal ones beside them.

    Attributes:
        kind: `BODY_PART` or `FINDING`.
        name: Which.
        cases: Cases of the session in it.
        abnormal: Of them, abnormal ones.
        normal: Of them, normal ones.
        everyone: All readers together.
        readers: Each that has read any of them.
        intra: Agreement of readers with themselves.
        inter: Agreement of every two readers.
    """

    kind: str
    name: str
    cases: int
    abnormal: int
    normal: int
    everyone: ReaderResults
    readers: tuple[ReaderResults, ...]
    intra: tuple[Agreement, ...]
    inter: tuple[Agreement, ...]


@dataclass(frozen=True)
class Results:
    """All that a session shows.

    Attributes:
        session: The session file's name without its ending.
        mode: When the model's result was shown.
        closed: Whether no call can be made any more.
        cases: Number of cases.
        patients: Number of patients.
        with_truth: Cases of which the truth is known.
        abnormal: Of them, abnormal ones.
        models: Names and versions of the models whose results are kept.
        everyone: All readers together.
        readers: Each who made a call, in order of name.
        intra: Agreement of readers with themselves.
        inter: Agreement of every two readers.
        groups: Body parts, then findings.
    """

    session: str
    mode: str
    closed: bool
    cases: int
    patients: int
    with_truth: int
    abnormal: int
    models: tuple[str, ...]
    everyone: ReaderResults
    readers: tuple[ReaderResults, ...]
    intra: tuple[Agreement, ...]
    inter: tuple[Agreement, ...]
    groups: tuple[Group, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and finite numbers; undefined is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def summarise(store: SessionStore) -> Results:
    """Compute the results of a session as it stands.

    Args:
        store: Open or closed. To whom its results may be shown is for the caller to say.
    """
    rows = collect_rows(store)
    truths = [case.truth for case in store.cases if case.truth]
    kept = (store.model.result(case.case_id) for case in store.cases)
    return Results(
        session=store.path.stem,
        mode=store.mode.value,
        closed=store.closed,
        cases=len(store.cases),
        patients=len({case.patient_id for case in store.cases}),
        with_truth=len(truths),
        abnormal=sum(truth.label for truth in truths),
        models=tuple(sorted({ai.model for ai in kept if ai})),
        everyone=measure_reader("", rows),
        readers=_each_reader(rows),
        intra=agree_with_self(rows),
        inter=agree_with_others(rows),
        groups=tuple(_measure_group(*group, rows) for group in _find_groups(store.cases)),
    )


def _each_reader(rows: Sequence[ReadingRow]) -> tuple[ReaderResults, ...]:
    names = dict.fromkeys(row.reader for row in rows)
    return tuple(measure_reader(name, [row for row in rows if row.reader == name]) for name in names)


def _find_groups(cases: Sequence[Case]) -> list[tuple[str, str, list[Case]]]:
    parts = sorted({case.body_part for case in cases} - {""})
    groups = [(BODY_PART, part, [case for case in cases if case.body_part == part]) for part in parts]
    named = {finding for case in cases if case.truth for finding in case.truth.findings}
    groups += [
        (FINDING, finding.value, [case for case in cases if _belongs(case, finding)])
        for finding in Finding
        if finding in named
    ]
    return groups


def _belongs(case: Case, finding: Finding) -> bool:
    return case.truth is not None and (not case.truth.label or finding in case.truth.findings)


def _measure_group(kind: str, name: str, cases: Sequence[Case], rows: Sequence[ReadingRow]) -> Group:
    members = {case.case_id for case in cases}
    some = [row for row in rows if row.case.case_id in members]
    labels = [case.truth.label for case in cases if case.truth]
    return Group(
        kind=kind,
        name=name,
        cases=len(cases),
        abnormal=labels.count(1),
        normal=labels.count(0),
        everyone=measure_reader("", some),
        readers=_each_reader(some),
        intra=agree_with_self(some),
        inter=agree_with_others(some),
    )


def _plain(value: Any) -> Any:
    """Tuples as lists and keys as plain strings, as JSON would give them back."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
