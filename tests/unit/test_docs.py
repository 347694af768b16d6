"""The documentation names what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from trivium.environment import ROOT

ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
DOCUMENTS = [*(ROOT / name for name in ROOT_PAGES), *sorted((ROOT / "docs").rglob("*.md"))]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_lines_of_text_are_short_enough_to_compare(document):
    prose = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in prose.splitlines() if len(line) > 160 and not line.startswith("|")] == []


def declared(module):
    """Return method and path of each route that a module declares; one with a part in brackets is two."""
    source = text(f"trivium/server/{module}.py")
    for method, short, rest in re.findall(r'@routes\.operation\(\s*"(\w+)",\s*"(/[^"[]*)(?:\[(.*)\])?"', source):
        yield method, short
        if rest:
            yield method, short + rest


def test_every_route_is_in_the_reference_of_the_api():
    routes = set(declared("routes"))
    assert len(routes) >= 10
    for method, path in routes:
        assert f"{method} {path}" in text("docs/api.md")


@pytest.mark.parametrize("module", ["routes", "evaluation", "boptest", "sessions", "jobs"])
def test_every_route_with_a_test_id_is_told(module):
    routes = set(declared(module))
    assert len(routes) >= 5
    for method, path in routes:
        if module == "jobs":
            path = f"/api/run{path}"
        assert f"`{method} {path}`" in text("docs/api.md")


def test_the_architecture_lists_the_rooms_that_exist():
    page = text("docs/architecture.md")
    rooms = {f"{path.parent.name}/" for path in (ROOT / "trivium").glob("*/__init__.py")}
    files = {path.name for path in (ROOT / "trivium").glob("*.py") if not path.name.startswith("__")}
    assert {name for name in rooms | files if f"`{name}" not in page} == set()
    for name in re.findall(r"^\| `([a-z_/]+/)`", page, flags=re.MULTILINE):
        assert (ROOT / "trivium" / name / "__init__.py").is_file(), name


def test_make_targets_that_are_told_exist():
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))
    for document in DOCUMENTS:
        told = set(re.findall(r"(?:`|^|\n)make ([a-z][a-z-]+)", document.read_text(encoding="utf-8")))
        assert told <= targets, (document.name, told - targets)


def test_the_page_of_the_command_line_is_as_the_commands_are(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import write_cli

    assert text("docs/cli.md") == write_cli.page(), "run: python docs/write_cli.py"


def tags_that_load(html):
    """What a page loads or may load when it is opened: not the targets of its links."""
    for tag, attributes in re.findall(r"<(script|link|img|iframe|source|object)\b([^>]*)>", html):
        if found := re.search(r'\b(?:src|href|data)="([^"]*)"', attributes):
            yield tag, found[1]


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("mkdocs_jupyter", reason="mkdocs and its plugins come with the extra docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    assert (tmp_path / "how-to" / "migrate.html").exists()
    pages = {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")}
    elsewhere = [
        (name, tag, target)
        for name, html in pages.items()
        for tag, target in tags_that_load(html)
        if re.match(r"(https?:)?//", target)
    ]
    assert elsewhere == []
    assert not [
        name for name, html in pages.items() if re.search(r"""\bimport\b[^;\n]*["']https?:|url\(["']?https?:""", html)
    ]
    for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        page = pages[f"notebooks/{notebook.stem}.html"]
        assert f".venv/bin/jupyter lab docs/notebooks/{notebook.name}" in re.sub(r"<[^>]+>", "", page)
        assert ".md" not in "".join(re.findall(r'href="[^":]*"', page))
    client = pages["reference/client.html"]
    for name in ("trivium.client.Client.select", "trivium.client.Session.advance", "trivium.client.Columns.frame"):
        assert f'id="{name}"' in client
