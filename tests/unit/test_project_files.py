"""The files that platforms and editors read are what those expect."""

from __future__ import annotations

import datetime
import re
import tomllib

import pytest
import yaml

import trivium
from tests.server import ROOT


def load(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_is_that_of_this_version(project):
    citation = load("CITATION.cff")
    # what the Citation File Format 1.2.0 requires, and the keys that it knows of those we use
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    known = {"abstract", "date-released", "keywords", "license", "type", "version"}
    assert citation.keys() - {"cff-version", "message", "title", "authors"} <= known
    assert citation["cff-version"] == "1.2.0"
    assert all({"name"} <= author.keys() or {"family-names"} <= author.keys() for author in citation["authors"])
    assert citation["license"] == project["license"]
    assert citation["version"] == trivium.__version__
    newest = re.search(r"^## \[(\d\S*)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (citation["version"], citation["date-released"]) == newest.groups()
    datetime.date.fromisoformat(citation["date-released"])


@pytest.mark.parametrize(
    "name", ["README.md", "docs/index.md", "mkdocs.yml", "CITATION.cff", "trivium/server/landing.py"]
)
def test_one_sentence_says_what_it_is(project, name):
    assert project["description"] in " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_hooks_before_a_commit_fetch_nothing_and_are_the_linters_of_make():
    (local,) = load(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\naudit:")[0]
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        program = re.match(r"\.venv/bin/(\S+(?: check| format)?)", hook["entry"])[1]
        assert f"$(VENV)/bin/{program}" in lint


def test_every_test_is_in_a_folder_that_is_run():
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    files = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")]
    assert [str(path) for path in files if not any(path.is_relative_to(folder) for folder in folders)] == []
