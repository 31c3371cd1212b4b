"""The page of the review sessions: layout and events."""

from __future__ import annotations

from collections.abc import Iterator  # not only for the types: Gradio reads them of an event's function
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import page, review_create, review_results
from demo.gate import is_at_server
from demo.handlers import UploadedFile
from demo.login import on_space, reader_name, sign_in_button
from demo.review_handlers import Steps
from demo.review_seat import Seat, Visitor
from demo.viewer import build_viewer
from demo.wording import LANGUAGES, Wording
from mura_core.review.types import Mode

if TYPE_CHECKING:
    from demo.review_desk import Desk

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "trigger_mode": "multiple"}
_SENT = ("to", "session", "reader", "place", "condition", "verdict", "confidence", "findings", "marks")
_MODES = (Mode.SEQUENTIAL, Mode.UNAIDED, Mode.AIDED)


@dataclass(frozen=True)
class Screen:
    """What the steps of a session change: state (a Seat or None), viewer, reader's panel, results."""

    seat: gr.State
    viewer: gr.HTML
    panel: gr.HTML
    results: gr.HTML

    @property
    def parts(self) -> list[Any]:
        """All four, as an event's outputs."""
        return [self.seat, self.viewer, self.panel, self.results]


@dataclass(frozen=True)
class NewSession:
    """The form for a new session: its fold, its two upload fields, its other fields in order, its button."""

    folded: gr.Accordion
    uploads: list[gr.File]
    fields: list[Any]
    button: gr.Button


def address(language: str) -> str:
    """Address of the page in a language, relative to the app's root."""
    return "review" if language == LANGUAGES[0] else f"review-{language}"


def add_pages(ui: gr.Blocks, desk: Desk) -> None:
    """Add the page in every language to the app.

    Args:
        ui: The app; not inside its context.
        desk: The server's sessions.
    """
    for language in LANGUAGES:
        words = Wording(language)
        with ui.route(words["review.title"], f"/{address(language)}", show_in_navbar=False):
            screen = _lay_out(words, desk)
            steps = Steps(desk, words)
            _connect_reading(steps, screen)
            _connect_results(steps, screen)
            page.speak(ui, words, words["review.title"])


def way_in(words: Wording) -> str:
    """The link to this page from the page of a single study."""
    way, name, lead = (
        escape(each) for each in (address(words.language), words["review.title"], words["review.lead"])
    )
    return f"<h2><a class='way-in' href='{way}'>{name}</a></h2><p class='note'>{lead}</p>"


def visitor(request: gr.Request) -> Visitor:
    """Who sends an event. Behind a proxy nobody counts as sitting at the server."""
    local = is_at_server(request.client.host if request.client else "", request.headers)
    return Visitor(login=reader_name(request) or "", local=local, asked=on_space())


def _lay_out(words: Wording, desk: Desk) -> Screen:
    seat = gr.State(None)
    with gr.Row(elem_id="review"):
        with gr.Column(elem_id="review-side", min_width=260):
            gr.HTML(_heading(words), apply_default_css=False, elem_id="review-heading")
            sign_in_button(words)
            panel = page.part(
                "review_panel",
                words.words("review"),
                elem_id="review-panel",
                scripts=("elements.js", "review_call.js", "review_panel.js"),
            )
            form = _new_session(words)
        with gr.Column(elem_id="review-view", min_width=320):
            shown = build_viewer(words)
        with gr.Column(elem_id="review-results", min_width=320):
            results = page.part(
                "results_panel",
                words.words("results"),
                elem_id="results-panel",
                scripts=("elements.js", "results_draw.js", "results_panel.js"),
            )
    _connect_form(Steps(desk, words), form, panel)
    return Screen(seat, shown, panel, results)


def _new_session(words: Wording) -> NewSession:
    with gr.Accordion(words["review.new"], open=False, elem_id="new-session") as folded:
        films = gr.File(label=words["review.new_films"], file_count="multiple", elem_id="films", height=96)
        truth = gr.File(label=words["review.new_truth"], elem_id="truth", height=96)
        with gr.Row():
            hint = words["review.new_name_hint"]
            name = gr.Textbox(label=words["review.new_name"], info=hint, max_length=60)
            owner = gr.Textbox(
                label=words["review.new_owner"],
                info=words["review.new_owner_hint"],
                max_length=60,
                elem_id="owner",
            )
        modes = [(words[f"review.new_mode_{mode}"], str(mode)) for mode in _MODES]
        mode = gr.Radio(modes, value=modes[0][1], label=words["review.mode"], elem_id="mode")
        with gr.Row():
            repeats = gr.Number(0, label=words["review.new_repeats"], precision=0, minimum=0)
            seed = gr.Number(0, label=words["review.new_seed"], precision=0, minimum=0)
        button = gr.Button(words["review.create"], variant="primary", elem_id="create")
    return NewSession(folded, [films, truth], [name, owner, mode, repeats, seed], button)


def _connect_form(steps: Steps, form: NewSession, panel: gr.HTML) -> None:
    def create(
        films: Any, truth: Any, name: Any, owner: Any, mode: Any, repeats: Any, seed: Any, request: gr.Request
    ) -> tuple[Any, ...]:
        dropped, known = tuple(_uploads(films)), next(iter(_uploads(truth)), None)
        wanted = review_create.Form(name, owner, mode, repeats, seed, dropped, known)
        payload, used = review_create.create(steps, visitor(request), wanted)
        if not used:
            return payload, gr.skip(), gr.skip(), gr.skip()
        return payload, None, None, gr.Accordion(open=bool(payload["refused"]))

    form.button.click(
        create,
        [*form.uploads, *form.fields],
        [panel, *form.uploads, form.folded],
        preprocess=False,
        **_QUIET,
    )


def _connect_reading(steps: Steps, screen: Screen) -> None:
    """Let the server answer each step at once, and the model afterwards, in its turn."""
    kept = [screen.seat]

    def go(seat: Seat | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return review_results.step(steps, "go", visitor(request), seat, _sent(event))

    def commit(seat: Seat | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return review_results.step(steps, "commit", visitor(request), seat, _sent(event))

    def undo(seat: Seat | None, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return review_results.step(steps, "undo", visitor(request), seat, _sent(event))

    def think(seat: Seat | None, request: gr.Request) -> Any:
        changed = steps.think(visitor(request), seat)
        return gr.skip() if changed is None else changed[1:]

    def end(seat: Seat | None, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from review_results.end(steps, visitor(request), seat)

    # Each waits in a thread, so they are few; whoever comes later waits without one.
    model: dict[str, Any] = {"concurrency_id": "review", "concurrency_limit": 4, **_QUIET}
    answers = [
        listen(step, kept, screen.parts, **_QUIET)
        for listen, step in ((screen.panel.go, go), (screen.panel.commit, commit), (screen.panel.undo, undo))
    ]
    for answer in answers:
        answer.then(think, kept, [screen.viewer, screen.panel], **model)
    screen.panel.end(end, kept, screen.parts, **{**model, "concurrency_id": "end"})


def _connect_results(steps: Steps, screen: Screen) -> None:
    """Let the server answer what is asked of a closed session."""

    def back(request: gr.Request) -> tuple[Any, ...]:
        return None, None, steps.lobby(visitor(request)), None

    def download(event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        wanted = {name: getattr(event, name, None) for name in ("kind", "session", "thumbnails")}
        return review_results.download(steps, visitor(request), wanted)

    def forget(seat: Seat | None, request: gr.Request) -> dict[str, Any]:
        return review_results.forget(steps, visitor(request), seat)

    screen.results.back(back, None, screen.parts, **_QUIET)
    screen.results.download(download, None, screen.results, **_QUIET)
    screen.results.forget(forget, screen.seat, screen.results, **_QUIET)


def _sent(event: gr.EventData) -> dict[str, Any]:
    found = {name: getattr(event, name, None) for name in _SENT}
    return {name: value for name, value in found.items() if value is not None}


def _uploads(files: Any) -> list[UploadedFile]:
    """What an upload field holds, unprocessed: nothing, one file or several."""
    listed = files if isinstance(files, list) else [files] if files else []
    return [UploadedFile(file["orig_name"] or file["path"], Path(file["path"])) for file in listed]


def _heading(words: Wording) -> str:
    home = "." if words.language == LANGUAGES[0] else words.language
    ways: list[tuple[str, str]] = [(home, words["review.back"])]
    ways += [
        (address(language), Wording(language)["page.language"])
        for language in LANGUAGES
        if language != words.language
    ]
    links = "".join(f"<a href='{escape(way)}'>{escape(name)}</a>" for way, name in ways)
    lead, notice = escape(words["review.lead"]), escape(words["review.notice"])
    return (
        f"<header><nav>{links}</nav><h1>{escape(words['review.title'])}</h1>"
        f"<p class='lead'>{lead}</p><p class='notice'>{notice}</p></header>"
    )
