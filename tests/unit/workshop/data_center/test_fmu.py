"""The shipped FMU: standard, robustness, agreement of its two faces, exact snapshots, and that the sources make it."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fmpy import read_model_description, simulate_fmu
from fmpy.fmi1 import FMICallException
from fmpy.validation import validate_fmu

from tests.unit.workshop.data_center.test_physics import STORAGE, at_random
from workshop.data_center.driver import OFF, Plant, inputs
from workshop.data_center.parameters import PARAMETERS
from workshop.data_center.variables import INPUTS, OUTPUTS
from workshop.fmi.build import build
from workshop.fmi.spec import Model

Make = Callable[..., Plant]


def test_validates_and_passes_the_standard_checkers(fmu: Path) -> None:
    assert validate_fmu(str(fmu)) == []
    checked = subprocess.run(
        [sys.executable, "-m", "fmu_manipulation_toolbox.cli.fmutool", "-input", str(fmu), "-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (checked.stdout + checked.stderr).splitlines()
    assert [line for line in lines if "ERROR" in line or "WARNING" in line] == []


def test_has_the_documented_variables(fmu: Path) -> None:
    variables = read_model_description(fmu).modelVariables
    for causality, expected in (("input", INPUTS), ("output", OUTPUTS), ("parameter", PARAMETERS)):
        described = [(v.name, v.unit) for v in variables if v.causality == causality]
        assert described == [(v.name, v.unit) for v in expected]


def test_any_sequence_of_commands_gives_finite_values(plant: Make) -> None:
    generator, instance = random.Random(11), plant(**STORAGE)
    for _ in range(1500):
        outputs = instance.step(at_random(generator), generator.choice([10.0, 300.0, 900.0]))
        assert all(map(math.isfinite, outputs.values()))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["TWetBul", "uChi1", "PItDem1"])
def test_what_is_not_finite_is_refused(plant: Make, name: str, bad: float) -> None:
    instance = plant()
    instance.step(inputs())
    with pytest.raises(FMICallException):
        instance.put({name: bad})


def test_a_half_pump_is_none(plant: Make) -> None:
    whole, half = plant(), plant()
    assert whole.run(inputs(nPumChiWat=3.0, nTow=2.0), 1.0) == half.run(inputs(nPumChiWat=2.6, nTow=2.4), 1.0)


def test_state_restores_bit_exactly_also_in_another_process(plant: Make, fmu: Path, tmp_path: Path) -> None:
    instance = plant(**STORAGE)
    for values in (inputs(yTan=0.5, yBat=0.5), inputs(uChi1=0.0), inputs(uChi1=1.0, uChi4=1.0, yShi=1.0)):
        instance.step(values)
    state = instance.slave.getFMUState()
    stored = instance.slave.serializeFMUState(state)
    later = [inputs(**OFF), inputs(uChi2=0.0, yFanTow=1.0)]
    expected = [instance.step(values) for values in later]
    instance.slave.setFMUState(state)
    instance.time = 900.0
    assert [instance.step(values) for values in later] == expected

    file = tmp_path / "state"
    file.write_bytes(bytes(stored))
    script = (
        "import json, sys; from pathlib import Path;"
        "from workshop.data_center.driver import OFF, Plant, inputs;"
        "p = Plant(Path(sys.argv[1])); p.step(inputs(), 1.0);"
        "p.slave.setFMUState(p.slave.deserializeFMUState(Path(sys.argv[2]).read_bytes())); p.time = 900.0;"
        "print(json.dumps([p.step(inputs(**OFF)), p.step(inputs(uChi2=0.0, yFanTow=1.0))]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, str(fmu), str(file)], capture_output=True, text=True, check=True
    )
    assert json.loads(other.stdout) == expected  # repr of a float round-trips, so this is bit for bit


def test_any_communication_step_arrives_at_the_same_place(plant: Make) -> None:
    coarse, fine = plant(1e-7), plant(1e-7)
    changed = inputs(uChi3=0.0, yFanTow=0.9, TChiWatSupSet=283.15)
    coarse.step(inputs())
    once = coarse.step(changed, 900.0)
    fine.step(inputs())
    for duration in (0.1, 7.3, 92.6, 300.0, 500.0):
        often = fine.step(changed, duration)
    assert [often[n] for n in once] == pytest.approx(list(once.values()), rel=2e-5, abs=2e-3)


def test_tolerance_is_honoured(plant: Make) -> None:
    def temperatures(tolerance: float) -> np.ndarray:
        instance = plant(tolerance)
        instance.run(inputs(), 1.0)
        outputs = instance.step(inputs(uChi1=0.0, nPumConWat=2.0, yFanTow=0.3), 300.0)
        return np.array([value for name, value in outputs.items() if name.startswith("T")])

    reference = temperatures(1e-10)
    errors = [np.abs(temperatures(t) - reference).max() for t in (1e-4, 1e-6, 1e-8)]
    assert errors[0] < 0.1
    assert errors[1] < 1e-2
    assert errors[2] < 1e-3


def test_model_exchange_with_cvode_agrees_with_co_simulation(fmu: Path) -> None:
    before, after = inputs(), inputs(uChi3=0.0, TSupAirSet1=294.15, yFanTow=0.5)
    signal = np.array(
        [(t, *values.values()) for t, values in ((0.0, before), (600.0, before), (600.0, after), (1800.0, after))],
        dtype=[("time", float), *((n, float) for n in before)],
    )
    outputs = ["TInl1", "TInl2", "TChiWatSup", "TConWatSup", "TLiqSup", "PCoo", "QTow", "mChiWat_flow"]
    runs = {
        kind: simulate_fmu(
            str(fmu),
            fmi_type=kind,
            solver="CVode",
            relative_tolerance=1e-7,
            stop_time=1800.0,
            output_interval=60.0,
            input=signal,
            output=outputs,
        )
        for kind in ("ModelExchange", "CoSimulation")
    }
    exchange, simulated = runs["ModelExchange"], runs["CoSimulation"]
    at = {t: i for i, t in enumerate(exchange["time"])}  # the last row of a time is the one after an input event
    rows = [at[t] for t in simulated["time"][1:]]
    for name in outputs:
        scale = 1.0 if name.startswith("T") else float(np.abs(simulated[name]).max())
        # FMPy's co-simulation holds inputs over a step of 60 s, so the two differ only around the change at 600 s.
        difference = np.abs(exchange[name][rows] - simulated[name][1:]) / scale
        assert np.delete(difference, 9).max() < 3e-3, name


def test_derivatives_of_the_rates_are_those_of_differences(plant: Make) -> None:
    instance = plant(1e-9)
    instance.run(inputs(), 2.0)
    known, unknown = "TChiWatSupSet", "QChi1"
    slope = instance.slave.getDirectionalDerivative([instance.reference[unknown]], [instance.reference[known]], [1.0])[
        0
    ]
    values = []
    for change in (-0.01, 0.01):
        instance.put({known: 285.15 + change})
        values.append(instance.get((unknown,))[unknown])
    assert slope == pytest.approx((values[1] - values[0]) / 0.02, rel=1e-4)
    assert slope < 0.0


@pytest.mark.slow
def test_sources_make_the_shipped_binary(model: Model, fmu: Path, tmp_path: Path, plant: Make) -> None:
    built = tmp_path / "rebuilt.fmu"
    build(model, built, targets=["linux64"])
    assert read_model_description(built).guid == read_model_description(fmu).guid, (
        "run `make data-center`: the sources changed since"
    )
    rebuilt, shipped = Plant(built), plant()
    try:
        for values in (inputs(), inputs(**OFF), inputs(yValEco=1.0, TWetBul=275.15, uChi1=0.0)):
            again, before = rebuilt.run(values, 0.5), shipped.run(values, 0.5)
            assert list(again.values()) == pytest.approx(list(before.values()), rel=1e-9, abs=1e-9)
    finally:
        rebuilt.close()
