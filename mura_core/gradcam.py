"""Class activation maps by gradients (pytorch-grad-cam), to compare the exact map with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from mura_core.errors import MuraError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mura_core.models import Classifier

GRADIENT_METHODS = ("gradcam", "gradcam++", "xgradcam", "layercam", "hirescam")


def gradient_map(model: Classifier, films: Tensor, method: str = "gradcam") -> NDArray[np.float32]:
    """Class activation maps by gradients (pytorch-grad-cam), on the map that the classification layer sees.

    For comparison with the exact map, which needs no backward pass. Each map is scaled by its own
    range, as that library does: the hottest place of a normal film is as hot as a fracture's.

    Args:
        model: The network, in evaluation mode.
        films: float32 (B, 3, S, S), normalised.
        method: One of `GRADIENT_METHODS`.

    Returns:
        float32 (B, S, S) in [0, 1].

    Raises:
        MuraError: Unknown method.
    """
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM

    methods = dict(
        zip(GRADIENT_METHODS, (GradCAM, GradCAMPlusPlus, XGradCAM, LayerCAM, HiResCAM), strict=True)
    )
    if method not in methods:
        raise MuraError(f"Unknown map {method!r}. Expected one of {', '.join(GRADIENT_METHODS)}.")
    activated = Activated(model).eval()
    with methods[method](model=activated, target_layers=[activated.last]) as cam:
        maps = cam(input_tensor=films, targets=[_logit] * len(films))
    return np.asarray(maps, dtype=np.float32)


class Activated(nn.Module):
    """The same network with a last layer whose output is what the classification layer sees.

    A hook on DenseNet's own last layer would see the map before it is rectified.
    """

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model
        self.last = nn.Identity()

    def forward(self, films: Tensor) -> Tensor:
        """Logits (B, 1) of normalised films (B, 3, H, W)."""
        logits, _ = self.model.score(self.last(self.model.features(films)))
        return logits[:, None]


def _logit(output: Tensor) -> Tensor:
    """The target to explain: the logit itself, not its sigmoid, whose gradient vanishes on clear cases."""
    return torch.as_tensor(output).sum()
