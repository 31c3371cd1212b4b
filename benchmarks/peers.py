"""The peers of the speed benchmark, see `contestants.py`."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from torchvision import transforms

from benchmarks.contestants import Clock, Stages
from mura_core.checkpoint import find_weights, load_weights
from mura_core.gradcam import Activated
from mura_core.images import read_radiograph
from mura_core.models import build_model
from mura_core.preprocess import preprocess, to_tensor
from mura_core.roi import find_roi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.models import Classifier
    from mura_core.sidecar import Sidecar

OVERLAY_PX = 1024


class FilmByFilm:
    """A peer as a contestant."""

    def __init__(self, peer: PeerA | PeerB) -> None:
        self.film: Callable[[Path, Clock], float] = peer.film

    def run(self, files: list[Path]) -> list[float]:
        """One film after the other."""
        return [self.film(path, Clock()) for path in files]

    def stages(self, files: list[Path]) -> Stages:
        """The same, timed."""
        clock = Clock(by_stage=True)
        for path in files:
            self.film(path, clock)
        return clock.seconds


class PeerA:
    """pytorch-grad-cam with our reading and preparation."""

    def __init__(self, weights: Path | None, *, frozen: bool = False) -> None:
        self.sidecar, self.model = _load_torch(weights)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = not frozen or name.startswith("body.norm5")
        self.activated = Activated(self.model).eval()
        self.cam = GradCAM(model=self.activated, target_layers=[self.activated.last])

    def film(self, path: Path, clock: Clock) -> float:
        """From a file to its overlay; gives its probability."""
        film = read_radiograph(path)
        clock.stop("decode")
        roi_s = 0.0
        if clock.by_stage:
            find_roi(film.pixels)
            roi_s = clock.stop("ROI")
        prepared, geometry = preprocess(film.pixels, self.sidecar.preprocess)
        clock.stop("enhancement", less_s=roi_s)
        grey = self.cam(input_tensor=to_tensor([prepared]), targets=[lambda output: output.sum()])[0]
        logit = float(self.cam.outputs.detach())
        clock.stop("forward and map")
        heat = geometry.map_to_radiograph(np.asarray(grey, dtype=np.float32))
        _encode(_blend(film.pixels, heat), "WEBP")
        clock.stop("overlay")
        return 1 / (1 + float(np.exp(-logit / self.sidecar.temperature)))


class PeerB:
    """Naive: as tutorials do it."""

    def __init__(self, weights: Path | None) -> None:
        self.sidecar, self.model = _load_torch(weights)
        self.activated = Activated(self.model).eval()
        size = self.sidecar.preprocess.size
        self.prepare = transforms.Compose(
            [
                transforms.Resize((size, size)),
                transforms.ToTensor(),
                transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )

    def film(self, path: Path, clock: Clock) -> float:
        """From a file to its overlay; gives its probability."""
        picture = _open(path)
        clock.stop("decode")
        batch: torch.Tensor = self.prepare(picture)[None]
        clock.stop("enhancement")
        with torch.no_grad():
            probability = float(torch.sigmoid(self.model(batch)))
        with GradCAM(model=self.activated, target_layers=[self.activated.last]) as cam:
            grey = cam(input_tensor=batch, targets=[lambda output: output.sum()])[0]
        clock.stop("forward and map")
        picture.thumbnail((OVERLAY_PX, OVERLAY_PX))
        film = np.asarray(picture, dtype=np.float32) / 255
        overlay = show_cam_on_image(film, cv2.resize(grey, film.shape[1::-1]), use_rgb=True)
        _encode(overlay, "PNG")
        clock.stop("overlay")
        return probability


def _load_torch(weights: Path | None) -> tuple[Sidecar, Classifier]:
    sidecar, state = load_weights(find_weights(weights))
    model = build_model(sidecar.architecture)
    model.load_state_dict(state)
    return sidecar, model.eval()


def _open(path: Path) -> Image.Image:
    if path.suffix != ".dcm":
        return Image.open(path).convert("RGB")
    import pydicom

    values = pydicom.dcmread(path).pixel_array.astype(np.float32)
    grey = 255 * (values - values.min()) / (values.max() - values.min())
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _blend(film: NDArray[np.float32], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    scale = OVERLAY_PX / max(film.shape)
    size = (round(film.shape[1] * scale), round(film.shape[0] * scale))
    grey = cv2.resize(film, size, interpolation=cv2.INTER_AREA)
    warm = cv2.applyColorMap((255 * cv2.resize(heat, size)).astype(np.uint8), cv2.COLORMAP_JET)[..., ::-1]
    return (127.5 * grey[..., None] + 0.5 * warm).astype(np.uint8)


def _encode(overlay: NDArray[np.uint8], kind: str) -> bytes:
    into = BytesIO()
    Image.fromarray(overlay).save(into, kind)
    return into.getvalue()
