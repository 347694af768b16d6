"""Components that run in the Python of another environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from trivium.errors import ComponentError
from trivium.experiment.contract import evaluated
from trivium.experiment.kinds import make
from trivium.experiment.spec import Python
from trivium.settings import Settings

MODULE = """
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def describe(options):
    bounds = {"lower": -float("inf"), "upper": float("inf")}
    return [], [SimpleNamespace(name=name, unit="1", dims={}, **bounds) for name in ("version", "marked", "trivium")]


def answer(inputs, options):
    try:
        import trivium.settings
        found = 1.0
    except ImportError:
        found = 0.0
    marked = float("elsewhere" in np.__version__)
    return {"version": np.array(float(sys.version_info[1])), "marked": np.array(marked), "trivium": np.array(found)}


def keep(inputs, options):
    Path("kept.txt").write_text(np.__version__)
    return {}
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """An environment with a NumPy of another version: this one's files, with a mark in the version."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", symlinks=True)
    site = next((folder / "env").glob("lib/python*/site-packages"))
    own = Path(np.__file__).parent
    for name in (own.name, f"{own.name}.libs"):
        if (own.parent / name).is_dir():
            shutil.copytree(own.parent / name, site / name, ignore=shutil.ignore_patterns("tests"))
    with (site / "numpy" / "__init__.py").open("a") as file:
        file.write("\n__version__ += '+elsewhere'\n")
    (folder / "abroad.py").write_text(MODULE)
    return folder


def component(folder, **fields):
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(folder / "state")})
    given = {"callable": "abroad:answer", "describe": "abroad:describe", "interpreter": "env/bin/python"}
    return make(Python.model_validate({"kind": "python", **given, **fields}), folder, settings, "model", "model")


@pytest.mark.slow
def test_a_component_runs_in_its_own_environment(elsewhere, tmp_path):
    there = component(elsewhere, publish="abroad:keep")
    found = evaluated(there, {}, tmp_path)
    assert {name: float(value) for name, value in found.items()} == {
        "version": sys.version_info[1],
        "marked": 1.0,
        "trivium": 0.0,
    }
    there.publish({}, tmp_path / "published")
    assert (tmp_path / "published" / "kept.txt").read_text().endswith("+elsewhere")
    (tmp_path / "here").mkdir()
    here = component(elsewhere, interpreter=None)
    assert float(evaluated(here, {}, tmp_path / "here")["marked"]) == 0.0
    assert here.fingerprint != there.fingerprint


@pytest.mark.slow
def test_a_callable_of_triviums_own_is_taken_along(elsewhere):
    """It runs there without the rest of Trivium, and says that the country's package is not in that environment."""
    where = "trivium.coupling.og_clews.country"
    options = {"package": "ognowhere", "energy_share": [1.0]}
    with pytest.raises(ComponentError, match=r"ValueError: package: ognowhere is not installed .*/env/bin/python"):
        component(elsewhere, callable=f"{where}:solve", describe=f"{where}:describe", options=options)


@pytest.mark.slow
def test_another_version_of_python_runs_a_component(elsewhere, tmp_path):
    other = next((p for v in range(14, 11, -1) if (p := _python(f"python3.{v}"))), None)
    if other is None:
        pytest.skip("Python 3.12 is not on this machine")
    found = evaluated(component(elsewhere, interpreter=[other]), {}, tmp_path)
    assert float(found["version"]) > sys.version_info[1]


def _python(name):
    """Return a Python that runs and has NumPy."""
    path = shutil.which(name)
    works = path and not subprocess.run([path, "-c", "import numpy"], capture_output=True).returncode
    return path if works else None


def test_an_interpreter_that_is_not_there_is_named(tmp_path):
    (tmp_path / "abroad.py").write_text(MODULE)
    with pytest.raises(ComponentError, match="there is no program .*none/python"):
        component(tmp_path, interpreter="none/python")
    with pytest.raises(ValueError, match="interpreter needs a process of its own"):
        component(tmp_path, interpreter="python3", process=False)
