"""Table 1 as a table: differences taken on the same patients, parameters of the real networks."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
import torch

from mura_core import table1_rows, table1_text
from mura_core.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path


def write_report(folder: Path, probabilities: list[float], labels: list[int], patients: str) -> Path:
    folder.mkdir()
    with (folder / "studies.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["study", "patient", "label", "probability"])
        for place, (patient, label, p) in enumerate(zip(patients, labels, probabilities, strict=True)):
            lines.writerow([place, patient, label, p])
    return folder


def test_a_difference_is_taken_on_the_same_patients(tmp_path: Path) -> None:
    labels = [1, 1, 0, 0]
    # Both are wrong on d; the first is wrong on c besides.
    first = write_report(tmp_path / "first", [0.9, 0.6, 0.7, 0.8], labels, "abcd")
    same = write_report(tmp_path / "same", [0.9, 0.6, 0.2, 0.8], labels, "abcd")
    last = write_report(tmp_path / "last", [0.9, 0.6, 0.2, 0.8], labels, "abcd")
    found, equal, none = table1_text.compare_with_last([first, same, last], resamples=500, seed=0)
    assert none is None
    assert found is not None
    assert equal is not None
    assert found["accuracy"] == pytest.approx(-0.25)
    assert found["auroc"] == pytest.approx(2 / 4 - 3 / 4)
    assert found["cohen_kappa"] == pytest.approx(0 - 0.5)
    assert found["log_loss"] == pytest.approx((-torch.tensor(0.3).log() + torch.tensor(0.8).log()).item() / 4)
    # Unpaired draws would often let the first one win; in paired ones it never does.
    low, high = found["accuracy_ci95"]
    assert low < -0.25 < high <= 0
    assert found["log_loss_ci95"][0] >= 0
    assert equal == {key: (None if key.endswith("_ci95") else 0) for key in found}


def test_reports_of_different_studies_are_not_compared(tmp_path: Path) -> None:
    one = write_report(tmp_path / "one", [0.9, 0.2], [1, 0], "ab")
    other = write_report(tmp_path / "other", [0.9, 0.2], [1, 0], "ac")
    with pytest.raises(DatasetError, match="different studies"):
        table1_text.compare_with_last([one, other], resamples=10, seed=0)


def test_parameters_are_those_of_the_real_networks() -> None:
    # torchvision's feature layers and one unit with its bias.
    assert table1_rows.count_parameters("densenet169") == 12_484_480 + 1_664 + 1
    assert table1_rows.count_parameters("resnet50") == 23_508_032 + 2_048 + 1
