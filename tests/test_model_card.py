"""The card beside the weights: every figure of these weights, and of no others."""

import json
from pathlib import Path

import pytest

from mura_core.cells import LEAST
from mura_core.curves import draw_curves, read_curves
from mura_core.model_card import summary_table, write_model_card
from mura_core.quantisation import weights_digest
from tests.released import release_candidate, sidecar_of


@pytest.fixture(scope="module")
def released(untrained_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_candidate(untrained_weights, tmp_path_factory.mktemp("release"))


def test_the_card_states_the_figures_and_the_limits(released: Path) -> None:
    card = (released / "weights" / "MODEL_CARD.md").read_text(encoding="utf-8")
    sidecar = sidecar_of(released / "weights")
    assert card == write_model_card(sidecar, released / "weights")
    everything = sidecar.metrics["groups"]["all"]
    assert f"| all | {everything['studies']} | {everything['abnormal']} | too few |" in card
    assert f"(AUROC there {sidecar.metrics['valid_auroc']:.3f})" in card
    assert "Not a medical device" in card
    assert "{" not in card


def test_the_summary_has_a_row_for_every_group(released: Path) -> None:
    sidecar = sidecar_of(released / "weights")
    assert len(summary_table(sidecar).splitlines()) == 2 + len(sidecar.metrics["groups"])


def test_curves_are_read_by_epoch_and_drawn(tmp_path: Path) -> None:
    log = tmp_path / "metrics.csv"
    log.write_text("epoch,step,train_loss,valid_loss\n0,9,,0.7\n0,9,0.8,\n1,19,,0.5\n1,19,0.6,\n")
    assert read_curves(log) == {"train_loss": [(1, 0.8), (2, 0.6)], "valid_loss": [(1, 0.7), (2, 0.5)]}
    draw_curves(log, 1, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_card_shows_robustness_of_these_weights_alone(released: Path) -> None:
    folder = released / "weights"
    sidecar = sidecar_of(folder)
    row = {
        "change": "turned",
        "auroc": 0.7,
        "auroc_ci95": [0.6, 0.8],
        "difference": -0.1,
        "difference_ci95": [-0.2, 0.0],
        "mean_probability_change": 0.05,
    }
    content = {"data": "drawn films", "studies": 3, "engine": "torch cpu", "rows": [row]}
    path = folder / "robustness.json"
    for weights, shown in ((weights_digest(folder), True), ("0" * 64, False)):
        path.write_text(json.dumps({**content, "weights": weights}))
        line = "| **turned** | 0.700 | -0.100 [-0.200, +0.000] | 0.050 |"
        assert (line in write_model_card(sidecar, folder)) == shown
    path.unlink()


def test_the_card_shows_the_stability_of_these_weights_alone(released: Path) -> None:
    folder = released / "weights"
    sidecar = sidecar_of(folder)
    counts = ("studies", "abnormal", "doubt", "called", "missed", "false_alarms")
    group = {**dict.fromkeys(counts, 3), "error": None, "error_ci95": None}
    row = {"change": "turned_left_5", "mean_shift": -0.01, "mean_absolute_shift": 0.05, "calls_altered": 7}
    content = {
        "data": "drawn films",
        "studies": 3,
        "engine": "torch cpu",
        "changes": 11,
        "points_fitted_here": True,
        "groups": {name: dict(group) for name in ("all", "steady", "unsteady")},
        "error_difference": None,
        "signs_of_error": {},
        "mean_of_readings": {"auroc": None, "difference": None},
        "rows": [row],
    }
    path = folder / "stability.json"
    for weights, shown in ((weights_digest(folder), True), ("0" * 64, False)):
        path.write_text(json.dumps({**content, "weights": weights}))
        card = write_model_card(sidecar, folder)
        assert ("| turned left 5 | -0.010 | 0.050 | 7 |" in card) == shown
        assert ("benchmarks.stability DATA" in card) != shown
    path.unlink()


def test_the_card_says_how_often_each_call_is_made_and_wrong(released: Path) -> None:
    sidecar = sidecar_of(released / "weights")
    counts = sidecar.metrics["groups"]["all"]["calls"]
    normal, abnormal = (counts[label]["doubt"] for label in ("normal", "abnormal"))
    studies = sidecar.metrics["groups"]["all"]["studies"]
    card = write_model_card(sidecar, released / "weights")
    called = normal + abnormal
    share = (
        f"{called}/{studies} too few" if studies < LEAST else f"{called / studies:.2f} ({called}/{studies})"
    )
    assert f"{share}; abnormal " in card


def test_the_card_tells_what_was_seen_of_this_version_alone(released: Path) -> None:
    folder = released / "weights"
    sidecar = sidecar_of(folder)
    path = folder / "failures.md"
    for version, shown in ((sidecar.version, True), ("0.0.9", False)):
        path.write_text(f"<!-- {version} -->\nSmall bones.\n")
        assert ("Small bones." in write_model_card(sidecar, folder)) == shown
    path.unlink()
