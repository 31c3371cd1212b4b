"""Who reads what, as the server knows it, whatever a browser says."""

from __future__ import annotations

from dataclasses import dataclass


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
