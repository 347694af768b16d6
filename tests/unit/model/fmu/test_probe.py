"""The probe finds out by trying, and survives what the FMU does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from trivium.model.fmu.probe import probe

from tests.small_plant import FAILING
from tests.trap_fmu import PLANT_TRAP, Trap
from trivium.environment import ROOT
from trivium.model.fmu.fmu_model import Setup
from trivium.simulation.resources import Resources


@pytest.fixture
def tried(state_dir):
    def try_it(folder, inputs=None, interface="cs", **options):
        setup = Setup(Resources.load(folder).fmu, "fmpy", interface)
        return probe(setup, state_dir / "fmu", inputs, **options)

    return try_it


@pytest.mark.parametrize("interface", ["cs", "me"])
def test_the_plant_restores_exactly(tried, small_resources, interface):
    found = tried(small_resources, {"CHI01": 1.0}, interface)
    assert (found.engine, found.interface, found.steps, found.restore) == ("fmpy", interface, 3, "exact")
    assert (found.error, found.reason, found.difference) == ("", "", 0.0)
    assert found.step_ms > 0


def test_a_restore_that_is_promised_and_inexact(tried, trap_resources):
    found = tried(trap_resources(restore="inexact"))
    assert found.restore == "inexact"
    assert 1e-5 < found.difference < 1e-3


@pytest.mark.parametrize(
    ("restore", "reason"), [("none", "the FMU does not offer it"), ("crash", "the process ended with SIGSEGV")]
)
def test_a_restore_that_is_impossible(tried, trap_resources, restore, reason):
    found = tried(trap_resources(restore=restore))
    assert (found.steps, found.restore, found.reason, found.error) == (3, "impossible", reason, "")
    assert found.decided == (restore == "none")


@pytest.mark.parametrize(
    ("trap", "error"),
    [
        (Trap.SEGMENTATION_FAULT, "the process ended with SIGSEGV"),
        (Trap.EXIT, "the process ended with exit code 64"),
        (Trap.HANG, "no answer within 8 s"),
        (Trap.NOT_A_NUMBER, "not finite numbers: Tchw_supply"),
        (Trap.ERROR, "told to fail"),
    ],
)
def test_an_fmu_that_cannot_be_stepped(tried, trap_resources, trap, error):
    found = tried(trap_resources(), {PLANT_TRAP: float(trap)}, timeout=8.0)
    assert error in found.error
    assert (found.steps, found.restore) == (0, "impossible")
    assert found.decided == (trap in (Trap.NOT_A_NUMBER, Trap.ERROR))


def test_a_failing_model_exchange(tried, small_resources):
    assert "failed to step" in tried(small_resources, {FAILING: 1.0}, "me").error


def test_one_instance_a_process_is_enough(tried, trap_resources):
    found = tried(trap_resources(one_instance=True))
    assert (found.steps, found.restore, found.error) == (3, "exact", "")


def test_a_program_without_a_main_guard_is_not_run_again(small_resources, state_dir, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import sys; from pathlib import Path\n"
        "from trivium.model.fmu.fmu_model import Setup; from trivium.model.fmu.probe import probe\n"
        "print('began')\n"
        "print(probe(Setup(Path(sys.argv[1]), 'fmpy'), Path(sys.argv[2])).restore)\n"
    )
    fmu = small_resources / "AlphaDataCenterCooling_FMU.fmu"
    done = subprocess.run(
        [sys.executable, str(program), str(fmu), str(state_dir / "fmu")],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["began", "exact"], done.stderr
