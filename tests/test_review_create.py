"""A review session from uploads: what it is called, what it holds, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from demo import review_create
from demo.review_desk import Desk
from demo.review_handlers import Steps
from demo.wording import Wording
from mura_core.review.session import is_name
from tests.fake_predictor import FakePredictor, png
from tests.review_steps import AWAY, form, there

if TYPE_CHECKING:
    from pathlib import Path


def test_a_session_is_created_from_uploads_and_outlives_the_server(tmp_path: Path, sequential: Steps) -> None:
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, png(1), png(2)))
    assert panel["refused"] == ""
    assert used
    assert panel["chosen"] == "Ankles"
    assert list((tmp_path / "uploads").iterdir()) == []
    anew = Steps(Desk(tmp_path / "sessions", FakePredictor()), Wording("en"))
    seat, viewer, panel = anew.sit(AWAY, "Ankles", "Cy")
    assert seat is not None
    assert viewer is not None
    assert panel["total"] == 2
    assert panel["may_close"], "who created it"
    assert not anew.sit(AWAY, "Ankles", "Bo")[2]["may_close"]


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"name": "../x"}, "bad_name"),
        ({"name": ""}, "bad_name"),
        ({"name": "Wrists"}, "name_taken"),
        ({"repeats": -1}, "wrong_number"),
        ({"seed": 1.5}, "wrong_number"),
        ({"mode": "always"}, "wrong_mode"),
        ({"owner": ""}, "no_name"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, sequential: Steps, more: dict[str, Any], key: str
) -> None:
    before = there(tmp_path / "sessions")
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, png(1), **more))
    assert panel["refused"] == sequential.words.text(f"review.{key}", name="Wrists")
    assert there(tmp_path / "sessions") == before
    # The reader corrects the form and need not upload again.
    assert not used
    assert len(list((tmp_path / "uploads").iterdir())) == 1


def test_no_radiograph_makes_no_session(tmp_path: Path, sequential: Steps) -> None:
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, b"only text"))
    assert panel["refused"]
    assert used
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not (tmp_path / "sessions" / "Ankles").exists()
    assert not (tmp_path / "sessions" / "Ankles.sqlite").exists()


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a.b", " a", "a ", "-a", "a\n", "..", "a" * 61, "\u202ea"])
def test_names_that_lead_elsewhere_are_none(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("name", ["a", "Wrists 2025-11", "손목 연구", "a" * 60])
def test_names_of_sessions(name: str) -> None:
    assert is_name(name)
