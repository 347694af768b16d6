"""docs/python.md and the docstrings of the door show what really comes of their programs."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trivium.door
import trivium.suggestions
from tests.printed import Checker, same
from tests.server import Server

ROOT = Path(__file__).resolve().parents[3]
BLOCKS = re.findall(
    r"```python\n(.*?)```\s*(?:```text\n(.*?)```)?",
    (ROOT / "docs" / "python.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
MODULES = ["trivium.suggestions", *(f"trivium.door.{m.name}" for m in pkgutil.iter_modules(trivium.door.__path__))]


def test_the_page_has_programs():
    assert len(BLOCKS) >= 9


@pytest.mark.parametrize(("program", "shown"), BLOCKS, ids=[f"block{i}" for i in range(len(BLOCKS))])
def test_a_program_of_the_page_prints_what_the_page_shows(program, shown, folder, state_dir, resources, tmp_path):
    with contextlib.ExitStack() as stack:
        if "http://127.0.0.1:5000" in program:
            server = stack.enter_context(Server(resources, tmp_path / "server"))
            program = program.replace("http://127.0.0.1:5000", f"http://127.0.0.1:{server.port}")
        (folder / "program.py").write_text(program)
        command = [sys.executable, "-W", "error", "program.py"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRIVIUM_STATE_DIR": str(state_dir)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert same(shown, done.stdout), done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_are_true(name, folder):
    module = importlib.import_module(name)
    report = io.StringIO()
    runner = doctest.DocTestRunner(Checker())
    for example in doctest.DocTestFinder().find(module):
        runner.run(example, out=report.write)
    assert runner.summarize(verbose=False).failed == 0, report.getvalue()


def test_the_modules_have_examples():
    tests = [example for name in MODULES for example in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(bool(example.examples) for example in tests) >= 6
