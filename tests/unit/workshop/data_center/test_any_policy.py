"""Whatever the policy: meters miss nothing, no value leaves its world, and no result depends on the control step."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from tests.unit.workshop.data_center.test_physics import STORAGE, at_random
from workshop.data_center.driver import Plant, inputs

SHORT, PER_COMMAND, COMMANDS = 2.0, 150, 60
POWERS = (
    "PChi1", "PChi2", "PChi3", "PChi4", "PPumChiWat", "PPumConWat", "PFanTow", "PFanCra", "PPumLiq", "PPumTan",
)  # fmt: skip


@pytest.mark.parametrize("seed", [3, 8])
def test_meters_are_the_sums_of_powers(plant: Callable[..., Plant], seed: int) -> None:
    generator, instance = random.Random(seed), plant(1e-6, **STORAGE)
    first = instance.step(inputs(), SHORT)
    rows = []
    for _ in range(COMMANDS):
        commands = at_random(generator)
        rows += [instance.step(commands, SHORT) for _ in range(PER_COMMAND)]
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    advance = {name: table[name][-1] - first[name] for name in ("EGri", "EIt", "EItDem", "EItUns", "EBac", "mMakWat")}
    drawn = {name: SHORT * table[name].sum() for name in table}
    it = drawn["PIt1"] + drawn["PIt2"]
    plain = sum(drawn[name] for name in POWERS) + drawn["PBat"]
    # what the indicators make of them: work done, work due, and all other electricity
    done = advance["EItDem"] - advance["EBac"] - advance["EItUns"]
    assert done == pytest.approx(drawn["PItSer"], rel=2e-3)
    assert advance["EItDem"] - advance["EBac"] == pytest.approx(drawn["PItDue"], rel=2e-3)
    assert advance["EIt"] == pytest.approx(it, rel=2e-3)
    assert advance["EGri"] - done == pytest.approx(plain + it - drawn["PItSer"], rel=5e-3)
    assert advance["mMakWat"] == pytest.approx(drawn["mMakWat_flow"], rel=5e-3)
    assert np.allclose(table["PGri"], table["PIt1"] + table["PIt2"] + table["PCoo"] + table["PBat"])
    assert np.allclose(table["PCoo"], sum(table[name] for name in POWERS))


@pytest.mark.parametrize("seed", [5, 6])
def test_no_value_is_out_of_its_world_at_any_bounds(plant: Callable[..., Plant], seed: int) -> None:
    """Loads from none to 1e8 W, weather from -40 to 55 degC, commands at their bounds, steps of seconds to an hour."""
    generator, instance = random.Random(seed), plant(**STORAGE)
    for _ in range(300):
        values = at_random(generator) | {f"PItDem{i}": generator.choice([0.0, 2.5e6, 1e8]) for i in (1, 2)}
        values |= {"TDryBul": generator.choice([233.15, 328.15]), "TWetBul": generator.choice([233.15, 313.15])}
        outputs = instance.step(values, generator.choice([1.0, 30.0, 300.0, 3600.0]))
        assert all(np.isfinite(list(outputs.values())))
        powers = [outputs[name] for name in (*POWERS, "PIt1", "PIt2", "PItDue", "PItSer", "PItUns")]
        assert min(powers) > -1e-3
        assert min(value for name, value in outputs.items() if name.startswith("m") and name != "mTan_flow") > -1e-6
        assert outputs["PItSer"] <= outputs["PItDue"] * (1.0 + 1e-9) + 1e-3
        assert outputs["PGri"] > -1e6 - 1e-3  # no more than the battery gives
        assert 0.0 <= outputs["socBat"] <= 1.0
        assert outputs["EBac"] >= 0.0
        assert min(outputs[name] for name in outputs if name.startswith("T")) > 230.0


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-6])
def test_stores_stay_between_their_ends_by_their_equations(plant: Callable[..., Plant], tolerance: float) -> None:
    """Batteries of minutes and hours, driven from end to end in steps of all lengths."""
    generator = random.Random(11)
    for hours, start in ((0.25, 1.0), (0.25, 0.0), (2.0, 0.5)):
        instance = plant(tolerance, **STORAGE, **{"bat.tDis": 3600.0 * hours, "bat.socSta": start})
        for _ in range(300):
            commands = {name: generator.choice([-1.0, 1.0, generator.uniform(-1.0, 1.0)]) for name in ("yBat", "yShi")}
            outputs = instance.step(inputs(**commands), generator.choice([1.0, 30.0, 300.0, 900.0, 3600.0]))
            assert 0.0 <= outputs["socBat"] <= 1.0
            assert 0.0 <= outputs["EBac"] <= 4.0 * 3600.0 * 0.3 * 2.5e6


@pytest.mark.parametrize("change", [{"uChi3": 0.0}, {"yValEco": 1.0, "TWetBul": 275.0}, {"yPumConWat": 0.3}])
def test_energy_does_not_depend_on_the_control_step(plant: Callable[..., Plant], change: dict[str, float]) -> None:
    """A command that changes every three hours, in steps of 30 s, 300 s, 900 s and an hour."""
    energies = []
    for step in (30.0, 300.0, 900.0, 3600.0):
        instance = plant()
        first = instance.step(inputs(), 1.0)
        for block in range(8):
            for _ in range(round(3.0 * 3600.0 / step)):
                last = instance.step(inputs(**(change if block % 2 else {})), step)
        energies.append([last[name] - first[name] for name in ("EGri", "ERej", "mMakWat")])
    assert np.allclose(energies, energies[0], rtol=2e-4)


@pytest.mark.parametrize("wet", [-5.0, 5.0, 15.0, 25.0])
def test_no_basin_is_colder_than_the_wet_bulb_and_none_warmer_with_more_air(
    plant: Callable[..., Plant], wet: float
) -> None:
    approaches = []
    for speed in (0.2, 0.5, 0.8, 1.0):
        instance = plant()
        outputs = instance.run(inputs(yFanTow=speed, TWetBul=wet + 273.15, TDryBul=wet + 278.15), 24.0)
        approaches.append(outputs["TConWatSup"] - wet - 273.15)
    assert approaches[-1] > 0.0
    assert approaches == sorted(approaches, reverse=True)
