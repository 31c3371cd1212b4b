"""The source task of the transfer, learnt from the data itself when there are no ImageNet weights.

Square cuts of the films, half of them around a fracture: the network learns where the fracture is, and of
every cut what the dataset says of its film (body part, view, hardware). Cuts cost a quarter of a film.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mura_core.curves import keep_log
from mura_core.errors import DatasetError
from mura_core.films import DrawnFilms, Films, to_network
from mura_core.losses import place_loss
from mura_core.resuming import WholeCheckpoints

if TYPE_CHECKING:
    from pathlib import Path

    from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig

    from mura_core.models import Classifier
    from mura_core.recipe import SourceRecipe

SOURCE_TAGS = ("hand", "leg", "hip", "shoulder", "frontal", "lateral", "oblique", "hardware")


class SourceTask(L.LightningModule):
    """The network under training, with a second layer for the tags that is thrown away afterwards."""

    film_tags: Tensor

    def __init__(self, model: Classifier, films: Films, recipe: SourceRecipe) -> None:
        super().__init__()
        self.model = model
        self.tags = nn.Linear(model.classifier.in_features, len(SOURCE_TAGS))
        self.films = films
        self.recipe = recipe
        self.begun_s = math.nan
        rows = [[float(tag in tags) for tag in SOURCE_TAGS] for tags in films.tags]
        self.register_buffer("film_tags", torch.tensor(rows), persistent=False)
        self.fractured = np.array([i for i, boxes in enumerate(films.boxes) if boxes])
        self.clear = np.array([i for i, boxes in enumerate(films.boxes) if boxes is not None and not boxes])
        if not len(self.fractured) or not len(self.clear):
            raise DatasetError(
                "The source task needs films with fracture boxes and films known to have none; "
                f"found {len(self.fractured)} and {len(self.clear)}. "
                "Use train --init imagenet for data without boxes."
            )

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """This epoch's cuts: half of fractured films, half of clear ones."""
        draw = np.random.default_rng((self.recipe.seed, self.current_epoch))
        half = self.recipe.cuts_per_epoch // 2
        order = draw.permutation(
            np.concatenate([_cycle(draw, pool, half) for pool in (self.fractured, self.clear)])
        )
        world = self.trainer.world_size
        batch = max(1, self.recipe.batch // world)
        # As many steps in every process, and as many as the schedule knows of.
        order = order[: self.recipe.cuts_per_epoch // self.recipe.batch * batch * world]
        mine = order[self.global_rank :: world].tolist()
        epoch = self.current_epoch * world + self.global_rank
        cuts = DrawnFilms(
            self.films,
            mine,
            seed=self.recipe.seed,
            epoch=epoch,
            crop=self.recipe.crop,
            augmentation=self.recipe.augmentation,
        )
        return DataLoader(cuts, batch_size=batch, num_workers=1, drop_last=True)

    def on_train_epoch_start(self) -> None:
        """Note when the epoch begins."""
        self.begun_s = time.monotonic()

    def on_train_epoch_end(self) -> None:
        """Log how long it took, s."""
        self.log("epoch_s", time.monotonic() - self.begun_s, sync_dist=self.trainer.world_size > 1)

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """Loss of one step: is there a fracture, where, and what film is it."""
        features = self.model.features(to_network(batch["film"]))
        logits, scores = self.model.score(features)
        mask = batch["mask"].float()
        holds = (mask.flatten(1).mean(dim=1) > 0).float()
        film = F.binary_cross_entropy_with_logits(logits, holds)
        place = place_loss(scores + self.model.classifier.bias, mask, batch["boxed"])
        tag_logits = self.tags(features.float().mean(dim=(2, 3)))
        tags = F.binary_cross_entropy_with_logits(tag_logits, self.film_tags[batch["film_index"]])
        self.log_dict(
            {"film": film, "place": place, "tags": tags}, prog_bar=True, on_step=True, on_epoch=True
        )
        return film + place + self.recipe.tag_weight * tags

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW under a one-cycle schedule."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.recipe.learning_rate, weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.recipe.learning_rate,
            total_steps=self.recipe.epochs * (self.recipe.cuts_per_epoch // self.recipe.batch),
            pct_start=0.2,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def pretrain(
    films: Films,
    model: Classifier,
    recipe: SourceRecipe,
    out: Path,
    devices: int = 1,
    nodes: int = 1,
    precision: str = "bf16-mixed",
) -> Classifier:
    """Learn the source task, resuming from `out` where an earlier run stopped.

    Args:
        films: The prepared training films, with tags and boxes.
        model: The network to start from; it learns in place.
        recipe: How.
        out: Folder for checkpoints and the log.
        devices: Processes that share each batch; on a CPU, one for each core is fastest.
        nodes: Machines.
        precision: Lightning's name for it.

    Returns:
        The network; its feature layers are the start of the transfer.
    """
    task = SourceTask(model.to(memory_format=torch.channels_last), films, recipe)
    keep_log(out)
    trainer = L.Trainer(
        max_epochs=recipe.epochs,
        precision=precision,  # type: ignore[arg-type]
        devices=devices,
        num_nodes=nodes,
        strategy="ddp" if devices * nodes > 1 else "auto",
        use_distributed_sampler=False,
        default_root_dir=out,
        logger=CSVLogger(out, name="", version="", flush_logs_every_n_steps=1),
        callbacks=[ModelCheckpoint(out, filename="last", save_top_k=1, enable_version_counter=False)],
        plugins=[WholeCheckpoints()],
        reload_dataloaders_every_n_epochs=1,
        enable_model_summary=False,
        log_every_n_steps=20,
    )
    last = out / "last.ckpt"
    trainer.fit(task, ckpt_path=str(last) if last.is_file() else None, weights_only=False)
    return model


def _cycle(draw: np.random.Generator, pool: np.ndarray, count: int) -> np.ndarray:
    """`count` of the pool, each as often as any other up to one."""
    return np.concatenate([draw.permutation(pool) for _ in range(count // len(pool) + 1)])[:count]
