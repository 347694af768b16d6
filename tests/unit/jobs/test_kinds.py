"""Kinds of jobs and their specifications."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trivium import extras
from trivium.control.controller import CONTROLLERS
from trivium.environment import ROOT
from trivium.errors import InvalidValueError, NotFoundError
from trivium.jobs import kinds
from trivium.jobs.step import Spec
from trivium.settings import Settings


def test_every_kind_has_a_specification_that_can_be_told():
    for name in kinds.names():
        kind = kinds.find(name)
        assert kind.about
        assert kind.spec.model_json_schema()["properties"]
        assert name not in ("kinds", "status", "cancel", "logs", "results")  # routes beside the kinds


@pytest.mark.parametrize("name", kinds.names())
def test_the_example_of_a_kind_is_accepted_over_the_shipped_studies(name, tmp_path):
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path)})
    kind = kinds.find(name)
    spec = kinds.parse(kind, kind.example, settings)
    if kind.check is not None:
        kind.check(spec, settings)


@pytest.mark.parametrize("name", ["", "nonsense", "os", "trivium.jobs.step", "../step"])
def test_an_unknown_kind_is_told(name):
    with pytest.raises(NotFoundError, match="step"):
        kinds.find(name)


def test_every_controller_can_be_chosen():
    schema = Spec.model_json_schema()["properties"]["controller"]
    assert set(schema["enum"]) == set(CONTROLLERS.names())


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({}, "end_time", "end_time is missing, or scenario.time_period in its place"),
        ({"end_time": 300, "days": 1}, "days", "how much of scenario.time_period"),
        ({"end_time": "x"}, "end_time", "Invalid value x for parameter end_time"),
        ({"end_time": float("nan")}, "end_time", "Invalid value nan"),
        ({"end_time": 300, "start_time": -1}, "start_time", "Invalid value -1"),
        ({"end_time": 300, "start_time": 300}, "end_time", "end_time must be after start_time"),
        ({"end_time": 300, "controller": "nobody"}, "controller", "'rules'"),
        ({"end_time": 300, "nonsense": 1}, "nonsense", "Unknown parameter"),
    ],
)
def test_the_wrong_field_is_named(given, field, said):
    with pytest.raises(InvalidValueError, match=said) as caught:
        kinds.parse(kinds.find("step"), given, Settings(environ={}))
    assert caught.value.field == field


def test_all_wrong_fields_are_named():
    with pytest.raises(InvalidValueError) as caught:
        kinds.parse(kinds.find("step"), {"start_time": "a", "end_time": "b", "x" * 500: 1}, Settings(environ={}))
    for name in ("start_time", "end_time", "xxx"):
        assert name in str(caught.value)
    assert len(str(caught.value)) < 500


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Without(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"dask", "distributed", "h5py", "matplotlib", "numba", "pandas", "pint", "xarray"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
from trivium.errors import MissingExtraError
from trivium.jobs import kinds

for name in kinds.names():
    try:
        kinds.find(name)
        print(name, "there")
    except MissingExtraError as error:
        print(name, error)
"""


def test_a_kind_whose_packages_are_missing_says_what_brings_them():
    """As after `make serve`, which installs neither the sweep's packages nor those of coupled models."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert told["step"] == "there"
    assert extras.command("sweep") in told["sweep"]
    assert extras.command("coupling") in told["converge"]
