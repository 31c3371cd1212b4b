"""How films lie is learnt, and the figures say how often it is right and what turning back gains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mura_core import orientation_measure
from mura_core.known_table import known_text
from mura_core.orientation_fit import TURNED_OF_VALID, features_kept, fit_orientation, read_around
from mura_core.orientation_measure import measure_turned
from mura_core.records import StudyRecord, ViewRecord
from tests.edges_network import OPTIONS, SIZE, Edges, Floats, film, tells


def around(count: int, seed: int) -> Floats:
    """Made-up features (4, N, 40) of films read all four ways, which a tenth each leave in doubt."""
    random = np.random.default_rng(seed)
    features = random.gamma(2.0, 0.1, (4, count, 40))
    strength = random.uniform(1, 6, (count, 1))
    for way in range(4):
        features[way, :, 10 * way : 10 * way + 10] *= strength
    return features.astype(np.float32)


def test_what_is_learnt_notices_turned_films_and_few_upright_ones() -> None:
    valid, other = around(300, 1), around(300, 2)
    learnt = fit_orientation(around(200, 0), valid)
    assert learnt.weights.shape == (4, 41)
    assert learnt.threshold >= 0
    for films, most in ((valid, TURNED_OF_VALID), (other, 0.05)):
        upright = features_kept(learnt, films)
        assert (upright != films[0]).any(axis=1).mean() <= most
        for way in (1, 3):
            # Turned by `way`, what is read back again is the film that lies upright.
            kept = features_kept(learnt, np.roll(films, -way, axis=0))
            assert (kept == films[0]).all(axis=1).mean() > 0.8


def test_the_threshold_lies_between_two_films_and_rounding_moves_none_across() -> None:
    valid = around(300, 1)
    learnt = fit_orientation(around(200, 0), valid)
    random = np.random.default_rng(3)
    rounded = [valid * random.uniform(1 - 1e-5, 1 + 1e-5, valid.shape).astype(np.float32) for _ in range(8)]
    judged = [
        (features_kept(learnt, films) - films[0] > 0.01).any(axis=1).sum() for films in (valid, *rounded)
    ]
    assert judged == [int(TURNED_OF_VALID * 300)] * 9


def test_the_size_of_the_features_says_nothing_of_how_a_film_lies() -> None:
    features = around(5, 3)[1]
    learnt = fit_orientation(around(60, 0), around(60, 1))
    np.testing.assert_allclose(learnt.scores(5 * features), learnt.scores(features), rtol=1e-3, atol=1e-3)


def test_films_are_read_all_four_ways_in_the_order_of_the_layer() -> None:
    prepared = cv2.resize(film().radiograph.pixels[:120], (SIZE, SIZE))
    features = read_around(Edges().read, [prepared, prepared])
    assert features.shape == (4, 2, 4)
    assert features.argmax(axis=2).tolist() == [[way] * 2 for way in range(4)]


def test_the_figures_count_what_is_noticed_and_what_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network looks at the lower half, where three quarters of a turn leave nothing bright."""
    pixels = {}
    for number in range(12):
        one = film().radiograph.pixels.copy()
        one[130:170, 15:55] = 0.4 + 0.05 * number
        pixels[Path(f"{number}.png")] = one
    monkeypatch.setattr(
        orientation_measure, "read_radiograph", lambda path: replace(film().radiograph, pixels=pixels[path])
    )
    rows = [
        (StudyRecord(str(number), str(number), "leg", int(number >= 6), (view,)), view)
        for number, view in enumerate(ViewRecord(path) for path in pixels)
    ]
    found = measure_turned(Edges(), OPTIONS, tells(), rows)  # type: ignore[arg-type]
    assert [(row["degrees"], row["judged"], row["right"]) for row in found] == [
        (0, 0, 0),
        (90, 12, 12),
        (180, 0, 0),
        (270, 12, 12),
    ]
    assert [row["films"] for row in found] == [12] * 4
    assert [row["auroc_plain"] for row in found] == [1.0, 1.0, 0.5, 0.5]
    assert [row["auroc_served"] for row in found] == [1.0, 1.0, 0.5, 1.0]


def test_the_card_shows_the_figures_where_they_were_measured() -> None:
    counts = {"films": 10, "right": 9, "sure": 8, "sure_and_right": 8}
    plain = {
        "engine": "edges",
        "films": {"train": 5, "valid": 10, "test": 10},
        "refused": {name: {"films": 10, "strange": 0, "noted": 0} for name in ("valid", "test")},
        "kinds": [],
        "body_part": {"all": counts, "parts": []},
    }
    row = {
        "degrees": 90,
        "films": 40,
        "patients_of_rarer": 20,
        "judged": 36,
        "right": 33,
        "auroc_plain": 0.7,
        "auroc_plain_ci95": [0.6, 0.8],
        "auroc_served": 0.8,
        "auroc_served_ci95": None,
    }
    few = {**row, "films": 19, "patients_of_rarer": 9, "judged": 18, "right": 17}
    text = known_text({**plain, "turned": {"valid": [few], "test": [row]}})
    assert "| test | 90 degrees | 36 of 40 (90.0%) | 33 | 0.700 [0.600, 0.800] | 0.800 [n/a] |" in text
    assert "| valid | 90 degrees | 18 of 19 | 17 | too few | too few |" in text
    assert "a rotated one is read as it lies" in known_text(plain)
    assert "a rotated one is read as it lies" not in text
