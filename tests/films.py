"""Where the real radiographs are: they are not shipped, so tests that need them ask here and skip without."""

import os
from pathlib import Path

import pytest


def fracatlas_folder() -> Path:
    """Give the FracAtlas folder: `$MURA_FRACATLAS`, or `../shared/data/fracatlas` beside the repository.

    A variable that is set but points nowhere fails: whoever set it wants these tests run.
    """
    named = os.environ.get("MURA_FRACATLAS")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data" / "fracatlas"
    if (folder / "dataset.csv").is_file():
        return folder
    if named:
        pytest.fail(f"MURA_FRACATLAS is {named}, which holds no dataset.csv")
    pytest.skip("real radiographs are absent: set MURA_FRACATLAS to the FracAtlas folder to run this test")
