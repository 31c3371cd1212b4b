"""What the released weights know: their own films, and not what was drawn to look like others."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from mura_core.datasets import read_split
from mura_core.images import read_radiograph
from mura_core.known import read_known, served_digest
from mura_core.model_card import KNOWN_FIGURES_NAME
from mura_core.predictor import Predictor
from mura_core.remarks import is_grave
from mura_core.stand_ins import KINDS, draw
from mura_core.study import Remark, Study, View
from tests.films import fracatlas_folder

RELEASED = Path(__file__).parents[1] / "weights"


@cache
def released() -> Predictor:
    return Predictor.load(RELEASED)


@pytest.fixture
def learnt() -> None:
    """The released weights come with what they know; it is learnt after each release."""
    if not (RELEASED / "known.safetensors").exists() and not (RELEASED / "known.json").exists():
        pytest.skip("no known.safetensors for these weights: python -m mura_core known")


def read(*sources: bytes | Path) -> list[tuple[Remark, ...]]:
    views = tuple(View(f"{index}.png", read_radiograph(source)) for index, source in enumerate(sources))
    result = released().predict(Study(views))
    assert result.compared
    return [view.remarks for view in result.views]


@pytest.mark.usefixtures("learnt")
def test_the_released_weights_know_their_films() -> None:
    assert read_known(RELEASED) is not None
    figures = json.loads((RELEASED / KNOWN_FIGURES_NAME).read_text())
    assert figures["weights"] == served_digest(RELEASED)
    test, valid = figures["refused"]["test"], figures["refused"]["valid"]
    assert valid["strange"] <= 0.01 * valid["films"]
    assert test["noted"] <= 0.02 * test["films"]


@pytest.mark.usefixtures("learnt")
@pytest.mark.parametrize("kind", ["drawn chest", "text page", "noise", "gradient", "over-exposed film"])
def test_drawn_pictures_that_are_no_limb_films_are_noted(kind: str) -> None:
    sources = [fracatlas_folder() / "images"] if kind == "over-exposed film" else []
    paths = sorted(sources[0].rglob("*.jpg"))[:3] if sources else ()
    assert all(is_grave(remarks) for remarks in read(*(draw(kind, number, paths) for number in range(3))))


def test_a_picture_of_a_kind_is_always_the_same() -> None:
    for kind in ("drawn skull", "plasma texture", "screenshot"):
        assert draw(kind, 3, ()) == draw(kind, 3, ()) != draw(kind, 4, ())
    assert len(KINDS) > 10


@pytest.mark.usefixtures("learnt")
def test_real_films_are_not_noted() -> None:
    records = read_split(fracatlas_folder(), "fracatlas", "test")[::12]
    noted = [is_grave(remarks) for remarks in read(*(record.views[0].path for record in records))]
    assert len(noted) > 30
    assert sum(noted) <= 2
