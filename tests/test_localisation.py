"""Localisation scores on maps whose score is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mura_core.errors import DatasetError
from mura_core.localisation import (
    MEASURES,
    Scores,
    build_box_mask,
    build_centre_map,
    build_random_map,
    build_untrained,
    estimate_localisation,
    score_heatmap,
    score_view,
)
from mura_core.study import Box, Call, Timing, ViewResult

SHAPE = (60, 80)
BOX = Box(top=10, left=20, height=12, width=16)
WHOLE = Box(top=0, left=0, height=60, width=80)


def map_with(rows: slice, columns: slice, value: float = 0.9) -> np.ndarray:
    heatmap = np.full(SHAPE, 0.1, dtype=np.float32)
    heatmap[rows, columns] = value
    return heatmap


def view(heatmap: np.ndarray, name: str = "a.png", roi: Box = WHOLE) -> ViewResult:
    return ViewResult(
        name,
        0.8,
        Call.ABNORMAL,
        1.0,
        np.zeros((10, 10), np.float32),
        lambda: heatmap,
        heatmap.shape,
        roi,
        Timing(0, 0),
    )


def test_a_map_that_is_the_box_scores_one() -> None:
    exact = build_box_mask([BOX], SHAPE).astype(np.float32)
    assert score_heatmap(exact, [BOX], 8.0) == Scores(hit=1.0, hit_margin=1.0, energy=1.0, iou=1.0)


def test_a_map_elsewhere_scores_zero() -> None:
    elsewhere = np.zeros(SHAPE, np.float32)
    elsewhere[50:, 70:] = 1.0
    assert score_heatmap(elsewhere, [BOX], 8.0) == Scores(0.0, 0.0, 0.0, 0.0)


def test_a_flat_map_scores_the_share_of_area() -> None:
    share = 12 * 16 / (60 * 80)
    scores = score_heatmap(np.full(SHAPE, 0.7, np.float32), [BOX], 0.0)
    assert (scores.hit, scores.hit_margin, scores.energy, scores.iou) == pytest.approx((share,) * 4)


def test_a_map_of_zeros_is_scored_without_a_warning() -> None:
    scores = score_heatmap(np.zeros(SHAPE, np.float32), [BOX], 0.0)
    assert (scores.energy, scores.iou) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("row", "column", "hit", "margin"),
    [
        (10, 20, 1, 1),  # the box's first pixel
        (21, 35, 1, 1),  # its last
        (22, 35, 0, 1),  # just below
        (29, 43, 0, 1),  # the margin's last
        (30, 43, 0, 0),  # just below that
        (2, 12, 0, 1),  # the margin's first
        (2, 11, 0, 0),
    ],
)
def test_pointing_game_at_the_edges_of_box_and_margin(row: int, column: int, hit: int, margin: int) -> None:
    scores = score_heatmap(map_with(slice(row, row + 1), slice(column, column + 1)), [BOX], 8.0)
    assert (scores.hit, scores.hit_margin) == (hit, margin)


def test_iou_and_energy_by_hand() -> None:
    # 6 of the box's 12 rows are hot, and as many rows above it.
    scores = score_heatmap(map_with(slice(4, 16), slice(20, 36)), [BOX], 0.0)
    assert scores.iou == pytest.approx(6 / 18)
    hot, box = 12 * 16, 12 * 16
    energy = (box / 2 * 0.9 + box / 2 * 0.1) / (hot * 0.9 + (60 * 80 - hot) * 0.1)
    assert scores.energy == pytest.approx(energy)


def test_overlapping_boxes_count_once_and_boxes_are_cut_at_the_border() -> None:
    once = build_box_mask([BOX], SHAPE)
    np.testing.assert_array_equal(build_box_mask([BOX, BOX], SHAPE), once)
    assert build_box_mask([Box(-5, -5, 10, 10)], SHAPE).sum() == 25
    assert build_box_mask([BOX], SHAPE, 1000).all()


@pytest.mark.parametrize("box", [Box(100, 100, 5, 5), Box(-9, 3, 5, 5), Box(5.6, 5.6, 0.5, 0.5)])
def test_boxes_that_mark_no_pixel_are_refused(box: Box) -> None:
    with pytest.raises(DatasetError, match="60 x 80"):
        score_heatmap(np.ones(SHAPE, np.float32), [box], 8.0)


def test_centre_map_peaks_at_the_centre_of_the_roi_and_is_zero_outside() -> None:
    roi = Box(top=10, left=20, height=31, width=41)
    centre = build_centre_map(SHAPE, roi)
    assert np.unravel_index(centre.argmax(), SHAPE) == (25, 40)
    assert centre.max() == pytest.approx(1.0)
    assert not centre[~build_box_mask([roi], SHAPE)].any()


def test_random_maps_hit_as_often_as_chance() -> None:
    rng = np.random.default_rng(0)
    box = Box(0, 0, 30, 40)  # a quarter of the film, on whole cells
    draws = [score_heatmap(build_random_map(SHAPE, WHOLE, 10.0, rng), [box], 0.0) for _ in range(400)]
    assert np.mean([d.hit for d in draws]) == pytest.approx(0.25, abs=0.06)
    assert np.mean([d.energy for d in draws]) == pytest.approx(0.25, abs=0.02)


def test_random_map_stays_inside_the_roi_and_in_range() -> None:
    roi = Box(top=10, left=20, height=30, width=40)
    drawn = build_random_map(SHAPE, roi, 4.0, np.random.default_rng(1))
    assert not drawn[~build_box_mask([roi], SHAPE)].any()
    assert 0 <= drawn.min() < drawn.max() <= 1


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "resnet50"])
def test_an_untrained_network_is_the_same_every_time_and_its_maps_are_not_flat(architecture: str) -> None:
    films = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    before = torch.random.get_rng_state()
    first, second = (build_untrained(architecture, films) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not first.training
    with torch.inference_mode():
        _, _, local = first.logits_and_maps(films)
        assert torch.equal(local, second.logits_and_maps(films)[2])
    assert 1e-3 < float(local.std()) < 5
    assert float(local.abs().max()) < 15  # beyond, float32 probabilities are all 1


def test_view_scores_are_repeatable_and_depend_on_the_name_of_the_view() -> None:
    heatmap = map_with(slice(12, 14), slice(22, 24))
    first = score_view(view(heatmap), [BOX])
    assert set(first) == {"heatmap", "centre", "random"}
    assert first == score_view(view(heatmap), [BOX])
    other = score_view(view(heatmap, "b.png"), [BOX])
    assert other["random"] != first["random"]
    assert other["heatmap"] == first["heatmap"] == score_heatmap(heatmap, [BOX], 8.0)


def test_the_margin_is_one_cell_of_the_longer_side() -> None:
    # 80 px over 10 cells: 8 px a cell, so a maximum 8 px below the box is near and 9 px is not.
    near, far = (score_view(view(map_with(slice(r, r + 1), slice(30, 31))), [BOX]) for r in (29, 30))
    assert (near["heatmap"].hit_margin, far["heatmap"].hit_margin) == (1.0, 0.0)


def test_scores_do_not_change_the_heatmap() -> None:
    heatmap = map_with(slice(4, 16), slice(20, 36))
    kept = heatmap.copy()
    score_view(view(heatmap), [BOX])
    np.testing.assert_array_equal(heatmap, kept)


def test_estimates_are_means_with_intervals_and_gains_are_paired() -> None:
    rng = np.random.default_rng(2)
    model, chance = rng.random((40, 4)), rng.random((40, 4)) / 2
    scores = [{"heatmap": Scores(*a), "centre": Scores(*b)} for a, b in zip(model, chance, strict=True)]
    patients = [str(i // 2) for i in range(40)]
    means, gains = estimate_localisation(scores, patients, resamples=300, seed=0)
    assert set(gains) == {"centre"}
    for i, name in enumerate(MEASURES):
        assert means["heatmap"][name].value == pytest.approx(model[:, i].mean())
        assert gains["centre"][name].value == pytest.approx((model - chance)[:, i].mean())
        for found in (means["heatmap"][name], gains["centre"][name]):
            assert found.low < found.value < found.high


def test_no_views_leave_every_mean_undefined() -> None:
    means, gains = estimate_localisation([], [], resamples=10, seed=0)
    assert all(np.isnan(means["heatmap"][name].value) for name in MEASURES)
    assert gains == {}
