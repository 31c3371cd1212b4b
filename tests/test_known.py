"""What is learnt of the films that the weights know: others are noticed, and body parts named."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mura_core import known_fit
from mura_core.errors import DatasetError, MuraError
from mura_core.known import Known
from mura_core.known_fit import AXES, fit
from mura_core.known_measure import Seen, measure_kinds, measure_parts, refused
from mura_core.pooling import root
from mura_core.remarks import FEW_FILMS, all_remarks, is_grave
from mura_core.study import BodyPart, Remark
from tests.known_features import CHANNELS, films, learn


@pytest.fixture(scope="module")
def known() -> Known:
    return learn()


@pytest.mark.parametrize(("flag", "counts"), [("--films", (0, 40)), ("--stand-ins", (3000, 0))])
def test_a_number_of_nothing_is_refused_in_words(flag: str, counts: tuple[int, int], tmp_path: Path) -> None:
    options = Namespace(
        data=tmp_path, format="fracatlas", weights=None, device="cpu", films=counts[0], stand_ins=counts[1]
    )
    with pytest.raises(MuraError, match=f"{flag} is 0, expected 1 or more"):
        known_fit.run(options)


def test_at_most_one_valid_film_in_a_hundred_is_beyond_the_threshold(known: Known) -> None:
    assert (known.strangeness(films(300, 1)[0]) >= 1).sum() <= 3
    assert (known.strangeness(films(300, 1)[0]) >= 0.9).sum() >= 1
    assert (known.strangeness(films(400, 2)[0]) >= 1).mean() < 0.05


def test_what_is_unlike_the_known_films_is_noticed(known: Known) -> None:
    assert (known.strangeness(films(100, 3, unlike=6.0)[0]) >= 1).mean() > 0.95
    assert np.isinf(known.strangeness(np.zeros((2, CHANNELS), np.float32))).all()


def test_the_distance_is_that_of_the_whole_covariance(known: Known) -> None:
    """Against the inverse of the covariance that the directions and variances stand for."""
    features = films(5, 4)[0]
    rest = known.variances[-1]
    spread = (known.axes.T * (known.variances[:-1] - rest)) @ known.axes + rest * np.eye(CHANNELS)
    away = root(features) - known.centre
    expected = np.einsum("ij,jk,ik->i", away, np.linalg.inv(spread.astype(np.float64)), away)
    np.testing.assert_allclose(known.strangeness(features) * known.threshold, expected, rtol=1e-3)


def test_the_size_of_the_features_says_nothing(known: Known) -> None:
    features = films(5, 4)[0]
    np.testing.assert_allclose(known.strangeness(3 * features), known.strangeness(features), rtol=1e-3)


def test_body_parts_are_named_with_a_probability_and_their_films(known: Known) -> None:
    features, parts = films(200, 5)
    named = known.body_parts(features)
    assert np.mean([one.name == part for one, part in zip(named, parts, strict=True)]) > 0.95
    assert {one.films for one in named} == {300}
    assert all(0.5 <= one.probability <= 1 for one in named)
    counted = measure_parts(known, features, parts)
    assert counted["all"]["right"] == sum(row["right"] for row in counted["parts"])
    assert counted["all"]["sure_and_right"] <= counted["all"]["sure"] <= 200


def test_a_part_with_few_films_is_not_learnt() -> None:
    train, parts = films(600, 0)
    parts[:10] = ["spine"] * 10
    learnt = fit(train, films(300, 1)[0], parts, films(300, 1)[1])
    assert [name for name, _ in learnt.parts] == ["arm", "leg"]


def test_too_few_films_are_said_so() -> None:
    few, parts = films(2 * AXES - 1, 0)
    with pytest.raises(DatasetError, match="--films"):
        fit(few, films(300, 1)[0], parts, films(300, 1)[1])


def test_the_figures_count_grave_remarks_whatever_their_cause(known: Known) -> None:
    own = Seen(films(100, 6)[0], ((Remark.SMALL,),) * 100)
    blank = Seen(films(50, 7)[0], ((Remark.EXPOSURE,),) * 50)
    strange = Seen(films(50, 8, unlike=6.0)[0], ((),) * 50)
    assert refused(known, own)["noted"] == refused(known, own)["strange"] < 10
    rows = {row["kind"]: row for row in measure_kinds(known, own, {"blank": blank, "strange": strange})}
    assert rows["blank"]["noted"] == 1
    assert rows["blank"]["auroc"] < 0.7
    assert rows["strange"]["auroc"] > 0.99
    assert rows["all"]["pictures"] == 100


def test_a_rare_part_asks_for_care_and_a_strange_film_has_no_part() -> None:
    rare, common = BodyPart("hip", 0.95, FEW_FILMS - 1), BodyPart("leg", 0.95, FEW_FILMS)
    assert all_remarks((), 0.5, rare) == (Remark.RARE_PART,)
    assert all_remarks((), 0.5, common) == all_remarks((), 0.5, replace(rare, probability=0.5)) == ()
    assert all_remarks((Remark.SMALL,), 1.0, rare) == (Remark.UNFAMILIAR, Remark.SMALL)
    assert all_remarks((Remark.SMALL,), 1.0, rare, turned=True) == (
        Remark.UNFAMILIAR,
        Remark.SMALL,
        Remark.TURNED,
    )
    assert all_remarks((), 0.5, rare, turned=True) == (Remark.TURNED, Remark.RARE_PART)
    assert not is_grave((Remark.RARE_PART, Remark.SMALL, Remark.POLARITY, Remark.TURNED))
    assert is_grave((Remark.SMALL, Remark.COLOUR))
