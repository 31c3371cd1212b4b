"""Fracture boxes out of a COCO annotation file."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, Image

from mura_core.errors import DatasetError
from mura_core.records import read_text
from mura_core.study import Box

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_coco_boxes(annotations: Path, images: Mapping[str, Path]) -> dict[str, tuple[Box, ...]]:
    """Read the boxes of some images, clipped to the image.

    An image whose size is not the one it was annotated at is left out: its boxes were drawn in another frame.
    (In FracAtlas IMG0002628 was annotated after a quarter turn.) So is an image without annotation.

    Args:
        annotations: The COCO file; its `bbox` is (left, top, width, height) in pixels.
        images: Path by file name of the images to look up.

    Returns:
        Boxes by file name, at least one for each name.

    Raises:
        DatasetError: The file is missing or not as documented, an image cannot be opened, or a box lies
            outside its image.
    """
    content = _parse(annotations)
    sizes = _image_sizes(annotations, content)
    boxes: dict[str, list[Box]] = {}
    for number, annotation in enumerate(content["annotations"]):
        where = f"{annotations}, annotation {number}"
        try:
            name, width, height = sizes[annotation["image_id"]]
            left, top, box_width, box_height = (float(value) for value in annotation["bbox"])
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{where}: {type(error).__name__} {error}. Expected the image_id of a listed "
                "image and a bbox of four numbers."
            ) from None
        if name in images:
            box = _clip(Box(top, left, box_height, box_width), height, width, f"{where} ({name})")
            boxes.setdefault(name, []).append(box)
    frames = {name: (width, height) for name, width, height in sizes.values()}
    return {name: tuple(found) for name, found in boxes.items() if size_px(images[name]) == frames[name]}


def _parse(annotations: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(annotations, "the fracture boxes in COCO format"))
    except json.JSONDecodeError as error:
        raise DatasetError(
            f"{annotations}, line {error.lineno}, column {error.colno}: {error.msg}. Expected COCO JSON."
        ) from None
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    ):
        raise DatasetError(f"{annotations} has no lists `images` and `annotations`. Expected COCO JSON.")
    return content


def _image_sizes(annotations: Path, content: dict[str, Any]) -> dict[int, tuple[str, int, int]]:
    """Return (file name, width, height) by the file's own image id."""
    sizes = {}
    for number, image in enumerate(content["images"]):
        try:
            sizes[int(image["id"])] = (str(image["file_name"]), int(image["width"]), int(image["height"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"{annotations}, image {number}: {type(error).__name__} {error}. "
                "Expected id, file_name, width and height."
            ) from None
    return sizes


def _clip(box: Box, height: int, width: int, where: str) -> Box:
    """Clip a box to an image of (height, width) pixels.

    >>> _clip(Box(-2.0, 5.0, 10.0, 10.0), 100, 12, "here")
    Box(top=0.0, left=5.0, height=8.0, width=7.0)
    """
    top, left = max(box.top, 0.0), max(box.left, 0.0)
    bottom, right = min(box.top + box.height, height), min(box.left + box.width, width)
    clipped = Box(top, left, bottom - top, right - left)
    area = clipped.height * clipped.width
    if not (clipped.height > 0 and clipped.width > 0 and math.isfinite(area)):
        raise DatasetError(f"{where}: {box} covers nothing of an image of {width} x {height} px.")
    return clipped


def size_px(path: Path) -> tuple[int, int]:
    """Return (width, height) of a picture as displayed, from the file's header alone.

    Raises:
        DatasetError: It cannot be opened.
    """
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            return (image.height, image.width) if turned else (image.width, image.height)
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened as an image: {error}") from None
