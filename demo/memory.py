"""How many open studies the server keeps in memory, over all its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.handlers import OpenStudy, Tray

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    import gradio as gr

KEPT_BYTES = 1 << 30
"""Some 190 studies of four PNG films of 2.7 megapixels each."""


def make_room(ui: gr.Blocks) -> None:
    """Let go of what was used longest ago where all open studies and waiting files take over `KEPT_BYTES`.

    Whoever comes back to such a study is told to analyse it again, and to such files to drop them again.
    """
    sessions = list(ui.state_holder.session_data.values())
    keep_newest((session.state_data for session in reversed(sessions)), KEPT_BYTES)


def keep_newest(states: Iterable[MutableMapping[int, Any]], budget_bytes: int) -> None:
    """Let go of studies and waiting files once those before them fill the budget.

    Waiting files come before studies, up to half of the budget: a study that was read costs its reader a
    click, and files that are about to be read a place in the line.

    Args:
        states: What each reader's page keeps, the one used last first; changed in place.
        budget_bytes: What they may take together.
    """
    # Copied first: other readers' pages change theirs meanwhile.
    everything = [(state, key, kept) for state in states for key, kept in list(state.items())]
    files_bytes = budget_bytes // 2
    for state, key, kept in everything:
        if isinstance(kept, Tray) and kept.files:
            taken = sum(len(content) for _, content in kept.files)
            if taken > files_bytes and state.get(key) is kept:
                state[key] = Tray(let_go=True)
            else:
                files_bytes -= taken
                budget_bytes -= taken
    for state, key, kept in everything:
        if isinstance(kept, OpenStudy):
            budget_bytes -= size_bytes(kept)
            if budget_bytes < 0 and state.get(key) is kept:
                state[key] = None


def size_bytes(opened: OpenStudy) -> int:
    """Memory that a study takes: its files, and what its heatmaps are drawn from."""
    return sum(len(content) for _, content in opened.files) + sum(
        2 * view.cam.nbytes for view in opened.result.views
    )
