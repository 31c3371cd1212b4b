"""What tests of more than one module need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder that loads fast and means nothing: a small network, always the same random values."""
    # Here, so that the tests that need no network start without torch.
    import torch

    from mura_core.checkpoint import Sidecar, save_weights
    from mura_core.models import build_model
    from mura_core.preprocess import PreprocessOptions
    from mura_core.study import OperatingPoints

    folder = tmp_path_factory.mktemp("untrained")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model("efficientnet_b0")
    sidecar = Sidecar(
        architecture="efficientnet_b0",
        version="0.0.0-untrained",
        preprocess=PreprocessOptions(size=128),
        temperature=1.0,
        operating_points=OperatingPoints(0.3, 0.6),
        metrics={},
        data="None: random weights for tests.",
        licence="Apache-2.0",
        command="none",
        created="2025-01-01",
    )
    save_weights(folder, model.state_dict(), sidecar, half=False)
    return folder
