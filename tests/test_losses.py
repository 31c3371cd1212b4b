"""What training minimises."""

import pytest
import torch

from mura_core.losses import cell_targets, place_loss


def mask_with(rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.zeros(1, 1, 64, 64)
    mask[0, 0, rows, columns] = 1
    return mask


def test_a_quarter_of_a_cell_counts_as_full() -> None:
    targets = cell_targets(mask_with(slice(0, 16), slice(0, 16)), (2, 2))
    assert targets.tolist() == [[[1.0, 0.0], [0.0, 0.0]]]


def test_a_small_fracture_across_four_cells_marks_all_of_them() -> None:
    targets = cell_targets(mask_with(slice(24, 40), slice(24, 40)), (2, 2))
    assert (targets > 0.2).all()


def test_the_right_place_costs_less_than_the_wrong_one() -> None:
    mask, known = mask_with(slice(0, 32), slice(0, 32)), torch.ones(1)
    right, wrong = torch.full((1, 2, 2), -4.0), torch.full((1, 2, 2), -4.0)
    right[0, 0, 0] = wrong[0, 1, 1] = 4.0
    assert place_loss(right, mask, known) < 0.1 < place_loss(wrong, mask, known)


def test_a_film_that_nobody_annotated_does_not_count() -> None:
    mask = torch.cat([mask_with(slice(0, 32), slice(0, 32)), torch.zeros(1, 1, 64, 64)])
    logits = torch.stack([torch.full((2, 2), -4.0), torch.full((2, 2), 9.0)])
    both = place_loss(logits, mask, torch.tensor([1.0, 0.0]))
    alone = place_loss(logits[:1], mask[:1], torch.ones(1))
    assert both.item() == pytest.approx(alone.item())
    assert place_loss(logits, mask, torch.zeros(2)).item() == 0.0
