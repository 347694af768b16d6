"""The probe finds out by trying, and survives what the FMU does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adcc.core.resources import Resources
from adcc.fmu.probe import probe
from tests.small_plant import FAILING
from tests.trap_fmu import PLANT_TRAP, Trap


@pytest.fixture
def tried(state_dir):
    def try_it(folder, inputs=None, interface="cs", **options):
        resources = replace(Resources.load(folder), engine="fmpy", interface=interface)
        return probe(resources, state_dir / "fmu", inputs, **options)

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


def test_a_failing_model_exchange(tried, small_resources):
    assert "failed to step" in tried(small_resources, {FAILING: 1.0}, "me").error
