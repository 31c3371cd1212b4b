"""The rules of a review session as the server holds them, whatever a browser sends. No browser, no Gradio."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from demo import review_create, review_results
from demo.handlers import UploadedFile
from demo.review_desk import Desk, RuleError
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor
from demo.wording import Wording
from mura_core.errors import ImageError, MuraError
from mura_core.review.session import films_of, is_name
from mura_core.review.store import SessionStore
from mura_core.review.types import Case, Condition, EventKind, Mode, Truth, Verdict
from tests.fake_predictor import FakePredictor, png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = Visitor(local=True)
AWAY = Visitor()
# 0.6431 is the probability of the first pixel 164: no other number of a payload is like it.
FIRST_PIXEL = 164
TELLS_OF_THE_MODEL = ("probability", "heatmap", "roi", "meaning", "flagged", "sensitive", "specific", "model")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    for number in range(3):
        (folder / f"abnormal_{number}").mkdir(parents=True)
        for view in range(2):
            content = png(10 * number + view, FIRST_PIXEL)
            (folder / f"abnormal_{number}" / f"secret{view}.png").write_bytes(content)
    return folder


def make(
    tmp_path: Path, films: Path, mode: Mode, *, repeats: int = 0, error: Exception | None = None
) -> Steps:
    """The steps of a server with one session, `Wrists`."""
    cases = [
        Case(
            f"secret-{n}",
            f"p{n}",
            "wrist",
            (f"abnormal_{n}/secret0.png", f"abnormal_{n}/secret1.png"),
            Truth(n % 2),
        )
        for n in range(3)
    ]
    SessionStore.create(
        tmp_path / "sessions" / "Wrists.sqlite", cases, source=str(films), mode=mode, seed=1, repeats=repeats
    ).disconnect()
    return Steps(Desk(tmp_path / "sessions", FakePredictor(error=error, told_by_film=True)), Wording("en"))


@pytest.fixture
def sequential(tmp_path: Path, films: Path) -> Steps:
    return make(tmp_path, films, Mode.SEQUENTIAL)


def call(
    panel: dict[str, Any], verdict: str = "abnormal", confidence: int = 80, **more: Any
) -> dict[str, Any]:
    """What the panel of a browser sends to commit."""
    sent = {"place": panel["place"], "condition": panel["needs"], "findings": [], "marks": []}
    return {**sent, "verdict": verdict, "confidence": confidence, **more}


def sit(
    steps: Steps, reader: str = "Ann", visitor: Visitor = AWAY
) -> tuple[Seat, dict[str, Any], dict[str, Any]]:
    seat, viewer, panel = steps.sit(visitor, "Wrists", reader)
    assert seat is not None, panel
    assert viewer is not None
    return seat, viewer, panel


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a payload with the keys that lead to it."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from leaves(value, f"{path}/{index}")
    else:
        yield path, content


def assert_blind(*payloads: dict[str, Any] | None) -> None:
    """Nothing of the model, and nothing that names the case, is anywhere in the payloads."""
    for path, value in leaves(list(payloads)):
        keys = path.split("/")
        told = any(key.startswith(word) for key in keys for word in TELLS_OF_THE_MODEL)
        assert not told or not value, path
        assert not isinstance(value, float) or abs(value - FIRST_PIXEL / 255) > 1e-3, path
        assert "0.64" not in str(value) or path.endswith("/data"), path
        assert "secret" not in str(value), path
        assert "abnormal_" not in str(value), path


def read_all(steps: Steps, reader: str, visitor: Visitor = AWAY) -> Seat:
    """Read the session to its end."""
    seat, _, panel = sit(steps, reader, visitor)
    while panel["stage"] == "reading":
        steps.think(visitor, seat)
        _, _, panel = steps.screen(visitor, seat)
        moved, _, panel = steps.commit(visitor, seat, call(panel))
        assert panel["refused"] == ""
        assert moved is not None
        seat = moved
    return seat


def test_nothing_of_the_model_is_sent_before_the_first_call(sequential: Steps) -> None:
    seat, viewer, panel = sit(sequential)
    assert_blind(viewer, panel, sequential.lobby(AWAY))
    assert sequential.think(AWAY, seat) is None
    assert sequential.desk.predictor.studies, "the model has read the study, on the server"
    _, viewer, panel = sequential.screen(AWAY, seat)
    assert_blind(viewer, panel)
    assert viewer is not None
    assert viewer["blind"]
    _, viewer, panel = sequential.commit(AWAY, seat, call(panel, verdict="maybe"))
    assert_blind(viewer, panel)


def test_the_first_call_reveals_the_model_and_may_be_revised(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    first = call(
        panel,
        "normal",
        20,
        findings=["other"],
        marks=[{"view": 1, "top": 0.1, "left": 0.2, "height": 0, "width": 0}],
    )
    seat2, viewer, panel = sequential.commit(AWAY, seat, first)
    assert viewer is not None
    assert viewer["verdict"]["probability"] == pytest.approx(FIRST_PIXEL / 255)
    assert viewer["views"][0]["result"]["heatmap"]["data"]
    assert panel["saved"] == "Saved: study 1, normal, 20"
    assert panel["first"] == {key: first[key] for key in ("verdict", "confidence", "findings", "marks")}
    assert panel["place"] == 0
    _, viewer, panel = sequential.commit(AWAY, seat2, call(panel, "abnormal", 70))
    assert panel["place"] == 1
    assert_blind(viewer, panel)
    kept = sequential.desk.store("Wrists").readings("Ann")
    assert [(one.condition, one.call.verdict) for one in kept] == [
        (Condition.UNAIDED, Verdict.NORMAL),
        (Condition.AIDED, Verdict.ABNORMAL),
    ]


def test_a_slow_model_is_waited_for_and_then_revealed(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    seat, viewer, panel = sequential.commit(AWAY, seat, call(panel))
    assert panel["saved"]
    assert not panel["ready"]
    assert viewer is not None
    assert viewer["busy"]
    assert_blind({key: viewer[key] for key in ("views", "verdict")})
    changed = sequential.think(AWAY, seat)
    assert changed is not None
    _, viewer, panel = changed
    assert viewer is not None
    assert viewer["verdict"]
    assert panel["ready"]


def test_an_unaided_session_never_shows_the_model(tmp_path: Path, films: Path) -> None:
    steps = make(tmp_path, films, Mode.UNAIDED)
    seat, viewer, panel = sit(steps)
    for _ in range(3):
        assert steps.think(AWAY, seat) is None
        assert_blind(viewer, panel)
        moved, viewer, panel = steps.commit(AWAY, seat, call(panel))
        assert moved is not None
        seat = moved
    assert panel["stage"] == "finished"
    assert all(steps.desk.store("Wrists").ai(f"secret-{n}") for n in range(3)), "for the results"


def test_an_aided_session_shows_the_model_with_the_film(tmp_path: Path, films: Path) -> None:
    steps = make(tmp_path, films, Mode.AIDED)
    seat, viewer, panel = sit(steps)
    assert viewer is not None
    assert viewer["verdict"] is None
    assert not panel["ready"]
    _, _, refused = steps.commit(AWAY, seat, call(panel))
    assert "not shown yet" in refused["refused"]
    changed = steps.think(AWAY, seat)
    assert changed is not None
    assert changed[1] is not None
    assert changed[1]["verdict"]
    _, _, panel = steps.commit(AWAY, seat, call(changed[2]))
    assert panel["place"] == 1


def test_what_the_model_cannot_read_is_called_without_it(tmp_path: Path, films: Path) -> None:
    steps = make(tmp_path, films, Mode.AIDED, error=ImageError("too small"))
    seat, _, _ = sit(steps)
    changed = steps.think(AWAY, seat)
    assert changed is not None
    assert changed[2]["needs"] == "unaided"
    assert changed[2]["hint"] == steps.words["review.model_none"]
    _, _, panel = steps.commit(AWAY, seat, call(changed[2]))
    assert panel["place"] == 1


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"place": 1}, "wrong_place"),
        ({"place": -1}, "wrong_place"),
        ({"place": "0"}, "wrong_place"),
        ({"condition": "aided"}, "wrong_place"),
        ({"verdict": "maybe"}, "wrong_call"),
        ({"verdict": ["normal"]}, "wrong_call"),
        ({"confidence": 101}, "wrong_call"),
        ({"confidence": True}, "wrong_call"),
        ({"confidence": None}, "wrong_call"),
        ({"findings": ["tumour"]}, "wrong_call"),
        ({"findings": 3}, "wrong_call"),
        ({"marks": [{"view": 0}]}, "wrong_call"),
        ({"marks": "abc"}, "wrong_call"),
    ],
)
def test_a_forged_call_is_refused_and_nothing_is_kept(
    sequential: Steps, wrong: dict[str, Any], key: str
) -> None:
    seat, _, panel = sit(sequential)
    _, viewer, panel = sequential.commit(AWAY, seat, {**call(panel), **wrong})
    assert panel["refused"] == sequential.words[f"review.{key}"]
    assert panel["saved"] == ""
    assert sequential.desk.store("Wrists").readings() == ()
    assert_blind(viewer)


@pytest.mark.parametrize(
    "mark", [{"view": 2, "top": 0.5}, {"view": 0, "top": 1.5}, {"view": 0, "top": float("nan")}]
)
def test_a_mark_outside_the_films_is_refused(sequential: Steps, mark: dict[str, Any]) -> None:
    seat, _, panel = sit(sequential)
    whole = {"left": 0.5, "height": 0.0, "width": 0.0, **mark}
    _, _, panel = sequential.commit(AWAY, seat, call(panel, marks=[whole]))
    assert panel["refused"]
    assert sequential.desk.store("Wrists").readings() == ()


@pytest.mark.parametrize(("verdict", "confidence"), [("normal", 51), ("abnormal", 49), ("unsure", 81)])
def test_a_confidence_against_the_verdict_is_refused(
    sequential: Steps, verdict: str, confidence: int
) -> None:
    seat, _, panel = sit(sequential)
    _, _, panel = sequential.commit(AWAY, seat, call(panel, verdict, confidence))
    assert f"{confidence}" in panel["refused"]
    assert sequential.desk.store("Wrists").readings() == ()


@pytest.mark.parametrize(
    "name", ["../Wrists", "Wrists.sqlite", "/etc/passwd", "", "Ankles", "..", None, 7, ["Wrists"]]
)
def test_a_session_is_a_name_in_the_folder_and_no_path(sequential: Steps, name: object) -> None:
    seat, viewer, panel = sequential.sit(AWAY, name, "Ann")
    assert (seat, viewer) == (None, None)
    assert panel["refused"] == sequential.words["review.no_session"]
    shown = review_results.show(sequential, AWAY, name)
    assert shown[3] is None
    assert "file" not in review_results.download(sequential, HERE, {"kind": "csv", "session": name})


@pytest.mark.parametrize("reader", ["", "   ", "a" * 61, None, 3, "a\x00b"])
def test_a_reader_has_a_name(sequential: Steps, reader: object) -> None:
    seat, _, panel = sequential.sit(AWAY, "Wrists", reader)
    assert seat is None
    assert panel["refused"] == sequential.words["review.no_name"]


def test_a_log_in_reads_under_its_own_name_alone(sequential: Steps) -> None:
    seat, _, panel = sequential.sit(Visitor("ann"), "Wrists", "bob")
    assert seat is None
    assert panel["refused"] == sequential.words["review.wrong_reader"]
    seat, _, _ = sequential.sit(Visitor("ann"), "Wrists", "")
    assert seat is not None
    assert seat.reader == "ann"


def test_who_must_sign_in_neither_reads_nor_creates_under_a_typed_name(sequential: Steps) -> None:
    stranger, known = Visitor(asked=True), Visitor("ann", asked=True)
    seat, _, panel = sequential.sit(stranger, "Wrists", "ann")
    assert seat is None
    assert panel["refused"] == sequential.words["review.sign_in_first"]
    with pytest.raises(RuleError, match="sign_in_first"):
        sequential.name_of(stranger, "ann")
    assert sequential.name_of(known, "") == "ann"


def test_without_a_seat_every_step_leads_back_to_the_list(sequential: Steps) -> None:
    told = sequential.words["review.lost"]
    assert sequential.commit(AWAY, None, {"place": 0})[2]["refused"] == told
    assert sequential.undo(AWAY, None, {"place": 0})[2]["refused"] == told
    assert next(iter(sequential.close(HERE, None)))[2]["refused"] == told
    assert sequential.think(AWAY, None) is None
    assert review_results.go(sequential, AWAY, None, {"to": "resume"})[2]["refused"] == told


def test_a_reader_sees_nothing_of_the_others_before_the_end(sequential: Steps) -> None:
    read_all(sequential, "Zebulon")
    seat, viewer, panel = sit(sequential, "Ann")
    assert "Zebulon" not in json.dumps([viewer, panel, sequential.lobby(AWAY)])
    assert panel["done"] == 0
    for kind in ("csv", "report"):
        refused = review_results.download(sequential, HERE, {"kind": kind, "session": "Wrists"})
        assert refused == {"refused": sequential.words["review.not_closed"]}
    shown = review_results.show(sequential, HERE, "Wrists")
    assert shown[3] is None
    assert shown[2]["refused"] == sequential.words["review.not_closed"]
    assert seat.reader == "Ann"


def test_undo_withdraws_a_commit_but_no_first_call_after_the_reveal(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    assert panel["undo_place"] is None
    seat2, _, panel = sequential.commit(AWAY, seat, call(panel))
    assert panel["undo_place"] is None
    _, _, refused = sequential.undo(AWAY, seat2, {"place": 0})
    assert refused["refused"] == sequential.words["review.no_undo"]
    seat3, _, panel = sequential.commit(AWAY, seat2, call(panel, confidence=60))
    assert (panel["place"], panel["undo_place"]) == (1, 0)
    _, _, refused = sequential.undo(AWAY, seat3, {"place": 1})
    assert refused["refused"] == sequential.words["review.no_undo"]
    _, viewer, panel = sequential.undo(AWAY, seat3, {"place": 0})
    assert (panel["place"], panel["needs"]) == (0, "aided")
    assert viewer is not None
    assert viewer["verdict"]
    kinds = [event.kind for event in sequential.desk.store("Wrists").events("Ann")]
    assert EventKind.UNDONE in kinds


def test_another_seat_goes_on_where_the_reader_stopped(tmp_path: Path, sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.think(AWAY, seat)
    sequential.commit(AWAY, seat, call(panel))
    anew = Steps(Desk(tmp_path / "sessions", FakePredictor(told_by_film=True)), Wording("en"))
    seat, viewer, panel = sit(anew)
    assert (panel["place"], panel["needs"], panel["ready"]) == (0, "aided", False)
    assert viewer is not None
    assert viewer["busy"]
    assert panel["first"]["verdict"] == "abnormal"


def test_a_pause_puts_the_film_away(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    paused, viewer, away, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    assert viewer is None
    assert away["stage"] == "paused"
    _, _, refused = sequential.commit(AWAY, paused, call(panel))
    assert refused["stage"] == "paused"
    assert refused["refused"] == sequential.words["review.wrong_place"]
    _, viewer, again, _ = review_results.go(sequential, AWAY, paused, {"to": "resume"})
    assert viewer is not None
    assert again["place"] == 0


def kinds_of(steps: Steps, reader: str) -> list[EventKind]:
    return [event.kind for event in steps.desk.store("Wrists").events(reader)]


def test_a_pause_stops_the_clock_until_the_reader_goes_on(sequential: Steps) -> None:
    seat, _, _ = sit(sequential)
    store = sequential.desk.store("Wrists")
    paused, _, _, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    assert store.paused("Ann", 0)
    _, _, panel, _ = review_results.go(sequential, AWAY, paused, {"to": "resume"})
    assert panel["stage"] == "reading"
    assert not store.paused("Ann", 0)
    assert kinds_of(sequential, "Ann") == [EventKind.OPENED, EventKind.PAUSED, EventKind.RESUMED]


def test_who_left_during_a_pause_goes_on_by_sitting_down(sequential: Steps) -> None:
    seat, _, _ = sit(sequential)
    paused, _, _, _ = review_results.go(sequential, AWAY, seat, {"to": "pause"})
    review_results.go(sequential, AWAY, paused, {"to": "leave"})
    assert sequential.desk.store("Wrists").paused("Ann", 0)
    _, _, panel = sit(sequential)
    assert panel["stage"] == "reading"
    assert kinds_of(sequential, "Ann") == [EventKind.OPENED, EventKind.PAUSED, EventKind.REOPENED]


def test_another_tab_and_the_model_respect_a_pause(sequential: Steps) -> None:
    here, _, panel = sit(sequential)
    there, _, _ = sit(sequential)
    first, _, panel = sequential.commit(AWAY, here, call(panel))
    review_results.go(sequential, AWAY, first, {"to": "pause"})
    # The model's answer was on its way when the reader paused: `first` is the seat from before.
    answered = sequential.think(AWAY, first)
    assert answered is not None
    assert answered[1] is None
    assert answered[2]["stage"] == "paused"
    seat, viewer, refused = sequential.commit(AWAY, there, call(panel))
    assert (viewer, refused["stage"]) == (None, "paused")
    assert refused["refused"] == sequential.words["review.wrong_place"]
    _, viewer, panel, _ = review_results.go(sequential, AWAY, seat, {"to": "resume"})
    assert viewer is not None
    assert panel["needs"] == "aided"


def test_only_the_creator_or_the_operator_closes(sequential: Steps) -> None:
    seat = read_all(sequential, "Ann")
    assert [panel["refused"] for _, _, panel in sequential.close(AWAY, seat)] == [
        sequential.words["review.may_not_close"]
    ]
    assert not sequential.desk.store("Wrists").closed
    *_, (_, _, panel) = sequential.close(HERE, seat)
    assert panel["told"] == sequential.words["review.is_closed"]
    assert sequential.desk.store("Wrists").closed


def test_closing_lets_the_model_read_the_rest_and_shows_the_results(sequential: Steps) -> None:
    seat, _, panel = sit(sequential, "Ann", HERE)
    steps = list(sequential.close(HERE, seat))
    assert len(steps) == 4
    assert all(sequential.desk.store("Wrists").ai(f"secret-{n}") for n in range(3))
    for _, viewer, _ in steps:
        if viewer is not None:
            assert_blind(viewer)
    _, _, refused = sequential.commit(HERE, seat, call(panel))
    assert refused["refused"]
    assert refused["stage"] == "lobby"
    seat_now, _, panel = sequential.sit(AWAY, "Wrists", "Ann")
    assert seat_now is None
    assert panel["refused"] == sequential.words["review.is_closed"]
    _, _, panel, results = review_results.show(sequential, AWAY, "Wrists")
    assert panel["stage"] == "results"
    assert results is not None
    json.dumps(results, allow_nan=False)
    csv = review_results.download(sequential, HERE, {"kind": "csv", "session": "Wrists"})
    assert csv["file"]["name"] == "Wrists.csv"
    for thumbnails in (True, False):
        wanted = {"kind": "report", "session": "Wrists", "thumbnails": thumbnails}
        report = review_results.download(sequential, HERE, wanted)["file"]["text"]
        assert ("data:image/" in report) == thumbnails


def test_repeats_look_like_any_study(tmp_path: Path, films: Path) -> None:
    steps = make(tmp_path, films, Mode.UNAIDED, repeats=2)
    seat, viewer, panel = sit(steps)
    shapes = set()
    while panel["stage"] == "reading":
        assert panel["total"] == 5
        assert viewer is not None
        names = {view.pop("name") for view in viewer["views"]}
        assert names == {f"Study {panel['place'] + 1}"}
        shapes.add(tuple(sorted(path for path, _ in leaves([viewer, panel]))))
        moved, viewer, panel = steps.commit(AWAY, seat, call(panel))
        assert moved is not None
        seat = moved
    # The first study has nothing to undo and no time left yet, so its payload may differ in values alone.
    assert len(shapes) == 1


def there(folder: Path) -> list[str]:
    """What lies in a folder, without what SQLite keeps beside an open file."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm")))


def form(tmp_path: Path, *contents: bytes, truth: bytes | None = None, **more: Any) -> review_create.Form:
    uploads = tmp_path / "uploads"
    uploads.mkdir(exist_ok=True)
    films = []
    for number, content in enumerate(contents):
        (uploads / f"{number}").write_bytes(content)
        films.append(UploadedFile(f"film{number}.png", uploads / f"{number}"))
    known = None
    if truth is not None:
        (uploads / "truth").write_bytes(truth)
        known = UploadedFile("truth.csv", uploads / "truth")
    usual = {"name": "Ankles", "owner": "Cy", "mode": "unaided", "repeats": 0, "seed": 3}
    return review_create.Form(**{**usual, **more}, films=tuple(films), truth=known)


def test_a_session_is_created_from_uploads_and_outlives_the_server(tmp_path: Path, sequential: Steps) -> None:
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, png(1), png(2)))
    assert panel["refused"] == ""
    assert used
    assert panel["chosen"] == "Ankles"
    assert list((tmp_path / "uploads").iterdir()) == []
    anew = Steps(Desk(tmp_path / "sessions", FakePredictor()), Wording("en"))
    seat, viewer, panel = anew.sit(AWAY, "Ankles", "Cy")
    assert seat is not None
    assert viewer is not None
    assert panel["total"] == 2
    assert panel["may_close"], "who created it"
    assert not anew.sit(AWAY, "Ankles", "Bo")[2]["may_close"]


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"name": "../x"}, "bad_name"),
        ({"name": ""}, "bad_name"),
        ({"name": "Wrists"}, "name_taken"),
        ({"repeats": -1}, "wrong_number"),
        ({"seed": 1.5}, "wrong_number"),
        ({"mode": "always"}, "wrong_mode"),
        ({"owner": ""}, "no_name"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, sequential: Steps, more: dict[str, Any], key: str
) -> None:
    before = there(tmp_path / "sessions")
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, png(1), **more))
    assert panel["refused"] == sequential.words.text(f"review.{key}", name="Wrists")
    assert there(tmp_path / "sessions") == before
    # The reader corrects the form and need not upload again.
    assert not used
    assert len(list((tmp_path / "uploads").iterdir())) == 1


def test_no_radiograph_makes_no_session(tmp_path: Path, sequential: Steps) -> None:
    panel, used = review_create.create(sequential, AWAY, form(tmp_path, b"only text"))
    assert panel["refused"]
    assert used
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not (tmp_path / "sessions" / "Ankles").exists()
    assert not (tmp_path / "sessions" / "Ankles.sqlite").exists()


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a.b", " a", "a ", "-a", "a\n", "..", "a" * 61, "\u202ea"])
def test_names_that_lead_elsewhere_are_none(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("name", ["a", "Wrists 2025-11", "손목 연구", "a" * 60])
def test_names_of_sessions(name: str) -> None:
    assert is_name(name)


def test_texts_of_both_languages_have_the_same_placeholders() -> None:
    english, korean = Wording("en"), Wording("ko")
    for file in ("review", "results"):
        for key, text in english.words(file).items():
            found = [set(re.findall(r"{\w+}", each)) for each in (text, korean[f"{file}.{key}"])]
            assert found[0] == found[1], key


def test_a_late_result_never_brings_back_a_study_that_was_called(
    sequential: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, _, panel = sit(sequential)
    waiting, _, panel = sequential.commit(AWAY, seat, call(panel))
    changed = sequential.think(AWAY, waiting)
    assert changed is not None
    assert "saved" not in changed[2], "what the screen says of the commit stands"

    def call_meanwhile(*_: object) -> None:
        assert sequential.commit(AWAY, waiting, call(changed[2]))[2]["place"] == 1

    # A second thought about the first study, still under way when the reader goes on.
    monkeypatch.setattr(sequential.desk, "result", call_meanwhile)
    assert sequential.think(AWAY, waiting) is None


def test_what_nobody_foresaw_leads_back_to_the_list(
    sequential: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, _, panel = sit(sequential)
    monkeypatch.setattr(sequential, "commit", lambda *_: 1 / 0)
    _, viewer, shown, _ = review_results.step(sequential, "commit", AWAY, seat, call(panel))
    assert viewer is None
    assert shown["refused"] == sequential.words["review.internal"]
    monkeypatch.undo()
    assert sit(sequential)[2]["place"] == 0


def test_a_page_that_an_answer_did_not_reach_can_ask_again(sequential: Steps) -> None:
    seat, _, panel = sit(sequential)
    sequential.commit(AWAY, seat, call(panel, "normal", 5))
    _, viewer, panel, _ = review_results.go(sequential, AWAY, seat, {"to": "here"})
    assert viewer is not None
    assert (panel["saved"], panel["needs"], panel["asked"]) == ("Saved: study 1, normal, 5", "aided", True)


def uploaded(tmp_path: Path, steps: Steps, *, close: bool = True) -> Path:
    """A session `Ankles` that Cy made of two uploads and read; gives the folder of its films."""
    assert not review_create.create(steps, AWAY, form(tmp_path, png(1), png(2)))[0]["refused"]
    seat, _, panel = steps.sit(AWAY, "Ankles", "Cy")
    assert seat is not None
    seat, _, _ = steps.commit(AWAY, seat, call(panel))
    assert seat is not None
    if close:
        list(steps.close(AWAY, seat))
        assert steps.desk.store("Ankles").closed
    return films_of(steps.desk.store("Ankles"))


def results_of(
    steps: Steps, session: str, reader: str, visitor: Visitor = AWAY
) -> tuple[Seat, dict[str, Any]]:
    """The results as a browser gets them from the list."""
    sent = {"to": "results", "session": session, "reader": reader}
    seat, viewer, _, results = review_results.go(steps, visitor, None, sent)
    assert seat is not None
    assert results is not None
    assert viewer is None
    assert steps.think(visitor, seat) is None, "nothing to read"
    return seat, results


def test_who_may_close_a_session_deletes_its_films_and_the_calls_stay(
    tmp_path: Path, sequential: Steps
) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", "Cy")
    assert (results["films"], results["may_forget"]) == (True, True)
    wanted = {"kind": "report", "session": "Ankles", "thumbnails": True}
    assert "data:image/" in review_results.download(sequential, HERE, wanted)["file"]["text"]
    said = review_results.forget(sequential, AWAY, seat)
    assert said == {"told": sequential.words["results.forgotten"], "films": False, "may_forget": False}
    assert not films.exists()
    assert len(sequential.desk.store("Ankles").readings("Cy")) == 1
    csv = review_results.download(sequential, HERE, {"kind": "csv", "session": "Ankles"})["file"]["text"]
    assert "Cy" in csv
    # Neither from the disk nor from the server's memory.
    assert "data:image/" not in review_results.download(sequential, HERE, wanted)["file"]["text"]
    for case in sequential.desk.store("Ankles").cases:
        assert sequential.desk.known_result("Ankles", case.case_id) is None
        with pytest.raises(MuraError):
            sequential.desk.study("Ankles", case.case_id)
    again = review_results.forget(sequential, AWAY, seat)
    assert again == {"refused": sequential.words["review.nothing_to_forget"]}
    assert not results_of(sequential, "Ankles", "Cy")[1]["may_forget"]


@pytest.mark.parametrize(
    ("visitor", "reader"),
    [
        (AWAY, "Bo"),
        (AWAY, ""),
        (Visitor("bo"), "Cy"),
    ],
)
def test_nobody_else_deletes_films_even_by_a_forged_request(
    tmp_path: Path, sequential: Steps, visitor: Visitor, reader: str
) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", reader, visitor)
    assert not results["may_forget"], "no button"
    said = review_results.forget(sequential, visitor, seat)
    assert said == {"refused": sequential.words["review.may_not_forget"]}
    assert len(list(films.iterdir())) == 2
    kept, _ = results_of(sequential, "Ankles", "Cy")
    for other in (Visitor("bo"), Visitor(asked=True)):
        assert "refused" in review_results.forget(sequential, other, kept), "in the tab that Cy left open"
    assert "refused" in review_results.forget(sequential, HERE, None), "without a seat there is no session"
    assert len(list(films.iterdir())) == 2


def test_whoever_sits_at_the_server_deletes_films(tmp_path: Path, sequential: Steps) -> None:
    films = uploaded(tmp_path, sequential)
    seat, results = results_of(sequential, "Ankles", "", HERE)
    assert results["may_forget"]
    assert "told" in review_results.forget(sequential, HERE, seat)
    assert not films.exists()


def test_the_films_of_an_open_session_are_not_deleted(tmp_path: Path, sequential: Steps) -> None:
    films = uploaded(tmp_path, sequential, close=False)
    said = review_results.forget(sequential, HERE, Seat("Ankles", "Cy"))
    assert said == {"refused": sequential.words["review.not_closed"]}
    assert len(list(films.iterdir())) == 2


def test_films_that_were_not_uploaded_are_not_deleted(sequential: Steps, films: Path) -> None:
    seat, _, _ = sit(sequential, "Ann", HERE)
    *_, (left, _, panel, results) = review_results.end(sequential, HERE, seat)
    assert panel["stage"] == "results"
    assert results is not None
    assert (results["films"], results["may_forget"]) == (True, False)
    said = review_results.forget(sequential, HERE, left)
    assert said == {"refused": sequential.words["review.nothing_to_forget"]}
    assert len(list(films.rglob("*.png"))) == 6


def test_the_notice_names_the_button_that_deletes() -> None:
    for words in (Wording("en"), Wording("ko")):
        assert words["results.forget"] in words["review.notice"]


def test_at_the_results_nothing_asks_the_model(tmp_path: Path, sequential: Steps) -> None:
    uploaded(tmp_path, sequential, close=False)
    predictor = FakePredictor()
    steps = Steps(Desk(tmp_path / "sessions", predictor), Wording("en"))
    store = steps.desk.store("Ankles")
    store.close()
    # Cy left a study unread, and so did the model.
    seat, _ = results_of(steps, "Ankles", "Cy", HERE)
    before = store.changes()
    [(left, _, panel)] = steps.close(HERE, seat)
    assert left is None
    assert panel["told"] == steps.words["review.is_closed"]
    assert store.changes() == before
    assert predictor.studies == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_list_counts_the_studies_as_a_reader_will(
    tmp_path: Path, films: Path, language: Literal["en", "ko"]
) -> None:
    steps = make(tmp_path, films, Mode.UNAIDED, repeats=2)
    steps = Steps(steps.desk, Wording(language))
    [listed] = steps.lobby(AWAY)["sessions"]
    _, _, panel = sit(steps)
    # As the page says it: no number but the one of "Study n of 5".
    assert re.findall(r"\d+", listed["facts"]) == [str(panel["total"])] == ["5"]
    steps.desk.store("Wrists").close()
    [listed] = steps.lobby(AWAY)["sessions"]
    assert re.findall(r"\d+", listed["facts"]) == ["3"], "as the results count them"
