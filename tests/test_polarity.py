"""The polarity detector: never inverts a usual film, finds a plainly inverted one, and keeps out of bars."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mura_core.images import read_radiograph
from mura_core.polarity import Polarity, find_polarity, polarity_score
from mura_core.window import window_ends
from tests.films import fracatlas_folder
from tests.radiograph_files import jpeg_bytes, phantom, png_bytes

SIZES = [(96, 80), (320, 256), (256, 320), (1200, 900)]


def as_pixels(film: NDArray[np.uint8]) -> NDArray[np.float32]:
    return film.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("size", SIZES)
def test_a_phantom_and_its_inverse_are_told_apart(size: tuple[int, int]) -> None:
    film = as_pixels(phantom(*size))
    assert find_polarity(film) is Polarity.BONE_BRIGHT
    assert find_polarity(1 - film) is Polarity.BONE_DARK


def test_inverting_a_film_turns_the_score_round() -> None:
    film = as_pixels(phantom(128, 100))
    assert polarity_score(1 - film) == pytest.approx(-polarity_score(film), abs=1e-4)


def test_the_film_judged_is_not_changed() -> None:
    film = as_pixels(phantom())
    before = film.copy()
    find_polarity(film)
    np.testing.assert_array_equal(film, before)


@pytest.mark.parametrize("sides", [(30, 0, 0, 0), (0, 0, 40, 40), (40, 40, 40, 40)])
def test_white_bars_or_a_white_page_do_not_invert_a_film(sides: tuple[int, int, int, int]) -> None:
    framed = cv2.copyMakeBorder(phantom(), *sides, cv2.BORDER_CONSTANT, value=255)
    assert find_polarity(as_pixels(framed)) is Polarity.BONE_BRIGHT


@pytest.mark.parametrize("encode", [png_bytes, jpeg_bytes])
def test_an_inverted_picture_is_corrected_and_says_so(encode: object) -> None:
    film = read_radiograph(encode(phantom(bright_background=True)))  # type: ignore[operator]
    tolerance = 0 if encode is png_bytes else 12
    np.testing.assert_allclose(film.values.astype(int), phantom(), atol=tolerance)
    assert window_ends(film.window) == (0, 255)
    assert [note for note in film.warnings if "It was inverted" in note]


def test_a_deep_inverted_picture_looks_like_the_usual_one() -> None:
    usual = read_radiograph(png_bytes(phantom(bits=16)))
    inverted = read_radiograph(png_bytes(phantom(bits=16, bright_background=True)))
    np.testing.assert_array_equal(inverted.values, usual.values)
    np.testing.assert_allclose(inverted.pixels, usual.pixels, atol=0.01)


def test_doubt_is_stated_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mura_core.images.find_polarity", lambda _: Polarity.DOUBTFUL)
    film = read_radiograph(png_bytes(phantom()))
    np.testing.assert_array_equal(film.values, phantom())
    assert [note for note in film.warnings if "left as the file has it" in note]


def test_real_films_are_never_inverted_and_their_inverses_nearly_always_found() -> None:
    paths = sorted((fracatlas_folder() / "images").rglob("*.jpg"))[::16]
    assert len(paths) > 100
    films = [read_radiograph(path) for path in paths]
    assert Counter(find_polarity(film.pixels) for film in films) == {Polarity.BONE_BRIGHT: len(paths)}
    found = sum(find_polarity(1 - film.pixels) is Polarity.BONE_DARK for film in films)
    assert found > 0.85 * len(paths)
