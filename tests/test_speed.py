"""The speed benchmark compares like with like: the peers give our answers from the same files and weights."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import speed_films
from benchmarks.contestants import PEERS, build
from benchmarks.ours import Ours
from benchmarks.peak import flops
from benchmarks.peers import FilmByFilm, PeerA
from benchmarks.speed_tables import STAGES, summary, tables
from mura_core.checkpoint import load_arrays
from mura_core.graph import build_graph

WEIGHTS = Path(__file__).parents[1] / "weights"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(speed_films, "SHAPE", (475, 355))
    return [speed_films.draw_files(tmp_path, kind, 1)[0] for kind in speed_films.KINDS]


def test_the_tuned_peer_gives_our_probabilities(files: list[Path]) -> None:
    theirs = build("peer A", WEIGHTS).run(files)
    assert build("peer A, frozen", WEIGHTS).run(files) == pytest.approx(theirs, abs=1e-6)
    assert Ours(WEIGHTS, "f32").run(files) == pytest.approx(theirs, abs=1e-5)
    # Three kinds of file, three films: none is read in the place of another.
    assert len({round(probability, 6) for probability in theirs}) == 3


def test_freezing_changes_no_map_and_spares_the_backward_pass(files: list[Path]) -> None:
    maps = []
    for frozen in (False, True):
        peer = PeerA(WEIGHTS, frozen=frozen)
        FilmByFilm(peer).run(files[:1])
        maps.append(peer.cam.activations_and_grads.gradients[0].numpy())
        assert (peer.model.body.conv0.weight.grad is None) is frozen
    np.testing.assert_allclose(*maps, atol=1e-6)


@pytest.mark.parametrize("name", [*PEERS, "f32"])
def test_every_stage_is_timed_and_none_is_negative(name: str, files: list[Path]) -> None:
    stages = build(name, WEIGHTS).stages(files)
    assert set(stages) <= set(STAGES)
    assert {"decode", "enhancement", "forward and map", "overlay"} <= set(stages)
    assert min(stages.values()) > 0


def test_the_rewritten_network_has_the_operations_of_the_paper_less_the_pooled_ones() -> None:
    # 13.7 GFLOP at 320 px (3.4 GMAC at 224 px by torchvision's count); moving the pool saves 8 %.
    _, state = load_arrays(WEIGHTS)
    assert flops(build_graph(state, 320)) / 1e9 == pytest.approx(13.7 * 0.92, rel=0.02)


def test_the_tables_hold_every_contestant() -> None:
    spread = {"median": 7.0, "low": 6.0, "high": 8.0}
    results = {
        "machine": {"processor": "a CPU"},
        "versions": {"torch": "1"},
        "megapixels": 2.7,
        "runs": 3,
        "rows": [
            {
                "kind": "png",
                "views": 4,
                "ms": {"peer A": 700.0, "peer A, frozen": 300.0, "peer B": 900.0, "f32": 100.0},
                "ratios": {peer: {"f32": spread} for peer in PEERS},
            }
        ],
        "stages": {"png": {"f32": {"decode": 1.0}}},
        "processes": {"f32": {"first_result_ms": 2000.0, "peak_mb": 500.0}},
        "app": {"views": 4, "first_page_s": 3.0, "first_answer_s": 4.0, "rss_mb": 500.0, "rested_mb": 400.0},
        "peak": {"share": 0.9, "share_range": [0.8, 1.0], "network_gflops": 180.0, "peak_gflops": 200.0},
    }
    assert "| png | 4 | 100 ms, 7.0 (7.0) |" in summary(results)
    text = "\n".join(tables(results))
    assert "| png | 4 | 700 | 300 | 900 | 100 | 7.0 (6.0 to 8.0) | 7.0" in text
    assert "| f32 | 2.0 | 0.50 |" in text
