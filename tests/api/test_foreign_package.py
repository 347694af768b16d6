"""A package that brings a plant, a controller, a kind of job and an engine is installed and used as a client would."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import time

import pytest

from tests.own_fmus import state
from tests.server import ROOT, Server

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "trivium-tiny"
version = "1.0"

[project.entry-points."trivium.plants"]
tiny = "tiny:PLANT"
broken = "tiny.missing:PLANT"

[project.entry-points."trivium.controllers"]
full = "tiny:full"

[project.entry-points."trivium.jobs"]
square = "tiny:SQUARE"

[project.entry-points."trivium.engines"]
shifted = "tiny:shifted"

[tool.hatch.build.targets.wheel]
only-include = ["tiny.py"]
"""
MODULE = '''
"""A plant with one input, full power, squares, and FMPy with another zero."""

from pydantic import BaseModel

from trivium.jobs.kinds import Kind
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.recorder import Outcome
from trivium.simulation.plant import Plant


class Tiny(Plant):
    controller = "full"

    def recognizes(self, inputs, outputs):
        return inputs == {"u"} and {"x", "y"} <= outputs

    def bounds(self, name):
        return (0.0, 20.0) if name == "u" else None


PLANT = Tiny()


class Full:
    def reset(self, observation, boundary):
        pass

    def action(self, observation, boundary):
        return {"u": 20.0}


def full(controlled):
    """Full power."""
    assert list(controlled.inputs) == ["u"]
    return Full()


class Spec(BaseModel):
    number: float


def run(spec, recorder, settings):
    recorder.progress("Squaring", 0.5)
    return Outcome({}, {"square": spec.number**2})


SQUARE = Kind("Square a number.", Spec, run, {"number": 3})


class Shifted(FmpyModel):
    engine = "shifted"

    def _get(self):
        return super()._get() + 100.0

    def _step(self, time, duration, inputs):
        return super()._step(time, duration, inputs) + 100.0


def shifted(description):
    return Shifted
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that the package is installed in."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "tiny.py").write_text(MODULE)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation",
               "--target", str(folder / "site"), str(folder)]  # fmt: skip
    subprocess.run([*install, "--python", sys.executable], check=True, cwd=folder)
    return folder / "site"


@pytest.fixture(scope="module")
def server(site, own_fmu, tmp_path_factory):
    with Server(own_fmu("linear", "2.0"), tmp_path_factory.mktemp("state"), PYTHONPATH=str(site),
                TRIVIUM_ENGINE="shifted", TRIVIUM_WORKER_JOBS="1") as server:  # fmt: skip
        yield server


def python(site, *arguments):
    """Run Python with the package."""
    environ = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environ)


def finished(server, kind, **spec):
    """Submit a job and wait for its success."""
    status, reply, _ = server.request("POST", f"/api/run/{kind}", spec)
    assert status == 202, reply
    path, deadline = f"/api/run/status/{reply['task_id']}", time.monotonic() + 300
    while (job := server.request("GET", path)[1])["status"] in ("Pending", "Running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert job["status"] == "Success", job
    return reply["task_id"]


def test_the_plant_bounds_an_input_and_the_engine_steps_the_model(server):
    inputs = server.request("GET", "/inputs")[1]["payload"]
    assert (inputs["u"]["Minimum"], inputs["u"]["Maximum"]) == (0, 20)
    status, reply, _ = server.request("POST", "/advance", {"u": 21, "clamp": False})
    assert (status, "u" in reply["message"]) == (400, True)
    status, reply, _ = server.request("POST", "/advance", {"u": 10})
    assert (status, reply["payload"]["x"]) == (200, pytest.approx(100 + state(0.5, 10.0), rel=1e-4))


def test_a_job_of_the_kind_runs(server):
    assert server.request("GET", "/api/run/kinds")[1]["payload"]["square"]["about"] == "Square a number."
    task_id = finished(server, "square", number=7)
    assert server.request("GET", f"/api/run/results/{task_id}")[1]["payload"]["results"] == {"square": 49}
    status, reply, _ = server.request("POST", "/api/run/square", {"number": "x"})
    assert (status, "number" in reply["message"]) == (400, True)


def test_a_job_steps_the_model_under_the_controller(server):
    task_id = finished(server, "step", end_time=2, controller="full")
    connection = server.connect()
    connection.request("GET", f"/api/run/results/{task_id}/trajectories.csv")
    rows = list(csv.DictReader(io.StringIO(connection.getresponse().read().decode())))
    connection.close()
    assert [float(row["u"]) for row in rows[1:]] == [20] * 4
    assert float(rows[-1]["x"]) == pytest.approx(100 + state(2, 20.0), rel=1e-4)


def test_a_plant_that_cannot_be_loaded_is_named_and_the_server_is_there(site, server):
    assert "the plant broken of the package trivium-tiny cannot be loaded" in server.log.read_text()
    code = (
        "from trivium.doctor.machine import entry_points\nfor check in entry_points(): print(check.status, check.text)"
    )
    (line,) = python(site, "-c", code).stdout.splitlines()
    assert line.startswith(
        "failed the plant broken of the package trivium-tiny cannot be loaded from tiny.missing:PLANT"
    )


@pytest.mark.slow
def test_the_command_takes_the_controller_of_the_plant_and_names_all_engines(site, own_fmu, tmp_path):
    out = tmp_path / "out.csv"
    command = ["-m", "trivium.cli", "step", "--fmu", str(own_fmu("linear", "2.0")), "--to", "1", "--out", str(out)]
    assert python(site, *command).returncode == 0
    with out.open() as file:
        assert [float(row["u"]) for row in csv.DictReader(file)][1:] == [20, 20]
    code = "from trivium.settings import Settings\nSettings(environ={}, engine='omc')"
    assert "must be one of auto, fmpy, pyfmi, assimulo, shifted, not omc" in python(site, "-c", code).stderr
