"""Each training transform changes what it says, and nothing else."""

import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors

from mura_core.augment import RandomInversion, RandomNoise, RandomQuarterTurn


def film_and_mask() -> tuple[tv_tensors.Image, tv_tensors.Mask]:
    """A film of 0.4 with a dark background, black borders above and below, and a mark in a corner."""
    film = torch.zeros(1, 40, 40)
    film[:, 10:30] = 0.1
    film[:, 12:28, 8:32] = 0.4
    mask = torch.zeros(1, 40, 40, dtype=torch.uint8)
    mask[:, 12:16, 8:14] = 1
    return tv_tensors.Image(film), tv_tensors.Mask(mask)


def corner(mask: Tensor) -> tuple[bool, bool]:
    rows, columns = torch.nonzero(mask[0], as_tuple=True)
    return bool(rows.float().mean() > 20), bool(columns.float().mean() > 20)


def test_quarter_turns_take_the_mask_along_and_reach_every_side() -> None:
    torch.manual_seed(0)
    film, mask = film_and_mask()
    marked = tv_tensors.Image(torch.where(mask > 0, torch.tensor(0.9), film))
    seen = set()
    for _ in range(60):
        turned, moved = RandomQuarterTurn(p=1)(marked, mask)
        assert torch.equal(turned == 0.9, moved > 0)
        assert isinstance(moved, tv_tensors.Mask)
        seen.add(corner(moved))
    assert len(seen) == 3
    assert corner(mask) not in seen


def test_inversion_leaves_the_empty_border_black() -> None:
    film, mask = film_and_mask()
    inverted, same = RandomInversion(p=1)(film, mask)
    assert torch.equal(same, mask)
    assert (inverted[:, :10] == 0).all()
    assert (inverted[:, 30:] == 0).all()
    torch.testing.assert_close(inverted[:, 10:30].as_subclass(Tensor), 1 - film[:, 10:30].as_subclass(Tensor))


@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_noise_has_its_strength_at_either_grain(sigma: float) -> None:
    torch.manual_seed(0)
    flat, mask = tv_tensors.Image(torch.full((1, 101, 101), 0.5)), tv_tensors.Mask(torch.zeros(1, 101, 101))
    neighbours = []
    for _ in range(30):
        noisy, same = RandomNoise(sigma, sigma, p=1)(flat, mask)
        assert same is mask
        assert noisy.shape == flat.shape
        noise = noisy.as_subclass(Tensor)[0] - 0.5
        assert noise.std().item() == pytest.approx(sigma, rel=0.1)
        neighbours.append(torch.corrcoef(torch.stack([noise[:, 1:].ravel(), noise[:, :-1].ravel()]))[0, 1])
    fine = [abs(float(r)) < 0.1 for r in neighbours]
    assert 5 < sum(fine) < 25
    assert all(alone or float(r) > 0.4 for alone, r in zip(fine, neighbours, strict=True))


@pytest.mark.parametrize("transform", [RandomQuarterTurn, RandomInversion, RandomNoise])
def test_without_luck_nothing_changes(transform: type[torch.nn.Module]) -> None:
    film, mask = film_and_mask()
    assert transform(p=0)(film, mask) == (film, mask)
    assert transform(p=0)(film) is film
