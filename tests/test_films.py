"""Films for training are those that are served; augmentation repeats by its seed and moves the mask along."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from mura_core.augment import RandomWriting
from mura_core.datasets import StudyRecord, ViewRecord
from mura_core.films import DrawnFilms, Films, cut_square, draw_mask, load_films, to_network
from mura_core.images import read_radiograph
from mura_core.preprocess import PreprocessOptions, preprocess, to_tensor
from mura_core.study import Box
from tests.mura_tree import draw_bone

OPTIONS = PreprocessOptions(size=96)


@pytest.fixture
def records(tmp_path: Path) -> list[StudyRecord]:
    found = []
    for index in range(4):
        path = tmp_path / f"film{index}.png"
        draw_bone(128, bool(index % 2), np.random.default_rng(index)).save(path)
        boxes = (Box(50, 30, 20, 30),) if index % 2 else ()
        view = ViewRecord(path, boxes, frozenset({"hand"}))
        found.append(StudyRecord(f"s{index}", f"p{index}", "hand", index % 2, (view,)))
    return found


def phantom_films(count: int = 3, size: int = 96) -> Films:
    pixels = np.zeros((count, size, size), dtype=np.uint8)
    pixels[:, 40:56, 40:56] = 200
    return Films(
        pixels=pixels,
        boxes=((Box(40, 40, 16, 16),), (), None)[:count],
        labels=np.array([1, 0, 1][:count]),
        studies=np.arange(count),
        body_parts=("hand",) * count,
        tags=(frozenset(),) * count,
    )


def test_a_cached_film_is_the_served_film_to_the_bit(records: list[StudyRecord], tmp_path: Path) -> None:
    films = load_films(records, OPTIONS, tmp_path / "cache")
    again = load_films(records, OPTIONS, tmp_path / "cache")
    np.testing.assert_array_equal(films.pixels, again.pixels)
    assert films.boxes == again.boxes
    drawn = DrawnFilms(again, range(4), seed=None)
    for index, record in enumerate(records):
        prepared, _ = preprocess(read_radiograph(record.views[0].path).pixels, OPTIONS)
        given = to_network(drawn[index]["film"][None])
        torch.testing.assert_close(given, to_tensor([prepared]), rtol=0, atol=0, check_stride=False)


def test_other_options_do_not_take_the_same_cache(records: list[StudyRecord], tmp_path: Path) -> None:
    load_films(records, OPTIONS, tmp_path / "cache")
    load_films(records, PreprocessOptions(size=96, enhance=False), tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_boxes_follow_their_film_into_the_network(records: list[StudyRecord]) -> None:
    films = load_films(records, OPTIONS)
    _, geometry = preprocess(read_radiograph(records[1].views[0].path).pixels, OPTIONS)
    assert films.boxes[0] == ()
    assert films.boxes[1] == (geometry.box_to_network(Box(50, 30, 20, 30)),)


def test_noisy_films_are_the_same_films_prepared_after_noise(
    records: list[StudyRecord], tmp_path: Path
) -> None:
    quiet = load_films(records, OPTIONS, tmp_path / "cache")
    both = load_films(records, OPTIONS, tmp_path / "cache", noisy=True)
    again = load_films(records, OPTIONS, tmp_path / "cache", noisy=True)
    assert both.noisy is not None
    assert again.noisy is not None
    assert quiet.noisy is None
    np.testing.assert_array_equal(both.pixels, quiet.pixels)
    np.testing.assert_array_equal(both.noisy.pixels, again.noisy.pixels)
    for index in range(4):
        same = np.corrcoef(both.pixels[index].ravel(), both.noisy.pixels[index].ravel())[0, 1]
        assert 0.5 < same < 0.999
    assert [len(boxes or ()) for boxes in both.noisy.boxes] == [0, 1, 0, 1]
    np.testing.assert_array_equal(both.noisy.labels, quiet.labels)


def test_three_films_in_ten_are_drawn_noisy_and_none_where_films_are_drawn_as_they_are() -> None:
    films = phantom_films()
    films = replace(films, noisy=replace(films, pixels=films.pixels // 2))

    def drawn_noisy(seed: int | None, epoch: int) -> bool:
        drawn = DrawnFilms(films, [0], seed=seed, epoch=epoch, augmentation="none")
        return int(drawn[0]["film"].max()) == 100

    assert 45 <= sum(drawn_noisy(1, epoch) for epoch in range(200)) <= 75
    assert not drawn_noisy(None, 0)


def test_the_same_epoch_draws_the_same_samples_and_another_epoch_others() -> None:
    films = phantom_films()
    first, again = (DrawnFilms(films, [0, 1], seed=3, epoch=5)[1]["film"] for _ in range(2))
    other = DrawnFilms(films, [0, 1], seed=3, epoch=6)[1]["film"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_drawing_does_not_touch_the_global_random_state_or_the_films() -> None:
    films = phantom_films()
    before, state = films.pixels.copy(), torch.random.get_rng_state()
    DrawnFilms(films, [0], seed=1)[0]
    np.testing.assert_array_equal(films.pixels, before)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("epoch", range(8))
def test_the_mask_moves_with_the_film(epoch: int) -> None:
    sample = DrawnFilms(phantom_films(), [0], seed=1, epoch=epoch)[0]
    film, mask = to_network(sample["film"][None])[0, 0], sample["mask"][0]
    inside, outside = film[mask > 0].mean(), film[mask == 0].mean()
    assert mask.sum() > 30
    # Either way: one film in ten is shown inverted.
    assert abs(inside - outside) > 1.0


def test_rough_augmentation_lays_no_film_on_its_side_and_mild_inverts_none_either() -> None:
    films, outcomes = phantom_films(), {}
    films.pixels[0, :, :] = 20
    films.pixels[0, 8:88, 40:56] = 220  # a shaft that stands upright, turned by 25 degrees at most
    for strength in ("full", "rough", "noisy", "mild"):
        seen = [
            DrawnFilms(films, [0], seed=1, epoch=epoch, augmentation=strength)[0]["film"][0].float() / 255
            for epoch in range(40)
        ]
        bright = [film[40:56, 40:56].mean() > film.mean() for film in seen]
        upright = [abs(film.mean(0).std()) > abs(film.mean(1).std()) for film in seen]
        outcomes[strength] = all(bright), all(upright)
    expected = {"full": (False, False), "rough": (False, True), "noisy": (False, True), "mild": (True, True)}
    assert outcomes == expected


def test_mild_augmentation_adds_less_noise_than_rough() -> None:
    films = phantom_films()
    films.pixels[0] = 120
    grain = {
        strength: max(
            float(
                DrawnFilms(films, [0], seed=1, epoch=epoch, augmentation=strength)[0]["film"][0, 40:56, 40:56]
                .float()
                .std()
            )
            for epoch in range(30)
        )
        for strength in ("rough", "mild")
    }
    assert grain["mild"] < 25 < grain["rough"]


def test_writing_is_burned_into_three_films_in_ten_and_leaves_the_rest_of_them_as_it_is() -> None:
    film = tv_tensors.Image(torch.full((1, 96, 96), 0.3))
    mask = tv_tensors.Mask(torch.zeros((1, 96, 96)))
    torch.manual_seed(0)
    changed = []
    for _ in range(200):
        written, kept = RandomWriting()(film, mask)
        assert kept is mask
        changed.append(float((written != film).float().mean()))
        assert written.min() == film.min()
        assert written.max() <= 1
    assert 40 <= sum(share > 0 for share in changed) <= 75
    assert 0.005 < np.mean([share for share in changed if share > 0]) < 0.2
    assert float(film.max()) == pytest.approx(0.3)


def test_an_unknown_strength_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown augmentation 'Mild'"):
        DrawnFilms(phantom_films(), [0], seed=1, augmentation="Mild")


def test_a_cut_without_augmentation_is_the_film_as_it_is() -> None:
    films = phantom_films()
    cut = DrawnFilms(films, [0], seed=1, crop=32, augmentation="none")[0]["film"][0].numpy()
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(films.pixels[0], 46), (32, 32))
    assert (windows == cut).all(axis=(2, 3)).any()


def test_what_nobody_annotated_is_said_to_be_unknown() -> None:
    samples = DrawnFilms(phantom_films(), [0, 1, 2], seed=None)
    assert [samples[i]["boxed"].item() for i in range(3)] == [1.0, 1.0, 0.0]


def test_a_cut_holds_its_fracture_nine_times_in_ten() -> None:
    films = phantom_films()
    grey, mask = films.pixels[0], draw_mask(films.boxes[0], 96)
    grey = grey.copy()
    grey[80:, 80:] = 250
    torch.manual_seed(0)
    held = [cut_square(grey, mask, 32)[1].any() for _ in range(200)]
    assert 0.85 < np.mean(held) < 1.0
    assert cut_square(grey, mask, 32)[0].shape == (46, 46)


def test_a_box_of_less_than_a_pixel_still_marks_one() -> None:
    assert draw_mask([Box(10.2, 5.1, 0.2, 0.3)], 32).sum() == 1
