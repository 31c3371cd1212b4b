"""The plain tests of a film: what is clearly wrong is noted, and an ordinary film is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from demo.examples.draw import EXAMPLES, draw_example
from mura_core.images import DOUBTFUL_NOTE, read_radiograph
from mura_core.remarks import SENTENCES, plain_remarks
from mura_core.study import Remark

if TYPE_CHECKING:
    from numpy.typing import NDArray


def film(side: int = 400) -> NDArray[np.uint8]:
    """A bright bone in grey tissue on a dark ground."""
    picture = np.full((side, side), 20, np.uint8)
    picture[:, side // 4 : 3 * side // 4] = 90
    picture[:, 2 * side // 5 : 3 * side // 5] = 200
    noise = np.random.default_rng(0).integers(0, 10, picture.shape, dtype=np.uint8)
    return picture + noise


def remarks(picture: NDArray[np.uint8]) -> tuple[Remark, ...]:
    return plain_remarks(read_radiograph(cv2.imencode(".png", picture)[1].tobytes()))


def test_an_ordinary_film_gets_no_remark() -> None:
    assert remarks(film()) == ()
    assert remarks(cv2.cvtColor(film(), cv2.COLOR_GRAY2BGR)) == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_get_no_grave_remark(name: str) -> None:
    for _, content in draw_example(name):
        assert not any(remark.grave for remark in plain_remarks(read_radiograph(content)))


def test_colour_is_noted() -> None:
    tinted = cv2.merge([film(), film() // 2, film() // 3])
    assert remarks(tinted) == (Remark.COLOUR,)


@pytest.mark.parametrize("contrast", [0.05, 0.09])
@pytest.mark.parametrize("level", [5, 120, 225])
def test_a_film_without_contrast_is_noted(contrast: float, level: int) -> None:
    assert Remark.EXPOSURE in remarks((film() * contrast + level).astype(np.uint8))


def test_half_the_contrast_is_enough() -> None:
    assert Remark.EXPOSURE not in remarks((film() * 0.5 + 60).astype(np.uint8))


def test_a_film_with_next_to_nothing_on_it_is_noted() -> None:
    dark = np.zeros((600, 600), np.uint8)
    dark[:60, :60] = np.arange(60, dtype=np.uint8) * 4
    assert Remark.EXPOSURE in remarks(dark)


def test_a_small_film_is_noted_and_a_larger_one_is_not() -> None:
    assert remarks(film(140)) == (Remark.SMALL,)
    assert remarks(film(160)) == ()


def test_a_doubtful_polarity_is_noted_but_not_gravely() -> None:
    read = read_radiograph(cv2.imencode(".png", film())[1].tobytes())
    assert plain_remarks(replace(read, warnings=(DOUBTFUL_NOTE,))) == (Remark.POLARITY,)
    assert not Remark.POLARITY.grave


@pytest.mark.parametrize(
    ("stated", "noted"),
    [("chest", True), ("c-spine", True), ("skull", True), ("hand", False), ("pelvis", False), (None, False)],
)
def test_a_stated_part_that_is_no_limb_is_noted(stated: str | None, noted: bool) -> None:
    read = replace(read_radiograph(cv2.imencode(".png", film())[1].tobytes()), body_part=stated)
    assert plain_remarks(read) == ((Remark.OTHER_PART,) if noted else ())


def test_every_remark_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Remark)
