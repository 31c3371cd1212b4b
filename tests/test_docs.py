"""The README says what there is: commands, flags, variables, files. Each is compared with the source."""

from __future__ import annotations

import argparse
import ast
import re
from functools import cache
from pathlib import Path

import mura_core
from mura_core.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
LISTED_FOLDERS = ("mura_core", "demo", "deploy", "benchmarks")
SPACE_COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
VARIABLE = re.compile(r"\bMURA_[A-Z][A-Z_]*\b")


@cache
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def product_files() -> list[Path]:
    """Every file a reader finds in the listed folders, without caches and package markers."""
    found = [path for folder in LISTED_FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and path.name != "__init__.py"]


def program_files() -> list[Path]:
    return [ROOT / "app.py", *(path for path in product_files() if path.suffix == ".py")]


@cache
def flags_in_source() -> frozenset[str]:
    """Every flag of the commands, and every literal "--flag" given to an `add_argument` elsewhere."""
    found = {"--version"}
    for command in COMMANDS.values():
        parser = argparse.ArgumentParser(add_help=False)
        command.add_arguments(parser)
        found |= {flag for flag in parser._option_string_actions if flag.startswith("--")}
    for path in program_files():
        if path.is_relative_to(ROOT / "mura_core"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
                found |= {value for value in values if isinstance(value, str) and value.startswith("--")}
    return frozenset(found)


def variables_in_source() -> set[str]:
    """Every environment variable: a whole string in Python, a word in the Makefile and the CI script."""
    found = set()
    for path in [*program_files(), *(ROOT / "tests").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and VARIABLE.fullmatch(node.value)
            ):
                found.add(node.value)
    for path in (ROOT / "Makefile", ROOT / ".ci" / "run"):
        found |= set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    return found


def tree() -> dict[str, str]:
    """The README's tree: path (a folder ends in a slash) to its line of text."""
    block = re.search(r"## The tree\n+```\w*\n(.*?)```", readme(), re.DOTALL)
    assert block, "README.md has no '## The tree' with a code block"
    listed: dict[str, str] = {}
    above: list[str] = []
    for line in block[1].splitlines():
        if line.lstrip().startswith("# "):  # the heading of a group
            continue
        parsed = re.fullmatch(r"( *)(\S+)\s{2,}(\S.*)", line)
        assert parsed, f"a line of the tree without a name and a text: {line!r}"
        above = above[: len(parsed[1]) // 2]
        listed["".join([*above, parsed[2]])] = parsed[3]
        above.append(parsed[2])
    return listed


def space_header() -> dict[str, str]:
    block = re.match(r"---\n(.*?)\n---\n", readme(), re.DOTALL)
    assert block, "README.md does not begin with the Space header"
    pairs = (line.split(":", 1) for line in block[1].splitlines())
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def test_the_space_header_is_complete_and_agrees_with_the_pins() -> None:
    header = space_header()
    assert header["sdk"] == "gradio"
    assert f"gradio=={header['sdk_version']}\n" in (ROOT / "requirements.txt").read_text()
    assert (ROOT / header["app_file"]).is_file()
    assert tuple(map(int, header["python_version"].split("."))) >= (3, 11)
    assert header["license"] == "apache-2.0"
    assert {header["colorFrom"], header["colorTo"]} <= SPACE_COLOURS
    assert header["title"]
    assert header["emoji"]
    assert header["pinned"] in {"true", "false"}
    assert len(header["short_description"]) <= 60


def test_every_command_is_in_the_readme() -> None:
    named = set(re.findall(r"python -m mura_core ([a-z0-9]+)", readme()))
    assert named == set(COMMANDS)


def test_every_make_target_is_in_the_readme() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"help"}
    assert targets <= set(re.findall(r"make ([a-z]+)", readme()))


def test_the_readme_names_every_flag_and_no_other() -> None:
    assert len(flags_in_source()) > 30
    named = set(FLAG.findall(readme()))
    assert flags_in_source() - named == set(), "in the source, not in the README"
    assert named - flags_in_source() - {"--help"} == set(), "in the README, not in the source"


def test_the_readme_names_every_environment_variable_and_no_other() -> None:
    assert {"MURA_WEIGHTS", "MURA_CHROMIUM"} <= variables_in_source()
    assert set(VARIABLE.findall(readme())) == variables_in_source()


def test_the_tree_names_every_file_and_no_other() -> None:
    listed = tree()
    gone = [name for name in listed if not (ROOT / name).exists()]
    assert not gone, f"in the tree, not on disk: {gone}"
    parents = {name for name in listed if any(other.startswith(name) and other != name for other in listed)}
    whole = tuple(name for name in listed if name.endswith("/") and name not in parents)
    files = [path.relative_to(ROOT).as_posix() for path in product_files()]
    assert len(files) > 20
    unlisted = [name for name in files if name not in listed and not name.startswith(whole)]
    assert not unlisted, f"on disk, not in the tree: {unlisted}"


def test_local_links_of_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "weights").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == mura_core.__version__


def test_the_readme_says_what_it_is_not() -> None:
    text = " ".join(readme().split()).lower()
    assert "not a medical device" in text
    assert "not a replacement for clinician review" in text


def test_the_figures_of_the_readme_are_those_of_the_weights_and_the_benchmark() -> None:
    from benchmarks.figures import END, START, figures_block

    shown = readme().partition(START)[2].partition(END)[0].strip()
    assert shown == figures_block(ROOT / "weights", ROOT / "benchmarks" / "results.json")


def test_the_model_card_is_written_from_the_sidecar() -> None:
    from mura_core.checkpoint import load_weights
    from mura_core.model_card import write_model_card

    card = (ROOT / "weights" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card == write_model_card(load_weights(ROOT / "weights")[0], ROOT / "weights")
