"""Checkpoints from which a training goes on: there whole or not at all, also on a full disk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from mura_core.staging import write_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's way to read and write checkpoints, with the new one completed beside the old one.

    Lightning completes it in the system's temporary folder and moves it. From another disk that is a copy
    over the checkpoint before: a kill or a full disk then leaves neither.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            OSError: It cannot be written; the one before stays as it is.
        """
        if storage_options is not None:
            raise TypeError("Checkpoints are plain files here and take no storage_options.")
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), content.getvalue())
