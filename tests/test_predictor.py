"""The predictor: stateless, thread-safe, and one answer whatever the order or company of the views."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mura_core.errors import ImageError, MuraError, WeightsError
from mura_core.models import build_model
from mura_core.predictor import Predictor
from mura_core.preprocess import preprocess
from mura_core.study import Radiograph, Study, View, Window
from mura_core.torch_engine import TorchEngine
from tests.mura_tree import draw_bone


@pytest.fixture(scope="module")
def predictor(untrained_weights: Path) -> Predictor:
    return Predictor.load(untrained_weights, "cpu")


@pytest.fixture(scope="module")
def lively(predictor: Predictor) -> Predictor:
    """An untrained network that answers differently to different films, as the smaller one does not."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Predictor(TorchEngine(build_model("resnet50"), "cpu"), predictor.sidecar)


def view(seed: int, size: int = 200) -> View:
    values = np.asarray(draw_bone(size, bool(seed % 2), np.random.default_rng(seed)), dtype=np.uint16)
    pixels = values.astype(np.float32) / np.float32(255)
    return View(f"view{seed}.png", Radiograph(pixels, values, Window(127.5, 255), 8, "png"))


def test_the_study_is_the_mean_of_its_views(predictor: Predictor) -> None:
    result = predictor.predict(Study((view(1), view(2), view(3))))
    mean = np.mean([seen.abnormality_probability for seen in result.views])
    assert result.study_probability == pytest.approx(mean)
    assert result.call == result.operating_points.call(result.study_probability)


def test_the_order_and_company_of_views_change_nothing(predictor: Predictor) -> None:
    views = (view(1), view(2, 333), view(3))
    together = predictor.predict(Study(views))
    turned = predictor.predict(Study(views[::-1]))
    for index, one in enumerate(views):
        alone = predictor.predict(Study((one,))).views[0]
        for other in (together.views[index], turned.views[2 - index]):
            assert other.name == one.name
            assert other.abnormality_probability == pytest.approx(alone.abnormality_probability, abs=1e-5)
            np.testing.assert_allclose(other.heatmap, alone.heatmap, atol=1e-4)


def test_heatmaps_lie_in_the_frame_of_their_film(predictor: Predictor) -> None:
    one = view(4, 333)
    seen = predictor.predict(Study((one,))).views[0]
    assert seen.heatmap.shape == one.radiograph.pixels.shape
    assert seen.heatmap.dtype == np.float32
    assert 0 <= seen.heatmap.min() <= seen.heatmap.max() <= 1


def test_the_mean_of_the_map_plus_one_constant_is_the_logit(predictor: Predictor) -> None:
    seen = predictor.predict(Study((view(1), view(2)))).views
    biases = [one.logit - float(one.cam.mean()) for one in seen]
    assert biases[0] == pytest.approx(biases[1], abs=1e-4)


def test_eight_threads_get_what_one_gets(predictor: Predictor) -> None:
    studies = [Study((view(seed),)) for seed in range(8)]
    alone = [predictor.predict(study).study_probability for study in studies]
    with ThreadPoolExecutor(8) as pool:
        crowd = list(pool.map(lambda study: predictor.predict(study).study_probability, studies))
    assert crowd == pytest.approx(alone, abs=1e-5)


def test_the_films_are_not_changed(predictor: Predictor) -> None:
    one = view(5)
    before = one.radiograph.pixels.copy()
    predictor.predict(Study((one,)))
    np.testing.assert_array_equal(one.radiograph.pixels, before)


def test_a_study_takes_as_long_as_its_views_together(predictor: Predictor) -> None:
    result = predictor.predict(Study((view(1), view(2))))
    assert all(seen.timing.network_s > 0 for seen in result.views)
    assert result.timing.total_s == pytest.approx(sum(seen.timing.total_s for seen in result.views))


def test_a_study_without_views_is_refused(predictor: Predictor) -> None:
    for read in (predictor.predict, predictor.compare):
        with pytest.raises(ImageError, match="at least one"):
            read(Study(()))


def test_the_last_variant_compared_is_what_predict_says(lively: Predictor) -> None:
    study = Study((view(1), view(2, 333)))
    result, variants = lively.predict(study), lively.compare(study)
    steps = [(variant.options.roi, variant.options.enhance, variant.released) for variant in variants]
    assert steps == [(False, False, False), (True, False, False), (True, True, True)]
    last = variants[-1]
    assert last.view_probabilities == tuple(seen.abnormality_probability for seen in result.views)
    assert (last.study_probability, last.call) == (result.study_probability, result.call)
    assert last.calls == tuple(seen.call for seen in result.views)


def test_each_variant_shows_the_film_that_gave_its_probability(lively: Predictor) -> None:
    one = view(3)
    variants = lively.compare(Study((one,)))
    assert len({variant.study_probability for variant in variants}) == 3
    for variant in variants:
        film, _ = preprocess(one.radiograph.pixels, variant.options)
        np.testing.assert_array_equal(variant.films[0], film)
        way = Predictor(lively.engine, replace(lively.sidecar, preprocess=variant.options))
        assert way.predict(Study((one,))).study_probability == variant.study_probability


@pytest.mark.parametrize(("roi", "enhance", "count"), [(False, False, 3), (False, True, 4)])
def test_the_released_preparation_comes_last_whatever_it_is(
    lively: Predictor, roi: bool, enhance: bool, count: int
) -> None:
    options = replace(lively.sidecar.preprocess, roi=roi, enhance=enhance)
    other = Predictor(lively.engine, replace(lively.sidecar, preprocess=options))
    study = Study((view(1),))
    variants = other.compare(study)
    assert [variant.released for variant in variants] == [False] * (count - 1) + [True]
    assert variants[-1].options == options
    assert variants[-1].study_probability == other.predict(study).study_probability


def test_a_device_that_is_not_there_is_refused(untrained_weights: Path) -> None:
    with pytest.raises(MuraError, match="--device"):
        Predictor.load(untrained_weights, "abacus")


def test_missing_weights_never_become_random_ones(tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        Predictor.load(tmp_path)
