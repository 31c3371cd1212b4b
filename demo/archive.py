"""The open study's results as DICOM: whether there can be any, and the files on request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import gradio as gr

from demo import page
from demo.handlers import log_without_content
from mura_core.errors import MuraError
from mura_core.pacs.results import as_zip, build_results, read_sources

if TYPE_CHECKING:
    from demo.handlers import OpenStudy
    from demo.wording import Wording

ZIP_NAME = "dicom-results.zip"
"""The same for every study: a name that said more would lie about in the reader's downloads."""

_TELL = """watch("value", () => {
  document.dispatchEvent(new CustomEvent("mura-results", { detail: props.value }));
});"""


def build_archive(words: Wording) -> gr.HTML:
    """Make the button and the line under it; hidden until `connect_archive` shows it a study."""
    return page.part("archive", words.words("pacs"))


def connect_archive(panel: gr.HTML, opened: gr.State, words: Wording) -> None:
    """Let the button follow the study on screen, and answer it.

    Args:
        panel: From `build_archive`.
        opened: State, an OpenStudy or None.
        words: The page's language.
    """

    def follow(kept: OpenStudy | None) -> dict[str, str]:
        return readiness(kept, words)

    def pack(kept: OpenStudy | None) -> dict[str, str]:
        return packed(kept, words)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    answer = gr.HTML(html_template="", js_on_load=_TELL, apply_default_css=False)
    opened.change(follow, opened, panel, **quiet)
    panel.results(pack, opened, answer, concurrency_id="archive", concurrency_limit=1, **quiet)
    # Gradio keeps the last value of every component for as long as the page is open.
    panel.taken(lambda: None, None, answer, **quiet)


def readiness(kept: OpenStudy | None, words: Wording) -> dict[str, str]:
    """Say whether results can be made: `state` none, ready or refused, with the `reason`."""
    if kept is None:
        return {"state": "none", "reason": ""}
    if not kept.whole:
        return {"state": "refused", "reason": words["pacs.not_whole"]}
    for (name, _), kind in zip(kept.files, kept.formats, strict=True):
        if kind != "dicom":
            return {"state": "refused", "reason": words.text("pacs.not_dicom", name=name)}
    try:
        read_sources(kept.files)
    except MuraError as error:
        return {"state": "refused", "reason": words.text("pacs.refused", reason=error)}
    return {"state": "ready", "reason": ""}


def packed(kept: OpenStudy | None, words: Wording) -> dict[str, str]:
    """Build the results in memory: the file's `name` and its `data` in base64, or an `error` in words."""
    if kept is None:
        return {"error": words["pacs.gone"]}
    # The button is the browser's; whether there may be results is decided here.
    refused = readiness(kept, words)["reason"]
    if refused:
        return {"error": refused}
    try:
        content = as_zip(build_results(read_sources(kept.files), kept.read_study(), kept.result))
    except MuraError as error:
        return {"error": words.text("pacs.refused", reason=error)}
    except Exception as error:  # noqa: BLE001 - no traceback for the client, no names for the log
        log_without_content(error)
        return {"error": words["page.internal"]}
    return {"name": ZIP_NAME, "data": base64.b64encode(content).decode("ascii")}
