"""A small session for tests of the store: six studies of two views, with truth and a result of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.review.store import SessionStore
from mura_core.review.types import AiResult, AiView, Case, Finding, Mark, Mode, ReaderCall, Truth, Verdict
from mura_core.study import Call

if TYPE_CHECKING:
    from pathlib import Path

CASES = tuple(
    Case(
        f"case{number}",
        f"patient{number // 2}",
        "wrist",
        ("a.png", "b.png"),
        Truth(
            number % 2,
            frozenset({Finding.FRACTURE}) if number % 2 else frozenset(),
            (Mark(0, 0.1, 0.2, 0.3, 0.4),),
        ),
    )
    for number in range(6)
)
CALL = ReaderCall(
    Verdict.ABNORMAL, 80, frozenset({Finding.FRACTURE}), (Mark(1, 0.25, 0.5), Mark(0, 0, 0, 1, 1))
)
OTHER_CALL = ReaderCall(Verdict.NORMAL, 10)
AI = AiResult(
    0.5,
    Call.DOUBT,
    (AiView("a.png", 0.4, Call.NORMAL, 0.1, 0.2, 0.3), AiView("b.png", 0.6, Call.DOUBT, 0.4, 0.5, 0.6)),
    "densenet169 0.1.0",
)


def new_session(
    folder: Path, mode: Mode = Mode.SEQUENTIAL, *, repeats: int = 2, ai: bool = True, name: str = "s"
) -> SessionStore:
    """Make a session with the model's results in it; whoever asks disconnects it."""
    store = SessionStore.create(
        folder / f"{name}.sqlite", CASES, source="studies", mode=mode, seed=7, repeats=repeats
    )
    for case in CASES if ai else ():
        store.model.save(case.case_id, AI)
    return store
