"""MURA v1.1 exactly as it lies on disk after unpacking.

`MURA-v1.1/{train,valid}/XR_<PART>/patient<N>/study<K>_{positive,negative}/image<J>.png`, with
`{train,valid}_image_paths.csv` (one path a line) and `{train,valid}_labeled_studies.csv` (study folder,
then 0 or 1), both without a header. Rajpurkar et al. 2018, arXiv 1712.06957.

The hidden test set was never released. The official valid folder is therefore this project's test split, and
a tenth of the official train folder's patients is held out to tune on.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from mura_core.errors import DatasetError
from mura_core.records import StudyRecord, ViewRecord, read_text
from mura_core.study import BODY_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TUNING_SHARE = 0.10
"""The share of official train patients that become the valid split."""

_PARTS = "|".join(part.upper() for part in BODY_PARTS)
_STUDY = re.compile(
    rf"MURA-v1\.1/(?P<study_id>(?P<folder>train|valid)/XR_(?P<part>{_PARTS})"
    r"/(?P<patient_id>patient\d+)/study\d+_(?P<label>positive|negative))"
)
_STUDY_FORM = "MURA-v1.1/{folder}/XR_<PART>/patient<N>/study<K>_<positive|negative>/"
_IMAGE_NAME = re.compile(r"image\d+\.png")


def is_tuning_patient(patient_id: str) -> bool:
    """Tell whether a patient of the official train folder belongs to the valid split.

    The patient id alone decides, so that the cut is the same on every machine and for any part of the data.

    >>> [n for n in range(1, 31) if is_tuning_patient(f"patient{n:05d}")]
    [3, 6, 12, 14, 18, 20]
    """
    digest = hashlib.sha256(patient_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < TUNING_SHARE * 2**64


def read_mura(root: Path, split: str) -> list[StudyRecord]:
    """Read one split of MURA v1.1, one label a study.

    Args:
        root: The folder `MURA-v1.1`, or the one that holds it.
        split: "train" or "valid", cut by patient from the official train folder; "test" is the official valid
            folder.

    Returns:
        The studies in the order of the official list; `study_id` is the study's folder below `MURA-v1.1`.

    Raises:
        DatasetError: A file or image is missing, a line is not as documented, or two files contradict.
    """
    folder = "valid" if split == "test" else "train"
    home = _find_home(root, folder)
    labels = _read_labels(home / f"{folder}_labeled_studies.csv", folder)
    images = _read_images(home / f"{folder}_image_paths.csv", folder, labels)
    studies = [_record(home, study_id, labels[study_id], names) for study_id, names in images.items()]
    if split != "test":
        studies = [study for study in studies if is_tuning_patient(study.patient_id) == (split == "valid")]
    _check_on_disk(studies, home / f"{folder}_image_paths.csv")
    return studies


def _find_home(root: Path, folder: str) -> Path:
    for home in (root, root / "MURA-v1.1"):
        if (home / f"{folder}_image_paths.csv").is_file():
            return home
    raise DatasetError(
        f"{folder}_image_paths.csv is neither in {root} nor in {root / 'MURA-v1.1'}. "
        "Expected the unpacked folder MURA-v1.1 or the one that holds it."
    )


def _read_labels(path: Path, folder: str) -> dict[str, int]:
    """Read 0 or 1 by study id, and hold it against the name of the study's folder."""
    expected = f"{_STUDY_FORM.format(folder=folder)},<0|1>"
    labels: dict[str, int] = {}
    for where, line in _lines(path, "one study folder and its label a line"):
        study, comma, label = line.rpartition(",")
        match = _STUDY.fullmatch(study.rstrip("/"))
        if not comma or label not in ("0", "1") or match is None or match["folder"] != folder:
            raise DatasetError(f"{where}: found {line!r}. Expected {expected}")
        if (label == "1") != (match["label"] == "positive"):
            raise DatasetError(
                f"{where}: label {label} contradicts the folder name in {line!r}. "
                "Expected 1 for positive and 0 for negative: unpack MURA-v1.1 again."
            )
        if match["study_id"] in labels:
            raise DatasetError(f"{where}: {study} is listed a second time. Expected one line for each study.")
        labels[match["study_id"]] = int(label)
    return labels


def _read_images(path: Path, folder: str, labels: dict[str, int]) -> dict[str, dict[str, None]]:
    """Read the image names by study id, both in the file's order (a dict of None is an ordered set)."""
    expected = f"{_STUDY_FORM.format(folder=folder)}image<J>.png"
    images: dict[str, dict[str, None]] = {}
    for where, line in _lines(path, "one image path a line"):
        study, _, name = line.rpartition("/")
        match = _STUDY.fullmatch(study)
        if match is None or match["folder"] != folder or not _IMAGE_NAME.fullmatch(name):
            raise DatasetError(f"{where}: found {line!r}. Expected {expected}")
        study_id = match["study_id"]
        if study_id not in labels:
            raise DatasetError(
                f"{where}: the study of {line!r} has no label. "
                f"Expected its folder in {folder}_labeled_studies.csv: unpack MURA-v1.1 again."
            )
        if name in images.setdefault(study_id, {}):
            raise DatasetError(f"{where}: {line} is listed a second time. Expected one line for each image.")
        images[study_id][name] = None
    for study_id in labels:
        if study_id not in images:
            raise DatasetError(
                f"{path} names no image of {study_id}, which {folder}_labeled_studies.csv labels. "
                "Expected at least one: unpack MURA-v1.1 again."
            )
    return images


def _lines(path: Path, purpose: str) -> Iterator[tuple[str, str]]:
    """Yield where each line stands, and the line; empty ones are passed over."""
    for number, line in enumerate(read_text(path, purpose).splitlines(), start=1):
        if line.strip():
            yield f"{path}, line {number}", line.strip()


def _record(home: Path, study_id: str, label: int, names: dict[str, None]) -> StudyRecord:
    _, part, patient_id, _ = study_id.split("/")
    return StudyRecord(
        study_id=study_id,
        patient_id=patient_id,
        body_part=part.removeprefix("XR_").lower(),
        label=label,
        views=tuple(ViewRecord(home / study_id / name) for name in names),
    )


def _check_on_disk(studies: list[StudyRecord], listing: Path) -> None:
    absent = [view.path for study in studies for view in study.views if not view.path.is_file()]
    if absent:
        others = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise DatasetError(
            f"{absent[0]}{others} is listed in {listing} but is not on disk. Unpack MURA-v1.1 again."
        )
