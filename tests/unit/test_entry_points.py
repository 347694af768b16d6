"""Entry points: ours, those of other packages, broken ones."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint

import pytest

from trivium import entry_points
from trivium.entry_points import GROUPS, Registry
from trivium.errors import SettingsError

GROUP = "trivium.controllers"


def package(monkeypatch, **points):
    """Let an installed package declare controllers."""
    declared = [EntryPoint(name, value, GROUP) for name, value in points.items()]
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [point for point in declared if point.group == group]
    )
    entry_points._points.cache_clear()


@pytest.fixture(autouse=True)
def fresh():
    yield
    entry_points._points.cache_clear()


def test_all_of_ours_can_be_loaded():
    assert entry_points.faults() == []
    for group in GROUPS:
        assert Registry(group).names()


def test_that_of_another_package_comes_after_ours_and_does_not_take_their_names(monkeypatch):
    package(monkeypatch, night="math:pi", rules="math:e")
    registry = Registry(GROUP)
    assert registry.names() == ["hold", "rules", "look-ahead", "night"]
    assert (registry.load("night"), registry.load("rules").__name__) == (3.141592653589793, "rules")
    assert registry.check("night") == "night"
    with pytest.raises(ValueError, match="'hold', 'rules', 'look-ahead', 'night'"):
        registry.check("day")
    with pytest.raises(KeyError):
        registry.load("day")


@pytest.mark.parametrize("value", ["no_such_module_anywhere:x", "math:no_such_name", "this is nonsense"])
def test_a_broken_one_is_named_and_the_others_are_there(monkeypatch, caplog, value):
    package(monkeypatch, night=value)
    registry = Registry(GROUP)
    with pytest.raises(SettingsError, match="the controller night cannot be loaded"):
        registry.load("night")
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            assert [name for name, _ in registry.all()] == ["hold", "rules", "look-ahead"]
    assert caplog.text.count("the controller night") == 1
    (fault,) = entry_points.faults()
    assert value in fault


def test_damaged_metadata_of_any_package_leaves_ours(monkeypatch, caplog):
    def damaged(group):
        raise ValueError("not a table")

    monkeypatch.setattr("importlib.metadata.entry_points", damaged)
    entry_points._points.cache_clear()
    assert Registry("trivium.engines").names() == ["fmpy", "pyfmi"]
    assert "cannot be read" in caplog.text
