"""A new session from uploads: what was dropped moves into the sessions folder, or nowhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.handlers import UploadedFile, base_name, log_without_content
from demo.review_desk import RuleError
from mura_core.errors import MuraError
from mura_core.review.session import STUDIES
from mura_core.review.types import Mode

if TYPE_CHECKING:
    from pathlib import Path

    from demo.review_handlers import Steps, Visitor

_TRUTH = "truth.csv"


@dataclass(frozen=True)
class Wish:
    """What the form holds; none of it is trusted."""

    name: object
    owner: object
    mode: object
    repeats: object
    seed: object
    films: tuple[UploadedFile, ...]
    truth: UploadedFile | None


def create(steps: Steps, visitor: Visitor, wish: Wish) -> dict[str, Any]:
    """Make a session; gives the list of sessions with it chosen, or with what was wrong.

    The uploads leave their folder in every case.
    """
    try:
        name = _create(steps, visitor, wish)
    except MuraError as error:
        return steps.lobby(visitor, refused=steps.reason(error))
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return steps.lobby(visitor, refused=steps.words["review.internal"])
    finally:
        for upload in (*wish.films, *([wish.truth] if wish.truth else [])):
            upload.path.unlink(missing_ok=True)
    store = steps.desk.store(name)
    studies = steps.words.counted("review.studies", len(store.cases))
    told = [steps.words.text("review.created", name=name, studies=studies)]
    told += [f"{refused.name}: {refused.reason}" for refused in store.refused]
    return steps.lobby(visitor, chosen=name, told="\n".join(told))


def _create(steps: Steps, visitor: Visitor, wish: Wish) -> str:
    name = wish.name.strip() if isinstance(wish.name, str) else ""
    steps.desk.check_new(name)
    if not wish.films:
        raise RuleError("no_films")
    owner = visitor.login or steps.reader_name(wish.owner)
    repeats, seed = _whole(wish.repeats), _whole(wish.seed)
    try:
        mode = Mode(str(wish.mode))
    except ValueError:
        raise RuleError("wrong_call") from None
    folder = steps.desk.folder / name
    folder.mkdir(parents=True)
    try:
        source = _take(wish.films, folder)
        truth = _move(wish.truth, folder / _TRUTH) if wish.truth else None
        steps.desk.create(name, source, truth=truth, mode=mode, repeats=repeats, seed=seed, owner=owner)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return name


def _take(films: tuple[UploadedFile, ...], folder: Path) -> Path:
    """Move the films: one ZIP as it is, anything else into a folder, under names that do not collide."""
    if len(films) == 1 and films[0].name.lower().endswith(".zip"):
        return _move(films[0], folder / f"{STUDIES}.zip")
    inside = folder / STUDIES
    inside.mkdir()
    for number, film in enumerate(films, 1):
        wanted = inside / base_name(film.name, "file")
        _move(film, wanted if not wanted.exists() else inside / f"{number} {wanted.name}")
    return inside


def _move(upload: UploadedFile, target: Path) -> Path:
    # Not `move`: equal files of two sessions lie at one path among the uploads.
    shutil.copyfile(upload.path, target)
    return target


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number) or number < 0:
        raise RuleError("wrong_number")
    return int(number)
