"""The shipped FMU: names, standard, robustness, agreement of its two faces, and that the sources make it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fmpy import read_model_description, simulate_fmu
from fmpy.fmi1 import FMICallException
from fmpy.validation import validate_fmu
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workshop.cooling_plant.driver import CP, Plant, action
from workshop.cooling_plant.parameters import PARAMETERS
from workshop.cooling_plant.variables import INPUTS, OUTPUTS
from workshop.fmi.build import build
from workshop.fmi.spec import Model

BOUNDS = {v.name: (v.min, v.max) for v in (*INPUTS, *OUTPUTS)}
SWITCHES = [v.name for v in INPUTS if (v.min, v.max) == (0.0, 1.0) and "Ffan" not in v.name]


@pytest.mark.slow
def test_validates_and_passes_the_standard_checkers(fmu: Path) -> None:
    assert validate_fmu(str(fmu)) == []
    checked = subprocess.run(
        [sys.executable, "-m", "fmu_manipulation_toolbox.cli.fmutool", "-input", str(fmu), "-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    complaints = [
        line for line in (checked.stdout + checked.stderr).splitlines() if "ERROR" in line or "WARNING" in line
    ]
    assert complaints == []


def test_has_the_published_variables_described(fmu: Path) -> None:
    variables = read_model_description(fmu).modelVariables
    by_causality = {c: [v for v in variables if v.causality == c] for c in ("input", "output", "parameter")}
    assert len(by_causality["input"]) == 104
    assert len(by_causality["output"]) == 86
    assert len(by_causality["parameter"]) == len(PARAMETERS)
    for v in (*by_causality["input"], *by_causality["output"]):
        assert v.unit, v.name
        assert v.description, v.name
        assert v.min is not None, v.name
        assert v.max is not None, v.name


def test_names_are_those_of_the_recorded_trajectories(trajectories_file: Path, fmu: Path) -> None:
    with_header = np.loadtxt(trajectories_file, dtype=str, delimiter=",", max_rows=1)
    names = set(with_header.tolist()) - {"segment", "step", "mode", "time"}
    variables = read_model_description(fmu).modelVariables
    assert {v.name for v in variables if v.causality in ("input", "output")} == names


@pytest.mark.slow
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_any_switches_and_speeds_give_finite_sensible_values(fmu: Path, data: st.DataObject) -> None:
    def draw(v_min: float, v_max: float) -> st.SearchStrategy[float]:
        return st.one_of(st.sampled_from([v_min, v_max]), st.floats(v_min, v_max))

    instance = Plant(fmu)
    try:
        for _ in range(3):
            bits = data.draw(st.integers(0, 2 ** len(SWITCHES) - 1))
            values = {name: float(bits >> i & 1) for i, name in enumerate(SWITCHES)}
            values |= {
                n: data.draw(draw(*BOUNDS[n]))
                for n in (
                    "Twb_outside",
                    "Mchw",
                    "Tchw_r",
                    "Tchws_set_CHI",
                    "Tchws_set_HEX",
                    "Head_required",
                    "CWP_activatedNumber",
                    "CWP_speedInput",
                )
            }
            rpm = [data.draw(draw(0.0, 1600.0)) for _ in range(3)]
            fan = [data.draw(draw(0.0, 1.0)) for _ in range(3)]
            values |= {v.name: rpm[i % 3] for i, v in enumerate(INPUTS) if v.name.endswith("_rpm")}
            values |= {v.name: fan[i % 3] for i, v in enumerate(INPUTS) if v.name.startswith("Ffan")}
            for duration in (300.0, 900.0):
                outputs = instance.step(values, duration)
                for name, value in outputs.items():
                    low, high = BOUNDS[name]
                    assert math.isfinite(value), name
                    assert low - 1e-6 <= value <= high + 1e-6, (name, value)
    finally:
        instance.close()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("closed valves", {f"CHI0{i}_{s}{n}": 0.0 for i in range(1, 7) for s in ("CW", "CHW") for n in (1, 2, 3, 4)}),
        ("no tower", {f"U_CT{i}": 0.0 for i in range(1, 7)}),
        ("condenser pumps stopped", {f"CDWP0{i}_{k}": 0.0 for i in range(1, 7) for k in ("ONOFF", "rpm")}),
        (
            "all pumps stopped",
            {f"{p}0{i}_{k}": 0.0 for p in ("CDWP", "CHWP") for i in range(1, 7) for k in ("ONOFF", "rpm")},
        ),
    ],
)
def test_a_shut_plant_stands_still(plant: Callable[..., Plant], name: str, changes: dict[str, float]) -> None:
    instance = plant()
    for _ in range(12):
        outputs = instance.step(action("chiller", **changes))
    assert outputs["VolumeFlowRate_cw"] < 2e-3, name  # standing but for leakage
    assert outputs["Tcwr_CHI2"] < 350.0  # the high-pressure limiter holds a chiller without condenser water
    if name == "all pumps stopped":
        assert outputs["P_CDWPs_sum"] == outputs["P_CHWPs_sum"] == 0.0


def test_fans_off_cools_little_but_cools(plant: Callable[..., Plant]) -> None:
    still = {v.name: 0.0 for v in INPUTS if v.name.startswith("Ffan")}
    windy, calm = plant(), plant()
    for _ in range(24):
        with_fans, without = windy.step(action()), calm.step(action(**still))
    assert without["P_CTfans_sum"] == 0.0
    assert with_fans["Tcw_supply"] + 5.0 < without["Tcw_supply"] < 350.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["Twb_outside", "CHI01_CW2", "Head_required"])
def test_what_is_not_finite_is_refused_by_name(plant: Callable[..., Plant], name: str, bad: float) -> None:
    instance = plant()
    before = instance.step(action())
    with pytest.raises(FMICallException):
        instance.put({name: bad})
    after = instance.step(action(), 1.0)
    assert after["Tchw_supply"] == pytest.approx(before["Tchw_supply"], abs=0.5)


def test_state_restores_bit_exactly_also_in_another_process(
    plant: Callable[..., Plant], fmu: Path, tmp_path: Path
) -> None:
    instance = plant()
    for mode in ("chiller", "partial"):
        instance.step(action(mode))
    state = instance.slave.getFMUState()
    stored = instance.slave.serializeFMUState(state)
    expected = [instance.step(action("free")), instance.step(action("chiller", trains=(1, 2, 3)))]
    instance.slave.setFMUState(state)
    instance.time = 600.0
    assert [instance.step(action("free")), instance.step(action("chiller", trains=(1, 2, 3)))] == expected

    file = tmp_path / "state"
    file.write_bytes(bytes(stored))
    script = (
        "import json, sys; from pathlib import Path; from tests.unit.workshop.cooling_plant.driver import Plant, action;"
        "p = Plant(Path(sys.argv[1])); p.step(action('chiller'), 1.0); s = p.slave.deserializeFMUState(Path(sys.argv[2]).read_bytes());"
        "p.slave.setFMUState(s); p.time = 600.0;"
        "print(json.dumps([p.step(action('free')), p.step(action('chiller', trains=(1, 2, 3)))]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script, str(fmu), str(file)], capture_output=True, text=True, check=True
    )
    assert json.loads(other.stdout) == expected  # repr of a float round-trips, so this is bit for bit


def test_parameters_change_the_plant_before_initialization_only(plant: Callable[..., Plant]) -> None:
    small, ordinary = plant(), plant()
    small.put({"tower.m_flow": 40.0})
    for _ in range(12):
        with_small, with_ordinary = small.step(action()), ordinary.step(action())
    assert with_small["Tcw_supply"] > with_ordinary["Tcw_supply"] + 0.3  # smaller cells approach the wet bulb less
    with pytest.raises(FMICallException):
        small.put({"tower.m_flow": 93.0})


def test_any_communication_step_arrives_at_the_same_place(plant: Callable[..., Plant]) -> None:
    coarse, fine = plant(1e-7), plant(1e-7)
    coarse.step(action("chiller"))
    one = coarse.step(action("partial"), 900.0)
    fine.step(action("chiller"))
    for duration in (0.1, 7.3, 92.6, 300.0, 500.0):
        many = fine.step(action("partial"), duration)
    assert [many[n] for n in one] == pytest.approx(list(one.values()), rel=1e-5, abs=1e-3)


def test_tolerance_is_honoured(plant: Callable[..., Plant]) -> None:
    def error(tolerance: float) -> float:
        instance = plant(tolerance)
        instance.step(action("chiller"), 60.0)
        outputs = instance.step(action("chiller", trains=(1, 2, 3)), 45.0)
        return max(abs(outputs[n] - truth[n]) for n in truth if n.startswith("T"))

    reference = plant(1e-11)
    reference.step(action("chiller"), 60.0)
    truth = reference.step(action("chiller", trains=(1, 2, 3)), 45.0)
    errors = [error(t) for t in (1e-3, 1e-5, 1e-7)]
    assert errors[0] < 0.5
    assert errors[1] < 1e-2
    assert errors[2] < 1e-4


def test_model_exchange_with_cvode_agrees_with_co_simulation(fmu: Path) -> None:
    before, after = action("chiller"), action("partial", trains=(2, 3, 5), Twb_outside=279.15)
    names = [v.name for v in INPUTS]
    signal = np.array(
        [(t, *values.values()) for t, values in ((0.0, before), (600.0, before), (600.0, after), (1800.0, after))],
        dtype=[("time", float), *((n, float) for n in before)],
    )
    assert set(before) == set(names)
    outputs = [
        "Tchw_supply",
        "Tcw_supply",
        "Tcw_returnPipe",
        "Tcwr_CHI2",
        "Tchws_HEX3",
        "P_Chillers_sum",
        "P_CDWPs_sum",
        "VolumeFlowRate_cw",
    ]
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
    exchange = runs["ModelExchange"]
    at = {t: i for i, t in enumerate(exchange["time"])}  # the last row of a time is the one after an input event
    rows = [at[t] for t in runs["CoSimulation"]["time"][1:]]
    for name in outputs:
        scale = 1.0 if name.startswith("T") else float(np.abs(runs["CoSimulation"][name]).max())
        # FMPy's co-simulation holds inputs over a step of 60 s, so the two differ only around the change at 600 s.
        difference = np.abs(exchange[name][rows] - runs["CoSimulation"][name][1:]) / scale
        assert np.delete(difference, 9).max() < 2e-3, name


def test_the_shipped_fmu_is_of_these_sources(model: Model, fmu: Path, tmp_path: Path) -> None:
    """The GUID is a hash of the generated C files."""
    generated = build(model, tmp_path / "generated.fmu", targets=[])
    assert read_model_description(generated).guid == read_model_description(fmu).guid, (
        "run `make fmu`: the sources changed since"
    )


@pytest.mark.long
def test_sources_make_the_shipped_binary(model: Model, tmp_path: Path, plant: Callable[..., Plant]) -> None:
    built = tmp_path / "rebuilt.fmu"
    build(model, built, targets=["linux64"])
    rebuilt, shipped = Plant(built), plant()
    try:
        for values in (
            action("chiller"),
            action("partial"),
            action("free"),
            action("chiller", trains=(1, 2, 3, 4), Mchw=300.0),
        ):
            for _ in range(3):
                assert list(rebuilt.step(values).values()) == pytest.approx(
                    list(shipped.step(values).values()), rel=1e-9, abs=1e-9
                )
    finally:
        rebuilt.close()


def test_heat_in_is_heat_out_over_a_day(plant: Callable[..., Plant]) -> None:
    instance = plant(1e-6)
    for _ in range(288):
        outputs = instance.step(action("chiller"))
    rejected = outputs["VolumeFlowRate_cw"] * 995.586 * CP * (outputs["Tcw_returnPipe"] - outputs["Tcw_supply"])
    taken = 160.0 * CP * (293.65 - outputs["Tchw_supply"])
    assert rejected == pytest.approx(taken + outputs["P_Chillers_sum"], rel=1e-4)
