"""Packages that a file of tests needs and that need not be installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(name: str, reason: str) -> None:
    """Skip a file of tests where a package is not installed.

    Nothing is imported, unlike by `pytest.importorskip`: every worker of a run collects every file, and the large
    packages cost each of them seconds.
    """
    package, _, module = name.partition(".")
    if find_spec(package) is None or (module and find_spec(name) is None):
        pytest.skip(reason, allow_module_level=True)


def needs_engine(name: str) -> None:
    """Skip a test or a file of tests where an engine is not installed; one that is broken fails its tests."""
    if name != "fmpy" and find_spec(name) is None:
        pytest.skip(f"the engine {name} is not installed", allow_module_level=True)
