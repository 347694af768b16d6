"""The shipped FMU of the fuel cycle against solutions that were found in another way."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from fmpy import read_model_description
from fmpy.fmi1 import FMICallException
from fmpy.validation import validate_fmu

pytest.importorskip("scipy", reason="SciPy is the other integrator")

from tests.unit.workshop.fmi.conftest import Built, Instance
from workshop.fuel_cycle.reference import ACCOUNTS, Reference
from workshop.fuel_cycle.validate import CASES, STATES, main

EXAMPLE = Path(__file__).parents[4] / "examples" / "fuel_cycle"
SEED = {
    "pulse.power": "MW", "pulse.width": "1", "pulse.period": "h", "plasma.Burn_Fraction": "1",
    "plasma.Fueling_Efficiency": "1", "bz.TBR": "1", "tep.DIR": "1",
}  # fmt: skip


def advance(instance: Instance, hours: int, *names: str) -> np.ndarray:
    """Step by hours; variables at the start and after each, shape (hours + 1, names)."""
    rows = [instance.get(*names)]
    for _ in range(hours):
        instance.step(1.0)
        rows.append(instance.get(*names))
    return np.array(rows)


def parameters(fuel_cycle: Built, values: dict[str, float]) -> dict[str, float]:
    every = {v.name: float(v.start) for v in fuel_cycle.description.modelVariables if v.causality == "parameter"}
    return every | values


def test_the_description(fuel_cycle: Built) -> None:
    assert validate_fmu(str(fuel_cycle.path)) == []
    description = fuel_cycle.description
    variables = {v.name: v for v in description.modelVariables}
    assert {name: variables[name].unit for name in SEED} == SEED
    assert all(variables[name].causality == "parameter" for name in SEED)
    assert (variables["sds.inventory"].causality, variables["sds.inventory"].unit) == ("output", "g")
    assert len(description.derivatives) == 70
    assert set(STATES) == {u.variable.derivative.name for u in description.derivatives}
    assert "hours" in description.description
    assert variables["der(sds.I_T)"].unit == "g/h"
    assert description.modelExchange is None


def test_sources_make_the_shipped_binary(fuel_cycle: Built, tmp_path: Path) -> None:
    pytest.importorskip("casadi", reason="CasADi generates the equations")
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    from workshop.fmi.build import build
    from workshop.fuel_cycle.cycle import model

    path = build(model(), tmp_path / "rebuilt.fmu", ["linux64"])
    assert read_model_description(path).guid == fuel_cycle.description.guid, "run `make fuel-cycle`: sources changed"


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_scipy(cycle, fuel_cycle: Built, name: str) -> None:
    """All 70 states over two days, at the default step and at one that is a fifth of it."""
    hours = 48
    values = CASES[name]
    truth = Reference(parameters(fuel_cycle, values)).run(np.arange(hours + 1.0))
    scale = np.abs(truth[:, :65]).max()
    usual = advance(cycle(values), hours, *STATES)
    assert np.abs(usual - truth).max() < 1e-4 * scale
    fine = advance(cycle(values | {"integrator.step": 0.02}), hours, *STATES)
    assert np.abs(fine - truth).max() < 2e-7 * scale


def test_the_error_falls_with_the_fourth_power_of_the_step(cycle) -> None:
    """Past the kinks: hold-ups fill at once when they are next to nothing."""
    small = {f"{name}.hold_up": 1e-9 for name in ("tes", "cps", "tep", "fcu", "iss", "wds")}

    def final(step: float) -> float:
        return float(advance(cycle(small | {"pulse.width": 0.8, "integrator.step": step}), 20, "vp.inventory")[-1, 0])

    truth = final(0.005)
    assert 12.0 < (final(0.05) - truth) / (final(0.025) - truth) < 20.0


@pytest.mark.parametrize("name", CASES)
def test_tritium_and_deuterium_balance(cycle, fuel_cycle: Built, name: str) -> None:
    hours = 24000 if name == "hungry" else 2400
    instance = cycle(CASES[name])
    advance(instance, hours)
    p = parameters(fuel_cycle, CASES[name])
    found = dict(zip(STATES, instance.get(*STATES), strict=True))
    inside = math.fsum(value for key, value in found.items() if key.endswith(".I_T"))
    burnt, bred, decayed, lost, fueled = (found[f"account.{a}"] for a in ACCOUNTS)
    assert inside + burnt + decayed + lost == pytest.approx(p["sds.initial_T"] + bred, rel=1e-9)
    assert instance.get("total.balance")[0] == pytest.approx(0.0, abs=1e-9 * (p["sds.initial_T"] + bred))
    deuterium = math.fsum(value for key, value in found.items() if key.endswith(".I_D"))
    assert deuterium == pytest.approx(p["sds.initial_D"], rel=1e-9, abs=1e-9 * fueled)

    # burnt, bred and injected are known beforehand: the energy of all pulses, the last of them cut short
    cycles, rest = divmod(hours, p["pulse.period"])
    on = (cycles * p["pulse.width"] + min(rest / p["pulse.period"], p["pulse.width"])) * p["pulse.period"]
    per_mwh = 3600e6 / (17.6 * 1.602176634e-13) / 6.02214076e23 * 3.0160493
    assert burnt == pytest.approx(p["pulse.power"] * on * per_mwh, rel=1e-9)
    assert bred == pytest.approx(p["bz.TBR"] * burnt, rel=1e-9)
    assert fueled == pytest.approx(burnt / p["plasma.Burn_Fraction"] / p["plasma.Fueling_Efficiency"], rel=1e-9)
    assert min(decayed, lost) > 0.0


def test_without_pulses_tritium_only_decays(cycle) -> None:
    instance = cycle({"pulse.width": 0.0, "tritium.half_life": 100.0})
    instance.step(2400.0)
    assert instance.get("sds.inventory", "total.decayed") == pytest.approx([1500.0, 1500.0], rel=1e-12)
    assert 0.0 < instance.get("sds.I_He")[0] < 20.0  # helium-3 goes to the clean-up and out


def test_the_breeding_zone_fills_exponentially(cycle) -> None:
    """One tank with a constant source: S tau (1 - exp(-t / tau)), decay included."""
    tau, half_life = 5.0, 50.0
    alone = {"pulse.width": 1.0, "tes.efficiency": 1.0, "bz.loss": 0.0}
    instance = cycle(alone | {"bz.tau": tau, "tritium.half_life": half_life / 24.0})
    rate = 1.0 / tau + math.log(2.0) / half_life
    source = 1.1 * instance.get("plasma.burn_rate")[0]
    found = advance(instance, 30, "bz.inventory")[:, 0]
    assert found == pytest.approx(source / rate * (1.0 - np.exp(-rate * np.arange(31.0))), rel=1e-6)


def test_the_burn_rate_is_that_of_the_literature(cycle) -> None:
    """A gigawatt-year of fusion burns 55.8 kg of tritium, as is commonly quoted."""
    rate = cycle({"pulse.power": 1000.0}).get("plasma.burn_rate")[0]
    assert rate * 24.0 * 365.25 == pytest.approx(55.8e3, rel=1e-2)


@pytest.mark.parametrize(
    ("period", "width"), [(0.3, 0.5), (0.33, 0.99), (1.0, 0.5), (2.5, 0.6), (0.1, 1.0), (7.0, 0.0)]
)
def test_pulses_begin_and_end_in_time(cycle, period: float, width: float) -> None:
    """Also where edges fall on communication points and decimal fractions are not exact."""
    instance = cycle({"pulse.period": period, "pulse.width": width, "pulse.power": 1000.0})
    full = 1000.0 * 3600e6 / (17.6 * 1.602176634e-13) / 6.02214076e23 * 3.0160493
    for step in (0.05, 0.1, 0.25, 1.0):
        for _ in range(200):
            instance.step(step)
        cycles = instance.time / period
        whole = math.floor(cycles + 1e-6)
        burnt = full * period * (whole * width + min(max(cycles - whole, 0.0), width))
        assert instance.get("total.burnt")[0] == pytest.approx(burnt, rel=1e-8)
        assert instance.get("plasma.burn_rate")[0] == pytest.approx(full if cycles - whole < width - 1e-6 else 0.0)


def test_pulses_count_from_the_start(cycle) -> None:
    early, late = cycle(), cycle(start=8760.3)
    late.step(1.9)
    early.step(1.9)
    assert early.get("plasma.burn_rate") == late.get("plasma.burn_rate") == [0.0]
    assert late.get("sds.inventory") == pytest.approx(early.get("sds.inventory"), rel=1e-9)


def test_any_communication_step_arrives_at_the_same_place(cycle) -> None:
    one, many = cycle({"integrator.step": 0.02}), cycle({"integrator.step": 0.02})
    one.step(50.0)
    for step in (0.01, 0.79, 1e-7, 3.3, 1.0, 44.8999999):
        many.step(step)
    assert many.get(*STATES) == pytest.approx(one.get(*STATES), rel=1e-7, abs=1e-6)


def start_up(instance: Instance, hours: int = 600) -> float:
    """Tritium that has to be there at the start [g]: the deepest fall of the storage."""
    inventory = advance(instance, hours, "sds.inventory")[:, 0]
    return float(inventory[0] - inventory.min())


@pytest.mark.parametrize(
    ("name", "values", "sign"),
    [
        ("tep.DIR", (0.0, 0.3, 0.6, 0.9, 1.0), -1),
        ("plasma.Burn_Fraction", (0.02, 0.05, 0.1), -1),
        ("plasma.Fueling_Efficiency", (0.1, 0.4, 0.98), -1),
        ("pulse.power", (100.0, 1000.0, 3000.0), 1),
        ("iss.tau", (1.0, 4.0, 12.0), 1),
        ("iss.hold_up", (10.0, 100.0, 500.0), 1),
    ],
)
def test_the_start_up_inventory_moves_as_it_must(cycle, name: str, values: tuple[float, ...], sign: int) -> None:
    found = [start_up(cycle({name: value})) for value in values]
    assert np.all(sign * np.diff(found) > 1.0), found


@pytest.mark.parametrize(
    ("name", "values", "sign"),
    [
        ("bz.TBR", (1.0, 1.05, 1.1, 1.15, 1.2), 1),
        ("tes.loss", (0.0, 1e-3, 1e-2), -1),
        ("tritium.half_life", (100.0, 1000.0, 4500.0), 1),
        ("eds.efficiency", (0.5, 0.9, 0.999), 1),
    ],
)
def test_the_storage_after_ten_weeks_moves_as_it_must(cycle, name: str, values: tuple[float, ...], sign: int) -> None:
    found = [advance(cycle({name: value}), 1680, "sds.inventory")[-1, 0] for value in values]
    assert np.all(sign * np.diff(found) > 0.1), found


def test_nothing_but_the_storage_falls_below_zero(cycle) -> None:
    names = [name for name in STATES if not name.startswith(("sds.I_T", "sds.I_D"))]
    assert advance(cycle(CASES["hungry"]), 200, *names).min() >= 0.0


def test_a_reset_instance_equals_a_fresh_one(cycle) -> None:
    used = cycle(CASES["hungry"])
    advance(used, 30)
    for values in (CASES["recycling"], {}, CASES["hungry"]):  # parameters change without a new instance
        used.fmu.reset()
        used.begin(values=values)
        assert np.array_equal(advance(used, 30, *STATES), advance(cycle(values), 30, *STATES))


def test_a_restored_state_goes_on_bit_for_bit(cycle) -> None:
    first, other = cycle(CASES["slow and lossy"]), cycle()
    advance(first, 7)
    stored = first.snapshot()
    expected = advance(first, 20, *STATES)
    other.restore(stored)
    other.time = 7.0
    assert np.array_equal(advance(other, 20, *STATES), expected)
    assert other.snapshot() == first.snapshot()


def test_parameters_are_refused_by_name(cycle) -> None:
    instance = cycle()
    with pytest.raises(FMICallException):
        instance.set(**{"bz.TBR": 1.2})
    assert "bz.TBR can be set before the end of initialization only" in instance.messages[-1]
    instance.fmu.reset()
    for name, value in (("tep.DIR", 1.01), ("pulse.period", 0.0), ("plasma.Burn_Fraction", 0.0)):
        with pytest.raises(FMICallException):
            instance.set(**{name: value})
        assert name in instance.messages[-1]


@pytest.mark.parametrize(("file", "runs"), [("study.json", 1_814_400), ("study-small.json", 200)])
def test_every_run_of_the_studies_is_one_that_the_fmu_takes(fuel_cycle: Built, file: str, runs: int) -> None:
    study = json.loads((EXAMPLE / file).read_text())
    assert (EXAMPLE / study["paths"]["package_path"]).is_file()
    variables = {v.name: v for v in fuel_cycle.description.modelVariables}
    swept = study["simulation_parameters"]
    assert set(swept) == set(SEED)
    assert math.prod(map(len, swept.values())) == runs
    for name, values in swept.items():
        assert float(variables[name].min) <= min(values) <= max(values) <= float(variables[name].max)
    whole = json.loads((EXAMPLE / "study.json").read_text())["simulation_parameters"]
    assert all(set(values) <= set(whole[name]) for name, values in swept.items())


def test_the_documentation_tells_every_parameter(fuel_cycle: Built) -> None:
    text = (EXAMPLE.parents[1] / "docs" / "fuel-cycle.md").read_text()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in text.splitlines()]
    told = {row[0]: row[1] for row in rows if len(row) == 5 and "." in row[0]}
    for row in (row for row in rows if len(row) == 5 and row[0] in {name.split(".")[0] for name in STATES}):
        told |= {
            f"{row[0]}.{what}": cell for what, cell in zip(("tau", "loss", "hold_up"), row[1:4], strict=True) if cell
        }
    known = parameters(fuel_cycle, {})
    assert {name: float(value) for name, value in told.items() if name in known} == pytest.approx(known, rel=1e-3)


@pytest.mark.slow
def test_the_command_prints_errors_and_balances(fuel_cycle: Built, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fmu", str(fuel_cycle.path), "--hours", "3"]) == 0
    printed = capsys.readouterr().out
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 3 * len(CASES) + len(CASES)
    assert all(abs(float(row[6])) < 1e-9 for row in rows[-len(CASES) :])
