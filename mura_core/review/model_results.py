"""What the model says of a session's cases, kept once for all readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mura_core.review.ledger import Ledger
    from mura_core.review.types import AiResult, Case


class ModelResults:
    """The model's results of a session.

    What one reader was shown is what every reader is shown and what the results are made from: the first
    result or failure of a case stands.
    """

    def __init__(self, ledger: Ledger, case: Callable[[str], Case]) -> None:
        """Work on a session's file.

        Args:
            ledger: The file.
            case: Gives a case by its id, or raises a SessionError; so does every method for an unknown id.
        """
        self._ledger = ledger
        self._case = case

    def save(self, case_id: str, result: AiResult) -> AiResult:
        """Keep the model's result of a case, and give the one that is kept: the first, if there was one.

        Raises:
            SessionError: It has more or fewer views than the study, or a failure is kept.
        """
        case = self._case(case_id)
        if len(result.views) != len(case.views):
            raise SessionError(
                f"The model's result has {len(result.views)} views where the study has {len(case.views)}."
            )
        with self._ledger.writing() as rows:
            kept = rows.ai(case_id)
            if kept is None and case_id in rows.ai_failures():
                raise SessionError("The session says that the model cannot read this study; that stands.")
            if kept is None:
                rows.add_ai(case_id, result, None)
            return kept or result

    def save_failure(self, case_id: str, reason: str) -> None:
        """Keep that the model cannot read a case: every mode then asks for an unaided call alone.

        A result that is there already stands, and so does the first reason.
        """
        self._case(case_id)
        with self._ledger.writing() as rows:
            if rows.ai(case_id) is None and case_id not in rows.ai_failures():
                rows.add_ai(case_id, None, reason)

    def result(self, case_id: str) -> AiResult | None:
        """Give the model's result of a case, None where there is none.

        For a reader's screen use `SessionStore.reveal`.
        """
        self._case(case_id)
        with self._ledger.reading() as rows:
            return rows.ai(case_id)

    def failure(self, case_id: str) -> str | None:
        """Say why the model could not read a case; None where it could or has not tried."""
        self._case(case_id)
        with self._ledger.reading() as rows:
            return rows.ai_failures().get(case_id)
