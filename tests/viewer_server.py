"""The page with a stand-in whose other thresholds were measured; at /marking, a viewer for marks alone."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from demo.handlers import Tray
from demo.serving import launch
from demo.ui import build_ui
from demo.viewer import build_viewer
from demo.wording import Wording
from mura_core.stability import Errors, Measured
from tests.fake_predictor import FakePredictor, png, steps

CURVE = [[step / 100, round(1 - (step / 100) ** 2, 4), round((step / 100) ** 0.5, 4)] for step in range(101)]
"""[threshold, sensitivity, specificity]: 1 - t² and the root of t."""


def part(studies: int, abnormal: int, *, enough: bool = True) -> dict[str, Any]:
    """Figures of a body part, the same at both points; PPV and NPV at a prevalence of a tenth."""
    at = {
        "sensitivity": 0.9,
        "sensitivity_ci95": [0.8, 0.95],
        "specificity": 0.8,
        "specificity_ci95": [0.7, 0.9],
        "ppv": 0.09 / 0.27,
        "ppv_ci95": [0.2, 0.5],
        "npv": 0.72 / 0.73,
        "npv_ci95": None,
    }
    points = {"sensitive": {"value": 0.35, **at}, "specific": {"value": 0.65, **at}}
    return {"studies": studies, "abnormal": abnormal, "enough": {"predictive": enough}, "at": points}


def predictor() -> FakePredictor:
    made = FakePredictor()
    measure = {"sensitivity": 0.9, "sensitivity_ci95": None, "specificity": 0.8, "specificity_ci95": None}
    made.sidecar.metrics = {
        "groups": {
            "all": {
                "studies": 438,
                "patients": 438,
                "abnormal": 84,
                "probability": {"auroc": 0.9, "auroc_ci95": None},
                "at": {"sensitive": measure, "specific": measure},
                "curve": CURVE,
            }
        },
        "dataset": {"format": "fracatlas", "split": "test"},
        "operating": {
            "prevalence": 0.1,
            "least": 20,
            "groups": {
                "all": part(438, 84),
                "arm": part(169, 37),
                "leg": part(227, 36),
                "hip": part(19, 1, enough=False),
            },
        },
    }
    made.measured = Measured(438, Errors(31, 310), Errors(12, 40), (0.04, 0.36))
    return made


def add_marking_page(ui: gr.Blocks) -> None:
    """A viewer of two films without a result; what it says of marks appears as text."""
    words = Wording("en")
    *_, (payload, _) = steps(FakePredictor(), Tray((("a.png", png(1)), ("b.png", png(2)))), words)
    films = [{**view, "alt": view["name"], "result": None} for view in payload["views"]]
    value = {**payload, "views": films, "verdict": None, "marking": True, "blind": True}
    with ui.route("marking", "/marking", show_in_navbar=False):
        viewer = build_viewer(words)
        heard = gr.Textbox(elem_id="heard")

        def hear(event: gr.EventData) -> str:
            return json.dumps({"view": event.view, "marks": event.marks})

        viewer.marks(hear, None, heard)
        ui.load(lambda: value, None, viewer)


if __name__ == "__main__":
    page = build_ui(predictor())
    add_marking_page(page)
    launch(page)
