"""Teachers: whose films they read, what they say, and that a pupil learns it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mura_core.errors import MuraError, WeightsError
from mura_core.films import DrawnFilms, Films
from mura_core.lessons import GRID, Lessons
from mura_core.losses import taught_losses
from mura_core.models import build_model
from mura_core.preprocess import PreprocessOptions
from mura_core.recipe import Recipe
from mura_core.teachers import ask_teachers, prior_shift, read_teachers

SIZE = 64


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("teacher") / "source.safetensors"
    save_file({n: t.contiguous() for n, t in build_model("densenet169").state_dict().items()}, path)
    return path


def draw_pixels(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, SIZE, SIZE)).astype(np.uint8)


def films_with(lessons: Lessons | None) -> Films:
    count = 2
    return Films(
        pixels=draw_pixels(count),
        boxes=((), ()),
        labels=np.array([0, 1]),
        studies=np.arange(count),
        body_parts=("hand",) * count,
        tags=(frozenset(),) * count,
        lessons=lessons,
    )


def test_teachers_read_films_of_their_own_size_and_are_asked_once(teacher: Path, tmp_path: Path) -> None:
    asked: list[PreprocessOptions] = []

    def prepare(options: PreprocessOptions) -> np.ndarray:
        asked.append(options)
        return draw_pixels()

    teachers = read_teachers(f"{teacher}@{SIZE}, {teacher}@{SIZE}", "densenet169")
    first = ask_teachers(teachers, prepare, tmp_path)
    assert asked == [PreprocessOptions(size=SIZE)] * 2
    assert first.local_logits.shape == (3, GRID, GRID)
    kept = list(tmp_path.glob("lessons-*.npz"))
    assert len(kept) == 1
    np.savez(kept[0], logits=first.logits + 1, local_logits=first.local_logits)
    assert np.array_equal(ask_teachers(teachers, prepare, tmp_path).logits, first.logits + 1)
    other = ask_teachers(teachers, lambda _: draw_pixels() // 2, tmp_path)
    assert not np.allclose(other.logits, first.logits)


def test_a_film_and_its_mirror_image_get_the_same_lesson_mirrored(teacher: Path) -> None:
    teachers = read_teachers(f"{teacher}@{SIZE}", "densenet169")
    film = ask_teachers(teachers, lambda _: draw_pixels(), None)
    mirrored = ask_teachers(teachers, lambda _: np.ascontiguousarray(draw_pixels()[:, :, ::-1]), None)
    np.testing.assert_allclose(mirrored.logits, film.logits, atol=1e-5)
    np.testing.assert_allclose(mirrored.local_logits, film.local_logits[:, :, ::-1], atol=1e-4)


@pytest.mark.parametrize("name", ["nowhere", "{teacher}", "{teacher}@", "{teacher}@0", "{teacher}@large"])
def test_what_is_no_teacher_is_named(teacher: Path, name: str) -> None:
    with pytest.raises(WeightsError, match=r"is no trained network.*@320"):
        read_teachers(name.format(teacher=teacher), "densenet169")


@pytest.mark.parametrize("normals", [0.0, 1.0, 2.0])
def test_shifted_lessons_expect_as_many_abnormal_films_as_are_drawn(normals: float) -> None:
    labels = np.array([1] * 10 + [0] * 90)
    logits = np.random.default_rng(1).normal(-3, 2, 100).astype(np.float32)
    shift = prior_shift(logits, labels, normals)
    weights = np.where(labels == 1, 1.0, min(1.0, normals * 10 / 90) if normals else 1.0)
    expected = np.average(1 / (1 + np.exp(-logits - shift)), weights=weights)
    assert expected == pytest.approx(np.average(labels, weights=weights), abs=1e-4)


def test_the_lesson_turns_with_its_film() -> None:
    """A film bright where the lesson is suspicious stays so, however it is moved."""
    logits = np.full((2, GRID, GRID), -8, dtype=np.float32)
    logits[:, :8, :8] = 8
    films = films_with(Lessons(np.array([-1, 2], dtype=np.float32), logits))
    films = replace(films, pixels=np.stack([films.lessons.draw_map(i, SIZE) // 2 + 8 for i in (0, 1)]))  # type: ignore[union-attr]
    shares = []
    for place, sample in enumerate(DrawnFilms(films, [1] * 24, seed=3)):
        marked = sample["taught_map"] > 127
        film = sample["film"].float()
        inverted = film[marked].mean() < film[~marked].mean()
        assert sample["taught_logit"] == 2, place
        shares.append(float(inverted))
        assert marked.any()
    assert np.mean(shares) < 0.3  # inversion is one in ten


def test_without_teachers_nothing_is_added_to_a_sample() -> None:
    assert "taught_map" not in DrawnFilms(films_with(None), [0], seed=1)[0]


def test_saying_what_the_teachers_say_costs_least() -> None:
    said = torch.tensor([2.0, -3.0])
    maps = torch.zeros(2, 1, SIZE, SIZE)
    maps[:, :, :32] = 0.9
    agreeing = torch.tensor([[[2.2, 2.2], [-9.0, -9.0]]] * 2)
    best = sum(taught_losses(said, agreeing, said, maps))
    assert best < sum(taught_losses(said, -agreeing, said, maps))
    assert best < sum(taught_losses(-said, agreeing, said, maps))


def test_a_share_beyond_the_whole_is_refused() -> None:
    with pytest.raises(MuraError, match="--teacher-share is 1.5"):
        Recipe(teacher_share=1.5)
