"""The overlay: fixed scale, cold film untouched, hot regions marked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mura_core.overlay import COLD, CONTOUR_LEVEL, CONTOUR_RGB, HOT, STOPS, STRONGEST, opacity, overlay


def film(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((80, 60), dtype=np.float32)


def spot(peak: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:80, 0:60]
    distance = np.hypot(rows - 30, columns - 40)
    return (peak * np.exp(-((distance / 12) ** 2))).astype(np.float32)


def test_a_cold_film_shows_exactly_as_it_is() -> None:
    pixels = film()
    picture = overlay(pixels, spot(COLD))
    grey = np.rint(pixels * 255).astype(np.uint8)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, np.repeat(grey[:, :, None], 3, axis=2))


def test_the_scale_does_not_depend_on_the_rest_of_the_film() -> None:
    pixels = film()
    alone = overlay(pixels, spot(0.45))
    beside = spot(0.45)
    beside[75:80, 0:5] = 1.0
    assert np.array_equal(overlay(pixels, beside)[:60], alone[:60])


def test_hotter_is_lighter_and_stronger_on_a_black_film() -> None:
    heats = np.array([0.1, 0.25, 0.35, 0.45, 0.6, 0.8, 1.0], dtype=np.float32)
    ramp = np.repeat(heats, 40)[np.newaxis].repeat(40, axis=0)
    picture = overlay(np.zeros_like(ramp), ramp).astype(float)
    lightness = picture[20, 20::40] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > 5).all()


def test_bone_still_shows_through_the_hottest_region() -> None:
    hot = np.ones((80, 60), dtype=np.float32)
    dark, bright = (overlay(np.full_like(hot, level), hot)[40, 30].astype(float) for level in (0.0, 1.0))
    assert bright - dark == pytest.approx(255 * (1 - STRONGEST), abs=1)


def test_the_line_runs_where_the_heat_passes_one_half() -> None:
    picture, heat = overlay(film(), spot(0.9)), spot(0.9)
    line = (picture == CONTOUR_RGB).all(axis=2)
    assert line.any()
    assert np.abs(heat[line] - 0.5).max() < 0.1
    assert not (overlay(film(), spot(0.49)) == CONTOUR_RGB).all(axis=2).any()


def test_opacity_never_falls_and_ends_where_it_should() -> None:
    shares = opacity(np.linspace(0, 1, 101, dtype=np.float32))
    assert (np.diff(shares) >= 0).all()
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(STRONGEST)


def test_inputs_are_not_changed_and_shapes_must_agree() -> None:
    pixels, heat = film(), spot(0.9)
    before = pixels.copy(), heat.copy()
    overlay(pixels, heat)
    assert np.array_equal(pixels, before[0])
    assert np.array_equal(heat, before[1])
    with pytest.raises(ValueError, match="expected the same"):
        overlay(pixels, heat[:-1])


def test_the_page_shows_the_same_heat_in_the_same_colour() -> None:
    demo = Path(__file__).parents[1] / "demo"
    script = (demo / "viewer_heatmap.js").read_text(encoding="utf-8")
    ramp = re.search(r"const RAMP = (\[.*?\]);", script, re.DOTALL)
    assert ramp
    assert json.loads(ramp[1]) == [[level, list(rgb)] for level, rgb in STOPS]
    assert f"(value - {COLD}) / {HOT - COLD:.2f}" in script
    assert f"CONTOUR_LEVEL = {CONTOUR_LEVEL};" in script
    assert f"opacity: {STRONGEST}," in (demo / "viewer_stage.js").read_text(encoding="utf-8")
