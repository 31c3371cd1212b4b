"""The table of texts: whole in both languages, harmless in a template, the only place of what readers see."""

from __future__ import annotations

import ast
import json
import re
import string
from functools import cache
from pathlib import Path

import pytest

from demo.wording import LANGUAGES, Wording, table

DEMO = Path(__file__).parents[1] / "demo"
HANGUL = re.compile("[가-힣]")
WORDS = re.compile(r"[A-Za-z]{2,}[,.:;]? [a-z]{2,}|^[A-Z][a-z]{2,}[.:…!?]?$")
"""Two words in a row, or one with a capital letter that stands alone, as on a button."""

UNITS = {"px", "mm", "AUROC"}
"""Words that a Korean text may consist of."""

OWN_NAMES = ("page.language", "review.switch")
"""Each language names itself in these, in the page of the other one too."""

NO_TEXT = {
    # Fonts, keys as they are printed on the keyboard, and names in the figures of weights and sessions.
    "Roboto",
    "Segoe UI",
    "Enter",
    "Esc",
    "Tab",
    "body part",
    "true positives",
    "no hardware",
}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@cache
def sources(*suffixes: str) -> dict[str, str]:
    """The page's files by name, without the table."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(DEMO.iterdir())
        if path.suffix in suffixes
    }


def test_no_file_of_the_table_gives_a_key_twice() -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        assert sorted(keys) == sorted(set(keys))
        return dict(pairs)

    paths = list((DEMO / "texts").glob("*.json"))
    assert len(paths) >= 3
    for path in paths:
        json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)


@pytest.mark.parametrize("key", table())
def test_a_text_is_there_in_every_language_with_the_same_placeholders(key: str) -> None:
    texts = table()[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() == text and text for text in texts.values())
    assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1


@pytest.mark.parametrize("key", table())
def test_a_text_is_in_its_language(key: str) -> None:
    texts = table()[key]
    if key in OWN_NAMES:
        return
    assert not HANGUL.search(texts["en"])
    if not HANGUL.search(texts["ko"]):
        assert set(re.findall("[A-Za-z]{2,}", re.sub(r"{\w*}", "", texts["ko"]))) <= UNITS


@pytest.mark.parametrize("key", table())
def test_no_text_is_code_in_a_template(key: str) -> None:
    for text in table()[key].values():
        assert not re.search(r"[`$\\<>]|{{|}}", text), text


def test_every_key_that_the_programs_name_is_in_the_table() -> None:
    files = "|".join(path.stem for path in (DEMO / "texts").glob("*.json"))
    named = {
        key
        for text in sources(".py").values()
        for key in re.findall(rf'"((?:{files})\.(?!css|html|js)\w+)"', text)
    }
    assert len(named) > 20
    assert named <= set(table())


def test_no_text_is_left_that_nobody_shows() -> None:
    source = "\n".join(sources(".py", ".js", ".html").values())
    # Body parts, measures and the like come as the core calls them.
    core = "\n".join(path.read_text(encoding="utf-8") for path in (DEMO.parent / "mura_core").rglob("*.py"))
    whole = set(re.findall(r"\w+", source + core))
    # Keys put together where they are used: f"page.call_{call}", "turned_" + quarter, f"page.{call}_meaning".
    starts = tuple(re.findall(r"(\w+_){\w|\"(\w+_)\"", source))
    starts = tuple({start for pair in starts for start in pair if start})
    ends = tuple(set(re.findall(r"\"\w+\.{\w+}(_\w+)", source)))
    names = {key: key.partition(".")[2].removesuffix("_one") for key in table()}
    unused = [
        key
        for key, name in names.items()
        if name not in whole and not name.startswith(starts) and not name.endswith(ends)
    ]
    assert unused == []


def shown_strings(source: str) -> list[str]:
    """The strings of a program that may reach the page: no docstring, nothing raised, logged or printed."""
    silent: set[int] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        quiet_call = isinstance(node, ast.Call) and ast.unparse(node.func).startswith(
            ("_log.", "print", "TypeVar")
        )
        alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if quiet_call or alone or isinstance(node, ast.Raise):
            silent |= {id(part) for part in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append(
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            )
            silent |= {id(part) for part in node.values}
            if id(node) in silent:
                found.pop()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            found.append(node.value)
    return found


def reads_like_text(literal: str) -> bool:
    """Whether a literal has words in it, once tags and what only a browser reads are taken away."""
    selects = re.search(r"(^|[ ,(])[.#][a-z]|\[[a-z-]+|:[a-z]|sans-serif", literal)
    if "=>" in literal or selects or literal in NO_TEXT:
        return False
    bare = re.sub(r"<style>.*?</style>|<[^<>]*>", " ", literal, flags=re.DOTALL)
    return bool(WORDS.search(bare.strip()) or HANGUL.search(bare))


@pytest.mark.parametrize("name", sources(".py"))
def test_no_program_of_the_page_holds_a_text_of_its_own(name: str) -> None:
    found = [literal for literal in shown_strings(sources(".py")[name]) if reads_like_text(literal)]
    assert found == []


@pytest.mark.parametrize("name", sources(".html"))
def test_no_template_holds_a_text_of_its_own(name: str) -> None:
    source = sources(".html")[name]
    # Keys as they are printed on the keyboard, and DICOM's own terms for body parts.
    without_keys = re.sub(r"<kbd>.*?</kbd>|<option>[A-Z]+</option>", "", source)
    between = re.sub(r"<[^<>]*>|{{words\.\w+}}", "\n", without_keys)
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', source)
    left = [*between.split("\n"), *(re.sub(r"{{words\.\w+}}", "", text) for text in spoken)]
    assert [
        text.strip() for text in left if re.search(r"\w{2,}", text) and not re.search(r"^[\d., –]+$", text)
    ] == []


def script_literals(source: str) -> list[str]:
    """The string literals of a script, without its comments."""
    pattern = r'//[^\n]*|/\*.*?\*/|"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`((?:[^`\\]|\\.)*)`'
    return [next(filter(None, found), "") for found in re.findall(pattern, source, re.DOTALL)]


@cache
def names_of_the_page() -> frozenset[str]:
    """Classes, tags, attributes and properties of style: words of templates and style sheets."""
    text = "\n".join(re.sub(r">[^<]*<", "><", text) for text in sources(".html").values())
    text += "\n".join(sources(".css").values())
    return frozenset(re.findall(r"[\w-]+", text))


@pytest.mark.parametrize("name", sources(".js"))
def test_no_script_holds_a_text_of_its_own(name: str) -> None:
    found = [
        literal
        for literal in script_literals(sources(".js")[name])
        if reads_like_text(literal) and not set(re.findall(r"[\w-]+", literal)) <= names_of_the_page()
    ]
    assert found == []


def test_the_scans_find_what_they_look_for() -> None:
    assert reads_like_text("Drop it again.")
    assert reads_like_text("<p class='note'>Clear</p>")
    assert not reads_like_text("<section class='about note'>{}</section>")
    assert shown_strings('"""A doc string."""\nraise ValueError("not shown")\nx = f"shown {x} too"') == [
        "shown {} too"
    ]
    assert script_literals("// no 'such thing'\nput(\"of the\", 'call', `x`)") == ["", "of the", "call", "x"]


def test_a_number_of_things_is_counted_as_the_language_counts() -> None:
    english, korean = Wording("en"), Wording("ko")
    assert [english.counted("page.analysing", count) for count in (1, 2)] == [
        "Analysing 1 view…",
        "Analysing 2 views…",
    ]
    assert [korean.counted("page.analysing", count) for count in (1, 2)] == [
        "영상 1장 분석 중…",
        "영상 2장 분석 중…",
    ]


def test_a_value_is_never_read_as_a_template() -> None:
    assert "{name}" in Wording("en").text("page.same_content", name="{name}")
