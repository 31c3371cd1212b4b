"""To whom a page's session belongs, where readers sign in."""

from __future__ import annotations

import re
from collections import OrderedDict

from demo.gate_body import Refused

_REMEMBERED = 8192
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Sessions:
    """Each session is its first reader's: knowing its number, another reader still does not get in.

    Its number is the browser's, and what the page keeps on the server goes by it. Where nobody signs in, the
    number alone is the key, as hard to guess as Gradio's browser half makes it.
    """

    def __init__(self) -> None:
        self._readers: OrderedDict[str, str] = OrderedDict()

    def check(self, session: object, reader: str | None) -> None:
        """Let the first reader of a session in, and nobody else.

        Args:
            session: What the browser sent; None where it sent none.
            reader: Who signed in; None where nobody is asked.

        Raises:
            Refused: It is another reader's, or no session's number.
        """
        if session is None:
            return
        if not isinstance(session, str) or not _NAME.fullmatch(session):
            raise Refused(422, "No session's number.")
        if reader is None:
            return
        if self._readers.setdefault(session, reader) != reader:
            raise Refused(403, "Another reader's session.")
        self._readers.move_to_end(session)
        while len(self._readers) > _REMEMBERED:
            self._readers.popitem(last=False)
