"""Ablations: one change each from one start, resumed, measured after the last epoch, test unread."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from benchmarks import ablation
from benchmarks.ablation_table import build, write_markdown
from mura_core import datasets
from mura_core.errors import MuraError, WeightsError
from mura_core.films import load_films
from mura_core.models import build_model
from mura_core.recipe import Recipe
from mura_core.records import StudyRecord
from mura_core.table1_folder import RECIPE_FILE, claim
from mura_core.two_phase import TwoPhase
from tests.atlas_tree import draw_atlas_tree
from tests.test_table1 import KilledError, tiny_networks
from tests.test_train import pytestmark

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytestmark"]

NAMES = list(ablation.variants(Recipe()))


class Made:
    """All variants, made by a run that was killed in the second one and by one that went on.

    Attributes:
        splits: Which were read.
        trained: By run, the recipe of each training step.
        early: The table after the first run.
    """

    early: dict[str, Any]

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home, self.report, self.patch = home, home / "report", patch
        self.init = home / "source.safetensors"
        self.command = [str(home / "atlas"), "--init", str(self.init), "--size", "56", "--epochs", "1"]
        for folder in ("out", "report", "cache"):
            self.command += [f"--{folder}", str(home / folder)]
        self.splits: list[str] = []
        self.trained: list[list[Recipe]] = []
        read = datasets.read_split

        def read_split(root: Path, dataset_format: str, split: str) -> list[StudyRecord]:
            self.splits.append(split)
            return read(root, dataset_format, split)

        self.patch.setattr(ablation, "read_split", read_split)

    def run(self, *more: str, killed_in: str = "") -> None:
        """Run the command; stop it at the first step of that variant."""
        step = TwoPhase.training_step
        trained: list[Recipe] = []
        self.trained.append(trained)
        fatal = ablation.variants(Recipe(init=str(self.init))).get(killed_in)

        def counted(task: TwoPhase, batch: dict[str, torch.Tensor], place: int) -> torch.Tensor:
            if fatal is not None and task.recipe.seed == fatal.seed:
                raise KilledError
            trained.append(task.recipe)
            return step(task, batch, place)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TwoPhase, "training_step", counted)
            ablation.main([*self.command, *more])

    def table(self) -> dict[str, Any]:
        return dict(json.loads((self.report / "ablation.json").read_text()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("ablation")
    (home / "atlas").mkdir()
    assignment = draw_atlas_tree(home / "atlas", films=60)
    with tiny_networks() as patch:
        patch.setattr(datasets, "shipped_split", lambda: assignment)
        patch.setattr(ablation, "train_two_phase", partial(ablation.train_two_phase, workers=0))
        made = Made(home, patch)
        torch.manual_seed(7)
        state = build_model("densenet169").state_dict()
        save_file({name: value.contiguous() for name, value in state.items()}, made.init)
        with pytest.raises(KilledError):
            made.run("--only", "second-seed,base", killed_in="second-seed")
        made.early = made.table()
        made.run()
        yield made


def test_a_killed_run_has_written_what_was_finished_and_goes_on_without_training_it_again(made: Made) -> None:
    assert [row["name"] for row in made.early["rows"]] == ["base"]
    assert made.early["missing"] == NAMES[1:]
    first, second = made.trained[:2]
    assert len({id(recipe) for recipe in first}) == 1
    assert first[0] == ablation.variants(first[0])["base"]
    assert first[0] not in second
    # Two steps an epoch, and two epochs.
    assert [len(first), len(second)] == [4, 4 * len(NAMES[1:])]


def test_every_variant_changes_one_choice_and_starts_from_the_same_weights(made: Made) -> None:
    rows = made.table()["rows"]
    assert [row["name"] for row in rows] == NAMES
    assert [row["changed"] for row in rows] == [
        {},
        {"seed": 2},
        {"roi": False},
        {"enhance": False},
        {"augmentation": "none"},
        {"box_weight": 0.0},
        {"class_weights": "body-part"},
        {"averaging": 0.98},
        {"size": 40},
        {"size": 72},
    ]
    assert {recipe.init for run in made.trained for recipe in run} == {str(made.init)}
    kept = [json.loads((made.home / "out" / name / RECIPE_FILE).read_text()) for name in NAMES]
    assert {recipe["init"] for recipe in kept} == {ablation.digest_init(str(made.init))}


def test_what_is_measured_is_the_last_epoch_on_valid_and_nothing_reads_test(made: Made) -> None:
    assert set(made.splits) == {"train", "valid"}
    table = made.table()
    assert table["groups"]["all"] == {"studies": 12, "patients": 12, "abnormal": 6}
    for row in table["rows"]:
        assert len(row["valid_auroc_by_epoch"]) == 2
        # The training's own validation of that epoch, of averaged weights where they are averaged.
        assert row["groups"]["all"]["auroc"] == pytest.approx(row["valid_auroc_by_epoch"][-1], abs=1e-6)


def test_the_best_epoch_has_no_part_in_what_is_measured(made: Made) -> None:
    folder, recipe = made.home / "out" / "base", ablation.variants(made.trained[0][0])["base"]
    valid = load_films(datasets.read_split(made.home / "atlas", "fracatlas", "valid"), recipe.preprocess)
    (folder / "best.ckpt").unlink()
    assert ablation.measure(recipe, folder, valid) == json.loads((folder / ablation.ANSWERS).read_text())


def test_what_is_finished_is_not_trained_again_and_its_table_says_the_same(
    made: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    before, text = made.table(), (made.report / "ABLATION.md").read_text()
    made.run("--only", "no-roi")
    assert made.trained.pop() == []
    assert made.table() == before
    assert (made.report / "ABLATION.md").read_text() == text
    assert text in capsys.readouterr().out
    assert f"python -m benchmarks.ablation DATA --init {made.init} --size 56 --epochs 1 --devices 1\n" in text
    assert "| weighted-classes | class-weights body-part | " in text


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["--size", "70"], "size 56 .now 70"),
        (["--devices", "2"], "devices 1 .now 2"),
        (["--only", "base,roi"], "'roi', which is no variant"),
        (["--init", "nowhere"], "neither imagenet"),
        (["--init", "none"], "init [0-9a-f]{64} .now none"),
    ],
)
def test_flags_that_do_not_fit_are_refused_and_nothing_is_changed(
    made: Made, changed: list[str], expected: str
) -> None:
    before = made.table()
    with pytest.raises((MuraError, WeightsError), match=expected):
        ablation.main([*made.command, *changed])
    assert made.table() == before


def table_of(answers: dict[str, list[float]]) -> dict[str, Any]:
    """The table of five films of a hand and five of a leg; of either, two are abnormal."""
    records = [
        StudyRecord(f"s{place}", f"p{place}", "hand" if place < 5 else "leg", int(place % 5 > 2), ())
        for place in range(10)
    ]
    recipes = {name: asdict(recipe) for name, recipe in ablation.variants(Recipe()).items()}
    given = {
        name: {"minutes": 1.0, "valid_auroc_by_epoch": [0.5], "probabilities": probabilities}
        for name, probabilities in answers.items()
    }
    about = {"command": "python", "data": "drawn", "init_digest": "none"}
    return build(recipes, given, records, about)


RIGHT = [0.1, 0.2, 0.3, 0.8, 0.9]
WRONG = [0.9, 0.2, 0.3, 0.8, 0.7]


def test_differences_are_paired_by_study_over_all_and_on_arm() -> None:
    table = table_of({"base": RIGHT + RIGHT, "no-roi": RIGHT + WRONG, "finer": WRONG + RIGHT})
    base, no_roi, finer = (row["groups"] for row in table["rows"])
    assert base["all"]["auroc"] == 1
    assert base["all"]["minus_base"] is None
    assert no_roi["arm"]["minus_base"] == 0
    assert finer["arm"]["auroc"] == pytest.approx(4 / 6)
    assert finer["arm"]["minus_base"] == pytest.approx(-2 / 6)
    low, high = finer["all"]["minus_base_ci95"]
    assert low < finer["all"]["minus_base"] < high <= 0
    assert table["groups"]["arm"] == {"studies": 5, "patients": 5, "abnormal": 2}


def test_the_text_says_what_chance_did_or_that_nobody_knows() -> None:
    known = write_markdown(table_of({"base": RIGHT + RIGHT, "second-seed": WRONG + RIGHT}))
    assert "The base with another seed differs by 0.146 over all and 0.333 on arm" in known
    assert "Not trained: no-roi, no-enhancement" in known
    for answers in ({"base": RIGHT + RIGHT}, {"second-seed": RIGHT + RIGHT}):
        assert "The base with another seed is not measured" in write_markdown(table_of(answers))


@pytest.mark.parametrize(
    ("then", "now"), [({}, "full"), ({"augment": True}, "full"), ({"augment": False}, "none")]
)
def test_a_folder_of_an_earlier_version_is_still_its_recipes(
    tmp_path: Path, then: dict[str, bool], now: str
) -> None:
    recipe = Recipe(size=64, augmentation=now)
    claim(tmp_path, "mura", "0", recipe, None, {})
    path = tmp_path / RECIPE_FILE
    kept = json.loads(path.read_text())
    del kept["augmentation"]
    path.write_text(json.dumps({**kept, **then}))
    claim(tmp_path, "mura", "0", recipe, None, {})
    with pytest.raises(MuraError, match=rf"augmentation {now} \(now mild\)"):
        claim(tmp_path, "mura", "0", replace(recipe, augmentation="mild"), None, {})
