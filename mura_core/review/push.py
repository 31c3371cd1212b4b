"""On a Space, whose disk is not kept: a copy of a session's file in a private dataset of the hub."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mura_core.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mura_core.review.store import SessionStore

EVERY_S = 60.0
_log = logging.getLogger(__name__)


def push_session(store: SessionStore, repo_id: str, token: str | None) -> None:
    """Upload a consistent copy of a session's file as `NAME.sqlite`; no film goes with it.

    Args:
        store: The session; readers go on meanwhile.
        repo_id: "owner/name" of a dataset. It is made, private, where it is not there.
        token: With the right to write to it; None takes what the hub's own log-in left.

    Raises:
        SessionError: The dataset is public, or the hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    try:
        api.create_repo(repo_id, repo_type="dataset", private=True, exist_ok=True)
        # Readings are nobody's but the readers': a dataset that was there already may be public.
        private = bool(api.repo_info(repo_id, repo_type="dataset").private)
        if private:
            with TemporaryDirectory() as folder:
                copy = Path(folder) / store.path.name
                store.backup(copy)
                api.upload_file(
                    path_or_fileobj=copy,
                    path_in_repo=store.path.name,
                    repo_id=repo_id,
                    repo_type="dataset",
                    commit_message="Keep a review session",
                )
    except SessionError:
        raise
    except Exception as error:  # the hub's client raises what its libraries do
        raise SessionError(
            f"The session could not be copied to the dataset {repo_id} ({type(error).__name__}). It is safe "
            "on this machine. Check the dataset's name, the token's right to write and the network."
        ) from error
    if not private:
        raise SessionError(f"The dataset {repo_id} is public. Make it private, or name another.")


class Pusher:
    """Copies sessions that changed to the hub, in the background, at most once in a while."""

    def __init__(
        self,
        stores: Callable[[], Iterable[SessionStore]],
        push: Callable[[SessionStore], None],
        every_s: float = EVERY_S,
    ) -> None:
        """Begin.

        Args:
            stores: The sessions to look after, asked each time.
            push: What copies one.
            every_s: Seconds from one look to the next.
        """
        self._stores = stores
        self._push = push
        self._every_s = every_s
        self._pushed: dict[Path, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="session-pusher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Copy what changed since, and end."""
        self._stop.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._look()

    def _look(self) -> None:
        for store in self._stores():
            try:
                changes = store.changes()
                if self._pushed.get(store.path) != changes:
                    self._push(store)
                    self._pushed[store.path] = changes
            except SessionError as error:
                # The next look tries again; the readers go on.
                _log.warning("%s", error)


def pusher_from_environment(stores: Callable[[], Iterable[SessionStore]]) -> Pusher | None:
    """Begin to copy sessions to the dataset `$MURA_SESSIONS_REPO`, with `$HF_TOKEN`; None without it."""
    repo_id = os.environ.get("MURA_SESSIONS_REPO")
    if not repo_id:
        return None
    token = os.environ.get("HF_TOKEN")
    return Pusher(stores, lambda store: push_session(store, repo_id, token))
