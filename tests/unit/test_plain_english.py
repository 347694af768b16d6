"""Names, docstrings and pages use the usual words; style and reasons are in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.server import ROOT

#: Names that say nothing of what they stand for.
VAGUE = frozenset(
    [
        "one",
        "of",
        "about",
        "told",
        "found",
        "given",
        "said",
        "wanted",
        "known",
        "chosen",
        "what",
        "taken",
        "meant",
        "kept",
        "begun",
        "there",
        "then",
        "now",
        "so",
        "as",
        "it",
        "that",
        "this",
        "whole",
        "all",
        "own",
        "other",
        "others",
        "more",
        "most",
        "many",
        "much",
        "where",
        "who",
    ]
)
#: Most vague names among 1000 bound names.
LIMIT = 10.0
#: Words that docstrings and pages do not use, each with the one that they use.
FORBIDDEN = {
    "deed": "callback",
    "deeds": "callbacks",
    "minder": "supervisor",
    "in a time that tells nothing": "in constant time",
    "belief": "precondition",
    "nursery": "template",
    "slave": "model",
    "stands where it stood": "is unchanged",
    "told": "reported",
    "tells": "reports",
    "hears": "receives",
    "whoever": "anyone who",
    "what was only meant": "uncommitted",
}
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "trivium").rglob("*.py"))


def bound(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module binds: variables, arguments, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name


def docstrings(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return "\n".join(ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented))


@cache
def texts() -> dict[Path, str]:
    """Return the text of each page and the docstrings of each module."""
    return {path: path.read_text(encoding="utf-8") for path in PAGES} | {path: docstrings(path) for path in SOURCES}


def test_names_say_what_they_stand_for() -> None:
    total, vague = 0, Counter[str]()
    for path in SOURCES:
        names = [name.strip("_") for name in bound(ast.parse(path.read_text(encoding="utf-8")))]
        total += len(names)
        vague[str(path.relative_to(ROOT))] += sum(name in VAGUE for name in names)
    share = 1000 * vague.total() / total
    assert share <= LIMIT, f"{share:.1f} vague names per 1000; most in {vague.most_common(5)}"


@pytest.mark.parametrize("word", FORBIDDEN)
def test_unusual_words_are_not_used(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b", re.IGNORECASE)
    found = [str(path.relative_to(ROOT)) for path, text in texts().items() if pattern.search(text)]
    assert found == [], f"write {FORBIDDEN[word]!r} instead of {word!r}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_lines_of_pages_are_not_longer_than_160_characters(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^ *```.*?^ *```", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    lines = enumerate(text.splitlines(), 1)
    long = [number for number, line in lines if len(line) > 160 and not line.lstrip().startswith(("|", "["))]
    assert long == [], "rows of tables, addresses and what programs print may be longer"
