"""What the server keeps of review sessions: their files, their films, the model's results before their time.

A session NAME is the file `NAME.sqlite` in the sessions folder. Beside it, the folder `NAME` holds `studies`,
the uploads (a session from the command line names its own), and `owner`, the name of whoever created it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, TypeVar

from demo.line import Rank
from demo.turns import Turns
from mura_core.errors import MuraError
from mura_core.images import read_radiograph
from mura_core.review.ai import ai_result
from mura_core.review.session import (
    ENDING,
    Wish,
    forget_films,
    is_name,
    open_session,
    read_film,
    session_file,
    session_names,
)
from mura_core.review.store import SessionStore
from mura_core.review.uploads import OWNER, create_from_uploads, remove_unfinished
from mura_core.study import Study, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mura_core.predictor import Predictor
    from mura_core.review.types import Case
    from mura_core.study import StudyResult

Kept = TypeVar("Kept")

_KEPT_STUDIES = 4
"""Studies whose films and maps stay in memory: a few hundred megabytes at most."""


class RuleError(MuraError):
    """A step that the rules of a session do not allow, as the key of the text that says so."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


class Desk:
    """The sessions of one server. Safe to use from several threads.

    Attributes:
        folder: The sessions folder; made with the first session.
        predictor: The model.
        chosen: Name of the session given on the command line, or "".
        turns: The line before the model, for whoever else lets it read.
    """

    def __init__(self, folder: Path, predictor: Predictor) -> None:
        self.folder = folder
        remove_unfinished(folder)
        self.predictor = predictor
        self.chosen = ""
        self._lock = threading.RLock()
        self.turns = Turns()
        self._asked: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._number = 0
        self._turns: defaultdict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)
        self._stores: dict[str, SessionStore] = {}
        self._studies: OrderedDict[tuple[str, str], Study] = OrderedDict()
        self._results: OrderedDict[tuple[str, str], StudyResult] = OrderedDict()

    def names(self) -> list[str]:
        """Name the sessions there are, in the order of the alphabet."""
        return list(session_names(self.folder))

    def path(self, name: str) -> Path:
        """Where a session's file is, or would be."""
        return session_file(self.folder, name)

    def create(
        self, name: str, files: Iterable[tuple[str, bytes]], wish: Wish, *, owner: str
    ) -> SessionStore:
        """Make a session of uploaded files, under a name that `check_new` let pass.

        Raises:
            MuraError: The studies cannot be read, or the session not be written.
        """
        store = create_from_uploads(self.folder, name, files, wish, owner=owner)
        self.take(name, store)
        return store

    def take(self, name: str, store: SessionStore) -> None:
        """Keep an open session under its name."""
        with self._lock:
            self._stores[name] = store

    def open_stores(self) -> list[SessionStore]:
        """Give the sessions that were opened since the server started."""
        with self._lock:
            return list(self._stores.values())

    def check_new(self, name: str) -> None:
        """Refuse a name that cannot be a folder's, or is taken.

        Raises:
            RuleError: Says which.
        """
        if not is_name(name):
            raise RuleError("bad_name")
        if self.path(name).exists() or (self.folder / name).exists():
            raise RuleError("name_taken", name=name)

    def turn(self, name: str, reader: str) -> threading.RLock:
        """One step of a reader after another: a screen made before a call never comes after that call's."""
        with self._lock:
            return self._turns[name, reader]

    def next_number(self) -> int:
        """Number a screen: greater than every one before, also of a server before this one."""
        with self._lock:
            # Microseconds, which JavaScript still tells apart.
            self._number = max(self._number + 1, time.time_ns() // 1000)
            return self._number

    def store(self, name: str) -> SessionStore:
        """Open a session by its name.

        Raises:
            RuleError: There is none.
            MuraError: It cannot be opened.
        """
        if not is_name(name) or not self.path(name).is_file():
            raise RuleError("no_session")
        with self._lock:
            if name not in self._stores:
                self._stores[name] = SessionStore.open(self.path(name))
            return self._stores[name]

    def owner(self, name: str) -> str:
        """Name who created a session; "" for one from the command line."""
        path = self.folder / name / OWNER
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def study(self, name: str, case_id: str) -> Study:
        """Read the films of a case, under names that give nothing away.

        Raises:
            MuraError: A film cannot be read.
        """
        return self._keep(self._studies, (name, case_id), lambda: self._read(name, case_id))

    def known_result(self, name: str, case_id: str) -> StudyResult | None:
        """What the model said of a case, where it has been asked since the server started."""
        with self._lock:
            return self._results.get((name, case_id))

    def result(self, name: str, case_id: str, rank: Rank = Rank.STUDY) -> StudyResult:
        """Let the model read a case, once; its figures are kept in the session, and so is that it cannot.

        Args:
            name: The session.
            case_id: The case.
            rank: Whether a reader waits for it.

        Raises:
            MuraError: The films cannot be read, or the model cannot read them.
        """
        with self._lock:
            asked = self._asked[name, case_id]
        # One at a time: whoever waits finds the result of the one before.
        with asked:
            return self._keep(self._results, (name, case_id), lambda: self._predict(name, case_id, rank))

    def forget_films(self, name: str) -> None:
        """Delete the uploaded films of a closed session, here in memory too; the calls stay.

        Raises:
            MuraError: There is no such session, it is open, or its films cannot be deleted.
        """
        forget_films(self.store(name))
        with self._lock:
            for kept in (self._studies, self._results):
                for key in [key for key in kept if key[0] == name]:
                    del kept[key]

    def _predict(self, name: str, case_id: str, rank: Rank) -> StudyResult:
        # Before the attempt: films out of reach today are no failure of the model, which would be kept.
        store, study = self.store(name), self.study(name, case_id)
        try:
            result = self.turns.run(
                f"{name}/{case_id}", lambda: self.predictor.predict(study), rank=rank, views=len(study.views)
            )
        except MuraError as error:
            store.model.save_failure(case_id, str(error))
            raise
        store.model.save(case_id, ai_result(result))
        return result

    def _read(self, name: str, case_id: str) -> Study:
        store = self.store(name)
        case = store.case(case_id)
        contents = (read_film(store, case, index) for index in range(len(case.views)))
        views = (View(str(index), read_radiograph(content)) for index, content in enumerate(contents, 1))
        return Study(tuple(views))

    def _keep(
        self, kept: OrderedDict[tuple[str, str], Kept], key: tuple[str, str], make: Callable[[], Kept]
    ) -> Kept:
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
                return kept[key]
        made = make()
        with self._lock:
            kept[key] = made
            while len(kept) > _KEPT_STUDIES:
                kept.popitem(last=False)
        return made


def unread(store: SessionStore) -> Sequence[Case]:
    """The cases that the model has not read yet."""
    return [
        case
        for case in store.cases
        if store.model.result(case.case_id) is None and store.model.failure(case.case_id) is None
    ]


def open_from_path(desk: Desk, path: Path, wish: Wish | None = None) -> str:
    """Open the session of a folder or ZIP of studies, or a session's file; make it where there is none yet.

    Args:
        desk: The server's sessions.
        path: A folder or ZIP; or a session's file, whose folder becomes the sessions folder.
        wish: What a new session shall be.

    Returns:
        The session's name.

    Raises:
        MuraError: There is nothing of the kind, or it cannot be opened.
    """
    store = open_session(path, desk.folder, wish)
    name = store.path.stem
    if not (is_name(name) and store.path.suffix == ENDING):
        store.disconnect()
        raise MuraError(
            f"{path} cannot be opened: rename it to letters, digits, spaces, - and _ before {ENDING}."
        )
    desk.folder = store.path.parent
    desk.take(name, store)
    return name
