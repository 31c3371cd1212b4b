"""The page on one address: parse flags, build the predictor and the UI, launch."""

from __future__ import annotations

import argparse
import getpass
import ipaddress
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mura_core.errors import MuraError
from mura_core.review.passwords import read_readers

if TYPE_CHECKING:
    from demo.review_desk import Desk
    from mura_core.pacs.dicomweb import Archive
    from mura_core.review.session import Wish

_variable = os.environ.get


def main(arguments: list[str] | None = None) -> int:
    """Serve the page until interrupted.

    Args:
        arguments: Command line without the program's name; None for the process's own.

    Returns:
        0 after an interrupt or once a reader is added, 1 if that failed; the reason is on stderr.
    """
    flags = parse_flags(arguments)
    try:
        if flags.add_reader is not None:
            add_reader(flags.auth, flags.add_reader)
            return 0
        _serve(flags)
    except KeyboardInterrupt:
        return 0
    except MuraError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        # Gradio's words for it name what is no flag here.
        taken = f"port {flags.port} is taken. Choose another with --port, or leave it out."
        reason = taken if flags.port and "empty port" in str(error) else str(error)
        print(f"The page could not be served on {flags.host}: {reason}", file=sys.stderr)
        return 1
    return 0


def _serve(flags: argparse.Namespace) -> None:
    """Build what the flags ask for and serve it until interrupted.

    Raises:
        MuraError: Something that a flag names cannot be used.
        OSError: The address or port cannot be listened on.
    """
    readers = read_readers(flags.auth) if flags.auth else None
    # Imported here: `--help` and a wrong flag answer at once, without the network's libraries. The
    # network is made in a thread of its own while the page's libraries are imported.
    from demo.zero_gpu import load_predictor

    predictor = load_predictor(flags.weights, flags.device)

    from demo.login import Door
    from demo.review_desk import Desk, open_from_path
    from demo.serving import launch
    from demo.ui import build_ui
    from mura_core.review.push import pusher_from_environment

    pacs = _open_archive(flags, known=readers is not None)
    desk = Desk(flags.sessions, predictor)
    if flags.session:
        desk.chosen = open_from_path(desk, flags.session, _wish(flags))
        _say_what_is_left_out(desk)
    if readers is None and not _is_local(flags.host):
        print(
            f"Listening on {flags.host} without --auth: whoever reaches it can use the page.",
            file=sys.stderr,
        )
    pusher = pusher_from_environment(desk.open_stores)
    try:
        door = Door(readers) if readers else None
        ui = build_ui(predictor, desk, pacs)
        launch(ui, host=flags.host, port=flags.port, door=door, embed=flags.embed)
    finally:
        if pusher is not None:
            pusher.stop()


def _open_archive(flags: argparse.Namespace, *, known: bool) -> Archive | None:
    """Open the archive that the flags name.

    Args:
        flags: The command line's.
        known: Whether readers have to sign in.

    Raises:
        MuraError: Its address cannot be used, or strangers could read patients' names.
    """
    from mura_core.pacs.dicomweb import Archive

    pacs = Archive(flags.dicomweb) if flags.dicomweb else None
    if pacs and not known and not _is_local(flags.host):
        raise MuraError(
            f"An archive shows patients' names, and whoever reaches {flags.host} could read them. "
            "Say who may with --auth, or leave --host out."
        )
    return pacs


def add_reader(path: Path | None, name: str) -> None:
    """Let a reader in by a password that is asked for twice, or read as one line where nobody sits.

    Raises:
        MuraError: No file is given, the passwords differ, or `mura_core.review.passwords` says why not.
    """
    from mura_core.review import passwords

    if path is None:
        raise MuraError("Where shall the reader be kept? Name the file with --auth FILE.")
    if sys.stdin.isatty():
        password = getpass.getpass(f"Password for {name}, at least {passwords.SHORTEST} characters: ")
        if getpass.getpass("The same again: ") != password:
            raise MuraError("The two passwords differ. Nothing was changed; try again.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    new = passwords.add_reader(path, name, password)
    print(f"{name} may sign in ({path})." if new else f"{name} has a new password ({path}).")


def parse_flags(arguments: list[str] | None) -> argparse.Namespace:
    """Read the flags; an environment variable stands in for a missing flag, a default for both."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve the radiograph reader as a web page.")
    parser.add_argument(
        "--host",
        default=_variable("MURA_HOST") or _variable("GRADIO_SERVER_NAME") or "127.0.0.1",
        help="address to listen on [MURA_HOST, GRADIO_SERVER_NAME; 127.0.0.1]",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=_variable("MURA_PORT") or _variable("GRADIO_SERVER_PORT"),
        help="port to listen on [MURA_PORT, GRADIO_SERVER_PORT; the first free one from 7860]",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="folder of weights [MURA_WEIGHTS; weights/]",
    )
    parser.add_argument(
        "--device",
        default=_variable("MURA_DEVICE") or "auto",
        help="auto, cpu, cuda, mps, or an engine: int8, bf16, f32, torch [MURA_DEVICE; auto]",
    )
    _add_access(parser)
    _add_sessions(parser)
    return parser.parse_args(arguments)


def _add_access(parser: argparse.ArgumentParser) -> None:
    """Add who may enter, and what the page may reach."""
    parser.add_argument(
        "--auth",
        type=Path,
        default=_variable("MURA_AUTH"),
        help="file of the readers who may sign in; without it everybody may enter [MURA_AUTH]",
    )
    parser.add_argument(
        "--add-reader",
        metavar="NAME",
        help="asks for a password, adds the reader to the --auth file, and ends",
    )
    parser.add_argument(
        "--embed",
        metavar="ORIGINS",
        default=_variable("MURA_EMBED"),
        help="sites whose pages may show this one in a frame, as https://intranet.example [MURA_EMBED; none]",
    )
    parser.add_argument(
        "--dicomweb",
        metavar="URL",
        default=_variable("MURA_DICOMWEB"),
        help="an archive's DICOMweb service, to fetch studies from and store results in [MURA_DICOMWEB]",
    )


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    """Add where review sessions are, and what the one that --session makes shall be."""
    parser.add_argument(
        "--sessions",
        type=Path,
        default=_variable("MURA_SESSIONS") or "sessions",
        help="folder of review sessions, which keeps their films and calls [MURA_SESSIONS; sessions]",
    )
    parser.add_argument(
        "--session",
        type=Path,
        help="opens, or makes, the review session of a folder or ZIP of studies; or opens its file",
    )
    parser.add_argument(
        "--mode",
        choices=("unaided", "aided", "sequential"),
        help="when readers see the model's result: never, always, after their own call [sequential]",
    )
    parser.add_argument("--truth", type=Path, help="CSV with the truth [truth.csv in the folder]")
    parser.add_argument("--repeats", type=int, help="studies that each reader sees a second time [0]")
    parser.add_argument("--count", type=int, help="studies to draw by chance [all]")
    parser.add_argument("--seed", type=int, help="for the draw and the readers' orders [0]")


def _wish(flags: argparse.Namespace) -> Wish:
    from mura_core.review.session import Wish
    from mura_core.review.types import Mode

    mode = Mode(flags.mode) if flags.mode else None
    return Wish(mode, seed=flags.seed, repeats=flags.repeats, count=flags.count, truth=flags.truth)


def _say_what_is_left_out(desk: Desk) -> None:
    """Name the files that are no part of the session given, and why."""
    store = desk.store(desk.chosen)
    for note in store.notes:
        print(note, file=sys.stderr)
    for refused in store.refused:
        print(f"{refused.name}: {refused.reason}", file=sys.stderr)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
