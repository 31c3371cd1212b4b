"""What the weights know: others are noticed, parts named, and a file that is not theirs switches it off."""

from __future__ import annotations

import json
import logging
import shutil
from argparse import Namespace
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mura_core import known as known_module
from mura_core import known_fit
from mura_core.datasets import read_split
from mura_core.errors import DatasetError, MuraError
from mura_core.images import read_radiograph
from mura_core.known import KNOWN_NAME, Known, read_known, served_digest, write_known
from mura_core.known_fit import AXES, fit
from mura_core.known_measure import Seen, measure_kinds, measure_parts, refused
from mura_core.model_card import KNOWN_FIGURES_NAME
from mura_core.orientation import Orientation
from mura_core.pooling import root
from mura_core.predictor import Predictor
from mura_core.quantisation import weights_digest
from mura_core.reading import Reading, as_json, table
from mura_core.remarks import FEW_FILMS, NOT_COMPARED, all_remarks, is_grave
from mura_core.stand_ins import KINDS, draw
from mura_core.study import BodyPart, Remark, Study, View
from tests.films import fracatlas_folder

RELEASED = Path(__file__).parents[1] / "weights"
CHANNELS = 300

Floats = NDArray[np.float32]


@pytest.mark.parametrize(("flag", "counts"), [("--films", (0, 40)), ("--stand-ins", (3000, 0))])
def test_a_number_of_nothing_is_refused_in_words(flag: str, counts: tuple[int, int], tmp_path: Path) -> None:
    options = Namespace(
        data=tmp_path, format="fracatlas", weights=None, device="cpu", films=counts[0], stand_ins=counts[1]
    )
    with pytest.raises(MuraError, match=f"{flag} is 0, expected 1 or more"):
        known_fit.run(options)


def films(count: int, seed: int, unlike: float = 0.0) -> tuple[Floats, list[str]]:
    """Made-up pooled features of two body parts in turn; `unlike` mixes in what neither has."""
    random = np.random.default_rng(seed)
    features = random.gamma(2.0, 0.1, (count, CHANNELS))
    features[::2, :40] *= 3
    features[1::2, 40:80] *= 3
    features[:, 100:160] *= 1 + unlike
    return features.astype(np.float32), [("arm", "leg")[index % 2] for index in range(count)]


@pytest.fixture(scope="module")
def known() -> Known:
    (train, train_parts), (valid, valid_parts) = films(600, 0), films(300, 1)
    return fit(train, valid, train_parts, valid_parts)


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


@pytest.fixture
def folder(tmp_path: Path, known: Known) -> Path:
    """The released weights with what made-up films taught."""
    place = shutil.copytree(RELEASED, tmp_path / "weights", ignore=shutil.ignore_patterns("known.*", "*.md"))
    write_known(place, known)
    return place


def test_what_is_written_reads_back(folder: Path, known: Known) -> None:
    back = read_known(folder)
    assert back is not None
    features = films(20, 9)[0]
    np.testing.assert_array_equal(back.strangeness(features), known.strangeness(features))
    assert back.body_parts(features) == known.body_parts(features)
    assert (folder / KNOWN_NAME).stat().st_size < 2_000_000


def test_how_films_lie_is_kept_with_the_rest(folder: Path, known: Known) -> None:
    layer = np.random.default_rng(0).normal(size=(4, CHANNELS + 1)).astype(np.float32)
    write_known(folder, replace(known, orientation=Orientation(layer, 4.5)))
    back = read_known(folder)
    assert back is not None
    assert back.orientation is not None
    assert back.orientation.threshold == 4.5
    assert served_digest(folder) != weights_digest(folder)
    first = served_digest(folder)
    write_known(folder, replace(known, orientation=Orientation(layer, 4.6)))
    assert served_digest(folder) != first
    write_known(folder, known)
    assert served_digest(folder) == weights_digest(folder)
    np.testing.assert_array_equal(back.orientation.weights, layer)


def test_a_file_of_the_first_format_tells_nothing_of_how_films_lie(
    folder: Path, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, readable in (("1", True), ("3", False)):
        monkeypatch.setattr(known_module, "_FORMAT", version)
        write_known(folder, known)
        monkeypatch.undo()
        back = read_known(folder)
        assert (back is not None) == readable
        assert back is None or back.orientation is None


def break_array(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def break_header(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b'\\"threshold\\": ') == 1
    path.write_bytes(content.replace(b'\\"threshold\\": ', b'\\"threshold\\":9'))


@pytest.mark.parametrize(
    "spoil",
    [
        break_array,
        break_header,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b"\xff" * 64),
        lambda path: path.write_bytes(next(path.parent.glob("weights-*")).read_bytes()),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_spoilt_file_switches_it_off_and_is_never_an_error(
    folder: Path, caplog: pytest.LogCaptureFixture, spoil: object
) -> None:
    spoil(folder / KNOWN_NAME)  # type: ignore[operator]
    assert read_known(folder) is None
    assert "not compared" in caplog.text


def test_the_file_of_other_weights_is_not_used(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    sidecar = json.loads((folder / "weights.json").read_text())
    text = (folder / "weights.json").read_text()
    digest = next(part["sha256"] for part in sidecar["shards"])
    (folder / "weights.json").write_text(text.replace(digest, "0" * 64))
    assert read_known(folder) is None
    assert "other weights" in caplog.text


def test_no_file_is_no_trouble_and_the_result_says_so(
    untrained_weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        predictor = Predictor.load(untrained_weights, "cpu")
    assert caplog.text == ""
    view = View("text.png", read_radiograph(draw("drawn chest", 0, ())))
    result = predictor.predict(Study((view,)))
    assert not result.compared
    assert (result.views[0].strangeness, result.views[0].body_part, result.views[0].remarks) == (
        None,
        None,
        (),
    )
    reading = Reading(("text.png",), (b"",), (view,), ())
    assert NOT_COMPARED in table(reading, result)
    said = json.loads(as_json(reading, result, []))
    assert said["study"]["compared_with_training_films"] is False
    assert said["views"][0]["strangeness"] is None


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


@cache
def released() -> Predictor:
    return Predictor.load(RELEASED)


@pytest.fixture
def learnt() -> None:
    """The released weights come with what they know; it is learnt after each release."""
    if not (RELEASED / "known.safetensors").exists() and not (RELEASED / "known.json").exists():
        pytest.skip("no known.safetensors for these weights: python -m mura_core known")


def read(*sources: bytes | Path) -> list[tuple[Remark, ...]]:
    views = tuple(View(f"{index}.png", read_radiograph(source)) for index, source in enumerate(sources))
    result = released().predict(Study(views))
    assert result.compared
    return [view.remarks for view in result.views]


@pytest.mark.usefixtures("learnt")
def test_the_released_weights_know_their_films() -> None:
    assert read_known(RELEASED) is not None
    figures = json.loads((RELEASED / KNOWN_FIGURES_NAME).read_text())
    assert figures["weights"] == served_digest(RELEASED)
    test, valid = figures["refused"]["test"], figures["refused"]["valid"]
    assert valid["strange"] <= 0.01 * valid["films"]
    assert test["noted"] <= 0.02 * test["films"]


@pytest.mark.usefixtures("learnt")
@pytest.mark.parametrize("kind", ["drawn chest", "text page", "noise", "gradient", "over-exposed film"])
def test_drawn_pictures_that_are_no_limb_films_are_noted(kind: str) -> None:
    sources = [fracatlas_folder() / "images"] if kind == "over-exposed film" else []
    paths = sorted(sources[0].rglob("*.jpg"))[:3] if sources else ()
    assert all(is_grave(remarks) for remarks in read(*(draw(kind, number, paths) for number in range(3))))


def test_a_picture_of_a_kind_is_always_the_same() -> None:
    for kind in ("drawn skull", "plasma texture", "screenshot"):
        assert draw(kind, 3, ()) == draw(kind, 3, ()) != draw(kind, 4, ())
    assert len(KINDS) > 10


@pytest.mark.usefixtures("learnt")
def test_real_films_are_not_noted() -> None:
    records = read_split(fracatlas_folder(), "fracatlas", "test")[::12]
    noted = [is_grave(remarks) for remarks in read(*(record.views[0].path for record in records))]
    assert len(noted) > 30
    assert sum(noted) <= 2
