"""Draw a small dataset in MURA's layout: phantoms of a bone, whole (negative) or broken (positive)."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

PARTS = ("ELBOW", "FINGER", "FOREARM", "HAND", "HUMERUS", "SHOULDER", "WRIST")


def draw_mura_tree(parent: Path, patients: int = 21, size_px: int = 64, seed: int = 0) -> Path:
    """Draw `MURA-v1.1` in a folder and return its path.

    Args:
        parent: An existing folder.
        patients: How many the official train folder has, at least 4 so that each split has both classes; the
            official valid folder has a third as many more. Ids count from patient00001 as in MURA. Each third
            patient has a second study, of another body part. Every other study is positive.
        size_px: Longer side of each image; the images are upright, 3:4.
        seed: For the bones' places and widths.
    """
    home = parent / "MURA-v1.1"
    home.mkdir()
    rng = np.random.default_rng(seed)
    held_out = max(patients // 3, 2)
    _draw_folder(home, "train", range(1, patients + 1), size_px, rng)
    _draw_folder(home, "valid", range(patients + 1, patients + held_out + 1), size_px, rng)
    return home


def _draw_folder(home: Path, folder: str, patients: range, size_px: int, rng: np.random.Generator) -> None:
    images, studies = [], []
    for patient in patients:
        for study in range(1, 3 if patient % 3 == 0 else 2):
            part = PARTS[(patient + study) % len(PARTS)]
            positive = len(studies) % 2
            sign = "positive" if positive else "negative"
            path = f"{folder}/XR_{part}/patient{patient:05d}/study{study}_{sign}"
            (home / path).mkdir(parents=True)
            studies.append(f"MURA-v1.1/{path}/,{positive}\n")
            for view in range(1, 2 + patient % 3):
                draw_bone(size_px, bool(positive), rng).save(home / path / f"image{view}.png")
                images.append(f"MURA-v1.1/{path}/image{view}.png\n")
    (home / f"{folder}_image_paths.csv").write_text("".join(images))
    (home / f"{folder}_labeled_studies.csv").write_text("".join(studies))


def draw_bone(size_px: int, broken: bool, rng: np.random.Generator) -> Image.Image:
    """Draw an upright 8-bit bone in soft tissue; a broken one has a dark gap across its shaft."""
    width, height = size_px * 3 // 4, size_px
    image = Image.new("L", (width, height), 8)
    pen = ImageDraw.Draw(image)
    middle = width * rng.uniform(0.4, 0.6)
    half = width * rng.uniform(0.08, 0.12)
    pen.rectangle((middle - 3 * half, 0, middle + 3 * half, height), fill=70)
    pen.rectangle((middle - half, 0, middle + half, height), fill=200)
    if broken:
        row = height * rng.uniform(0.3, 0.7)
        pen.line(
            (middle - 2 * half, row, middle + 2 * half, row + half), fill=30, width=max(size_px // 16, 2)
        )
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(size_px / 100)), dtype=np.float64)
    return Image.fromarray(np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8))
