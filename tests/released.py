"""A candidate released on a small drawn MURA, for tests of the release and of its card."""

import argparse
from dataclasses import replace
from pathlib import Path

from mura_core import release
from mura_core.checkpoint import load_weights, save_weights
from mura_core.sidecar import Sidecar
from tests.mura_tree import draw_mura_tree


def release_candidate(untrained: Path, folder: Path) -> Path:
    """Release untrained weights into `folder`: its `candidate`, `weights`, `report` and the data.

    Args:
        untrained: Weights that load.
        folder: An existing, empty folder; given back.
    """
    sidecar, state = load_weights(untrained)
    save_weights(folder / "candidate", state, replace(sidecar, metrics={"valid_auroc": 0.5}), half=False)
    release.run(
        argparse.Namespace(
            candidate=folder / "candidate",
            data=draw_mura_tree(folder, patients=12, size_px=96),
            format="mura",
            out=folder / "weights",
            report=folder / "report",
            device="cpu",
            prevalence=0.25,
        )
    )
    return folder


def sidecar_of(folder: Path) -> Sidecar:
    return load_weights(folder)[0]
