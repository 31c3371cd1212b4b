"""The region of interest keeps the patient and drops what is not."""

import numpy as np
import pytest

from mura_core.datasets import read_split
from mura_core.images import read_radiograph
from mura_core.roi import find_roi
from tests.films import fracatlas_folder


def limb(height: int = 454, width: int = 373) -> np.ndarray:
    """A limb from row 60 to 400, column 150 to 230, on a noisy grey film."""
    rng = np.random.default_rng(0)
    film = 0.15 + 0.01 * rng.standard_normal((height, width)).astype(np.float32)
    film[60:400, 150:230] = 0.5
    film[80:380, 175:205] = 0.8
    return np.clip(film, 0, 1).astype(np.float32)


def assert_holds_the_limb(film: np.ndarray, *, at_most: float) -> None:
    roi = find_roi(film)
    assert roi.top <= 60
    assert roi.left <= 150
    assert roi.top + roi.height >= 400
    assert roi.left + roi.width >= 230
    assert roi.height * roi.width < at_most * film.size


def test_a_limb_is_cut_out_of_its_film() -> None:
    assert_holds_the_limb(limb(), at_most=0.35)


def test_white_collimator_bars_are_dropped() -> None:
    film = limb()
    film[435:] = 1.0
    film[:, :15] = 0.95
    assert_holds_the_limb(film, at_most=0.35)


@pytest.mark.parametrize("margins", [(110, 90, 110, 90), (0, 200, 0, 0), (150, 0, 0, 0)])
def test_the_white_page_that_a_film_lies_on_is_no_part_of_it(margins: tuple[int, int, int, int]) -> None:
    above, left, below, right = margins
    page = np.pad(limb(), ((above, below), (left, right)), constant_values=1.0)
    alone, found = find_roi(limb()), find_roi(page)
    # A step of the working copy, and the margin that goes with the size of what is looked at.
    assert (found.top - above, found.left - left) == pytest.approx((alone.top, alone.left), abs=8)
    assert (found.height, found.width) == pytest.approx((alone.height, alone.width), abs=14)


def test_a_white_page_without_a_film_falls_back_to_the_full_frame() -> None:
    roi = find_roi(np.ones((300, 200), np.float32))
    assert (roi.top, roi.left, roi.height, roi.width) == (0, 0, 300, 200)


def test_a_slanted_bar_is_dropped() -> None:
    film = limb()
    for column in range(film.shape[1]):
        film[454 - 12 - column // 20 :, column] = 1.0
    assert_holds_the_limb(film, at_most=0.4)


def test_a_bar_that_the_limb_crosses_does_not_cut_the_limb() -> None:
    film = limb()
    film[:, 150:230] = np.maximum(film[:, 150:230], 0.5)
    film[440:, :150] = 1.0
    film[440:, 230:] = 1.0
    roi = find_roi(film)
    assert roi.top + roi.height >= 435


def test_a_faint_hand_beside_a_bright_trunk_is_kept() -> None:
    film = limb()
    film[:, 300:] = 1.0
    film[60:400, 150:230] = 0.35
    film[220:240, 200:300] = 0.35
    assert_holds_the_limb(film, at_most=0.8)


def test_two_views_on_a_sheet_are_both_kept() -> None:
    film = limb()
    film[60:400, 290:350] = 0.5
    roi = find_roi(film)
    assert roi.left <= 150
    assert roi.left + roi.width >= 350


def test_an_empty_film_falls_back_to_the_full_frame() -> None:
    film = np.full((300, 200), 0.2, dtype=np.float32)
    roi = find_roi(film)
    assert (roi.top, roi.left, roi.height, roi.width) == (0, 0, 300, 200)


@pytest.mark.parametrize("scale", [1, 4])
def test_the_resolution_of_the_film_does_not_matter(scale: int) -> None:
    film = np.kron(limb(), np.ones((scale, scale), dtype=np.float32))
    roi = find_roi(film)
    assert roi.left / scale == pytest.approx(150 - 12, abs=8)


def test_real_fractures_lie_inside_the_region_of_interest() -> None:
    lost, boxes = 0, 0
    for record in read_split(fracatlas_folder(), "fracatlas", "valid"):
        for view in record.views:
            if not view.boxes:
                continue
            roi = find_roi(read_radiograph(view.path).pixels)
            for box in view.boxes:
                boxes += 1
                inside = roi.top <= box.top + 2 and roi.left <= box.left + 2
                inside &= roi.top + roi.height >= box.top + box.height - 2
                inside &= roi.left + roi.width >= box.left + box.width - 2
                lost += not inside
    assert boxes > 100
    assert lost <= 0.01 * boxes
