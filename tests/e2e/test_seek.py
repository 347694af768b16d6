"""``find``, ``optimize`` and ``calibrate`` from the outside: killed in the middle, they make the same runs in the end."""

from __future__ import annotations

import csv
import json
import math
import os
import sqlite3
import subprocess
import sys
import time

import psutil
import pytest

import trivium.study
from tests.processes import PATIENCE
from tests.trap_fmu import START, TAU, Trap
from trivium.errors import TriviumError

pytest.importorskip("distributed", reason="the extra sweep is not installed")
pytest.importorskip("optuna", reason="the extra optimize is not installed")
pytestmark = pytest.mark.slow

#: Of all three: the state follows u for ten minutes; each step takes 0.05 s.
SIMULATION = {"variableFilter": "y", "stop_time": 600, "step_size": 60}
SLOW = {"trap": [int(Trap.SLOW)], "amount": [5]}
METRICS = {"last": {"variable": "y", "method": "final"}}


def last(u):
    """What the state is after ten minutes."""
    return u + (START - u) * math.exp(-600 / TAU)


def find(folder):
    """The u that brings the state to 293 at the end."""
    goal = {"parameter": "u", "so_that": "last >= 293", "between": [280, 310], "tolerance": 1e-3}
    return {"simulation_parameters": SLOW, "metrics": METRICS, "find": goal}, "search/study.sqlite"


def optimize(folder):
    """The u that brings the state near 293."""
    metrics = METRICS | {"far": {"expression": "abs(final(y) - 293)"}}
    goal = {"minimize": ["far"], "runs": 40, "batch": 8, "seed": 3}
    return {
        "simulation_parameters": {"u": "range:280:310", **SLOW},
        "metrics": metrics,
        "optimize": goal,
    }, "study.sqlite"


def calibrate(folder):
    """The u that the state followed."""
    with (folder / "measured.csv").open("w", newline="") as file:
        rows = [[t, 295 + (START - 295) * math.exp(-t / TAU)] for t in range(0, 601, 60)]
        csv.writer(file).writerows([["time", "y"], *rows])
    goal = {"data": "measured.csv", "measured": {"y": {"deviation": 0.1}}, "start": {"u": 285}}
    parameters = {"u": "range:280:310"}
    return {
        "simulation_parameters": parameters,
        "simulation": SIMULATION | {"start_values": {"trap": int(Trap.SLOW), "amount": 5}},
        "calibrate": goal,
    }, "runs/all/study.sqlite"


COMMANDS = {find: ("sweep", "run"), optimize: ("optimize",), calibrate: ("calibrate",)}


def start(folder, kind, out):
    environment = {**os.environ, "TRIVIUM_STATE_DIR": str(folder / "state"), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "trivium.cli", *COMMANDS[kind], "study.json", "--out", out, "--workers", "1"]
    with (folder / f"{out}.log").open("ab") as log:
        return subprocess.Popen([*line, "--no-cache"], cwd=folder, env=environment, stdout=log, stderr=log)


def finished(folder, index):
    """Count the runs of a search that are on the disk."""
    try:
        with sqlite3.connect(f"file:{folder / index}?mode=ro", uri=True) as base:
            base.execute("SELECT 1 FROM about").fetchone()
        with trivium.study.open((folder / index).parent) as results:
            return int((results.status == 1).sum())
    except (sqlite3.Error, TriviumError):
        return 0


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_killed_in_the_middle(tmp_path, trap_fmu, kind):
    study, index = kind(tmp_path)
    document = {"paths": {"package_path": str(trap_fmu())}, "simulation": SIMULATION, **study}
    (tmp_path / "study.json").write_text(json.dumps(document))
    process = start(tmp_path, kind, "cut")
    try:
        deadline = time.monotonic() + PATIENCE
        while not finished(tmp_path / "cut", index) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert process.poll() is None, (tmp_path / "cut.log").read_text()
        family = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.kill()
        process.wait()
    psutil.wait_procs(family, timeout=PATIENCE)
    before = finished(tmp_path / "cut", index)
    assert before

    for out in ("cut", "uncut"):
        assert start(tmp_path, kind, out).wait(PATIENCE) == 0, (tmp_path / f"{out}.log").read_text()
    assert finished(tmp_path / "cut", index) == finished(tmp_path / "uncut", index) > before
    check(kind, tmp_path)


def check(kind, folder):
    """Compare the answer with that of the search that nothing interrupted, and with the solution in closed form."""
    if kind is calibrate:
        cut, uncut = (json.loads((folder / out / "calibration.json").read_text()) for out in ("cut", "uncut"))
        assert cut["parameters"] == uncut["parameters"]
        assert cut["parameters"][0]["value"] == pytest.approx(295, abs=1e-3)
        return
    with trivium.study.open(folder / "cut") as cut, trivium.study.open(folder / "uncut") as uncut:
        assert cut.frame().equals(uncut.frame())
        u = cut.frame()["u"] if kind is find else cut.best["u"]
        assert last(u.iloc[0]) == pytest.approx(293, abs=1e-3 if kind is find else 0.3)
