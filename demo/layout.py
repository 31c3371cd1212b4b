"""Where everything lies on the page of a single study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from demo import about, page, review
from demo.archive import build_archive
from demo.examples.draw import EXAMPLES
from demo.handlers import IDLE_S, Tray
from demo.pacs import build_pacs
from demo.viewer import build_viewer
from demo.wording import LANGUAGES

if TYPE_CHECKING:
    from demo.wording import Wording
    from mura_core.predictor import Predictor


@dataclass(frozen=True)
class Parts:
    """What of one page takes part in events.

    Attributes:
        tray: State, a Tray: the files waiting.
        opened: State, an OpenStudy or None: the study on screen.
        waiting: The list of files waiting.
        viewer: The viewer.
        upload: The upload field.
        analyse: The button.
        clear: The button.
        archive: The results as DICOM.
        pacs: The card of the archive, None where there is none.
        examples: Name of an example study to its button.
    """

    tray: gr.State
    opened: gr.State
    waiting: gr.HTML
    viewer: gr.HTML
    upload: gr.File
    analyse: gr.Button
    clear: gr.Button
    archive: gr.HTML
    pacs: gr.HTML | None
    examples: dict[str, gr.Button]


def lay_out(predictor: Predictor, words: Wording, *, archived: bool, reviews: bool) -> Parts:
    """Lay out the page whose context is open.

    Args:
        predictor: Says what its weights are, and what they were measured to be.
        words: The page's language.
        archived: Whether there is an archive to fetch studies from.
        reviews: Whether there are review sessions to lead to.
    """
    tray = gr.State(Tray(), time_to_live=IDLE_S)
    opened = gr.State(None, time_to_live=IDLE_S)
    with gr.Row(elem_id="page"):
        with gr.Column(elem_id="side", min_width=260):
            _html(about.heading(words, {language: _address(language) for language in LANGUAGES}))
            with gr.Column(elem_id="intake", min_width=0):
                pacs = build_pacs(words) if archived else None
                label = words["page.upload_label"]
                upload = gr.File(label=label, file_count="multiple", elem_id="upload", height=112)
                waiting = page.part("tray", words.words("tray"))
                with gr.Row(elem_id="actions"):
                    analyse = gr.Button(
                        words["page.analyse"], variant="primary", elem_id="analyse", interactive=False
                    )
                    clear = gr.Button(words["page.clear"], elem_id="clear", min_width=80)
                archive = build_archive(words)
                _html(about.upload_notes(words))
            with gr.Column(elem_id="more", min_width=0):
                if reviews:
                    _html(review.way_in(words))
                _html(about.examples_heading(words))
                examples = {
                    name: gr.Button(words[f"page.example_{name}"], elem_classes="example", size="sm")
                    for name in EXAMPLES
                }
                _html(about.model_panel(predictor.sidecar, words))
        with gr.Column(elem_id="view", min_width=320):
            viewer = build_viewer(words, predictor.sidecar, predictor.measured, asks=True)
    return Parts(tray, opened, waiting, viewer, upload, analyse, clear, archive, pacs, examples)


def _address(language: str) -> str:
    """Address of the page in a language, relative to the app's root."""
    return "." if language == LANGUAGES[0] else language


def _html(content: str) -> gr.HTML:
    return gr.HTML(content, apply_default_css=False)
