"""Runs that kill their process are found in processes of their own; the others end."""

import contextlib
import os
import signal
from dataclasses import replace

import numpy as np
import psutil
import pytest

from tests.trap_fmu import Trap, expected
from trivium.study.alone import run_alone
from trivium.study.job import DONE, FAILED
from trivium.study.prepare import prepare
from trivium.study.spec import load_study


@pytest.fixture
def evaluated(write_study, trap_fmu, unpacked, tmp_path):
    """Evaluate runs with these traps, each of one step."""

    def evaluate(traps, progress=lambda _: None, limit=600.0, **variant):
        simulation = {"variableFilter": "y", "stop_time": 60, "step_size": 60}
        parameters = {"trap": [int(trap) for trap in traps], "u": [300], "amount": [3]}
        path = write_study(
            fmu=trap_fmu(**variant), simulation=simulation, simulation_parameters=parameters, sampling={"method": "zip"}
        )
        plan, job = prepare(load_study(path), tmp_path, unpacked)
        job = replace(job, time_limit=limit)
        return run_alone(job, np.arange(plan.count), plan.rows(0, plan.count), progress)

    return evaluate


def test_exactly_the_runs_that_kill_their_process_fail(evaluated):
    traps = [Trap.SEGMENTATION_FAULT, 0, 0, Trap.ABORT, Trap.EXIT, 0, Trap.ERROR, 0, Trap.SEGMENTATION_FAULT]
    ended = []
    results = evaluated(traps, ended.append)
    assert results.status.tolist() == [DONE if trap == 0 else FAILED for trap in traps]
    for run, how in {0: "SIGSEGV", 3: "SIGABRT", 4: "exit code 3", 8: "SIGSEGV"}.items():
        assert results.reasons[run] == f"its process died each time that it was tried, at last alone ({how})"
    assert "told to fail" in results.reasons[6]
    assert results.trajectories[results.status == DONE, -1, 0] == pytest.approx(expected(60, 300))
    assert ended == list(range(1, 10))


def test_a_run_that_dies_of_the_one_before_it_has_not_failed(evaluated):
    """The FMU kills its process when an instance is freed: every run but the first of a process meets that."""
    assert (evaluated([0, 0, 0], dies_when_freed=True).status == DONE).all()


def test_a_run_without_end_is_late(evaluated):
    results = evaluated([0, Trap.HANG, 0], limit=1.0)
    assert results.reasons == {1: "it took longer than simulation.time_limit, 1 s"}
    assert results.status.tolist() == [DONE, FAILED, DONE]


def test_a_process_that_is_killed_from_outside_is_no_failure_of_its_run(evaluated):
    killed = []

    def kill(ended):
        if ended == 1 and not killed:
            for process in psutil.Process().children():
                with contextlib.suppress(psutil.NoSuchProcess):  # also a zombie, which another test left
                    if "serve_runs" in " ".join(process.cmdline()):
                        killed.extend(process.children())
            for child in killed:
                os.kill(child.pid, signal.SIGKILL)

    assert (evaluated([0, Trap.SLOW, 0], kill).status == DONE).all()
    assert killed
