"""The networks: torchvision's feature layers under one layer that yields logit and map together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models as zoo

from mura_core.errors import WeightsError
from mura_core.sidecar import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable

    Builder = Callable[[zoo.WeightsEnum | None], tuple[nn.Module, int]]


class Classifier(nn.Module):
    """Feature layers and a one-logit layer, read either as a film's logit or as a map of local logits.

    Every location of the feature map is scored by the same linear layer. The film's logit is the mean of
    the scores (global average pooling, as in the paper) or, with `focus` above zero, a mean that leans on the
    highest ones, weights softmax(focus * score): a small fracture on a large film is not averaged away.

    Attributes:
        focus: Sharpness of the pooling; 0 is the plain mean. A buffer, so that it travels with the weights.
        activation: What follows the feature layers before they are pooled.
    """

    focus: Tensor

    def __init__(self, body: nn.Module, activation: nn.Module, channels: int, focus: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.activation = activation
        self.classifier = nn.Linear(channels, 1)
        self.register_buffer("focus", torch.tensor(float(focus)))

    def features(self, x: Tensor) -> Tensor:
        """Feature map behind its last activation, (B, 3, H, W) -> (B, C, h, w)."""
        features: Tensor = self.activation(self.body(x))
        return features

    def score(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a feature map into logits and local scores.

        Args:
            features: (B, C, h, w), behind the activation.

        Returns:
            Logits (B,), and scores (B, h, w): what the layer says of each location, without the bias.
            A film that looked like one location everywhere would get that score plus the bias.
        """
        with torch.autocast(features.device.type, enabled=False):
            weight = self.classifier.weight[:, :, None, None]
            scores = F.conv2d(features.float(), weight.float()).squeeze(1)
            logits = self._shares(scores).mul(scores).sum(dim=(1, 2)) + self.classifier.bias
        return logits, scores

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,) of normalised films (B, 3, H, W)."""
        logits: Tensor = self.score(self.features(x))[0]
        return logits

    def logits_and_maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Everything one forward pass yields.

        Args:
            x: Normalised films (B, 3, H, W).

        Returns:
            Logits (B,); cam (B, h, w), each location's part in the logit, so that its mean plus the bias is
            the logit; local logits (B, h, w), the score of each location with the bias.
        """
        return self.maps(self.features(x))

    def maps(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Do the same from a feature map (B, C, h, w) behind the activation."""
        logits, scores = self.score(features)
        cells = scores.shape[1] * scores.shape[2]
        return logits, self._shares(scores) * scores * cells, scores + self.classifier.bias

    def _shares(self, scores: Tensor) -> Tensor:
        return torch.softmax(self.focus * scores.flatten(1), dim=1).view_as(scores)


def _densenet169(weights: zoo.WeightsEnum | None) -> tuple[nn.Module, int]:
    return zoo.densenet169(weights=weights).features, 1664


def _resnet50(weights: zoo.WeightsEnum | None) -> tuple[nn.Module, int]:
    return nn.Sequential(*list(zoo.resnet50(weights=weights).children())[:-2]), 2048


def _efficientnet_b0(weights: zoo.WeightsEnum | None) -> tuple[nn.Module, int]:
    return zoo.efficientnet_b0(weights=weights).features, 1280


def _vgg16(weights: zoo.WeightsEnum | None) -> tuple[nn.Module, int]:
    """VGG16's convolutions alone: its fully connected layers have no map, and 120 million weights."""
    if weights is not None:
        return zoo.vgg16(weights=weights).features, 512
    features = zoo.vgg.make_layers(zoo.vgg.cfgs["D"], batch_norm=False)
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return features, 512


_BUILDERS: dict[str, tuple[Builder, zoo.WeightsEnum]] = {
    "densenet169": (_densenet169, zoo.DenseNet169_Weights.IMAGENET1K_V1),
    "resnet50": (_resnet50, zoo.ResNet50_Weights.IMAGENET1K_V2),
    "efficientnet_b0": (_efficientnet_b0, zoo.EfficientNet_B0_Weights.IMAGENET1K_V1),
    "vgg16": (_vgg16, zoo.VGG16_Weights.IMAGENET1K_V1),
}


def build_model(architecture: str, *, imagenet: bool = False, focus: float = 0.0) -> Classifier:
    """Build a network with a new classification layer.

    Args:
        architecture: One of `ARCHITECTURES`.
        imagenet: Download torchvision's ImageNet weights for the feature layers; random ones otherwise.
        focus: Sharpness of the pooling, 0 or more; see `Classifier`.

    Raises:
        WeightsError: Unknown architecture, or the ImageNet weights cannot be had.
    """
    if architecture not in _BUILDERS:
        raise WeightsError(
            f"Unknown architecture {architecture!r}. Expected one of {', '.join(ARCHITECTURES)}."
        )
    build, pretrained = _BUILDERS[architecture]
    try:
        body, channels = build(pretrained if imagenet else None)
    except OSError as error:
        raise WeightsError(
            f"The ImageNet weights of {architecture} could not be downloaded from {pretrained.url} "
            f"({error}). Connect to the network once, or start from a file: --init PATH."
        ) from error
    # torchvision's DenseNet rectifies in forward(), behind its layers; the others end with their activation.
    activation = nn.ReLU() if architecture == "densenet169" else nn.Identity()
    return Classifier(body, activation, channels, focus)
