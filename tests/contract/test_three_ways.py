"""The same model stepped, swept and coupled gives the same numbers, whatever kind of model it is.

Stepped is in this process and over HTTP; swept is a study of one run; coupled is a component of one pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")
pytest.importorskip("pint", reason="the extra coupling is not installed")

import trivium
from tests import sweeps
from tests.own_fmus import state
from tests.server import Server
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import converge
from trivium.coupling.problem import prepare
from trivium.coupling.record import Record
from trivium.coupling.spec import Case
from trivium.settings import Settings
from trivium.study.read import open_results

STOP, STEP = 20.0, 0.5
#: What is set before the start, and the relative difference that the solver of the kind makes to the solution.
PARAMETERS = {"tau": 5.0, "gain": 3, "inverted": True}
#: Versions of FMI, interfaces, and how near the ways must be: co-simulation to the last bit.
KINDS = [("1.0", "cs", 0.0), ("2.0", "cs", 0.0), ("3.0", "cs", 0.0), ("1.0", "me", 1e-3), ("2.0", "me", 1e-3)]


def stepped(model: Path) -> float:
    """Return the last y of a simulation in this process."""
    with trivium.open(model) as simulation:
        simulation.initialize(0.0, start_values=PARAMETERS)
        simulation.step = STEP
        for _ in range(round(STOP / STEP)):
            observed = simulation.advance()
        return float(observed["y"])


def served(model: Path, state_dir: Path) -> float:
    """Return the last y of a session of a server."""
    with Server(model, state_dir) as server:
        assert server.request("PUT", "/initialize", {"start_time": 0, "start_values": PARAMETERS})[0] == 200
        assert server.request("PUT", "/step", {"step": STEP})[0] == 200
        status, reply, _ = server.request("POST", "/steps", {"steps": round(STOP / STEP), "point_names": ["y"]})
        assert status == 200
        return float(reply["payload"]["columns"]["y"][-1])


def swept(model: Path, folder: Path) -> float:
    """Return the last y of a study of one run."""
    study = {
        "paths": {"package_path": str(model)},
        "simulation": {"variableFilter": "y", "stop_time": STOP, "step_size": STEP},
        "simulation_parameters": {name: [float(value)] for name, value in PARAMETERS.items()},
        "metrics": {"last": {"variable": "y", "method": "final"}},
        "output": {"dtype": "float64"},
    }
    path = folder / "study.json"
    path.write_text(json.dumps(study))
    with open_results(sweeps.run_here(path, unpacked=folder / "unpacked")) as results:
        assert results.failures == {}
        assert results.select().trajectories("y")[0, -1] == results.column("last")[0]
        return float(results.column("last")[0])


def coupled(model: Path, folder: Path) -> float:
    """Return the last y of a case with one component."""
    inputs = {name: {"initial": float(value)} for name, value in PARAMETERS.items()}
    outputs = {"y": {"method": "final"}}
    component = {
        "kind": "fmu",
        "path": str(model),
        "end_time": STOP,
        "step": STEP,
        "inputs": inputs,
        "outputs": outputs,
    }
    case = Case.model_validate({"components": {"model": component}})
    problem = prepare(case, folder, Settings(state_dir=folder))
    record = Record(folder / "record", problem.fingerprint)
    try:
        result = converge(problem, record, Evaluator(problem, record, None, folder / "work"))
    finally:
        record.close()
    assert result.converged, result.reason
    return float(result.evaluations["model"].outputs["y"])


@pytest.mark.parametrize(("version", "interface", "near"), KINDS)
def test_three_ways_give_the_same_numbers(
    own_fmu: Callable[..., Path], tmp_path: Path, version: str, interface: str, near: float
) -> None:
    model = own_fmu("linear", version, interface)
    if interface == "me" and version != "1.0":
        model = only_model_exchange(model, tmp_path)
    wanted = stepped(model)
    assert wanted == pytest.approx(-3 * state(STOP, tau=5.0), rel=max(near, 1e-9))
    values = [served(model, tmp_path / "server"), swept(model, tmp_path), coupled(model, tmp_path)]
    np.testing.assert_allclose(values, wanted, rtol=near)


def only_model_exchange(fmu: Path, folder: Path) -> Path:
    """Return an FMU without its co-simulation."""
    import re
    import zipfile

    path = folder / fmu.name
    with zipfile.ZipFile(fmu) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "modelDescription.xml":
                content = re.sub(rb"<CoSimulation [^>]*/>", b"", content)
            target.writestr(name, content)
    return path
