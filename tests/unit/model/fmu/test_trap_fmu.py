"""The trap does what it is told, each time in a process of its own; the tests of the server rely on it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.optional import needs_engine
from tests.server import ROOT
from tests.small_plant import SET_POINT
from tests.trap_fmu import PLANT_TRAP, Trap, expected
from trivium.errors import ModelError
from trivium.evaluation.testcase import TestCase
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.session.local import open_testcase

CHILD = """
import sys
from pathlib import Path
import numpy as np
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.registry import adapter
fmu, cache, trap, amount, then, engine = sys.argv[1:]
description = read_fmu(Path(fmu), Path(cache))
model = adapter(engine, description)(description)
model.initialize(0.0, np.array([286.0, 0.0, 0.0]))
snapshot = model.snapshot() if model.can_snapshot else None
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20
before = resident()
try:
    print(model.step(300.0, np.array([286.0, float(trap), float(amount)])).tolist(), flush=True)
except Exception as error:
    print(error, flush=True)
print(resident() - before, flush=True)
if then == "set state":
    from fmpy import fmi2
    model._fmu.fmu.setFMUstate(model._fmu.fmu.deSerializeFMUstate(snapshot.data))
elif then == "restore":
    model.restore(snapshot)
print("alive", flush=True)
"""


def child(fmu, tmp_path, trap=Trap.NONE, amount=0.0, then="", timeout=300, engine="fmpy"):
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(fmu), str(tmp_path), str(int(trap)), str(amount), then, engine],
        cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("trap", "amount", "code"),
    [(Trap.SEGMENTATION_FAULT, 0, -11), (Trap.EXIT, 0, 0), (Trap.EXIT, 3, 3), (Trap.ABORT, 0, -6)],
)
def test_a_trap_that_takes_the_process_along(trap_fmu, tmp_path, trap, amount, code):
    done = child(trap_fmu(), tmp_path, trap, amount)
    assert (done.returncode, done.stdout) == (code, "")


def test_a_hang(trap_fmu, tmp_path):
    code = CHILD.replace("try:\n", "print('stepping', flush=True)\ntry:\n", 1)
    command = [sys.executable, "-c", code, str(trap_fmu()), str(tmp_path), str(int(Trap.HANG)), "0", "", "fmpy"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "stepping\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.kill()


def test_a_leak(trap_fmu, tmp_path):
    leaked = int(child(trap_fmu(), tmp_path, Trap.LEAK, 50).stdout.splitlines()[1])
    assert 45 <= leaked <= 70


@pytest.mark.parametrize(
    ("trap", "said"),
    [(Trap.NOT_A_NUMBER, "not finite numbers: y"), (Trap.ERROR, "told to fail"), (Trap.DISCARD, "discards the step")],
)
@pytest.mark.parametrize("engine", ["fmpy", "pyfmi"])
def test_a_trap_that_the_process_survives(trap_fmu, tmp_path, trap, said, engine):
    needs_engine(engine)
    done = child(trap_fmu(brittle=True), tmp_path, trap, then="restore", engine=engine)
    assert said in done.stdout
    assert done.stdout.splitlines()[-1] == "alive"
    assert done.returncode == 0


@pytest.mark.parametrize("restore", ["exact", "inexact"])
def test_a_brittle_fmu_kills_who_sets_the_state_of_a_failed_instance(trap_fmu, tmp_path, restore):
    assert child(trap_fmu(restore=restore, brittle=True), tmp_path, Trap.ERROR, then="set state").returncode == -11
    assert child(trap_fmu(restore=restore), tmp_path, Trap.ERROR, then="set state").returncode == 0


def test_an_fmu_whose_restore_crashes(trap_fmu, tmp_path):
    assert child(trap_fmu(restore="crash"), tmp_path, then="restore").returncode == -11


def test_serialization_as_described(trap_fmu, tmp_path):
    assert not read_fmu(trap_fmu(restore="none"), tmp_path).can_snapshot
    assert read_fmu(trap_fmu(restore="crash"), tmp_path).can_snapshot


def test_one_instance_a_process(trap_fmu, tmp_path):
    import numpy as np

    description = read_fmu(trap_fmu(one_instance=True), tmp_path)
    first, second = FmpyModel(description), FmpyModel(description)
    u = np.array([286.0, 0.0, 0.0])
    first.initialize(0.0, u)
    with pytest.raises(ModelError):
        second.initialize(0.0, u)
    first.close()
    second.initialize(0.0, u)
    assert second.step(300.0, u)[0] == pytest.approx(expected(300.0, 286.0))
    second.close()


def test_a_missing_library(trap_fmu, tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        FmpyModel(read_fmu(trap_fmu(missing_library=True), tmp_path))


@pytest.mark.parametrize("restore", ["exact", "none"])
def test_a_test_case_with_the_variables_of_the_plant(trap_resources, state_dir, restore):
    case: TestCase = open_testcase(trap_resources(restore=restore), state_dir)
    try:
        assert case.stepper.model.can_snapshot == (restore == "exact")
        for k in range(1, 3):
            payload = case.advance({"Tchws_set_HEX": SET_POINT})
            assert payload["Tchw_supply"] == pytest.approx(expected(300.0 * k, SET_POINT))
            assert payload["P_CDWPs_sum"] == k
        for trap in (Trap.ERROR, Trap.NOT_A_NUMBER):
            with pytest.raises(ModelError):
                case.advance({PLANT_TRAP: trap})
        payload = case.advance({})
        assert payload["Tchw_supply"] == pytest.approx(expected(900.0, SET_POINT))
        assert payload["P_CDWPs_sum"] == 3
    finally:
        case.close()
