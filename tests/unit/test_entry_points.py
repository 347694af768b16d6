"""Entry points: ours, those of other packages, broken ones."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from trivium import entry_points
from trivium.entry_points import GROUPS, Registry
from trivium.errors import SettingsError

GROUP = "trivium.controllers"
OURS = ["hold", "rules", "look-ahead", "rule-book", "guideline-36"]


def forget():
    """Let what is installed be read anew."""
    entry_points._points.cache_clear()
    entry_points._installed.cache_clear()


def package(monkeypatch, **points):
    """Let an installed package declare controllers."""
    declared = [EntryPoint(name, value, GROUP) for name, value in points.items()]
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [SimpleNamespace(entry_points=declared)])
    forget()


@pytest.fixture(autouse=True)
def fresh():
    yield
    forget()


def test_all_of_ours_can_be_loaded():
    assert entry_points.faults() == []
    for group in GROUPS:
        assert Registry(group).names()


def test_that_of_another_package_comes_after_ours_and_does_not_take_their_names(monkeypatch):
    package(monkeypatch, night="math:pi", rules="math:e")
    registry = Registry(GROUP)
    assert registry.names() == [*OURS, "night"]
    assert (registry.load("night"), registry.load("rules").__name__) == (3.141592653589793, "rules")
    assert registry.check("night") == "night"
    with pytest.raises(ValueError, match="'guideline-36', 'night'"):
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
            assert [name for name, _ in registry.all()] == OURS
    assert caplog.text.count("the controller night") == 1
    (fault,) = entry_points.faults()
    assert value in fault


def test_a_package_with_damaged_metadata_is_left_out(monkeypatch, caplog):
    class Damaged:
        @property
        def entry_points(self):
            raise ValueError("not a table")

    night = SimpleNamespace(entry_points=[EntryPoint("night", "math:pi", GROUP)])
    monkeypatch.setattr("importlib.metadata.distributions", lambda: [Damaged(), night])
    forget()
    assert Registry(GROUP).names() == [*OURS, "night"]
    assert "cannot be read" in caplog.text
