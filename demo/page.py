"""What every page of the app has in common, in its own language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

if TYPE_CHECKING:
    from demo.wording import Wording

_FOLDER = Path(__file__).parent


def speak(ui: gr.Blocks, words: Wording, title: str) -> None:
    """Make the page whose context is open speak its language where Gradio would speak the browser's.

    Args:
        ui: The app.
        words: The page's language.
        title: The page's title.
    """
    said = {"language": words.language, "title": title, "drop": words["page.upload_drop"]}
    # A function of its own around it: Gradio calls what it is given with the event's inputs.
    script = f"() => ({text('page.js')})({json.dumps(said)})"
    ui.load(None, js=script, api_visibility="private")


def part(
    name: str, words: dict[str, str], *, elem_id: str | None = None, scripts: tuple[str, ...] = ()
) -> gr.HTML:
    """Make a component of our own from NAME.html, NAME.css and NAME.js of this folder.

    Args:
        name: Of the files.
        words: What it says.
        elem_id: Its id in the page; None for the files' name.
        scripts: Its scripts, where they are others than NAME.js.
    """
    return gr.HTML(
        html_template=text(f"{name}.html"),
        css_template=text(f"{name}.css"),
        js_on_load="\n".join(text(script) for script in scripts or (f"{name}.js",)),
        apply_default_css=False,
        elem_id=elem_id or name,
        words=words,
    )


def text(name: str) -> str:
    """Read a file of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")
