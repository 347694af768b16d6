"""The docstrings of the door show what really comes of their programs; tests/e2e/test_docs_contract.py types docs/python.md."""

from __future__ import annotations

import doctest
import importlib
import io
import pkgutil

import pytest

import trivium.door
import trivium.suggestions
from tests.printed import Checker

MODULES = ["trivium.suggestions", *(f"trivium.door.{m.name}" for m in pkgutil.iter_modules(trivium.door.__path__))]


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
