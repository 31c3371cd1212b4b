"""What the speed benchmark times: this project's path from files to what the browser draws, and two peers.

- ours: read, prepare, network and map in one pass, films and heatmaps packed for the viewer.
- peer A: the same reading and preparation, the network in eager torch under pytorch-grad-cam's
  GradCAM on the rectified map, one film after the other; its forward pass gives the probability too; overlays
  of 1024 px as WebP.
- peer B, naive: Pillow and torchvision, a prediction, then a new GradCAM that predicts again, overlays of
  the same size through show_cam_on_image as PNG.
"""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from PIL import Image

from demo.analysing import read_views
from demo.handlers import Tray, study_payload, with_result
from demo.wording import Wording
from mura_core.images import read_radiograph
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess, to_tensor
from mura_core.roi import find_roi

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from mura_core.models import Classifier

OVERLAY_PX = 1024
Stages = dict[str, float]
"""Seconds by stage, summed over the views; sequential, so that they add up."""


class Contestant(Protocol):
    """Whatever reads files and ends with pictures."""

    def run(self, files: list[Path]) -> list[float]:
        """From files to pictures; gives the probability of each view."""

    def stages(self, files: list[Path]) -> Stages:
        """The same one step after the other, timed."""


class Ours:
    """The page's own path, with one engine."""

    def __init__(self, weights: Path | None, device: str) -> None:
        self.predictor = Predictor.load(weights, device)
        self.words = Wording("en")

    def run(self, files: list[Path]) -> list[float]:
        """As the page does it: side by side where that helps."""
        tray = Tray(tuple((path.name, path.read_bytes()) for path in files))
        _, study, refused = read_views(tray)
        if refused:
            raise ValueError(refused[0].reason)
        result = self.predictor.predict(study)
        with_result(study_payload(study, self.words), result, self.words)
        return [view.abnormality_probability for view in result.views]

    def stages(self, files: list[Path]) -> Stages:
        """One step after the other."""
        clock = _Clock()
        tray = Tray(tuple((path.name, path.read_bytes()) for path in files))
        _, study, _ = read_views(tray)
        clock.stop("decode")
        for view in study.views:
            find_roi(view.radiograph.pixels)
        clock.stop("ROI")
        films = [
            preprocess(view.radiograph.pixels, self.predictor.sidecar.preprocess)[0] for view in study.views
        ]
        # preprocess finds the region as well; what is left is scaling and contrast.
        clock.stop("enhancement", less="ROI")
        self.predictor.engine.read(films)
        clock.stop("forward and map")
        result = self.predictor.predict(study)
        clock.restart()
        with_result(study_payload(study, self.words), result, self.words)
        clock.stop("overlay")
        return clock.seconds


class PeerA:
    """pytorch-grad-cam with our reading and preparation. Its layers are not frozen, which would pay."""

    def __init__(self, weights: Path | None) -> None:
        from pytorch_grad_cam import GradCAM

        from mura_core.gradcam import Activated

        self.sidecar, self.model = _load_torch(weights)
        self.activated = Activated(self.model).eval()
        self.cam = GradCAM(model=self.activated, target_layers=[self.activated.last])

    def run(self, files: list[Path]) -> list[float]:
        """One film after the other."""
        return [self._film(path, _Clock()) for path in files]

    def stages(self, files: list[Path]) -> Stages:
        """The same, timed."""
        clock = _Clock()
        for path in files:
            self._film(path, clock)
        return clock.seconds

    def _film(self, path: Path, clock: _Clock) -> float:
        film = read_radiograph(path)
        clock.stop("decode")
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
        from torchvision import transforms

        from mura_core.gradcam import Activated

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

    def run(self, files: list[Path]) -> list[float]:
        """One film after the other."""
        return [self._film(path, _Clock()) for path in files]

    def stages(self, files: list[Path]) -> Stages:
        """The same, timed."""
        clock = _Clock()
        for path in files:
            self._film(path, clock)
        return clock.seconds

    def _film(self, path: Path, clock: _Clock) -> float:
        import torch
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.image import show_cam_on_image

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


def build(name: str, weights: Path | None) -> Contestant:
    """Make a contestant by its name: "peer A", "peer B", or one of our engines."""
    if name == "peer A":
        return PeerA(weights)
    return PeerB(weights) if name == "peer B" else Ours(weights, name)


class _Clock:
    def __init__(self) -> None:
        self.seconds: Stages = {}
        self.restart()

    def restart(self) -> None:
        self._start = time.perf_counter()

    def stop(self, stage: str, *, less: str = "", less_s: float = 0.0) -> float:
        """Add what has passed to a stage, less what another took in it; gives what was added."""
        taken = time.perf_counter() - self._start - self.seconds.get(less, 0.0) - less_s
        self.seconds[stage] = self.seconds.get(stage, 0.0) + taken
        self.restart()
        return taken


def _load_torch(weights: Path | None) -> tuple[object, Classifier]:
    from mura_core.checkpoint import find_weights, load_weights
    from mura_core.models import build_model

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
