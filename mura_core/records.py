"""What every dataset is turned into: studies of labelled views, and the reading of their text files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mura_core.errors import DatasetError
from mura_core.study import BODY_PARTS

if TYPE_CHECKING:
    from pathlib import Path

    from mura_core.study import Box

SPLITS = ("train", "valid", "test")
"""Learn from train, tune on valid, report test once."""


@dataclass(frozen=True)
class ViewRecord:
    """One radiograph on disk.

    Attributes:
        path: The image file.
        boxes: Fractures in pixels of the radiograph; `()` says annotated and none, `None` not annotated.
        tags: What the dataset says of the view, such as {"hand", "frontal", "hardware"}.
    """

    path: Path
    boxes: tuple[Box, ...] | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StudyRecord:
    """One labelled examination of one body part.

    Attributes:
        study_id: Unique within its dataset.
        patient_id: Studies with the same one belong together in any split or resampling.
        body_part: In lower case; "mixed" where a radiograph shows more than one.
        label: 1 abnormal, 0 normal.
        views: At least one, in the dataset's own order.
    """

    study_id: str
    patient_id: str
    body_part: str
    label: int
    views: tuple[ViewRecord, ...]


def is_arm(record: StudyRecord) -> bool:
    """Tell whether a study shows the upper limb alone: hand or shoulder, without leg or hip.

    >>> is_arm(StudyRecord("s", "p", "elbow", 0, ()))
    True
    >>> from pathlib import Path
    >>> view = ViewRecord(Path("a.jpg"), tags=frozenset({"hand", "leg"}))
    >>> is_arm(StudyRecord("s", "p", "mixed", 0, (view,)))
    False
    """
    shown = {record.body_part}.union(*(view.tags for view in record.views))
    return bool(shown & set(BODY_PARTS)) and not shown & {"leg", "hip"}


def read_text(path: Path, purpose: str) -> str:
    """Read a dataset's text file as UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        purpose: What the file is for, to be named where it is missing.

    Raises:
        DatasetError: The file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DatasetError(
            f"{path} is missing: it should hold {purpose}. Unpack the dataset again."
        ) from None
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8 text (byte {error.start}): it should hold {purpose}. "
            "Unpack the dataset again."
        ) from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}): it should hold {purpose}.") from None
