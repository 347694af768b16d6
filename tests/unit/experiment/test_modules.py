"""Modules of cases: of two folders with one name, and with names of the standard library."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from trivium.experiment.contract import evaluated
from trivium.experiment.python import PythonExperiment
from trivium.model.variable import Variable

HELPED = """
import helper
def f(inputs, options):
    import lazily
    return {"y": inputs["x"] * helper.FACTOR * lazily.FACTOR}
"""


def experiment(folder, function="m:f", apart=False):
    x, y = Variable("x", "1"), Variable("y", "1")
    return PythonExperiment("one", (x,), (y,), function, {}, folder, apart=apart)


def value(experiment, folder):
    folder.mkdir(parents=True, exist_ok=True)
    return float(evaluated(experiment, {"x": np.array(1.0)}, folder)["y"])


def test_two_folders_with_modules_of_one_name_run_their_own(tmp_path):
    experiments = []
    for number in (2.0, 3.0):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "m.py").write_text(HELPED)
        for name in ("helper", "lazily"):
            (folder / f"{name}.py").write_text(f"FACTOR = {number}\n")
        experiments.append(experiment(folder))
    before = set(sys.modules)
    for _ in range(2):
        assert [value(each, tmp_path / "work") for each in experiments] == [4.0, 9.0]
    assert not {"m", "helper", "lazily"} & set(sys.modules)
    assert before <= set(sys.modules)


@pytest.mark.parametrize("apart", [False, True])
def test_a_module_with_a_name_of_the_standard_library_is_the_cases_and_leaves_that_alone(tmp_path, apart):
    import operator

    (tmp_path / "operator.py").write_text(
        "import random, statistics\ndef f(inputs, options):\n    return {'y': statistics.mean([1.0, 3.0])}\n"
    )
    (tmp_path / "random.py").write_text("raise RuntimeError('nobody asked for it')\n")
    one = experiment(tmp_path, "operator:f", apart)
    one.check()
    assert value(one, tmp_path / "work") == 2.0
    assert sys.modules["operator"] is operator


def distribution(folder, name, version, requires=()):
    """Write the metadata of an installed package."""
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in requires)]
    (place / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
    (folder / f"{name}.py").write_text("")


def test_what_a_component_does_not_import_is_no_part_of_it(tmp_path, monkeypatch):
    """A package that is installed later, or lies in the working directory, does not void results."""
    site, case = tmp_path / "site", tmp_path / "case"
    case.mkdir()
    (case / "m.py").write_text("import needed, helper\ndef f(inputs, options):\n    return {'y': inputs['x']}\n")
    (case / "helper.py").write_text("import json\n")
    distribution(site, "needed", "1.0", ["below>=1 ; python_version > '3'", "extra-one ; extra == 'more'"])
    distribution(site, "below", "2.0")
    monkeypatch.syspath_prepend(str(site))
    before = experiment(case).identity
    assert before["packages"] == "below==2.0 needed==1.0"
    distribution(site, "stranger", "1.0")
    (tmp_path / "trivium.egg-info").mkdir()
    (tmp_path / "trivium.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: trivium\nVersion: 9\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (case / "case-results" / "work").mkdir(parents=True)
    (case / "case-results" / "iterations.sqlite").touch()
    (case / "case-results" / "work" / "copy.py").touch()
    assert experiment(case).identity == before
    (case / "helper.py").write_text("import json, math\n")
    after = experiment(case).identity
    assert [name for name in before if before[name] != after[name]] == ["code"]
