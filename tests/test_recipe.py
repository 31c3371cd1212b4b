"""The recipe: the paper's defaults, its flags, and what it refuses."""

import argparse
from typing import Any

import numpy as np
import pytest

from mura_core.errors import MuraError
from mura_core.films import Films
from mura_core.recipe import Recipe, add_recipe_arguments, read_recipe
from mura_core.two_phase import epoch_order, film_weights, learning_rate


def films(labels: list[int], parts: list[str]) -> Films:
    count = len(labels)
    return Films(
        pixels=np.zeros((count, 8, 8), dtype=np.uint8),
        boxes=(None,) * count,
        labels=np.array(labels),
        studies=np.arange(count),
        body_parts=tuple(parts),
        tags=(frozenset(),) * count,
    )


def test_the_defaults_are_the_papers_ten_and_ten_epochs_of_densenet169() -> None:
    recipe = Recipe()
    assert (recipe.architecture, recipe.init) == ("densenet169", "imagenet")
    assert (recipe.transfer_epochs, recipe.fine_tune_epochs) == (10, 10)
    assert recipe.focus == 0.0


def test_flags_and_recipe_say_the_same() -> None:
    parser = argparse.ArgumentParser()
    add_recipe_arguments(parser, Recipe)
    assert read_recipe(parser.parse_args([]), Recipe) == Recipe()
    changed = read_recipe(
        parser.parse_args(["--no-roi", "--batch", "4", "--class-weights", "none", "--focus", "1"]),
        Recipe,
    )
    assert changed == Recipe(roi=False, batch=4, class_weights="none", focus=1.0)


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"class_weights": "some"}, {"transfer_epochs": 0, "fine_tune_epochs": 0}]
)
def test_a_recipe_that_cannot_be_followed_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MuraError, match="Expected"):
        Recipe(**wrong)


def test_the_transferred_layers_have_no_rate_until_the_second_phase() -> None:
    recipe = Recipe(transfer_epochs=2, fine_tune_epochs=2)
    assert learning_rate(recipe, 1.99, new_layer=False) == 0.0
    assert learning_rate(recipe, 1.99, new_layer=True) == recipe.transfer_rate
    rates = [learning_rate(recipe, 2 + 2 * share, new_layer=False) for share in np.linspace(0, 1, 50)]
    assert max(rates) == pytest.approx(recipe.fine_tune_rate, rel=0.05)
    assert rates[-1] < 0.02 * recipe.fine_tune_rate


def test_an_epoch_shows_every_film_once_in_an_order_of_its_own() -> None:
    some = films([0, 1] * 20, ["hand"] * 40)
    first, second = (epoch_order(some, Recipe(), epoch).tolist() for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second
    assert first == epoch_order(some, Recipe(), 0).tolist()


def test_normal_films_can_be_drawn_to_a_share() -> None:
    order = epoch_order(films([1] * 5 + [0] * 50, ["hand"] * 55), Recipe(normals_per_abnormal=2), 0)
    assert len(order) == 15
    assert set(range(5)) <= set(order.tolist())


def test_weighted_classes_count_alike_within_each_body_part() -> None:
    labels, parts = [1] * 2 + [0] * 8 + [1] * 6 + [0] * 2, ["hand"] * 10 + ["wrist"] * 8
    weights = film_weights(films(labels, parts), "body-part")
    for part in ("hand", "wrist"):
        mine = np.array(parts) == part
        positive = np.array(labels) == 1
        assert weights[mine & positive].sum() == pytest.approx(weights[mine & ~positive].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_a_body_part_without_abnormal_films_still_counts() -> None:
    weights = film_weights(films([1, 0, 0, 0, 0, 0], ["hand"] * 3 + ["hip"] * 3), "body-part")
    assert (weights > 0).all()


def test_an_unknown_epoch_to_keep_is_refused() -> None:
    with pytest.raises(MuraError, match="Unknown epoch 'first' to keep. Expected best or last."):
        Recipe(kept_epoch="first")
