"""Synthetic fractures: visible, inside their box, on bone, and nothing else touched."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mura_core.synthetic_fractures import add_bend, add_fracture


def forearm(size: int = 276) -> np.ndarray:
    """Two bones in soft tissue on a black page."""
    film = np.zeros((size, size), np.uint8)
    film[:, size // 5 : -size // 5] = 60
    for middle in (size * 2 // 5, size * 3 // 5):
        film[:, middle - 14 : middle + 14] = 190
        film[:, middle - 8 : middle + 8] = 130
    return cv2.GaussianBlur(film, (0, 0), 1.2)


@pytest.mark.parametrize("seed", range(12))
def test_a_fracture_is_seen_in_its_box_and_the_corners_stay(seed: int) -> None:
    film = forearm()
    broken, mask = add_fracture(film, np.random.default_rng(seed))
    changed = np.abs(broken.astype(int) - film)
    assert mask.any()
    assert np.quantile(changed[mask > 0], 0.93) >= 12
    rows, columns = np.nonzero(mask)
    assert changed[rows.min() : rows.max(), columns.min() : columns.max()].max() == changed.max()
    for corner in (changed[:20, :20], changed[-20:, -20:], changed[:20, -20:], changed[-20:, :20]):
        assert corner.max() == 0


def test_the_same_seed_breaks_the_same_bone() -> None:
    first, again = (add_fracture(forearm(), np.random.default_rng(7))[0] for _ in range(2))
    other, _ = add_fracture(forearm(), np.random.default_rng(8))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("film", [np.zeros((276, 276), np.uint8), np.full((276, 276), 120, np.uint8)])
def test_without_a_bone_nothing_is_broken_or_bent(film: np.ndarray) -> None:
    broken, mask = add_fracture(film, np.random.default_rng(1))
    assert (broken == film).all()
    assert not mask.any()
    assert (add_bend(film, np.random.default_rng(1)) == film).all()


def test_a_decoy_changes_the_film_smoothly() -> None:
    """Its change has no step: neighbouring rows along the bone's axis change nearly alike."""
    film = forearm()
    for seed in range(6):
        change = add_bend(film, np.random.default_rng(seed)).astype(float) - film
        assert np.abs(change).max() > 1
        assert np.abs(np.diff(change, axis=0)).max() < 16
