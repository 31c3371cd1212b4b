"""Transfer, then fine-tune: the paper's two phases as one training that can stop and resume anywhere."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING

import lightning
import numpy as np
import torch
import torch.nn.functional as nnf
from torch.utils.data import DataLoader

from mura_core import metrics
from mura_core.films import DrawnFilms, to_network
from mura_core.losses import place_loss

if TYPE_CHECKING:
    from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
    from numpy.typing import NDArray
    from torch import Tensor

    from mura_core.films import Films
    from mura_core.models import Classifier
    from mura_core.recipe import Recipe

_WARM_UP = 0.05
_LAST_SHARE = 0.01


class TwoPhase(lightning.LightningModule):
    """The network under training.

    In the first phase the transferred layers run without gradients and keep their batch statistics; the new
    layer learns. In the second all learn together. Order and augmentation follow from seed and epoch alone.
    """

    film_weights: Tensor

    def __init__(
        self, model: Classifier, train: Films, valid: Films, recipe: Recipe, workers: int = 1
    ) -> None:
        super().__init__()
        self.model = model
        self.train_films = train
        self.valid_films = valid
        self.recipe = recipe
        self.workers = workers
        self.validated: list[tuple[int, float]] = []
        self.begun_s = math.nan
        weights = torch.from_numpy(film_weights(train, recipe.class_weights))
        self.register_buffer("film_weights", weights, persistent=False)

    @property
    def frozen(self) -> bool:
        """Whether the transferred layers are frozen in this epoch."""
        return self.current_epoch < self.recipe.transfer_epochs

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """This epoch's films, this process's share."""
        world, rank = self.trainer.world_size, self.trainer.global_rank
        order = epoch_order(self.train_films, self.recipe, self.current_epoch)
        batch = max(1, self.recipe.batch // world)
        order = (
            order[: len(order) // (batch * world) * batch * world] if len(order) >= batch * world else order
        )
        mine = order[rank::world].tolist()
        drawn = DrawnFilms(
            self.train_films,
            mine,
            seed=self.recipe.seed,
            epoch=self.current_epoch,
            augmentation=self.recipe.augmentation,
        )
        return DataLoader(drawn, batch_size=batch, num_workers=self.workers)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """The valid split as it is served, this process's share."""
        mine = range(self.trainer.global_rank, len(self.valid_films.pixels), self.trainer.world_size)
        batch = max(1, self.recipe.batch // self.trainer.world_size)
        return DataLoader(
            DrawnFilms(self.valid_films, mine, seed=None), batch_size=batch, num_workers=self.workers
        )

    def on_train_epoch_start(self) -> None:
        """Frozen layers keep their batch statistics too."""
        self.model.body.train(not self.frozen)
        self.begun_s = time.monotonic()

    def on_train_batch_start(self, _: dict[str, Tensor], place: int) -> None:
        """Layers that draw lots, such as stochastic depth, draw those of this step."""
        torch.manual_seed(hash((self.recipe.seed, self.current_epoch, place, self.global_rank)) % 2**63)

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """Loss of one step: the film's label, and where the fracture is."""
        films = to_network(batch["film"])
        with torch.no_grad() if self.frozen else contextlib.nullcontext():
            features = self.model.features(films)
        logits, scores = self.model.score(features)
        weights = self.film_weights[batch["film_index"]]
        film = nnf.binary_cross_entropy_with_logits(logits, batch["label"], weight=weights)
        place = place_loss(scores + self.model.classifier.bias, batch["mask"].float(), batch["boxed"])
        hits = ((logits > 0) == (batch["label"] > 0.5)).float().mean()
        shown = {"train_loss": film, "train_accuracy": hits, "train_place": place}
        self.log_dict(shown, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(logits))
        total: Tensor = film + self.recipe.box_weight * place
        return total

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        """Keep each film's logit for the end of the epoch."""
        logits = self.model(to_network(batch["film"]))
        self.validated += zip(batch["film_index"].tolist(), logits.float().tolist(), strict=True)

    def on_validation_epoch_end(self) -> None:
        """Measure whole studies, over all processes."""
        pairs, self.validated = self._gathered(), []
        if self.trainer.sanity_checking:
            return
        labels, probabilities = study_probabilities(self.valid_films, pairs)
        measured = {
            "valid_loss": metrics.log_loss(labels, probabilities),
            "valid_accuracy": metrics.accuracy(labels, probabilities >= 0.5),
            "valid_auroc": metrics.auroc(labels, probabilities),
            "epoch_s": time.monotonic() - self.begun_s,
        }
        if not self.frozen:
            measured["fine_tune_auroc"] = measured["valid_auroc"]
        self.log_dict(measured, prog_bar=True, rank_zero_only=False, sync_dist=self.trainer.world_size > 1)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW; the rate is a function of the step alone (see `learning_rate`)."""
        groups = [{"params": self.model.classifier.parameters()}, {"params": self.model.body.parameters()}]
        optimizer = torch.optim.AdamW(groups, lr=1.0, weight_decay=self.recipe.weight_decay)
        steps = max(1, int(self.trainer.estimated_stepping_batches) // self.recipe.epochs)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            [
                lambda step: learning_rate(self.recipe, step / steps, new_layer=True),
                lambda step: learning_rate(self.recipe, step / steps, new_layer=False),
            ],
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _gathered(self) -> list[tuple[int, float]]:
        if self.trainer.world_size == 1:
            return self.validated
        shares: list[list[tuple[int, float]]] = [[] for _ in range(self.trainer.world_size)]
        torch.distributed.all_gather_object(shares, self.validated)
        return [pair for share in shares for pair in share]


def learning_rate(recipe: Recipe, epoch: float, *, new_layer: bool) -> float:
    """The rate after `epoch` epochs, fractions included.

    First phase: constant for the new layer, 0 for the others. Second: a short warm-up, then a cosine.
    """
    if epoch < recipe.transfer_epochs:
        return recipe.transfer_rate if new_layer else 0.0
    done = (epoch - recipe.transfer_epochs) / max(1, recipe.fine_tune_epochs)
    warm = min(1.0, (done + 1e-3) / _WARM_UP)
    fall = _LAST_SHARE + (1 - _LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return recipe.fine_tune_rate * warm * fall


def epoch_order(films: Films, recipe: Recipe, epoch: int) -> NDArray[np.int64]:
    """Which training films an epoch shows, in which order: all, or all abnormal ones and some normal ones."""
    draw = np.random.default_rng((recipe.seed, epoch))
    abnormal, normal = np.flatnonzero(films.labels == 1), np.flatnonzero(films.labels == 0)
    if recipe.normals_per_abnormal > 0:
        wanted = min(normal.size, max(1, round(recipe.normals_per_abnormal * abnormal.size)))
        normal = draw.permutation(normal)[:wanted]
    return draw.permutation(np.concatenate([abnormal, normal]))


def film_weights(films: Films, scheme: str) -> NDArray[np.float32]:
    """Weight of each film in the loss (Rajpurkar et al. 2018), scaled to a mean of 1.

    An abnormal film weighs the share of normal ones and the other way round, counted over all films
    ("class") or within the film's body part ("body-part"; a part with one class alone weighs as "class").
    """
    weights = np.ones(films.labels.size)
    if scheme == "none":
        return weights.astype(np.float32)
    parts = np.array(films.body_parts if scheme == "body-part" else [""] * films.labels.size)
    overall = films.labels.mean()
    for part in np.unique(parts):
        mine = parts == part
        share = films.labels[mine].mean()
        share = overall if share in (0.0, 1.0) else share
        weights[mine] = np.where(films.labels[mine] == 1, 1 - share, share)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def study_probabilities(
    films: Films, pairs: list[tuple[int, float]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels and probabilities of studies, each the mean over its views, from (film index, logit) pairs."""
    logits = dict(pairs)
    studies = np.unique([films.studies[index] for index in logits])
    views = {study: [i for i in logits if films.studies[i] == study] for study in studies}
    labels = np.array([films.labels[views[study][0]] for study in studies], dtype=np.int64)
    means = [np.mean([1 / (1 + math.exp(-logits[i])) for i in views[study]]) for study in studies]
    return labels, np.array(means, dtype=np.float64)
