"""The same model stepped, swept and coupled gives the same numbers, whatever kind of model it is; and one that fails
costs no more than the step, the run or the iteration that it fails in.

Stepped is in this process and over HTTP; swept is a study of one run; coupled is a component of one pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")
pytest.importorskip("pint", reason="the extra coupling is not installed")

import trivium
from tests import sweeps
from tests.own_fmus import state
from tests.server import Server
from tests.trap_fmu import Trap, expected
from trivium.coupling.ending import Ending
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
KINDS = [(version, "cs", 0.0) for version in ("1.0", "2.0", "3.0")] + [
    (version, "me", 1e-3) for version in ("1.0", "2.0", "3.0")
]
#: How long a model that hangs is waited for [s].
LIMIT = 5
#: What an FMU may do in a step, and what a session, a run of a sweep and a coupled case report of it.
DEATH = "its process died each time that it was tried"
SURVIVED = {
    Trap.NOT_A_NUMBER: ("not finite numbers: y", "no finite number", "not finite numbers: y"),
    Trap.ERROR: ("told to fail", "told to fail", "told to fail"),
}
DEADLY = {
    Trap.SEGMENTATION_FAULT: ("SIGSEGV", DEATH, "SIGSEGV"),
    Trap.ABORT: ("SIGABRT", DEATH, "SIGABRT"),
    Trap.EXIT: ("exit code", DEATH, "exit code"),
    Trap.HANG: (f"longer than {LIMIT} s", f"longer than simulation.time_limit, {LIMIT} s", f"longer than {LIMIT} s"),
}
TRAPS = {**SURVIVED, **DEADLY}
every_trap = pytest.mark.parametrize(
    "trap", [pytest.param(t, id=t.name, marks=[pytest.mark.slow] if t is Trap.HANG else []) for t in TRAPS]
)


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
    record = Record(folder / "record", problem.identity)
    try:
        result = converge(problem, record, Evaluator(problem, record, None, folder / "work"))
    finally:
        record.close()
    assert result.converged, result.reason
    return float(result.evaluations["model"].outputs["y"])


#: One of each interface.
QUICK = (("2.0", "cs"), ("3.0", "me"))


@pytest.mark.parametrize(
    ("version", "interface", "near"),
    [pytest.param(*kind, marks=[] if kind[:2] in QUICK else pytest.mark.slow) for kind in KINDS],
)
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


@pytest.fixture(scope="module")
def stepping(trap_fmu: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the trap."""
    with Server(trap_fmu(), tmp_path_factory.mktemp("stepping"), TRIVIUM_STEP_TIMEOUT=str(LIMIT)) as server:
        yield server


@every_trap
def test_a_step_that_fails_is_an_error_and_nothing_is_lost(stepping: Server, trap: Trap) -> None:
    initialized = stepping.request("PUT", "/initialize", {"start_time": 0})
    assert initialized[0] == 200, initialized
    assert stepping.request("PUT", "/step", {"step": 60})[0] == 200
    assert stepping.request("POST", "/steps", {"steps": 3, "action": {"u": 300, "trap": 0}})[0] == 200
    status, reply, _ = stepping.request("POST", "/advance", {"trap": int(trap)})
    assert status == 500
    assert TRAPS[trap][0] in reply["message"]
    status, reply, _ = stepping.request("POST", "/advance", {"trap": 0})
    assert (status, reply["message"]) == (200, "Advanced simulation successfully from 180.0s to 240.0s.")
    window = {"point_names": ["y"], "start_time": 0, "final_time": 240}
    results = stepping.request("PUT", "/results", window)[1]["payload"]
    np.testing.assert_allclose(results["y"], [expected(time, 300.0) for time in results["time"]], rtol=1e-9)


def traps_study(folder: Path, model: Path, traps: list[Trap]) -> Path:
    """Write a study with two runs of each trap and of none."""
    study = {
        "paths": {"package_path": str(model)},
        "simulation": {"variableFilter": "y", "stop_time": 240, "step_size": 60},
        "simulation_parameters": {"trap": [0.0, *map(float, traps)], "u": [280.0, 300.0]},
        "output": {"dtype": "float64"},
    }
    path = folder / "study.json"
    path.write_text(json.dumps(study))
    return path


def check_runs(folder: Path, traps: list[Trap]) -> None:
    """Check that the runs of no trap are done, and that it is known why the others failed."""
    with open_results(folder) as results:
        for run, u in enumerate((280.0, 300.0)):
            wanted = [expected(time, u) for time in results.time]
            np.testing.assert_allclose(results.trajectories(np.array([run]), "y")[0], wanted, rtol=1e-6)
        assert list(results.failures) == list(range(2, 2 + 2 * len(traps)))
        for run, reason in results.failures.items():
            assert TRAPS[traps[run // 2 - 1]][1] in reason


def test_runs_that_fail_are_named_and_the_others_are_done(trap_fmu: Callable[..., Path], tmp_path: Path) -> None:
    # those that take their process along: tests/e2e/test_sweep.py
    path = traps_study(tmp_path, trap_fmu(), [*SURVIVED])
    check_runs(sweeps.run_here(path, unpacked=tmp_path / "unpacked"), [*SURVIVED])


@every_trap
def test_an_iteration_that_fails_ends_the_case_and_the_record_stays(
    trap_fmu: Callable[..., Path], tmp_path: Path, trap: Trap
) -> None:
    component = {
        "kind": "fmu",
        "path": str(trap_fmu()),
        "end_time": 240,
        "step": 60,
        "inputs": {"u": {"initial": 280.0}, "trap": {"initial": float(trap)}},
        "outputs": {"y": {"method": "final"}},
        **({"timeout": LIMIT} if trap is Trap.HANG else {}),
    }
    problem = prepare(Case.model_validate({"components": {"model": component}}), tmp_path, Settings(state_dir=tmp_path))
    record = Record(tmp_path / "record", problem.identity)
    try:
        result = converge(problem, record, Evaluator(problem, record, None, tmp_path / "work"))
    finally:
        record.close()
    assert not result.converged
    assert result.ending == Ending.FAILED
    assert TRAPS[trap][2] in result.reason
