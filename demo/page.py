"""What every page of the app has in common, in its own language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

if TYPE_CHECKING:
    from demo.wording import Wording

_SCRIPT = Path(__file__).with_name("page.js")


def speak(ui: gr.Blocks, words: Wording, title: str) -> None:
    """Make the page whose context is open speak its language where Gradio would speak the browser's.

    Args:
        ui: The app.
        words: The page's language.
        title: The page's title.
    """
    said = {"language": words.language, "title": title, "drop": words["page.upload_drop"]}
    # A function of its own around it: Gradio calls what it is given with the event's inputs.
    script = f"() => ({_SCRIPT.read_text(encoding='utf-8')})({json.dumps(said)})"
    ui.load(None, js=script, api_visibility="private")
