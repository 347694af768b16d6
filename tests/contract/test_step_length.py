"""A model gets the step that was chosen, to the last bit, whichever way it is run: stepped, served, swept, simulated.

The FMU counts steps of its own, as many as fit in a step: one that is a rounding error too short costs it one of them.
It proposes 0.5 s; longer steps are divided nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

import trivium
from tests import boptest_case, sweeps
from tests.server import Server
from tests.unit.session.tools import kill
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.study.read import open_results

N_STEPS = 60
#: Steps [s] and how many of the model's own fit in.
STEPS = [(0.1, 10), (0.7, 7), (1 / 3, 10), (1 / 60, 2), (20.0, 2000)]
each_step = pytest.mark.parametrize(("step", "parts"), STEPS, ids=["0.1", "0.7", "third", "sixtieth", "20"])
each_version = pytest.mark.parametrize(
    "version", ["2.0", *(pytest.param(version, marks=pytest.mark.slow) for version in ("1.0", "3.0"))]
)
Rows = dict[str, list[float]]


def own_step(step: float, parts: int) -> dict[str, float]:
    """Return the parameter of the FMU that makes so many steps of its own fit in a step."""
    return {"dt": step / parts}


def expected(step: float, parts: int) -> Rows:
    """Return what the FMU computes where no step of its own is lost."""
    x = [1.0]
    for _ in range(N_STEPS * parts):
        x.append(x[-1] + step / parts * (0.0 - x[-1]) / 10.0)
    return {"x": x[::parts], "taken": [float(k * parts) for k in range(N_STEPS + 1)]}


def stepped(fmu: Path, step: float, parts: int) -> Rows:
    """Return the rows of a simulation in this process."""
    with trivium.open(fmu) as simulation:
        simulation.initialize(0.0, start_values=own_step(step, parts))
        simulation.step = step
        for _ in range(N_STEPS):
            simulation.advance()
        results = simulation.results(["x", "taken"])
    return {name: results[name].tolist() for name in ("x", "taken")}


def swept(fmu: Path, folder: Path, step: float, parts: int) -> Rows:
    """Return the rows of a study of one run: in the native loop with FMI 2.0, in the plain one with the others."""
    study = {
        "paths": {"package_path": str(fmu)},
        "simulation": {"variableFilter": "x|taken", "stop_time": N_STEPS * step, "step_size": step},
        "simulation_parameters": {name: [value] for name, value in own_step(step, parts).items()},
        "output": {"dtype": "float64"},
    }
    path = folder / "study.json"
    path.write_text(json.dumps(study))
    with open_results(sweeps.run_here(path, unpacked=folder / "unpacked")) as results:
        assert results.failures == {}
        return {name: results.select().trajectories(name)[0].tolist() for name in ("x", "taken")}


@each_version
@each_step
def test_every_way_takes_the_step_that_was_chosen(
    own_fmu: Callable[..., Path], tmp_path: Path, version: str, step: float, parts: int
) -> None:
    fmu = own_fmu("euler", version)
    rows = stepped(fmu, step, parts)
    assert rows["taken"] == expected(step, parts)["taken"]
    np.testing.assert_allclose(rows["x"], expected(step, parts)["x"], rtol=1e-9)
    assert swept(fmu, tmp_path, step, parts) == rows
    frame = trivium.simulate(fmu, stop_time=N_STEPS * step, step=step, start_values=own_step(step, parts))
    assert {name: frame[name].tolist() for name in rows} == rows


@each_version
def test_a_server_and_a_process_that_comes_back_take_it_too(
    own_fmu: Callable[..., Path], tmp_path: Path, version: str
) -> None:
    # FMI 1.0 cannot store its state: its steps are repeated
    fmu, step, parts = own_fmu("euler", version), 1 / 3, 10
    wanted = stepped(fmu, step, parts)
    with Server(fmu, tmp_path / "server") as server:
        server.request("PUT", "/initialize", {"start_time": 0, "start_values": own_step(step, parts)})
        server.request("PUT", "/step", {"step": step})
        status, reply, _ = server.request("POST", "/steps", {"steps": N_STEPS, "point_names": ["x", "taken"]})
        assert status == 200, reply
        assert [1.0, *reply["payload"]["columns"]["x"]] == wanted["x"]
    manager = SessionManager(
        Settings(environ={"TRIVIUM_RESOURCES": str(fmu), "TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    )
    try:
        session = manager.session(None)
        session.initialize(0, start_values=own_step(step, parts))
        session.set_step(step)
        for _ in range(2):
            session.advance_many(N_STEPS // 2)
            kill(manager)
        assert manager.restored(None) in ("exact", "replayed")
        results = session.results()
        assert {name: results[name].tolist() for name in wanted} == wanted
    finally:
        manager.stop_all()
        manager.close()


def test_an_fmu_that_holds_a_test_case_is_one_in_sweeps_too(own_fmu: Callable[..., Path], tmp_path: Path) -> None:
    fmu, step, stop = boptest_case.write(own_fmu("room", "2.0"), tmp_path / "room.fmu"), 3600.0, 14400.0
    with trivium.open(fmu) as simulation:
        simulation.initialize(0.0)
        simulation.step = step
        rows = [simulation.advance()["rea_T_y"] for _ in range(4)]
        energy = simulation.kpis(["ener_tot"])["ener_tot"]
    study = {
        "paths": {"package_path": str(fmu)},
        "simulation": {"variableFilter": "rea_T_y", "stop_time": stop, "step_size": step},
        "simulation_parameters": {"heat_activate": [0.0]},
        "metrics": {"energy": {"variable": "ener_tot", "method": "kpi"}},
        "output": {"dtype": "float64"},
    }
    path = tmp_path / "study.json"
    path.write_text(json.dumps(study))
    with open_results(sweeps.run_here(path, unpacked=tmp_path / "unpacked")) as results:
        assert results.failures == {}
        assert results.select().trajectories("rea_T_y")[0, 1:].tolist() == rows
        assert results.column("energy")[0] == energy
