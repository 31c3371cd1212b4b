"""The augment command: a contact sheet of what training does to films."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mura_core.commands.flags import add_sheet

if TYPE_CHECKING:
    import argparse

SUMMARY = "draw a sheet of augmented samples"

add_arguments = add_sheet


def run(options: argparse.Namespace) -> int:
    """Draw the sheet and print where it lies."""
    from mura_core.preview import augmented_sheet, find_films

    augmented_sheet(find_films(options.folder, options.count), options.out)
    print(options.out)
    return 0
