"""How safe and how tight the region of interest is: `python -m benchmarks.roi FRACATLAS`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mura_core.datasets import SPLITS, read_split
from mura_core.images import read_radiograph
from mura_core.roi import find_roi
from mura_core.study import Box


def main() -> None:
    """Print, for each split: fracture boxes cut by the region, its share of the film, films left whole."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roi", description=__doc__)
    parser.add_argument("data", type=Path, metavar="FRACATLAS", help="the dataset's folder")
    data = parser.parse_args().data
    print("| split | films | boxes | cut by the region | median share of the film | films left whole |")
    print("|---|---|---|---|---|---|")
    for split in SPLITS:
        boxes, cut, shares = 0, 0, []
        for record in read_split(data, "fracatlas", split):
            view = record.views[0]
            pixels = read_radiograph(view.path).pixels
            roi = find_roi(pixels)
            shares.append(roi.height * roi.width / pixels.size)
            boxes += len(view.boxes or ())
            cut += sum(not _inside(box, roi) for box in view.boxes or ())
        whole = np.mean(np.array(shares) > 0.9)
        print(f"| {split} | {len(shares)} | {boxes} | {cut} | {np.median(shares):.2f} | {whole:.0%} |")


def _inside(box: Box, roi: Box, slack_px: float = 2.0) -> bool:
    return (
        box.top >= roi.top - slack_px
        and box.left >= roi.left - slack_px
        and box.top + box.height <= roi.top + roi.height + slack_px
        and box.left + box.width <= roi.left + roi.width + slack_px
    )


if __name__ == "__main__":
    main()
