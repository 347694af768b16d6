"""Steps of a model that are finer than its output points."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trivium
from trivium.errors import InvalidValueError
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.spec import load_study

#: An explicit step of this length [s] is far from the solution, so every other step shows.
FINE = 0.25


@pytest.fixture
def rows(
    write_study: Callable[..., Path], run_here: Callable[..., Path], tmp_path: Path
) -> Callable[..., dict[float, tuple[float, ...]]]:
    """Return what a study records at each time: rows(fmu, step, communication step, ...)."""

    def rows(fmu: Path, step: float, communication: float | None, **more: Any) -> dict[float, tuple[float, ...]]:
        simulation = {"variableFilter": "x|taken", "stop_time": 6.0, "step_size": step, **more}
        if communication is not None:
            simulation["communication_step"] = communication
        name = f"{fmu.stem}-{step}-{communication}.json"
        path = write_study(
            name,
            fmu=fmu,
            simulation=simulation,
            simulation_parameters={"tau": [1.0]},
            output={"dtype": "float64"},
        )
        with open_results(run_here(path, out=tmp_path / f"{name}-results")) as results:
            assert results.failures == {}
            run = results.dataset().isel(run=0)
            return dict(
                zip(run.time.values.tolist(), zip(run["x"].values, run["taken"].values, strict=True), strict=True)
            )

    return rows


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_a_co_simulation_takes_the_fine_steps_whatever_is_recorded(own_fmu, rows, version):
    fmu = own_fmu("single", version)
    fine = rows(fmu, FINE, None)
    for step in (0.5, 1.0, 6.0):
        coarse = rows(fmu, step, FINE)
        assert [*coarse] == np.arange(0.0, 6.1, step).tolist()
        assert coarse == {time: fine[time] for time in coarse}
    steps = round(6.0 / FINE)
    assert coarse[6.0] == (pytest.approx((1 - FINE) ** steps, rel=1e-12), steps)
    assert rows(fmu, 6.0, None)[6.0] == (1 - 6.0, 1)


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_model_exchange_is_the_same_at_every_output_step(own_fmu, version):
    fmu = own_fmu("oscillator", version, "me") if version == "1.0" else own_fmu("oscillator", version)
    pairs = {}
    for step in (0.5, 2.0):
        study = trivium.Study(fmu, {"mu": [1.0]}, stop_time=6.0, step=step, communication_step=0.5, outputs=["x"])
        run = study.run(workers=0).dataset().isel(run=0)
        pairs[step] = dict(zip(run.time.values.tolist(), run["x"].values.tolist(), strict=True))
    assert pairs[2.0] == {time: pairs[0.5][time] for time in pairs[2.0]}


def test_a_step_that_is_no_decimal_number_adds_no_error_up(own_fmu, rows):
    fmu = own_fmu("single", "2.0")
    assert [*rows(fmu, 1.0, 1 / 3)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert rows(fmu, 2.0, 1 / 3)[6.0] == rows(fmu, 1.0, 1 / 3)[6.0]
    assert rows(fmu, 1.0, 1 / 3)[6.0][1] == 18


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_table_of_inputs_is_followed_in_the_fine_steps(own_fmu, rows, tmp_path, version):
    table = tmp_path / "inputs.csv"
    table.write_text("time,u\n0,0\n1.25,4\n2.1,4\n2.1,-3\n6,-3\n")
    fmu = own_fmu("single", version)
    fine = rows(fmu, FINE, None, inputs=str(table))
    coarse = rows(fmu, 2.0, FINE, inputs=str(table))
    assert coarse == {time: fine[time] for time in coarse}
    assert coarse[6.0][1] == 25  # a step more: that from 2 to 2.25 s is divided where the input jumps
    x, time = 1.0, 0.0
    for end in sorted({*np.arange(FINE, 6.1, FINE).tolist(), 2.1}):
        u = 0.0 if time < 1.25 else 4.0 if time < 2.1 else -3.0
        x, time = x + (end - time) * (u - x), end
    assert coarse[6.0][0] == pytest.approx(x, rel=1e-9)


@pytest.mark.parametrize(
    ("communication", "reason"),
    [
        (0.3, "communication_step must divide step_size 1 into whole parts; 0.333333 does"),
        (2.0, "communication_step must divide step_size 1 into whole parts; 1 does"),
        (0.0, "simulation.communication_step: must be greater than 0"),
        (1e-300, "communication_step makes more than"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_by_name(write_study, tmp_path, communication, reason):
    path = write_study(simulation={"step_size": 1.0, "communication_step": communication})
    with pytest.raises(InvalidValueError, match=reason):
        load_study(path)


def test_an_experiment_that_is_no_simulation_has_no_such_step(tmp_path):
    with pytest.raises(InvalidValueError, match="communication_step belongs to the simulation of a model"):
        trivium.Study(lambda x: {"y": x}, {"x": [1.0]}, communication_step=1.0)


def test_a_test_case_is_controlled_in_the_fine_steps(tmp_path, run_here):
    def figures(step: float, communication: float | None) -> tuple[list[float], float]:
        content = {
            "testcase": "cooling",
            "simulation": {
                "variableFilter": "Tchw_supply", "stop_time": 7200, "step_size": step, "controller": "rules",
                **({} if communication is None else {"communication_step": communication}),
            },
            "simulation_parameters": {"Tchws_set_HEX": [286.15]},
            "metrics": {"energy": {"variable": "ener_tot", "method": "kpi"}},
            "output": {"dtype": "float64"},
        }  # fmt: skip
        path = tmp_path / f"{step}-{communication}.json"
        path.write_text(json.dumps(content))
        with open_results(run_here(path)) as results:
            assert results.failures == {}
            return results.dataset()["Tchw_supply"].values[0].tolist(), float(results.column("energy")[0])

    fine, hourly = figures(300, None), figures(3600, 300)
    assert hourly[0] == fine[0][::12]
    assert hourly[1] == fine[1]


def test_a_step_that_the_model_does_not_take_is_refused_by_its_field(write_study, trap_fmu, tmp_path, unpacked):
    def check(**simulation: float) -> None:
        path = write_study(
            fmu=trap_fmu(fixed_step=0.5),
            simulation={"variableFilter": "y", "stop_time": 2, **simulation},
            simulation_parameters={"u": [280]},
        )
        prepare(load_study(path), tmp_path, unpacked)

    check(step_size=1, communication_step=0.5)
    with pytest.raises(InvalidValueError, match=r"^simulation\.communication_step: 0\.25 s is no multiple of 0\.5 s"):
        check(step_size=1, communication_step=0.25)
    with pytest.raises(InvalidValueError, match=r"^simulation\.step_size: 0\.25 s is no multiple of 0\.5 s"):
        check(step_size=0.25)
