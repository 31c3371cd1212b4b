"""A page that only says who asks, served as on a Hugging Face Space; see `stand_in_server`."""

from __future__ import annotations

import gradio as gr

from demo.login import reader_name, sign_in_button
from demo.serving import launch
from demo.wording import Wording


def who(request: gr.Request) -> str:
    """Name the visitor."""
    return reader_name(request) or "nobody"


if __name__ == "__main__":
    with gr.Blocks(title="Who asks", analytics_enabled=False) as ui:
        sign_in_button(Wording("en"))
        said = gr.Textbox()
        ui.load(who, None, said, api_name="who")
    launch(ui)
