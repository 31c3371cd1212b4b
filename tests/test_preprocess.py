"""From radiograph to network and back: nothing is lost, nothing moves."""

import cv2
import numpy as np
import pytest

from mura_core.denoise import denoise, noise_level
from mura_core.preprocess import PreprocessOptions, enhance, preprocess, to_tensor
from mura_core.study import Box

CELL_PX = 32


def film(height: int = 500, width: int = 300) -> np.ndarray:
    """A limb-like bar, brighter in its middle, on a dark film."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    limb = np.exp(-(((columns - 0.45 * width) / (0.12 * width)) ** 2)).astype(np.float32)
    return np.clip(0.1 + 0.6 * limb * (0.7 + 0.3 * np.sin(rows / 25)), 0, 1).astype(np.float32)


@pytest.mark.parametrize("roi", [True, False])
@pytest.mark.parametrize("shape", [(500, 300), (300, 500), (1200, 700), (90, 64)])
def test_points_come_back_to_where_they_were(shape: tuple[int, int], roi: bool) -> None:
    _, geometry = preprocess(film(*shape), PreprocessOptions(roi=roi))
    points = np.array([[10.0, 20.0], [shape[0] / 2, shape[1] / 3]])
    np.testing.assert_allclose(geometry.to_radiograph(geometry.to_network(points)), points, atol=1e-9)


@pytest.mark.parametrize("place", [(100, 130), (250, 140), (420, 125)])
@pytest.mark.parametrize("roi", [True, False])
def test_a_marked_place_survives_the_way_there_and_back_within_one_cell(
    place: tuple[int, int], roi: bool
) -> None:
    _, geometry = preprocess(film(), PreprocessOptions(roi=roi))
    row, column = geometry.to_network(np.array([place], dtype=np.float64))[0] / CELL_PX
    grid = np.zeros((10, 10), dtype=np.float32)
    grid[int(row), int(column)] = 1.0
    heat = geometry.map_to_radiograph(grid)
    found = np.unravel_index(np.argmax(heat), heat.shape)
    distance = np.abs(np.array(found) - place).max()
    assert distance <= CELL_PX / min(geometry.scale_row, geometry.scale_column)


def test_the_aspect_ratio_is_kept_and_the_rest_is_black() -> None:
    prepared, geometry = preprocess(film(400, 200), PreprocessOptions(roi=False, enhance=False))
    assert (geometry.height, geometry.width) == (320, 160)
    assert not prepared[:, :80].any()
    assert not prepared[:, 240:].any()
    assert prepared[:, 80:240].min() > 0


def test_the_input_is_not_changed() -> None:
    pixels = film()
    before = pixels.copy()
    preprocess(pixels, PreprocessOptions())
    np.testing.assert_array_equal(pixels, before)


def test_a_prepared_film_is_whole_bytes_so_that_a_cache_loses_nothing() -> None:
    prepared, _ = preprocess(film(), PreprocessOptions())
    stored = np.round(prepared * 255).astype(np.uint8)
    np.testing.assert_array_equal(stored.astype(np.float32) / np.float32(255), prepared)


def test_enhancement_can_be_switched_off_and_then_leaves_greys_alone() -> None:
    flat = np.full((320, 320), 0.5, dtype=np.float32)
    flat[100:200, 100:200] = 0.6
    prepared, _ = preprocess(flat, PreprocessOptions(roi=False, enhance=False))
    np.testing.assert_allclose(prepared, flat, atol=0.5 / 255)


def test_enhancement_widens_the_contrast_of_a_faint_film() -> None:
    faint = 0.4 + 0.1 * film()
    assert np.ptp(enhance(faint)) > 5 * np.ptp(faint)


def test_enhancement_leaves_a_film_of_one_grey_as_it_is() -> None:
    flat = np.full((64, 64), 0.3, dtype=np.float32)
    np.testing.assert_array_equal(enhance(flat), flat)


def test_nothing_is_drawn_outside_the_region_of_interest() -> None:
    _, geometry = preprocess(film(), PreprocessOptions())
    heat = geometry.map_to_radiograph(np.ones((10, 10), dtype=np.float32))
    roi = geometry.roi
    inside = np.zeros(heat.shape, dtype=bool)
    inside[int(roi.top) : int(roi.top + roi.height), int(roi.left) : int(roi.left + roi.width)] = True
    assert roi.width < heat.shape[1]
    np.testing.assert_allclose(heat[inside], 1.0, atol=1e-6)
    assert not heat[~inside].any()


def test_the_tensor_is_three_equal_planes_under_imagenets_normalisation() -> None:
    prepared = np.full((8, 8), 0.5, dtype=np.float32)
    tensor = to_tensor([prepared, prepared])
    assert tensor.shape == (2, 3, 8, 8)
    expected = [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    np.testing.assert_allclose(tensor[0, :, 0, 0].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.1])
def test_the_noise_of_a_film_is_estimated_whatever_is_on_it(sigma: float) -> None:
    noisy = film() + np.random.default_rng(0).normal(0, sigma, (500, 300)).astype(np.float32)
    assert noise_level(noisy) == pytest.approx(sigma, rel=0.1)
    assert noise_level(film()) < 0.0005


def test_a_clean_film_is_not_denoised_and_a_noisy_one_comes_closer_to_the_clean_one() -> None:
    clean = film(320, 200)
    assert denoise(clean) is clean
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.05, clean.shape), 0, 1).astype(np.float32)
    before, quiet = noisy.copy(), denoise(noisy)
    np.testing.assert_array_equal(noisy, before)
    assert quiet.dtype == np.float32
    assert np.abs(quiet - clean).mean() < 0.5 * np.abs(noisy - clean).mean()


def test_noise_is_taken_out_before_contrast_is_equalised() -> None:
    clean = film(320, 200)
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.05, clean.shape), 0, 1).astype(np.float32)
    assert noise_level(enhance(noisy)) < 0.3 * 0.05


def test_a_large_film_is_shrunk_as_if_in_one_step() -> None:
    large = film(2003, 1507)
    found, geometry = preprocess(large, PreprocessOptions(roi=False, enhance=False))
    assert geometry.roi == Box(0, 0, 2001, 1506)
    direct = cv2.resize(large[:2001, :1506], (geometry.width, 320), interpolation=cv2.INTER_AREA)
    difference = found[:, geometry.pad_left : geometry.pad_left + geometry.width] - direct
    assert np.abs(difference).max() < 1 / 255
