"""The networks: one classification layer read as a logit and as a map."""

import pytest
import torch
from torchvision import models as zoo

from mura_core.errors import WeightsError
from mura_core.models import ARCHITECTURES, build_model


@pytest.fixture(scope="module")
def films() -> torch.Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("focus", [0.0, 1.0])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_mean_of_the_map_plus_the_bias_is_the_logit(
    architecture: str, focus: float, films: torch.Tensor
) -> None:
    torch.manual_seed(0)
    model = build_model(architecture, focus=focus).eval()
    torch.nn.init.normal_(model.classifier.weight, std=1.0)
    with torch.inference_mode():
        logits, cam, local_logits = model.logits_and_maps(films)
    torch.testing.assert_close(cam.mean(dim=(1, 2)) + model.classifier.bias, logits, rtol=1e-4, atol=1e-4)
    assert cam.shape == local_logits.shape == (2, 2, 2)


def test_without_focus_it_is_torchvisions_densenet(films: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = build_model("densenet169").eval()
    reference = zoo.densenet169(num_classes=1).eval()
    reference.features.load_state_dict(model.body.state_dict())
    reference.classifier.load_state_dict(model.classifier.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(model(films), reference(films)[:, 0], rtol=1e-4, atol=1e-5)


def test_focus_leans_on_the_highest_place() -> None:
    model = build_model("efficientnet_b0", focus=5.0)
    features = torch.zeros(1, 1280, 4, 4)
    features[0, :, 1, 2] = 1.0
    torch.nn.init.constant_(model.classifier.weight, 1 / 1280)
    torch.nn.init.zeros_(model.classifier.bias)
    sharp, _ = model.score(features)
    model.focus.zero_()
    plain, _ = model.score(features)
    assert plain.item() == pytest.approx(1 / 16, rel=1e-3)
    assert sharp.item() > 0.8


def test_a_film_that_looks_the_same_everywhere_gets_its_local_logit() -> None:
    model = build_model("efficientnet_b0", focus=3.0)
    features = torch.rand(1, 1280, 1, 1).expand(1, 1280, 5, 5)
    logits, scores = model.score(features)
    torch.testing.assert_close(logits[0], scores[0, 0, 0] + model.classifier.bias[0])


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="densenet169, resnet50"):
        build_model("alexnet")
