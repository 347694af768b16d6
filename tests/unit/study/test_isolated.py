"""Sweeps of FMUs that cannot be initialized twice in a process, end early, or take steps of one length."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests import own_fmus
from tests.sweeps import run_here
from tests.trap_fmu import expected
from trivium.errors import InvalidValueError
from trivium.study import selftest
from trivium.study.chunk import free, run_chunk
from trivium.study.job import DONE, FAILED
from trivium.study.prepare import prepare
from trivium.study.read import SweepResults
from trivium.study.spec import load_study

SET_POINTS = [280.0, 300.0, 280.0]


@pytest.fixture
def study(tmp_path):
    """Write a study of an FMU."""

    def write(fmu, **simulation):
        path = tmp_path / "study.json"
        content = {
            "paths": {"package_path": str(fmu)},
            "simulation": {"variableFilter": "y", "stop_time": 4, "step_size": 1, **simulation},
            "simulation_parameters": {"u": SET_POINTS},
            "output": {"dtype": "float64"},
        }
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.mark.parametrize(
    "variant",
    [
        {"static_memory": True},
        {"static_memory": True, "restore": "none", "optional": False},
        {"dies_when_freed": True},
        {"one_instance": True, "second_hangs": True},
    ],
)
def test_every_run_begins_at_the_beginning(study, trap_fmu, state_dir, variant):
    path = study(trap_fmu(**variant))
    _, job = prepare(load_study(path), path.parent, state_dir / "fmu")
    assert job.strategy == "isolated"
    with SweepResults(run_here(path, unpacked=state_dir / "fmu")) as results:
        trajectories = results.trajectories(np.arange(3), "y")
    for trajectory, u in zip(trajectories, SET_POINTS, strict=True):
        np.testing.assert_allclose(trajectory, [expected(t, u) for t in range(5)], rtol=1e-12)
    free()


def test_what_a_binary_remembers_of_its_parameters_is_found_by_the_runs_of_a_study(study, trap_fmu, state_dir):
    path = study(trap_fmu(static_memory=True))
    plan, job = prepare(load_study(path), path.parent, state_dir / "fmu")
    choice = selftest.choose(job.with_strategy("fresh"), plan.rows(0, 2))
    assert choice.strategy == "isolated"
    assert set(choice.reasons) == {"reset", "restore", "fresh"}


def test_a_run_that_the_fmu_ends_is_a_run_that_failed_and_says_so(study, tmp_path, trap_fmu, state_dir):
    path = study(trap_fmu(ends=2.0))
    plan, job = prepare(load_study(path), path.parent, state_dir / "fmu")
    for each in (job, job.with_strategy("isolated")):
        results = run_chunk(each, np.arange(2), plan.rows(0, 2))
        assert (results.status == FAILED).all()
        assert all("ended the simulation" in reason for reason in results.reasons.values())
    fmu = own_fmus.build(own_fmus.LINEAR, tmp_path / "ends.fmu", "3.0", ends=2.0)
    path = study(fmu)
    plan, job = prepare(load_study(path), path.parent, state_dir / "fmu")
    assert "ended the simulation" in run_chunk(job, np.arange(1), plan.rows(0, 1)).reasons[0]
    free()


def test_steps_are_multiples_of_a_fixed_step(study, trap_fmu, state_dir):
    fmu = trap_fmu(fixed_step=0.5)
    path = study(fmu, step_size=0.8)
    with pytest.raises(InvalidValueError, match=r"simulation.step_size: 0\.8 s is no multiple of 0\.5 s"):
        prepare(load_study(path), path.parent, state_dir / "fmu")
    path = study(fmu, step_size=2)
    plan, job = prepare(load_study(path), path.parent, state_dir / "fmu")
    assert (run_chunk(job, np.arange(2), plan.rows(0, 2)).status == DONE).all()
    free()
