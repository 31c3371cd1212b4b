"""A review session that nobody read: readers of a given skill, helped by a model, through the real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mura_core.review.clock import Moment
from mura_core.review.store import SessionStore
from mura_core.review.types import (
    AiResult,
    AiView,
    Case,
    Condition,
    Finding,
    Mark,
    Mode,
    ReaderCall,
    Truth,
    Verdict,
)
from mura_core.study import OperatingPoints

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mura_core.review.figures import Figures

PARTS = ("hand", "wrist", "elbow", "shoulder")
POINTS = OperatingPoints(sensitive=0.35, specific=0.65)


class _Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> Moment:
        minutes, seconds = divmod(int(self.seconds), 60)
        return Moment(
            f"2026-03-{1 + minutes // 1440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}+00:00",
            "boot",
            self.seconds,
        )


def values(figures: Figures | None) -> dict[str, float | None]:
    assert figures is not None
    return {name: interval.value for name, interval in figures.measures.items()}


def made_up_session(
    path: Path,
    *,
    cases: int = 24,
    readers: Sequence[str] = ("ann", "bob", "eve"),
    mode: Mode = Mode.SEQUENTIAL,
    repeats: int = 6,
    seed: int = 0,
) -> SessionStore:
    """Read a whole session; two cases in a patient, every second one abnormal, a tenth without truth."""
    random = np.random.default_rng(seed)
    some = [_case(index, random) for index in range(cases)]
    SessionStore.create(path, some, source="films", mode=mode, seed=seed, repeats=repeats).disconnect()
    clock = _Clock()
    store = SessionStore(path, clock)
    for index, case in enumerate(some):
        store.model.save(case.case_id, _ai(index, case, random))
    for number, reader in enumerate(readers):
        store.join(reader)
        skill = 1.4 - 0.2 * number
        while (place := store.next_place(reader)) is not None:
            store.start(reader, place.number)
            index = int(place.case_id.removeprefix("case-"))
            _read(store, clock, reader, place.number, (index, some[index], skill), random)
    return store


def _case(index: int, random: np.random.Generator) -> Case:
    truth = None
    if index % 10 != 9:
        box = Mark(0, float(random.uniform(0.1, 0.7)), float(random.uniform(0.1, 0.7)), 0.15, 0.12)
        finding = Finding.HARDWARE if index % 6 == 4 else Finding.FRACTURE
        truth = Truth(0) if index % 2 else Truth(1, frozenset({finding}), (box,))
    return Case(
        f"case-{index}",
        f"patient-{index // 2}",
        PARTS[index // 2 % len(PARTS)],
        (f"{index}-a.png", f"{index}-b.png"),
        truth,
    )


def _label(index: int) -> int:
    """What is there, whether or not the session knows."""
    return 1 - index % 2


def _ai(index: int, case: Case, random: np.random.Generator) -> AiResult:
    probability = float(1 / (1 + np.exp(-random.normal(1.6 * _label(index) - 0.8, 1.2))))
    near = case.truth.boxes[0] if case.truth and case.truth.boxes else Mark(0, 0.4, 0.4, 0.2, 0.2)
    views = tuple(
        AiView(
            f"{name}.png",
            probability,
            POINTS.call(probability),
            float(np.clip(near.top + random.normal(0.08, 0.1), 0, 1)),
            float(np.clip(near.left + random.normal(0.06, 0.1), 0, 1)),
            probability * (0.9 - 0.2 * number),
        )
        for number, name in enumerate("ab")
    )
    return AiResult(probability, POINTS.call(probability), views, "made-up 1.0")


def _read(
    store: SessionStore,
    clock: _Clock,
    reader: str,
    place: int,
    told: tuple[int, Case, float],
    random: np.random.Generator,
) -> None:
    """Make the calls that a place wants; an aided one leans on the model's."""
    index, case, skill = told
    belief = random.normal(skill * (2 * _label(index) - 1), 1.0)
    while (condition := store.needs(reader, place)) is not None:
        clock.seconds += float(random.lognormal(3.4 if condition is Condition.UNAIDED else 2.4, 0.5))
        if condition is Condition.AIDED:
            probability = store.reveal(reader, place).probability
            belief += 0.5 * float(np.log(probability / (1 - probability)))
            clock.seconds += float(random.lognormal(2.2, 0.4))
        store.commit(reader, place, condition, _call(belief, case, random))


def _call(belief: float, case: Case, random: np.random.Generator) -> ReaderCall:
    confidence = round(100 / (1 + float(np.exp(-1.5 * belief))))
    verdict = Verdict.ABNORMAL if confidence > 60 else Verdict.NORMAL if confidence < 40 else Verdict.UNSURE
    if verdict is not Verdict.ABNORMAL:
        return ReaderCall(verdict, confidence)
    box = case.truth.boxes[0] if case.truth and case.truth.boxes else Mark(0, 0.5, 0.5, 0.1, 0.1)
    top, left = (float(np.clip(edge + random.normal(0.05, 0.08), 0, 0.9)) for edge in (box.top, box.left))
    mark = Mark(0, top, left) if random.random() < 0.5 else Mark(0, top, left, 0.1, 0.1)
    tags = case.truth.findings if case.truth and random.random() < 0.8 else frozenset({Finding.OTHER})
    return ReaderCall(verdict, confidence, tags, (mark,) if random.random() < 0.9 else ())
