"""The page with a stand-in for the model and review sessions, which first writes down every route it has."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.login import Door
from demo.review_desk import Desk
from demo.serving import end_on_signal, launch
from demo.ui import build_ui
from mura_core.review.passwords import read_readers
from tests.fake_predictor import FakePredictor

if TYPE_CHECKING:
    from collections.abc import Iterator


def every_route(routed: Any) -> Iterator[Any]:
    """The routes of an app or router, with those of the routers in it."""
    for route in routed.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from every_route(inner)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=Path, required=True)
    parser.add_argument("--routes", type=Path, required=True)
    parser.add_argument("--auth", type=Path)
    parser.add_argument("--embed")
    flags = parser.parse_args()
    predictor = FakePredictor()
    ui = build_ui(predictor, Desk(flags.sessions, predictor))
    door = Door(read_readers(flags.auth)) if flags.auth else None
    address = launch(ui, door=door, embed=flags.embed, block=False)
    routes = [
        [route.path, sorted(route.methods)] for route in every_route(ui.app) if hasattr(route, "methods")
    ]
    flags.routes.write_text(json.dumps({"routes": routes, "functions": sorted(ui.fns)}), encoding="utf-8")
    end_on_signal()
    print(address, flush=True)
    ui.block_thread()
