"""Who reads what, as the server knows it, whatever a browser says."""

from __future__ import annotations

from dataclasses import dataclass

from demo.review_desk import RuleError

_NAME_LIMIT = 60


@dataclass(frozen=True)
class Visitor:
    """Who sends an event, as the server knows it.

    Attributes:
        login: The name of the log-in; "" where nobody is asked, or where who is asked did not sign in.
        local: Whether the browser runs on the server's own machine.
        asked: Whether who reads must sign in first.
    """

    login: str = ""
    local: bool = False
    asked: bool = False

    def may_close(self, owner: str, reader: str) -> bool:
        """Whether they may close a session and delete its films: its creator, or whoever sits at the server.

        Args:
            owner: Who created it; "" where that is not known.
            reader: Their name where nobody is asked to log in.
        """
        return self.local or bool(owner and owner == (self.login or reader))


@dataclass(frozen=True)
class Seat:
    """Who reads what in one browser tab; lives on the server.

    Attributes:
        session: Name of the session.
        reader: The reader's name.
        paused: Whether the films are put away.
        opened: The place that was opened last from this seat.
        shown: Whether the screen has the model's result.
    """

    session: str
    reader: str
    paused: bool = False
    opened: int = -1
    shown: bool = False

    def is_of(self, visitor: Visitor) -> bool:
        """Tell whether a visitor may go on in this seat.

        In a tab that stayed open another one may have signed in since, or the reader may have signed out.
        """
        return self.reader == visitor.login if visitor.login or visitor.asked else True


def name_of(visitor: Visitor, typed: object) -> str:
    """Name a visitor: by the log-in, and by what was typed where nobody is asked to log in.

    Raises:
        RuleError: Who must sign in did not, or the name cannot be one.
    """
    if visitor.asked and not visitor.login:
        raise RuleError("sign_in_first")
    return visitor.login or _typed_name(typed)


def _typed_name(name: object) -> str:
    """Read a name that was typed.

    Raises:
        RuleError: It cannot be one.
    """
    given = " ".join(name.split()) if isinstance(name, str) else ""
    if not 1 <= len(given) <= _NAME_LIMIT or not given.isprintable():
        raise RuleError("no_name")
    return given
