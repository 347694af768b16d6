"""Components against what others compute: textbook integrals, psychrolib, a root finder."""

from __future__ import annotations

import math

import casadi as ca
import numpy as np
import psychrolib
import pytest
from scipy.integrate import solve_bvp
from scipy.optimize import brentq

from workshop.data_center.chiller import Chiller
from workshop.data_center.exchange import conductance, counterflow, humidity_outside, saturated, saturation_slope
from workshop.data_center.hydraulics import ChilledWater, CondenserWater, Nominal, Pumps
from workshop.data_center.parameters import PARAMETERS, Parameters
from workshop.data_center.tower import Towers

VALUES = [v.start for v in PARAMETERS]
P = Parameters(ca.DM(VALUES))
NUMBER = {v.name: v.start for v in PARAMETERS}
KELVIN = 273.15


def number(value: ca.DM) -> float:
    return float(value)


@pytest.mark.parametrize("ntu", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("ratio", [0.1, 0.7, 1.0, 1.4, 5.0])
def test_counterflow_is_the_solution_of_the_two_streams(ntu: float, ratio: float) -> None:
    """d hot/dz = -N (hot - cold), d cold/dz = -N ratio (hot - cold), hot enters at 0, cold at 1."""

    def slopes(_: object, y: np.ndarray) -> np.ndarray:
        return np.vstack((-ntu * (y[0] - y[1]), -ntu * ratio * (y[0] - y[1])))

    grid = np.linspace(0.0, 1.0, 50)
    solution = solve_bvp(slopes, lambda a, b: np.array([a[0] - 1.0, b[1]]), grid, np.full((2, 50), 0.5), tol=1e-8)
    assert number(counterflow(ca.DM(ntu), ca.DM(ratio))) == pytest.approx(1.0 - solution.y[0, -1], abs=1e-6)


def test_effectiveness_has_no_gap_where_both_streams_are_equal() -> None:
    values = [number(counterflow(ca.DM(2.0), ca.DM(1.0 + d))) for d in (-1e-3, -1e-7, 0.0, 1e-7, 1e-3)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(2.0 / 3.0)


def test_conductance_is_nominal_at_nominal_flows_and_vanishes_with_either() -> None:
    assert number(conductance(ca.DM(5.0), ca.DM(1.0), ca.DM(1.0))) == pytest.approx(5.0)
    assert number(conductance(ca.DM(5.0), ca.DM(1e-9), ca.DM(1.0))) < 1e-5


@pytest.mark.parametrize(("dry", "wet"), [(-5.0, -6.0), (10.0, 8.0), (25.0, 18.0), (40.0, 25.0)])
def test_moist_air_is_psychrolibs(dry: float, wet: float) -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    pressure = 101325.0
    ours = number(humidity_outside(ca.DM(dry + KELVIN), ca.DM(wet + KELVIN), ca.DM(pressure)))
    if wet > 0.0:  # below freezing psychrolib counts with ice
        assert ours == pytest.approx(psychrolib.GetHumRatioFromTWetBulb(dry, wet, pressure), rel=0.01, abs=5e-5)
        assert number(saturated(ca.DM(wet + KELVIN), ca.DM(pressure))) == pytest.approx(
            psychrolib.GetSatHumRatio(wet, pressure), rel=0.005
        )
        slope = psychrolib.GetSatAirEnthalpy(wet + 0.1, pressure) - psychrolib.GetSatAirEnthalpy(wet - 0.1, pressure)
        ours = number(saturation_slope(ca.DM(wet + KELVIN), ca.DM(pressure)))
        assert ours == pytest.approx(slope / 0.2, rel=0.01)


def merkel(water: float, air: float, transfer: float, entering: float, wet: float) -> float:
    """Leaving water [degC] of a counterflow tower by Merkel's equation, with the enthalpies of psychrolib."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    saturation = np.vectorize(lambda t: psychrolib.GetSatAirEnthalpy(float(t), 101325.0))

    def slopes(_: object, y: np.ndarray) -> np.ndarray:
        driving = saturation(np.clip(y[0], -5.0, 60.0)) - y[1]
        return np.vstack((-transfer * driving * air / (water * 4184.0), -transfer * driving))

    inlet = psychrolib.GetSatAirEnthalpy(wet, 101325.0)
    grid = np.linspace(0.0, 1.0, 30)
    guess = np.vstack((np.linspace(entering, wet + 4.0, 30), np.linspace(inlet + 4e4, inlet, 30)))
    solution = solve_bvp(slopes, lambda a, b: np.array([a[0] - entering, b[1] - inlet]), grid, guess, tol=1e-4)
    assert solution.success
    return float(solution.y[0, -1])


@pytest.mark.parametrize("wet", [5.0, 15.0, 25.0])
@pytest.mark.parametrize("fan", [0.3, 0.6, 1.0])
def test_towers_cool_as_merkels_equation_says(wet: float, fan: float) -> None:
    nominal = NUMBER["tow.mWat"] * NUMBER["PItNom"]
    entering = wet + 11.0
    towers = Towers(P, ca.DM(4.0), ca.DM(fan), ca.DM(1.0))
    heat, water = towers.heat_and_water(
        ca.DM(4.0 * nominal), *(ca.DM(t + KELVIN) for t in (entering, wet + 5.0, wet + 6.0, wet))
    )
    ours = entering - number(heat) / (4.0 * nominal * 4184.0)
    air = NUMBER["tow.rAir"] * nominal * (fan + NUMBER["tow.mNat"] * (1.0 - fan))
    transfer = NUMBER["tow.cMer"] * (nominal / air) ** NUMBER["tow.nMer"]
    assert ours == pytest.approx(merkel(nominal, air, transfer, entering, wet), abs=0.35)
    assert wet < ours < entering
    # evaporation carries most of the heat: between a half and all of it at 2.45 MJ/kg
    evaporated = number(water) * 0.75
    assert 0.5 < evaporated * 2.45e6 / number(heat) < 1.1


@pytest.mark.parametrize("clean", [1.0, 0.5])
def test_fans_and_clean_fill_help(clean: float) -> None:
    def heat(fan: float, k: float) -> float:
        at = [ca.DM(v) for v in (250.0, 305.15, 298.15, 300.15, 291.15)]
        return number(Towers(P, ca.DM(4.0), ca.DM(fan), ca.DM(k)).heat_and_water(*at)[0])

    assert all(heat(a, clean) < heat(b, clean) for a, b in ((0.0, 0.2), (0.2, 0.6), (0.6, 1.0)))
    assert heat(0.6, 0.4) < heat(0.6, 0.8) < heat(0.6, 1.0)


GRID_EVAPORATOR = np.linspace(279.82, 285.37, 15)
GRID_CONDENSER = np.linspace(285.93, 297.04, 15)


def test_the_chiller_is_the_published_one_at_reference_conditions() -> None:
    reference = ca.DM(7.22 + KELVIN), ca.DM(23.89 + KELVIN)
    unit = Chiller(P)
    assert number(unit.input_ratio(*reference)) == pytest.approx(1.0, abs=0.02)
    assert number(unit.part_load(ca.DM(1.0))) == pytest.approx(1.0, abs=0.002)
    assert number(unit.capacity(*reference)) == pytest.approx(0.36 * 5e6, rel=0.02)


def test_cop_is_monotone_within_the_fit_and_beyond() -> None:
    ratio = ca.Function("ratio", [e := ca.SX.sym("e"), c := ca.SX.sym("c")], [Chiller(P).input_ratio(e, c)])
    wide = {"e": np.linspace(278.15, 293.15, 40), "c": np.linspace(280.0, 310.0, 40)}
    for evaporator, condenser in ((GRID_EVAPORATOR, GRID_CONDENSER), (wide["e"], wide["c"])):
        table = np.array([[float(ratio(e, c)) for c in condenser] for e in evaporator])
        assert np.all(np.diff(table, axis=0) <= 1e-12)  # warmer chilled water never costs more
        assert np.all(np.diff(table, axis=1) >= -1e-12)  # colder condenser water neither
    inside = np.array([[float(ratio(e, c)) for c in GRID_CONDENSER] for e in GRID_EVAPORATOR])
    assert np.all(np.diff(inside, axis=0) < 0.0)
    assert np.all(np.diff(inside, axis=1) > 0.0)


@pytest.mark.parametrize("condenser", [280.0, 290.0, 300.0, 308.0])
@pytest.mark.parametrize("evaporator", [279.0, 284.0, 292.0])
def test_no_chiller_beats_carnot_and_none_exceeds_its_limits(evaporator: float, condenser: float) -> None:
    unit, nominal = Chiller(P), 0.36 * 5e6
    for share in (0.05, 0.2, 0.5, 1.0, 3.0):
        at = [ca.DM(v) for v in (share * nominal, evaporator, condenser, condenser + 5.0)]
        heat, power = unit.heat_and_power(*at, ca.DM(1.0))
        lift = condenser + 5.0 - evaporator
        assert number(heat) <= 1.02 * number(unit.capacity(at[1], at[2])) + 1e-6
        assert number(power) <= 1.1 * nominal / 6.44 + 1e-6
        assert number(power) > 0.05 * nominal / 6.44  # also without load
        if lift > 0.0:
            assert number(heat) / number(power) < evaporator / lift


def test_a_unit_is_unloaded_before_high_pressure_stops_it() -> None:
    unit, nominal = Chiller(P), 0.36 * 5e6
    warm = [NUMBER["chi.TConTri"] + more for more in (-5.0, -2.0, -0.1)]
    heats = [float(unit.heat_and_power(*map(ca.DM, (nominal, 284.0, 300.0, t)), ca.DM(1.0))[0]) for t in warm]
    assert heats == sorted(heats, reverse=True)
    assert 0.15 < heats[-1] / heats[0] < 0.25


@pytest.mark.parametrize(
    ("flows", "more", "safe"),
    [((1.0, 1.0), -1.0, True), ((0.19, 1.0), -1.0, False), ((1.0, 0.19), -1.0, False), ((0.21, 0.21), -1.0, True),
     ((1.0, 1.0), 0.1, False)],
)  # fmt: skip
def test_flow_and_pressure_switches(flows: tuple[float, float], more: float, safe: bool) -> None:
    leaving = ca.DM(NUMBER["chi.TConTri"] + more)
    assert bool(Chiller(P).safe((ca.DM(flows[0]), ca.DM(flows[1])), leaving, ca.DM(1.0))) is safe


def test_a_fouled_condenser_costs_more_for_the_same_heat() -> None:
    at = [ca.DM(v) for v in (1e6, 284.0, 293.0, 298.0)]
    clean, fouled = (Chiller(P).heat_and_power(*at, ca.DM(k)) for k in (1.0, 0.5))
    assert number(clean[0]) == pytest.approx(number(fouled[0]))
    assert number(fouled[1]) > 1.05 * number(clean[1])


def openings(*run: float) -> list[ca.DM]:
    return [ca.DM(v) for v in run]


@pytest.mark.parametrize("number_on", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("speed", [0.5, 0.8, 1.0])
@pytest.mark.parametrize("tank", [-30.0, 0.0, 20.0])
def test_chilled_water_balances_pressures(number_on: float, speed: float, tank: float) -> None:
    """Pressure rise of pumps = pressure drop of chillers and halls, solved by bisection from the components' laws."""
    nominal = float(Nominal(P).evaporator)
    pumps = Pumps("pumChi", ca.DM(nominal), ca.DM(number_on), ca.DM(speed), ca.DM(1.0), P)
    flows = ChilledWater(pumps, openings(1.0, 1.0, 1e-4, 1e-4), [ca.DM(0.8), ca.DM(0.5)], ca.DM(tank), P)
    total, through = float(flows.total), float(flows.tank)

    def rise(m: float) -> float:
        per_pump = m / number_on / nominal
        return NUMBER["pumChi.dp0"] * (speed**2 - (per_pump / NUMBER["pumChi.fraRun"]) ** 2)

    open_chillers = 2.0 + 2e-4
    pipes = NUMBER["pipChi.dp"] + NUMBER["eco.dpChi"]
    coil = {h: float(Nominal(P).coil(h)) / math.sqrt(NUMBER["hal.dpCoi"]) for h in (1, 2)}
    wide = NUMBER["pipChi.lBypMin"] * (coil[1] + coil[2])
    halls = coil[1] * NUMBER["hal.RVal"] ** (0.8 - 1.0) + coil[2] * NUMBER["hal.RVal"] ** (0.5 - 1.0) + wide

    def drop(m: float) -> float:
        chillers = NUMBER["chi.dpEva"] * (m / nominal / open_chillers) ** 2
        main = pipes * (m / nominal / 3.0) ** 2
        return chillers + main + ((m - through) / halls) ** 2

    if rise(max(through, 0.0)) < drop(max(through, 0.0)):
        assert total == pytest.approx(max(through, 0.0), abs=1e-2)  # the check valves hold
    else:
        expected = brentq(lambda m: rise(m) - drop(m), max(through, 0.0), 4.0 * nominal * 1.6)
        assert total == pytest.approx(expected, rel=2e-3)
    assert sum(map(float, flows.coils)) + float(flows.open_end) == pytest.approx(total - through)
    assert sum(map(float, flows.evaporators)) + float(flows.past) == pytest.approx(total)
    assert float(flows.tank) <= total


@pytest.mark.parametrize("running", [(1.0, 1.0, 1e-4), (1.0, 1e-4, 1e-4), (1e-4, 1e-4, 1e-4)])
def test_what_a_unit_would_have_is_what_it_has_once_it_runs(running: tuple[float, ...]) -> None:
    def both(*run: float) -> tuple[ChilledWater, CondenserWater]:
        chilled, condenser = (
            Pumps(kind, flow, ca.DM(2.0), ca.DM(0.8), ca.DM(1.0), P)
            for kind, flow in (("pumChi", Nominal(P).evaporator), ("pumCon", Nominal(P).condenser))
        )
        return (
            ChilledWater(chilled, openings(*run), [ca.DM(0.8), ca.DM(0.5)], ca.DM(10.0), P),
            CondenserWater(condenser, openings(*run), ca.DM(0.3), ca.DM(0.6), ca.DM(3.0), P),
        )

    before, after = both(*running, 1e-4), both(*running, 1.0)
    for name, standing, running_now in zip(("evaporators", "condensers"), before, after, strict=True):
        assert float(standing.ready[3]) == pytest.approx(float(getattr(running_now, name)[3]), rel=2e-4)
        assert float(running_now.ready[3]) == pytest.approx(float(getattr(running_now, name)[3]), rel=1e-9)


@pytest.mark.parametrize("speed", [0.3, 0.6, 1.0])
def test_condenser_water_balances_pressures(speed: float) -> None:
    nominal = float(Nominal(P).condenser)
    pumps = Pumps("pumCon", ca.DM(nominal), ca.DM(2.0), ca.DM(speed), ca.DM(1.0), P)
    flows = CondenserWater(pumps, openings(1.0, 1.0, 1e-4, 1e-4), ca.DM(1.0), ca.DM(1.0), ca.DM(3.0), P)
    total = float(flows.total)
    branches = nominal * (2.0 + 2e-4) / math.sqrt(NUMBER["chi.dpCon"])
    branches += float(Nominal(P).economizer) / math.sqrt(NUMBER["eco.dpCon"])
    branches += float(Nominal(P).liquid) / math.sqrt(NUMBER["liq.dp"])
    cells = 3.0 * NUMBER["tow.mWat"] * NUMBER["PItNom"] / math.sqrt(NUMBER["pipCon.dp"])

    def excess(m: float) -> float:
        rise = NUMBER["pumCon.dp0"] * (speed**2 - (m / 2.0 / nominal / NUMBER["pumCon.fraRun"]) ** 2)
        return rise - NUMBER["pipCon.dpSta"] - (m / branches) ** 2 - (m / cells) ** 2

    if excess(0.0) < 0.0:
        assert total < 1e-2  # the pumps do not lift the water to the towers
    else:
        assert total == pytest.approx(brentq(excess, 0.0, 3.2 * nominal), rel=2e-3)


@pytest.mark.parametrize("kind", ["pumChi", "pumCon"])
def test_pumps_obey_the_affinity_laws_and_have_no_free_energy(kind: str) -> None:
    flow = ca.DM(50.0)

    def pumps(speed: float) -> Pumps:
        return Pumps(kind, flow, ca.DM(3.0), ca.DM(speed), ca.DM(1.0), P)

    for share in np.linspace(0.1, 1.5, 15):
        m = 3.0 * 50.0 * share
        rise = float(pumps(1.0).shut_off) - float(pumps(1.0).slope) * m**2
        power = float(pumps(1.0).power(ca.DM(m)))
        assert m * rise / NUMBER["rhoWat"] / power < 0.80
        half = float(pumps(0.5).power(ca.DM(0.5 * m)))
        assert half == pytest.approx(power / 8.0)
        assert float(pumps(0.5).shut_off) - float(pumps(0.5).slope) * (0.5 * m) ** 2 == pytest.approx(rise / 4.0)
