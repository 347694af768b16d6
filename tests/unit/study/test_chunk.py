import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fmpy import simulate_fmu

from tests.own_fmus import state
from tests.trap_fmu import Trap, expected
from trivium.study import selftest
from trivium.study.chunk import run_chunk
from trivium.study.job import DONE, FAILED
from trivium.study.prepare import prepare
from trivium.study.quanta import decode
from trivium.study.spec import load_study


@pytest.fixture
def prepared(write_study, unpacked, tmp_path):
    def make(**changes):
        return prepare(load_study(write_study(**changes)), tmp_path, unpacked)

    return make


def run(plan, job):
    return run_chunk(job, np.arange(plan.count), plan.rows(0, plan.count))


def trap(prepared, trap_fmu, traps, **more):
    variant = {key: more.pop(key) for key in ("restore", "brittle") if key in more}
    simulation = {"variableFilter": "y", "stop_time": 600, "step_size": 60, **more}
    return prepared(
        fmu=trap_fmu(**variant), simulation=simulation, simulation_parameters={"u": [280, 300], "trap": traps}
    )


def test_the_numbers_are_those_of_the_solution(prepared):
    plan, job = prepared(simulation={"variableFilter": "x|y|tenfold|high", "start_values": {"u": 3.0}})
    results = run(plan, replace(job, dtype="float64"))
    assert (results.status == DONE).all()
    assert job.kept == ("x", "y", "tenfold", "high")
    for row, (tau, gain) in zip(results.trajectories, plan.rows(0, plan.count).tolist(), strict=True):
        x = np.array([state(t, 3.0, tau=tau) for t in job.times])
        np.testing.assert_allclose(row[:, 0], x, rtol=1e-12)
        np.testing.assert_allclose(row[:, 1], gain * x, rtol=1e-12)
        assert (row[:, 2] == 10 * gain).all()
        assert row[:, 3].tolist() == (x > 1.0).tolist()


def test_the_numbers_are_those_of_fmpy(prepared, own_fmu):
    plan, job = prepared(metrics={"last": {"variable": "y", "method": "final"}})
    results = run(plan, job)
    assert results.trajectories.dtype == np.float32
    other = simulate_fmu(
        str(own_fmu("linear", "2.0")), fmi_type="CoSimulation", stop_time=20, step_size=0.5, output_interval=0.5,
        start_values={"tau": 10, "gain": 3}, output=["x", "y"], set_stop_time=False,
    )  # fmt: skip
    assert plan.rows(3, 4).tolist() == [[10, 3]]
    np.testing.assert_allclose(results.trajectories[3, :, 1], other["y"], rtol=1e-6)
    assert results.metrics[3, 0] == pytest.approx(other["y"][-1], rel=1e-9)  # not that of float32


@pytest.mark.parametrize("linear", [False, True])
def test_inputs_follow_a_table(prepared, tmp_path, linear):
    (tmp_path / "in.csv").write_text("time,u\n0,0\n10,4\n20,8\n30,8\n")
    plan, job = prepared(
        simulation={"inputs": "in.csv", "interpolate_inputs": linear, "variableFilter": "x"}, simulation_parameters={}
    )
    x, found = 1.0, [1.0]
    for t in job.times[:-1]:
        u = 0.4 * t if linear else 0.0 if t < 10 else 4.0
        x = state(0.5, u, start=x)
        found.append(x)
    np.testing.assert_allclose(run(plan, replace(job, dtype="float64")).trajectories[0, :, 0], found, rtol=1e-9)


@pytest.mark.parametrize("linear", [False, True])
def test_switches_and_counts_follow_a_table(prepared, own_fmu, tmp_path, linear):
    """dT/dt = (n power - T) / 50 s; the power is the input while the switch is on, else 20."""
    (tmp_path / "in.csv").write_text("time,power_activate,n,power_u\n0,0,1,0\n10,1,3,40\n20,1,2,80\n30,0,1,80\n")
    plan, job = prepared(
        fmu=own_fmu("overwrite", "2.0"), simulation_parameters={},
        simulation={"inputs": "in.csv", "interpolate_inputs": linear, "variableFilter": "T|power"},
    )  # fmt: skip
    found = run(plan, replace(job, dtype="float64")).trajectories[0]
    temperature, wanted = 10.0, [10.0]
    for t in job.times[:-1]:
        given = 4.0 * t if linear else 0.0 if t < 10 else 40.0
        target = 20.0 if t < 10 else 3 * given
        temperature = target + (temperature - target) * np.exp(-0.5 / 50.0)
        wanted.append(temperature)
    np.testing.assert_allclose(found[:, job.kept.index("T")], wanted, rtol=1e-9)


def test_quantised_trajectories(prepared):
    plan, job = prepared(output={"absolute_error": 0.01})
    exact = run(plan, replace(job, dtype="float64", quantum=0.0)).trajectories
    coded = run(plan, job).trajectories
    assert coded.dtype == np.int32
    assert np.abs(decode(coded, job.quantum, axis=1) - exact).max() <= 0.01


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Trap.ERROR, "at time 0 the status is Error; the FMU says: .*told to fail"),
        (Trap.DISCARD, "at time 0 the status is Discard"),
        (Trap.NOT_A_NUMBER, "at time 60 an output is no finite number"),
    ],
)
@pytest.mark.parametrize("strategy", ["reset", "restore", "fresh"])
def test_a_failing_run_leaves_the_others_alone(prepared, trap_fmu, kind, reason, strategy):
    plan, job = trap(prepared, trap_fmu, [0, int(kind)], brittle=True)
    results = run(plan, job.with_strategy(strategy))
    assert results.status.tolist() == [DONE, FAILED, DONE, FAILED]
    assert sorted(results.reasons) == [1, 3]
    import re

    assert all(re.search(reason, said) for said in results.reasons.values())
    assert (results.trajectories[[1, 3], 0] == 290.0).all()
    assert np.isnan(results.trajectories[[1, 3], 1:]).all()
    for run_, u in ((0, 280), (2, 300)):
        assert results.trajectories[run_, :, 0] == pytest.approx([expected(t, u) for t in job.times], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("restore", "order", "chosen", "why"),
    [
        ("exact", ("reset", "restore", "fresh"), "reset", {}),
        ("exact", ("restore", "fresh"), "restore", {}),
        ("inexact", ("restore", "fresh"), "fresh", {"restore": "its numbers are not those of a new instance"}),
        ("crash", ("restore", "fresh"), "fresh", {"restore": "it kills the process"}),
        ("none", ("restore", "fresh"), "fresh", {"restore": "it fails"}),
    ],
)
def test_how_instances_are_reused_is_decided_by_numbers(prepared, trap_fmu, monkeypatch, restore, order, chosen, why):
    monkeypatch.setattr(selftest, "STRATEGIES", order)
    plan, job = trap(prepared, trap_fmu, [0], restore=restore)
    assert selftest.choose(job, plan.rows(0, 2)) == (chosen, why, restore != "crash")


@pytest.mark.slow
def test_an_fmu_that_keeps_its_parameters_is_not_reset(prepared):
    plan, job = prepared()
    choice = selftest.choose(job, plan.rows(0, 2))
    assert choice.strategy == "fresh"
    assert choice.reasons["reset"] == "it fails"


@pytest.mark.slow
def test_what_leaks_is_not_reused(prepared, trap_fmu, monkeypatch):
    plan, job = trap(prepared, trap_fmu, [0])
    monkeypatch.setattr(selftest, "_GROWTH", -1)
    assert selftest.choose(job, plan.rows(0, 2)) == (
        "fresh",
        {"reset": "it leaks memory", "restore": "it leaks memory"},
        True,
    )


def test_a_run_without_end_ends_its_process(prepared, trap_fmu):
    plan, job = trap(prepared, trap_fmu, [int(Trap.HANG)], time_limit=1.0)
    assert selftest.attempt(job, plan.rows(0, 1)) is None


def test_a_job_fits_the_cooling_plant(resources, write_study, unpacked, tmp_path):
    fmu = resources / "AlphaDataCenterCooling_FMU.fmu"
    assert Path(fmu).is_file()
    path = write_study(
        fmu=fmu,
        simulation={"variableFilter": "Tchw_supply", "stop_time": 1500, "step_size": 300},
        simulation_parameters={"Tchws_set_HEX": [285.15, 287.15]},
    )
    plan, job = prepare(load_study(path), tmp_path, unpacked)
    results = run(plan, job)
    for row, (setpoint,) in zip(results.trajectories, plan.rows(0, 2), strict=True):
        other = simulate_fmu(
            str(fmu), stop_time=1500, step_size=300, output_interval=300, output=["Tchw_supply"],
            start_values={"Tchws_set_HEX": setpoint},
        )  # fmt: skip
        np.testing.assert_allclose(row[:, 0], other["Tchw_supply"], rtol=1e-6)


def test_the_native_loop_uses_the_tolerance_that_the_fmu_recommends(write_study, unpacked, resources, tmp_path):
    with zipfile.ZipFile(resources / "AlphaDataCenterCooling_FMU.fmu") as plant:
        content = {name: plant.read(name) for name in plant.namelist()}
    text = content["modelDescription.xml"].replace(b'tolerance="0.0001"', b'tolerance="1e-09"')
    assert text != content["modelDescription.xml"]
    with zipfile.ZipFile(tmp_path / "fine.fmu", "w") as fine:
        for name, data in content.items():
            fine.writestr(name, text if name == "modelDescription.xml" else data)
    final = {}
    for tolerance in (None, 1e-9, 1e-4):
        simulation = {"variableFilter": "Tchw_supply", "stop_time": 3600, "step_size": 300, "tolerance": tolerance}
        path = write_study(
            f"{tolerance}.json", tmp_path / "fine.fmu", simulation=simulation,
            simulation_parameters={"Tchws_set_CHI": [287.15]}, output={"dtype": "float64"},
        )  # fmt: skip
        plan, job = prepare(load_study(path), tmp_path, unpacked)
        final[tolerance] = run(plan, job).trajectories[0, -1, 0]
    assert final[None] == final[1e-9] != final[1e-4]
