"""The copy of a session in a private dataset of the hub."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from mura_core.errors import SessionError
from mura_core.review import push
from mura_core.review.push import Pusher, push_session, pusher_from_environment
from mura_core.review.store import SessionStore
from mura_core.review.types import Condition, Mode
from tests.session_case import CALL, new_session


@dataclass
class Hub:
    """Stands in for the hub: keeps what would be uploaded."""

    private: bool = True
    broken: bool = False
    uploaded: dict[str, bytes] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, token: str | None = None) -> Hub:
        self.calls.append({"token": token})
        return self

    def create_repo(self, repo_id: str, **options: Any) -> None:
        self.calls.append({"repo_id": repo_id, **options})

    def repo_info(self, _repo_id: str, **_options: Any) -> SimpleNamespace:
        return SimpleNamespace(private=self.private)

    def upload_file(self, *, path_or_fileobj: Path, path_in_repo: str, **options: Any) -> None:
        if self.broken:
            raise ConnectionError("no network")
        self.calls.append(options)
        self.uploaded[path_in_repo] = Path(path_or_fileobj).read_bytes()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    stand_in = Hub()
    monkeypatch.setattr(huggingface_hub, "HfApi", stand_in)
    return stand_in


def test_a_copy_of_a_session_in_use_reaches_the_private_dataset(tmp_path: Path, hub: Hub) -> None:
    with new_session(tmp_path / "s", Mode.UNAIDED, name="May") as store:
        store.join("kim")
        store.start("kim", 0)
        store.commit("kim", 0, Condition.UNAIDED, CALL)
        push_session(store, "hospital/readings", "hf_secret")
    assert hub.calls[0] == {"token": "hf_secret"}
    assert hub.calls[1] == {
        "repo_id": "hospital/readings", "repo_type": "dataset", "private": True, "exist_ok": True
    }  # fmt: skip
    assert hub.calls[2]["repo_type"] == "dataset"
    (tmp_path / "back.sqlite").write_bytes(hub.uploaded["May.sqlite"])
    with SessionStore.open(tmp_path / "back.sqlite") as back:
        assert [reading.call for reading in back.readings()] == [CALL]


def test_nothing_goes_to_a_public_dataset_and_a_failure_is_named_without_the_token(
    tmp_path: Path, hub: Hub
) -> None:
    with new_session(tmp_path) as store:
        hub.private = False
        with pytest.raises(SessionError, match="is public"):
            push_session(store, "hospital/readings", "hf_secret")
        hub.private, hub.broken = True, True
        with pytest.raises(SessionError, match="ConnectionError") as caught:
            push_session(store, "hospital/readings", "hf_secret")
    assert "hf_secret" not in str(caught.value)
    assert hub.uploaded == {}


def test_the_pusher_copies_what_changed_and_goes_on_after_a_failure(tmp_path: Path) -> None:
    pushed: list[int] = []
    fails = threading.Event()

    def copy(store: SessionStore) -> None:
        if fails.is_set():
            fails.clear()
            raise SessionError("no network")
        pushed.append(store.changes())

    def wait_for(count: int) -> None:
        deadline = time.monotonic() + 20
        while len(pushed) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(pushed) == count

    with new_session(tmp_path) as store:
        pusher = Pusher(lambda: [store], copy, every_s=0.01)
        wait_for(1)
        fails.set()
        store.join("kim")
        wait_for(2)
        assert not fails.is_set()
        pusher.stop()
        assert len(pushed) == 2
        store.join("lee")
        assert pushed[-1] < store.changes()


def test_a_space_copies_only_where_the_dataset_is_named(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MURA_SESSIONS_REPO", raising=False)
    assert pusher_from_environment(list) is None
    monkeypatch.setenv("MURA_SESSIONS_REPO", "hospital/readings")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(push, "EVERY_S", 1000)
    with new_session(tmp_path, name="May") as store:
        pusher = pusher_from_environment(lambda: [store])
        assert pusher is not None
        pusher.stop()
    assert list(hub.uploaded) == ["May.sqlite"]
