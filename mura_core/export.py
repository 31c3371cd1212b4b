"""From a training checkpoint to served weights: calibrate on the valid split, write the sidecar."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import minimize
from torch.utils.data import DataLoader

from mura_core import __version__, metrics
from mura_core.calibration import fit_operating_points, fit_temperature
from mura_core.checkpoint import save_weights
from mura_core.films import DrawnFilms, to_network
from mura_core.models import Classifier, build_model
from mura_core.sidecar import Sidecar
from mura_core.two_phase import study_probabilities

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mura_core.films import Films
    from mura_core.recipe import Recipe

DATA = {
    "fracatlas": "FracAtlas (Abedeen et al. 2023, doi:10.6084/m9.figshare.22363012, CC BY 4.0), "
    "2,322 of its radiographs: hand, wrist, forearm, elbow, shoulder, hip and leg. "
    "Abnormal means fracture or hardware.",
    "mura": "MURA v1.1 (Rajpurkar et al. 2018), Stanford's research use agreement. "
    "Upper limb, seven study types; abnormal as the radiologists labelled the study.",
}
LICENCE = {
    "fracatlas": "CC BY 4.0, as the data; attribution to FracAtlas",
    "mura": "Stanford's MURA research use agreement",
}


def export_weights(
    checkpoint: Path, recipe: Recipe, valid: Films, dataset_format: str, command: str, folder: Path
) -> None:
    """Calibrate a checkpoint on the valid split and write it as served weights.

    The shift of the logits is folded into the classification layer's bias; temperature and operating points
    go into the sidecar.

    Args:
        checkpoint: Lightning's file.
        recipe: What made it.
        valid: The prepared valid split.
        dataset_format: One of `datasets.DATASET_FORMATS`.
        command: What made it, for the sidecar.
        folder: Where to write.
    """
    model = load_checkpoint(checkpoint, recipe)
    logits = predict_films(model, valid)
    labels = valid.labels.astype(np.float64)
    shift = fit_shift(logits, labels)
    temperature = fit_temperature(logits + shift, labels, valid.studies)
    with torch.no_grad():
        model.classifier.bias.add_(shift)
    pairs = [(index, float((logit + shift) / temperature)) for index, logit in enumerate(logits)]
    study_labels, probabilities = study_probabilities(valid, pairs)
    sidecar = Sidecar(
        architecture=recipe.architecture,
        version=f"{__version__}-{dataset_format}",
        preprocess=recipe.preprocess,
        temperature=temperature,
        operating_points=fit_operating_points(probabilities, study_labels),
        metrics={"valid_auroc": metrics.auroc(study_labels, probabilities)},
        data=DATA[dataset_format],
        licence=LICENCE[dataset_format],
        command=command,
        created=datetime.now(UTC).date().isoformat(),
    )
    save_weights(folder, model.state_dict(), sidecar, half=False)


def load_checkpoint(checkpoint: Path, recipe: Recipe) -> Classifier:
    """The network of a training checkpoint, in evaluation mode."""
    model = build_model(recipe.architecture, focus=recipe.focus)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    model.load_state_dict(
        {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}
    )
    return model.eval()


def predict_films(model: Classifier, films: Films, batch: int = 16) -> NDArray[np.float64]:
    """Logits of all films as they are served, float64 (N,)."""
    drawn = DrawnFilms(films, range(len(films.pixels)), seed=None)
    with torch.inference_mode():
        logits = [model(to_network(sample["film"])) for sample in DataLoader(drawn, batch_size=batch)]
    return torch.cat(logits).double().numpy()


def fit_shift(logits: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Find what to add to the logits so that a scaled sigmoid fits best (Platt 1999).

    Training may draw more abnormal films than there are; the shift takes that back.
    """

    def loss(values: NDArray[np.float64]) -> float:
        scaled = (logits + values[0]) / np.exp(values[1])
        return float(np.mean(np.logaddexp(0, scaled) - labels * scaled))

    return float(minimize(loss, np.zeros(2), method="Nelder-Mead").x[0])
