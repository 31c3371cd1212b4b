"""known.safetensors: what is written reads back, and a file that is not theirs switches it off."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mura_core import known as known_module
from mura_core.images import read_radiograph
from mura_core.known import KNOWN_NAME, Known, read_known, served_digest, write_known
from mura_core.orientation import Orientation
from mura_core.predictor import Predictor
from mura_core.quantisation import weights_digest
from mura_core.reading import Reading, as_json, table
from mura_core.remarks import NOT_COMPARED
from mura_core.stand_ins import draw
from mura_core.study import Study, View
from tests.known_features import CHANNELS, films, learn

RELEASED = Path(__file__).parents[1] / "weights"


@pytest.fixture(scope="module")
def known() -> Known:
    return learn()


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
