"""A new session from uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.handlers import UploadedFile, log_without_content
from demo.review_desk import RuleError
from demo.review_seat import name_of
from mura_core.errors import MuraError
from mura_core.review import session
from mura_core.review.types import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.review_handlers import Steps
    from demo.review_seat import Visitor


@dataclass(frozen=True)
class Form:
    """What the form holds; none of it is trusted."""

    name: object
    owner: object
    mode: object
    repeats: object
    seed: object
    films: tuple[UploadedFile, ...]
    truth: UploadedFile | None


def create(steps: Steps, visitor: Visitor, form: Form) -> tuple[dict[str, Any], bool]:
    """Make a session of what was uploaded.

    Returns:
        The list of sessions, with the new one chosen or with what was wrong; and whether the uploads are used
        up. They are not where the rest of the form has to be corrected first.
    """
    try:
        name, owner, wish = _read(steps, visitor, form)
    except MuraError as error:
        return steps.lobby(visitor, refused=steps.reason(error)), False
    try:
        store = steps.desk.create(name, _contents(form), wish, owner=owner)
    except MuraError as error:
        return steps.lobby(visitor, refused=steps.reason(error)), True
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return steps.lobby(visitor, refused=steps.words["review.internal"]), True
    finally:
        for upload in _uploads(form):
            upload.path.unlink(missing_ok=True)
    studies = steps.words.counted("review.studies", len(store.cases))
    told = [steps.words.text("review.created", name=name, studies=studies), *store.notes]
    told += [f"{refused.name}: {refused.reason}" for refused in store.refused]
    return steps.lobby(visitor, chosen=name, told="\n".join(told)), True


def _read(steps: Steps, visitor: Visitor, form: Form) -> tuple[str, str, session.Wish]:
    """Read the name, whoever may close the session, and what it shall be."""
    name = form.name.strip() if isinstance(form.name, str) else ""
    steps.desk.check_new(name)
    if not form.films:
        raise RuleError("no_films")
    owner = name_of(visitor, form.owner)
    repeats, seed = _whole(form.repeats), _whole(form.seed)
    try:
        mode = Mode(str(form.mode))
    except ValueError:
        raise RuleError("wrong_mode") from None
    return name, owner, session.Wish(mode=mode, seed=seed, repeats=repeats)


def _contents(form: Form) -> Iterator[tuple[str, bytes]]:
    """Name and content of each upload, one at a time; the truth is known by the ending of its name."""
    for film in form.films:
        yield film.name, film.path.read_bytes()
    if form.truth:
        yield "truth.csv", form.truth.path.read_bytes()


def _uploads(form: Form) -> tuple[UploadedFile, ...]:
    return (*form.films, form.truth) if form.truth else form.films


def _whole(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number) or number < 0:
        raise RuleError("wrong_number")
    return int(number)
