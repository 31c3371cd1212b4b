"""The network by torch: the reference on a CPU, and the engine of a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mura_core.errors import MuraError
from mura_core.pooling import Maps
from mura_core.preprocess import to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mura_core.models import Classifier

    FloatMap = NDArray[np.float32]


class TorchEngine:
    """Any `Classifier`, all views of a study in one batch. Safe among threads."""

    def __init__(self, model: Classifier, device: str = "auto", *, half: bool | None = None) -> None:
        """Take a trained network.

        Args:
            model: The network; it is moved to the device and set to evaluation.
            device: "auto", or a device of torch ("cpu", "cuda", "mps").
            half: Feature layers in half precision; None for on CUDA alone. The classification layer always
                stays in float32.

        Raises:
            MuraError: The device does not exist here.
        """
        self.device = choose_device(device)
        halved = self.device.type == "cuda" if half is None else half
        self._dtype = torch.float16 if halved else torch.float32
        self.name = f"torch {self.device.type}{' f16' if halved else ''}"
        self.model = model.to(self.device).to(memory_format=torch.channels_last).eval()
        if halved:
            self.model.body.half()

    def read(self, films: Sequence[FloatMap]) -> Maps:
        """Run V films, each float32 (S, S) in [0, 1]."""
        with torch.inference_mode():
            placed = (
                to_tensor(films).to(self.device, self._dtype).contiguous(memory_format=torch.channels_last)
            )
            features = self.model.features(placed)
            parts = (*self.model.maps(features), features.float().mean(dim=(2, 3)))
            return Maps(*(part.float().cpu().numpy() for part in parts))


def choose_device(name: str) -> torch.device:
    """Turn "auto" or a device's name into a device that exists.

    Raises:
        MuraError: It does not.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise MuraError(f"There is no device {name!r} here ({reason}). Use --device auto or cpu.") from error
    return device
