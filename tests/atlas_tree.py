"""Draw a small dataset in FracAtlas's official layout: whole and broken bones, a box around each break."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from mura_core.fracatlas import ANNOTATIONS, FLAGS
from tests.mura_tree import draw_bone

SPLITS = ("train", "train", "train", "valid", "test")
PARTS = ("hand", "leg")


def draw_atlas_tree(home: Path, films: int = 40, size_px: int = 96) -> dict[str, str]:
    """Draw the dataset into an existing folder.

    Args:
        home: The folder that will hold `dataset.csv`.
        films: How many; three of five are for training, and in each split every other one is broken.
        size_px: Longer side of each, 3:4 upright.

    Returns:
        The split of each film by its file's name, for `datasets.shipped_split`.
    """
    rng = np.random.default_rng(0)
    for folder in ("Fractured", "Non_fractured"):
        (home / "images" / folder).mkdir(parents=True)
    rows, images, annotations, assignment = [], [], [], {}
    for number in range(films):
        name, turn = f"film{number:03d}.jpg", number // len(SPLITS)
        broken = turn % 2 == 1
        assignment[name] = SPLITS[number % len(SPLITS)]
        shown = {PARTS[turn // 2 % len(PARTS)], "frontal", *(["fractured"] if broken else [])}
        rows.append({"image_id": name, **{flag: int(flag in shown) for flag in FLAGS}})
        film = draw_bone(size_px, broken, rng)
        film.save(home / "images" / ("Fractured" if broken else "Non_fractured") / name)
        if broken:
            width, height = film.size
            images.append({"id": number, "file_name": name, "width": width, "height": height})
            box = [width * 0.3, height * 0.3, width * 0.4, height * 0.4]
            annotations.append({"image_id": number, "bbox": box})
    write_tables(home, rows, images, annotations)
    return assignment


def write_tables(
    home: Path,
    rows: list[dict[str, str | int]],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
) -> None:
    """Write `dataset.csv` and the boxes' file as FracAtlas has them."""
    with (home / "dataset.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, ["image_id", *FLAGS])
        writer.writeheader()
        writer.writerows(rows)
    (home / ANNOTATIONS).parent.mkdir(parents=True)
    (home / ANNOTATIONS).write_text(json.dumps({"images": images, "annotations": annotations}))
