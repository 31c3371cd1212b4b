"""Heatmaps: one scale for all films, in the film's own frame, and Grad-CAM agrees where it must."""

import cv2
import numpy as np
import pytest
import torch

from mura_core.cam import heatmap
from mura_core.errors import MuraError
from mura_core.gradcam import GRADIENT_METHODS, gradient_map
from mura_core.models import Classifier, build_model
from mura_core.preprocess import Geometry, PreprocessOptions, preprocess


@pytest.fixture(scope="module")
def model() -> Classifier:
    torch.manual_seed(0)
    built = build_model("efficientnet_b0").train()
    films = torch.randn(4, 3, 64, 64)
    with torch.no_grad():
        for _ in range(30):  # untrained batch statistics shrink its features to 1e-13
            built(films)
    torch.nn.init.uniform_(built.classifier.weight)
    return built.eval()


@pytest.fixture(scope="module")
def geometry() -> Geometry:
    pixels = np.full((200, 120), 0.1, dtype=np.float32)
    pixels[:, 40:80] = 0.7
    return preprocess(pixels, PreprocessOptions(size=96))[1]


def test_a_cold_film_stays_cold_and_a_hot_one_is_not_stretched(geometry: Geometry) -> None:
    cold, warm = np.full((3, 3), -6.0, dtype=np.float32), np.full((3, 3), -6.0, dtype=np.float32)
    warm[1, 1] = 0.0
    assert heatmap(cold, 1.0, geometry).max() < 0.01
    assert 0.4 < heatmap(warm, 1.0, geometry).max() <= 0.5


def test_the_heatmap_is_the_local_probability_at_the_temperature(geometry: Geometry) -> None:
    local = np.full((3, 3), 2.0, dtype=np.float32)
    heat = heatmap(local, 4.0, geometry)
    row, column = int(geometry.roi.top) + 20, int(geometry.roi.left) + 5
    assert heat[row, column] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-5)
    assert heat.shape == (200, 120)


def test_extreme_logits_do_not_overflow(geometry: Geometry) -> None:
    heat = heatmap(np.array([[1e6, -1e6]], dtype=np.float32), 0.05, geometry)
    assert np.isfinite(heat).all()


def test_gradcam_is_the_exact_map_up_to_its_own_scale(model: Classifier) -> None:
    films = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    maps = gradient_map(model, films, "gradcam")
    with torch.inference_mode():
        _, cams, _ = model.logits_and_maps(films)
    for index in range(2):
        exact = torch.relu(cams[index]).numpy()
        exact = (exact - exact.min()) / (exact.max() - exact.min())
        np.testing.assert_allclose(maps[index], cv2.resize(exact, (96, 96)), atol=1e-3)


@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_every_gradient_method_gives_a_map_and_leaves_the_network_as_it_was(
    model: Classifier, method: str
) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    films = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    maps = gradient_map(model, films, method)
    assert maps.shape == (1, 64, 64)
    assert maps.min() >= 0
    assert maps.max() <= 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_unknown_method_is_refused_with_the_known_ones(model: Classifier) -> None:
    with pytest.raises(MuraError, match="gradcam"):
        gradient_map(model, torch.zeros(1, 3, 64, 64), "magic")
