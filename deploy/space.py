"""`make space`: the folder that a Hugging Face Space of the page needs, and nothing else."""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.reach import ROOT, pins, reached_from, third_party
from mura_core.errors import MuraError

DEFAULT_OUT = ROOT / "build" / "space"

MANIFEST = "FILES.sha256"
"""What the folder holds, as `sha256sum -c` takes it. By it a folder that was made here is known again."""

LIMIT_BYTES = 10_000_000
"""Every file is smaller. Hugging Face asks for large-file storage from here on."""

TORCH = frozenset({"torch", "torchvision", "grad-cam"})
"""Several GB that the page needs on a GPU alone."""

_WHOLE = ("app.py", "LICENSE", "demo/", "weights/")


def main(arguments: list[str] | None = None) -> int:
    """Make the folder; 0, or 1 where that failed and stderr says why."""
    parser = argparse.ArgumentParser(prog="make space", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, metavar="DIR", help="[build/space]")
    parser.add_argument(
        "--zero-gpu", action="store_true", help="with torch, for a Space on ZeroGPU or a GPU of its own"
    )
    flags = parser.parse_args(arguments)
    try:
        files = space_files(zero_gpu=flags.zero_gpu)
        place(files, flags.out)
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except MuraError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(map(len, files.values())) / 1e6
    print(f"{flags.out}: {len(files)} files, {size:.1f} MB.")
    if changed:
        print("It holds changes that are not committed.")
    return 0


def space_files(*, zero_gpu: bool = False) -> dict[str, bytes]:
    """Collect what the Space needs from the files that git keeps: the same files, the same bytes.

    Args:
        zero_gpu: Whether torch is to be installed there.

    Returns:
        Content by path, in the order of the paths.

    Raises:
        MuraError: Something is no plain file that git keeps, too large, or cannot be read.
    """
    tracked = _tracked()
    reached = reached_from(ROOT / "app.py")
    modules = {path.relative_to(ROOT).as_posix() for path in reached}
    if missing := sorted(modules - tracked):
        raise MuraError(
            f"{missing[0]} is needed, but is no file that git keeps. Add it: git add {missing[0]}"
        )
    packages = {f"{parent}/__init__.py" for name in modules for parent in Path(name).parents} & tracked
    data = {name for name in tracked if name.startswith("mura_core/") and not name.endswith(".py")}
    wanted = modules | packages | data | {name for name in tracked if name.startswith(_WHOLE)}
    try:
        files = {name: (ROOT / name).read_bytes() for name in wanted}
        files["README.md"] = _readme()
    except OSError as error:
        raise MuraError(
            f"{error.filename} cannot be read ({error.strerror}), though git keeps it. Get it: git checkout ."
        ) from error
    files["requirements.txt"] = _requirements(reached, zero_gpu=zero_gpu).encode()
    _check_sizes(files)
    return dict(sorted(files.items()))


def place(files: dict[str, bytes], out: Path) -> None:
    """Write the files as a folder that is there whole or not at all.

    Args:
        files: Content by path.
        out: The folder; one that was made here and is as it was then is replaced.

    Raises:
        MuraError: There is something else, or the folder cannot be written.
    """
    foreign = _foreign(out)
    if foreign is not None:
        raise MuraError(
            f"{out} is left alone: {foreign} was not put there by make space, or was changed since. "
            "Name another folder with --out, or remove it."
        )
    listed = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as staging:
            made, old = Path(staging) / "made", Path(staging) / "old"
            for name, content in {**files, MANIFEST: listed.encode()}.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(content)
            if out.exists():
                out.rename(old)
            made.rename(out)
    except OSError as error:
        raise MuraError(
            f"{out} cannot be written ({error.strerror}). Expected a folder that can be made there, with "
            "50 MB of room: choose another with --out."
        ) from error


def _foreign(out: Path) -> str | None:
    """Name what in a folder is not as `place` left it, caches apart; None if nothing is."""
    if not out.exists() and not out.is_symlink():
        return None
    if out.is_symlink() or not out.is_dir():
        return str(out)
    try:
        lines = (out / MANIFEST).read_text(encoding="utf-8").splitlines()
        listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
        for path in sorted(out.rglob("*")):
            name = path.relative_to(out).as_posix()
            if name == MANIFEST or "__pycache__" in path.parts or (path.is_dir() and not path.is_symlink()):
                continue
            if path.is_symlink() or hashlib.sha256(path.read_bytes()).hexdigest() != listed.get(name):
                return name
    except (OSError, ValueError):
        # An empty folder is nobody's.
        return None if out.is_dir() and not any(out.iterdir()) else str(out)
    return None


def _readme() -> bytes:
    """The Space's own: the header of the repository's under the words of `space.md`."""
    header, mark, _ = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n---\n")
    if not mark or not header.startswith("---\n"):
        raise MuraError("README.md does not begin with a Space's header between two lines of ---.")
    return (header + mark + "\n" + (ROOT / "deploy" / "space.md").read_text(encoding="utf-8")).encode()


def _requirements(reached: frozenset[Path], *, zero_gpu: bool) -> str:
    needed = third_party(reached) | {"python-gdcm"}
    if not zero_gpu:
        needed -= TORCH
    # Named by `sdk_version` in the README's header: the Space installs it, with what signing in needs.
    needed -= {"gradio"}
    lines = [line for name, line in pins().items() if name in needed]
    return "\n".join(["# What a Space installs beside the Gradio that README.md names.", *lines, ""])


def _check_sizes(files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if len(content) >= LIMIT_BYTES or content.startswith(b"version https://git-lfs"):
            raise MuraError(
                f"{name} has {len(content)} bytes or is kept by large-file storage. Expected plain files of "
                f"less than {LIMIT_BYTES} bytes: save_weights writes shards of that size."
            )


def _tracked() -> frozenset[str]:
    """Every plain file that git keeps."""
    entries = _git("ls-files", "--stage", "-z").split("\0")
    plain = (entry.split("\t", 1)[1] for entry in entries if entry.startswith("100"))
    return frozenset(plain)


def _git(*arguments: str) -> str:
    # Whoever owns the folder: nothing of it is run.
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise MuraError(
            f"make space takes the files that git keeps, and git does not answer for {ROOT} "
            f"({type(error).__name__}). Run it in a clone, with git installed."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
