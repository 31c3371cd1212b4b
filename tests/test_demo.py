"""From files to what the page shows: payloads, wording, examples."""

from __future__ import annotations

import base64
import logging
import re
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo import about, render
from demo.examples.draw import EXAMPLES, draw_example
from demo.handlers import Tray
from demo.wording import LANGUAGES, Wording
from mura_core.errors import WeightsError
from mura_core.images import read_radiograph
from mura_core.pacs.results import read_sources
from mura_core.study import Call, OperatingPoints, Radiograph, Window, probability_text
from tests.fake_predictor import POINTS, FakePredictor, last, png, steps

if TYPE_CHECKING:
    from demo.wording import Language

ROOT = Path(__file__).parents[1]


WORDS = Wording("en")


def radiograph(bit_depth: int, height: int = 40, width: int = 30) -> Radiograph:
    values = np.random.default_rng(bit_depth).integers(0, 1 << bit_depth, (height, width)).astype(np.uint16)
    pixels = (values / ((1 << bit_depth) - 1)).astype(np.float32)
    return Radiograph(pixels, values, Window(100.5, 200), bit_depth, "png")


def unpack(data: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(data)), np.uint8)


@pytest.mark.parametrize("bit_depth", [8, 12, 16])
def test_the_browser_gets_every_value_at_the_films_own_bit_depth(bit_depth: int) -> None:
    film = radiograph(bit_depth)
    sent = render.encode_film(film)
    planes = unpack(sent["data"]).reshape(sent["planes"], sent["height"], sent["width"]).astype(np.uint32)
    steps = planes[0] + (planes[1] << 8 if sent["planes"] == 2 else 0)
    received = np.cumsum(steps, axis=1) % (1 << (8 * sent["planes"]))
    assert np.array_equal(received, film.values)
    assert (sent["bit_depth"], sent["centre"], sent["window_width"]) == (bit_depth, 100.5, 200)


def test_a_large_film_is_sent_smaller_and_says_so_and_is_not_changed() -> None:
    film = radiograph(12, 3200, 800)
    before = film.values.copy()
    sent = render.encode_film(film)
    assert (sent["height"], sent["width"]) == (1600, 400)
    assert (sent["full_height"], sent["full_width"]) == (3200, 800)
    assert np.array_equal(film.values, before)


def test_a_small_film_is_never_enlarged() -> None:
    assert render.shrink(np.zeros((3, 5), np.float32), 512).shape == (3, 5)


@pytest.mark.parametrize("value", [0.0, 0.2, 1.0])
def test_a_heatmaps_scale_is_the_same_for_every_film(value: float) -> None:
    sent = render.encode_heatmap(np.full((700, 1024), value, np.float32))
    assert max(sent["height"], sent["width"]) == 512
    assert set(unpack(sent["data"]).tolist()) == {round(255 * value)}


def test_a_probability_as_written_never_contradicts_its_call() -> None:
    points = OperatingPoints(0.3349, 0.6651)
    for value in np.linspace(0, 1, 5001):
        shown = probability_text(value, points)
        assert points.call(float(shown.lstrip("<>"))) == points.call(value)
        assert shown not in ("0.00", "1.00")


def test_a_text_file_is_refused_in_plain_words_and_the_others_are_read() -> None:
    tray = Tray(files=(("a.png", png(1)), ("text.png", b"only text"), ("b.png", png(2))))
    shown = last(FakePredictor(0.9), tray, WORDS)
    assert [view["name"] for view in shown["views"]] == ["a.png", "b.png"]
    assert [refusal["name"] for refusal in shown["refused"]] == ["text.png"]
    assert "text" in shown["refused"][0]["reason"]
    assert shown["rests"] == "The call rests on 2 of 3 files."
    assert shown["verdict"]["call"] == "abnormal"


def test_nothing_readable_gives_no_call() -> None:
    predictor = FakePredictor()
    shown = last(predictor, Tray(files=(("text.png", b"only text"),)), WORDS)
    assert shown["verdict"] is None
    assert shown["rests"] == WORDS["page.nothing_read"]
    assert predictor.studies == []


def test_no_file_gives_no_call_but_a_sentence() -> None:
    shown = last(FakePredictor(), Tray(), WORDS)
    assert (shown["verdict"], shown["error"]) == (None, WORDS["page.no_files"])


def test_the_films_come_first_then_the_call_then_the_maps() -> None:
    shown = steps(FakePredictor(), Tray(files=(("a.png", png(1)), ("b.png", png(2)))), WORDS)
    films, *_, (called, kept), (mapped, kept_last) = shown
    assert films[1] is None
    assert films[0]["busy"]
    for (payload, _), result, heatmap in (
        (films, False, False),
        (shown[-2], True, False),
        (shown[-1], True, True),
    ):
        assert all(view["film"]["data"] for view in payload["views"])
        assert all(bool(view["result"]) == result for view in payload["views"])
        assert all(bool(view["result"] and view["result"]["heatmap"]) == heatmap for view in payload["views"])
    assert called["verdict"] == mapped["verdict"] is not None
    assert kept is kept_last is not None


def test_the_numbers_shown_are_the_predictors() -> None:
    predictor = FakePredictor(0.9, 0.1, 0.5)
    tray = Tray(files=tuple((f"{index}.png", png(index)) for index in range(3)))
    shown = last(predictor, tray, WORDS)
    assert [view["result"]["probability"] for view in shown["views"]] == [0.9, 0.1, 0.5]
    assert [view["result"]["call"] for view in shown["views"]] == ["abnormal", "normal", "doubt"]
    assert shown["verdict"]["probability"] == pytest.approx(0.5)
    assert shown["verdict"]["call"] == "doubt"
    assert "2 of 3 views flagged (1 abnormal, 1 in doubt)" in shown["verdict"]["flagged"]
    assert (shown["verdict"]["sensitive"], shown["verdict"]["specific"]) == (
        POINTS.sensitive,
        POINTS.specific,
    )
    roi = shown["views"][0]["result"]["roi"]
    assert roi == pytest.approx({"top": 0.05, "left": 0.1, "height": 0.9, "width": 0.8})


def test_the_study_on_screen_is_kept_with_the_files_that_were_read() -> None:
    good = (("a.png", png(1)), ("b.png", png(2)))
    tray = Tray(files=(good[0], ("text.png", b"only text"), good[1]))
    payload, opened = steps(FakePredictor(), tray, WORDS)[-1]
    assert opened is not None
    assert opened.files == good
    assert [view.name for view in opened.read_study().views] == ["a.png", "b.png"]
    assert opened.result.study_probability == payload["verdict"]["probability"]


def test_without_a_result_no_study_is_kept() -> None:
    for predictor, tray in (
        (FakePredictor(), Tray()),
        (FakePredictor(), Tray(files=(("text.png", b"only text"),))),
        (FakePredictor(error=ValueError()), Tray(files=(("a.png", png()),))),
    ):
        assert [opened for _, opened in steps(predictor, tray, WORDS) if opened] == []


@pytest.mark.parametrize(
    ("language", "word", "rests"),
    [
        ("en", "doubt", "The call rests on 2 of 3 files."),
        ("ko", "판정 보류", "이 판정은 파일 3개 중 2개만을 근거로 합니다."),
    ],
)
def test_a_call_is_shown_in_the_pages_language_and_read_by_programs_in_english(
    language: Language, word: str, rests: str
) -> None:
    tray = Tray(files=(("a.png", png(1)), ("text.png", b"only text"), ("b.png", png(2))))
    shown = steps(FakePredictor(0.86, 0.2), tray, Wording(language))[-1][0]
    assert (shown["verdict"]["call"], shown["verdict"]["word"]) == ("doubt", word)
    assert shown["rests"] == rests
    assert [view["result"]["call"] for view in shown["views"]] == ["abnormal", "normal"]


def test_an_error_made_for_the_reader_is_shown() -> None:
    shown = last(FakePredictor(error=WeightsError("plain words")), Tray(files=(("a.png", png()),)), WORDS)
    assert (shown["error"], shown["verdict"], shown["busy"]) == ("plain words", None, False)


def test_an_unexpected_error_reaches_neither_the_page_nor_the_log_by_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        shown = last(FakePredictor(error=ValueError("DOE^JANE")), Tray(files=(("a.png", png()),)), WORDS)
    assert (shown["error"], shown["verdict"]) == (WORDS["page.internal"], None)
    assert "ValueError" in caplog.text
    assert "fake_predictor.py" in caplog.text
    assert "DOE" not in caplog.text


@pytest.mark.parametrize("file", ["viewer", "tray"])
def test_every_word_that_a_template_or_its_scripts_name_is_in_the_table(file: str) -> None:
    paths = (path for path in (ROOT / "demo").glob(f"{file}*.*") if path.suffix != ".py")
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    used = set(re.findall(r"\bwords\.(\w+)", source))
    assert used
    assert used <= set(WORDS.words(file))


def test_what_comes_from_the_sidecar_is_escaped() -> None:
    assert "&lt;b&gt;not bold&lt;/b&gt;" in about.model_panel(FakePredictor().sidecar, WORDS)


def test_the_notice_says_what_it_must() -> None:
    for sentence in (
        "Not a medical device",
        "Not a replacement for clinician review",
        "identifiable patient data",
    ):
        assert sentence in about.heading(WORDS, {"en": ".", "ko": "ko"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_study_is_drawn_the_same_each_time_and_can_be_read(name: str) -> None:
    views = draw_example(name)
    assert views == draw_example(name)
    assert all(view_name.startswith("phantom") for view_name, _ in views)
    depths = {read_radiograph(content).bit_depth for _, content in views}
    depth = depths.pop()
    titles = [Wording(language)[f"page.example_{name}"] for language in LANGUAGES]
    assert f"{len(views)} view" in titles[0]
    assert f"{depth}-bit" in titles[0]
    assert f"영상 {len(views)}장" in titles[1]
    assert f"{depth}비트" in titles[1]


def test_the_dicom_example_is_one_study_that_results_can_be_stored_under() -> None:
    headers = read_sources(list(draw_example("forearm")))
    assert len({header.StudyInstanceUID for header in headers}) == 1
    assert len({header.SOPInstanceUID for header in headers}) == len(headers) == 2


@pytest.mark.skipif(not (ROOT / "weights" / "weights.json").exists(), reason="weights/ is empty")
def test_the_released_model_reads_an_example() -> None:
    from mura_core.predictor import Predictor

    predictor = Predictor.load(ROOT / "weights", device="cpu")
    shown = steps(predictor, Tray(files=draw_example("hand")), WORDS)[-1][0]
    mean = np.mean([view["result"]["probability"] for view in shown["views"]])
    assert shown["verdict"]["probability"] == pytest.approx(mean)
    assert shown["verdict"]["call"] in set(Call)


def test_the_panel_says_how_good_the_model_was_where_that_was_measured() -> None:
    sidecar = FakePredictor().sidecar
    assert WORDS["page.about_measured"] not in about.model_panel(sidecar, WORDS)
    point = {
        "sensitivity": 0.9,
        "sensitivity_ci95": [0.8, 0.95],
        "specificity": 0.5,
        "specificity_ci95": None,
    }
    group = {
        "studies": 438,
        "abnormal": 84,
        "probability": {"auroc": 0.84, "auroc_ci95": [0.79, 0.88]},
        "at": {"sensitive": point, "specific": point},
    }
    shares = {"heatmap": {"hit_margin": 0.7, "hit_margin_ci95": [0.6, 0.8]}}
    shares["centre"] = {"hit_margin": 0.6, "hit_margin_ci95": [0.5, 0.7]}
    figures = {"groups": {"all": group}, "localisation": {"true positives": {"methods": shares}}}
    panel = about.model_panel(SimpleNamespace(**{**vars(sidecar), "metrics": figures}), WORDS)
    assert "0.70 (0.60 to 0.80); the middle of the limb: 0.60 (0.50 to 0.70)" in panel
    assert "0.84 (0.79 to 0.88); 438 test studies, 84 of them abnormal" in panel
    assert "sensitivity 0.90 (0.80 to 0.95), specificity not known" in panel
