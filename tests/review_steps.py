"""A server with one review session of three studies, and a reader's way through it, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo import review_create
from demo.handlers import UploadedFile
from demo.review_desk import Desk
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor
from demo.wording import Wording
from mura_core.review.store import SessionStore
from mura_core.review.types import Case, Mode, Truth
from tests.fake_predictor import FakePredictor, png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = Visitor(local=True)
AWAY = Visitor()


# 0.6431 is the probability of the first pixel 164: no other number of a payload is like it.
FIRST_PIXEL = 164
TELLS_OF_THE_MODEL = ("probability", "heatmap", "roi", "meaning", "flagged", "sensitive", "specific", "model")


def draw_films(folder: Path) -> Path:
    """Three studies of two films, in folders whose names tell the truth."""
    for number in range(3):
        (folder / f"abnormal_{number}").mkdir(parents=True)
        for view in range(2):
            content = png(10 * number + view, FIRST_PIXEL)
            (folder / f"abnormal_{number}" / f"secret{view}.png").write_bytes(content)
    return folder


def make(
    tmp_path: Path, films: Path, mode: Mode, *, repeats: int = 0, error: Exception | None = None
) -> Steps:
    """The steps of a server with one session, `Wrists`."""
    cases = [
        Case(
            f"secret-{n}",
            f"p{n}",
            "wrist",
            (f"abnormal_{n}/secret0.png", f"abnormal_{n}/secret1.png"),
            Truth(n % 2),
        )
        for n in range(3)
    ]
    SessionStore.create(
        tmp_path / "sessions" / "Wrists.sqlite", cases, source=str(films), mode=mode, seed=1, repeats=repeats
    ).disconnect()
    return Steps(Desk(tmp_path / "sessions", FakePredictor(error=error, told_by_film=True)), Wording("en"))


def call(
    panel: dict[str, Any], verdict: str = "abnormal", confidence: int = 80, **more: Any
) -> dict[str, Any]:
    """What the panel of a browser sends to commit."""
    sent = {"place": panel["place"], "condition": panel["needs"], "findings": [], "marks": []}
    return {**sent, "verdict": verdict, "confidence": confidence, **more}


def sit(
    steps: Steps, reader: str = "Ann", visitor: Visitor = AWAY
) -> tuple[Seat, dict[str, Any], dict[str, Any]]:
    seat, viewer, panel = steps.sit(visitor, "Wrists", reader)
    assert seat is not None, panel
    assert viewer is not None
    return seat, viewer, panel


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a payload with the keys that lead to it."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from leaves(value, f"{path}/{index}")
    else:
        yield path, content


def assert_blind(*payloads: dict[str, Any] | None) -> None:
    """Nothing of the model, and nothing that names the case, is anywhere in the payloads."""
    for path, value in leaves(list(payloads)):
        keys = path.split("/")
        told = any(key.startswith(word) for key in keys for word in TELLS_OF_THE_MODEL)
        assert not told or not value, path
        assert not isinstance(value, float) or abs(value - FIRST_PIXEL / 255) > 1e-3, path
        assert "0.64" not in str(value) or path.endswith("/data"), path
        assert "secret" not in str(value), path
        assert "abnormal_" not in str(value), path


def read_all(steps: Steps, reader: str, visitor: Visitor = AWAY) -> Seat:
    """Read the session to its end."""
    seat, _, panel = sit(steps, reader, visitor)
    while panel["stage"] == "reading":
        steps.think(visitor, seat)
        _, _, panel = steps.screen(visitor, seat)
        moved, _, panel = steps.commit(visitor, seat, call(panel))
        assert panel["refused"] == ""
        assert moved is not None
        seat = moved
    return seat


def there(folder: Path) -> list[str]:
    """What lies in a folder, without what SQLite keeps beside an open file."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


def form(tmp_path: Path, *contents: bytes, truth: bytes | None = None, **more: Any) -> review_create.Form:
    uploads = tmp_path / "uploads"
    uploads.mkdir(exist_ok=True)
    films = []
    for number, content in enumerate(contents):
        (uploads / f"{number}").write_bytes(content)
        films.append(UploadedFile(f"film{number}.png", uploads / f"{number}"))
    known = None
    if truth is not None:
        (uploads / "truth").write_bytes(truth)
        known = UploadedFile("truth.csv", uploads / "truth")
    usual = {"name": "Ankles", "owner": "Cy", "mode": "unaided", "repeats": 0, "seed": 3}
    return review_create.Form(**{**usual, **more}, films=tuple(films), truth=known)
