"""Whichever way a model is run, its indicators and results are those of the grid, not of the control step.

Stepped in this process, over HTTP through a process that is killed, and swept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

from tests import sweeps
from tests.metered import INDICATORS, START_VALUES, indicators, write_metered
from tests.server import Server
from tests.unit.session.tools import kill
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.study.read import open_results

END, INTERVAL = 14400, 60
STEPS = (60, 1800, 7200)


@pytest.fixture(scope="module", params=["2.0", pytest.param("1.0", marks=pytest.mark.slow)])
def folder(
    request: pytest.FixtureRequest, own_fmu: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The case; an FMU of FMI 1.0 cannot store its state, and is brought back by replay."""
    path = tmp_path_factory.mktemp("metered") / "case"
    return write_metered(path, own_fmu("linear", request.param), f"[results]\ninterval = {INTERVAL}\n")


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, float | None]:
    """The indicators of a simulation in this process in steps of the grid."""
    case = open_testcase(folder, folder.parent / "here")
    try:
        case.initialize(0, start_values=START_VALUES)
        case.set_step(INTERVAL)
        case.advance_many(END // INTERVAL)
        values = case.kpis(list(INDICATORS))
    finally:
        case.close()
    assert values == pytest.approx(indicators(END), rel=0.05)
    return values


def test_served(folder: Path, expected: dict[str, float | None], tmp_path: Path) -> None:
    names, window = ",".join(INDICATORS), f"start_time={END / 4 + 7}&final_time={END / 4 + 11}"
    inside = set()
    with Server(folder, tmp_path / "server") as server:

        def payload(method: str, path: str, body: object = None) -> dict[str, list[float]]:
            status, reply, _ = server.request(method, path, body)
            assert status == 200, reply
            return reply["payload"]

        for step in STEPS:
            payload("PUT", "/initialize", {"start_time": 0, "start_values": START_VALUES})
            payload("PUT", "/step", {"step": step})
            payload("POST", "/steps", {"steps": END // step})
            assert payload("GET", f"/kpi?names={names}") == pytest.approx(expected, rel=1e-9)
            asked = {"point_names": ["x"], "start_time": END / 4 - INTERVAL, "final_time": END / 4 + INTERVAL}
            results = payload("PUT", "/results", asked)
            assert results["time"] == [END / 4 - INTERVAL, END / 4, END / 4 + INTERVAL]
            inside.add((payload("GET", f"/kpi?names=ener_tot&{window}")["ener_tot"], *results["x"]))
    first = min(inside)
    assert all(values == pytest.approx(first, rel=1e-9) for values in inside)
    assert first[0] == pytest.approx(4 * first[-1] / 3.6e6, rel=1e-9)


def test_a_process_that_is_killed_goes_on_at_the_same_rows(
    folder: Path, expected: dict[str, float | None], tmp_path: Path
) -> None:
    manager = SessionManager(
        Settings(environ={"TRIVIUM_RESOURCES": str(folder), "TRIVIUM_STATE_DIR": str(tmp_path / "state")})
    )
    try:
        session = manager.session(None)
        session.initialize(0, start_values=START_VALUES)
        session.set_step(4000)
        for length in (4000, 4000, 400, 6000):
            session.set_step(length)
            session.advance()
            before = session.results()
            kill(manager)
            after = session.results()
            assert manager.restored(None) in ("exact", "replayed")
            assert all(before[name].tobytes() == after[name].tobytes() for name in before)
        assert session.time == END
        assert set(range(0, END + 1, INTERVAL)) | {4000, 8000} == set(before["time"])
        assert session.kpis(list(INDICATORS)) == pytest.approx(expected, rel=INTERVAL / 3600)
    finally:
        manager.stop_all()
        manager.close()


def test_swept(folder: Path, expected: dict[str, float | None], tmp_path: Path) -> None:
    for step in STEPS:
        study = {
            "paths": {"package_path": str(folder)},
            "simulation": {"variableFilter": "x", "stop_time": END, "step_size": step},
            "simulation_parameters": {name: [value] for name, value in START_VALUES.items()},
            "metrics": {name: {"variable": name, "method": "kpi"} for name in INDICATORS},
            "output": {"dtype": "float64"},
        }
        path = tmp_path / f"study-{step}.json"
        path.write_text(json.dumps(study))
        with open_results(sweeps.run_here(path, unpacked=tmp_path / "unpacked")) as results:
            assert results.failures == {}
            assert {name: results.column(name)[0] for name in INDICATORS} == pytest.approx(expected, rel=1e-9)
