"""Components against figures and relations from outside of the code."""

from __future__ import annotations

import functools

import casadi as ca
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tests.unit.workshop.cooling_plant.driver import DEFAULTS, UNITS, number, parameters
from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.chiller import Chiller
from workshop.cooling_plant.flows import flow_law
from workshop.cooling_plant.heat_exchanger import HeatExchanger
from workshop.cooling_plant.parameters import Parameters
from workshop.cooling_plant.pump import Pump, share_flow
from workshop.cooling_plant.tower import Cell


def test_motor_valve_makes_its_rise_time() -> None:
    p, _ = parameters()
    tau = number(hydraulics.filter_time_constant(ca.SX(120.0)), p)
    position = 1.0 - (1.0 + 120.0 / tau) * np.exp(-120.0 / tau)  # two equal lags, step response
    assert position == pytest.approx(0.996, abs=5e-4)


def test_valve_characteristic_is_equal_percentage_and_tight() -> None:
    p, named = parameters()
    full = number(hydraulics.valve(ca.SX(1.0), ca.SX(209.0), ca.SX(6000.0), named), p)
    assert full == pytest.approx(209.0 / np.sqrt(6000.0))
    gains = [
        number(hydraulics.valve(ca.SX(y + 0.1), ca.SX(1.0), ca.SX(1.0), named), p)
        / number(hydraulics.valve(ca.SX(y), ca.SX(1.0), ca.SX(1.0), named), p)
        for y in (0.1, 0.4, 0.9)
    ]
    assert gains == pytest.approx([50.0**0.1] * 3)
    assert number(hydraulics.valve(ca.SX(0.0), ca.SX(1.0), ca.SX(1.0), named), p) == DEFAULTS["valve.l"]


def test_series_resistances_add_pressure_drops() -> None:
    p, _ = parameters()
    k = number(hydraulics.series(ca.SX(2.0), ca.SX(3.0), ca.SX(5.0)), p)
    flow = 7.0
    assert (flow / k) ** 2 == pytest.approx(sum((flow / each) ** 2 for each in (2.0, 3.0, 5.0)))


@pytest.mark.parametrize(
    ("kind", "speed", "flow", "rise", "efficiency"),
    [
        # Points of the published pump curves (reference FMU's model description), and published best efficiencies.
        ("CDWP", 1485.0, 0.05513281, 502025.4, None),
        ("CDWP", 1485.0, 0.248097646, 409574.1, None),
        ("CDWP", 1485.0, 0.385929672, 281601.1, None),
        ("CDWP", 1485.0, 0.31, None, 0.88),
        ("CHWP", 1480.0, 0.04192, 549295.0, None),
        ("CHWP", 1480.0, 0.29343, 323031.8, None),
        ("CHWP", 1480.0, 0.21, None, 0.88),
    ],
)
def test_pump_meets_its_published_points(
    kind: str, speed: float, flow: float, rise: float | None, efficiency: float | None
) -> None:
    p, named = parameters()
    pump = Pump(kind, named)
    w = pump.speed_ratio(ca.SX(speed))
    if rise is not None:
        assert number(pump.pressure_rise(ca.SX(flow), w), p) == pytest.approx(rise, rel=3e-4)
    if efficiency is not None:
        assert number(pump.efficiency(ca.SX(flow), w), p) == pytest.approx(efficiency, abs=0.003)


def test_pump_follows_the_affinity_laws_and_rests_at_standstill() -> None:
    p, named = parameters()
    pump = Pump("CDWP", named)
    full, half = ca.SX(1.0), ca.SX(0.5)
    assert number(pump.power(ca.SX(0.1), half) / pump.power(ca.SX(0.2), full), p) == pytest.approx(0.125)
    assert number(pump.pressure_rise(ca.SX(0.1), half) / pump.pressure_rise(ca.SX(0.2), full), p) == pytest.approx(0.25)
    standing = [f(ca.SX(0.0), ca.SX(0.0)) for f in (pump.power, pump.head, pump.efficiency)]
    assert [number(e, p) for e in standing] == [0.0, 0.0, 0.0]


@functools.cache
def sharing(kind: str) -> ca.Function:
    """The pumps' flows from total flow, speed ratios and flow coefficients."""
    named = Parameters(ca.SX(list(DEFAULTS.values())))
    total, w, k = ca.SX.sym("total"), ca.SX.sym("w", 6), ca.SX.sym("k", 6)
    shares = share_flow(Pump(kind, named), total, ca.vertsplit(w), ca.vertsplit(k))
    return ca.Function("sharing", [total, w, k], [ca.vertcat(*shares)])


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(["CDWP", "CHWP"]),
    rpm=st.lists(st.one_of(st.just(0.0), st.floats(500.0, 1600.0)), min_size=6, max_size=6).filter(
        lambda r: max(r) > 0.0
    ),
    opening=st.lists(st.sampled_from([0.0, 0.3, 0.9, 1.0]), min_size=6, max_size=6),
    share=st.floats(0.02, 0.95),
)
def test_unequal_pumps_share_a_flow_at_one_header_pressure(
    kind: str, rpm: list[float], opening: list[float], share: float
) -> None:
    speeds = [r / DEFAULTS[f"{kind}.N_nominal"] for r in rpm]
    coefficients = [27.5 / np.sqrt(1000.0) * max(50.0 ** (y - 1.0) if y else 0.0, 5e-6) for y in opening]

    def curve(v: float, speed: float) -> float:
        """Pressure rise by the published quadratic, straight beyond its ends."""
        low, high = DEFAULTS[f"{kind}.V_min"] * speed, DEFAULTS[f"{kind}.V_max"] * speed
        a, b, c = (DEFAULTS[f"{kind}.dp_{n}"] for n in "abc")
        inside = min(max(v, low), high)
        rise = a * speed**2 + b * speed * inside + c * inside**2
        return rise + speed * (
            DEFAULTS[f"{kind}.dp_lo"] * min(v - low, 0.0) + DEFAULTS[f"{kind}.dp_hi"] * max(v - high, 0.0)
        )

    def flow_at(header: float, speed: float, coefficient: float) -> float:
        def surplus(v: float) -> float:
            return curve(v, speed) - (995.586 * v / coefficient) ** 2 - header

        return float(brentq(surplus, 0.0, 3.0, xtol=1e-14)) if speed > 0.0 and surplus(0.0) > 0.0 else 0.0

    most = sum(flow_at(0.0, s, c) for s, c in zip(speeds, coefficients, strict=True))
    total = share * most
    flows = np.array(sharing(kind)(total, speeds, coefficients)).ravel()
    assert flows.sum() == pytest.approx(total, rel=1e-12)
    top = max(curve(0.0, s) for s in speeds)
    header = brentq(
        lambda d: sum(flow_at(d, s, c) for s, c in zip(speeds, coefficients, strict=True)) - total, 0.0, top, xtol=1e-9
    )
    expected = [flow_at(header, s, c) for s, c in zip(speeds, coefficients, strict=True)]
    assert flows == pytest.approx(expected, abs=1e-5 * most + 1e-9)


def test_flow_law_solves_its_quadratic() -> None:
    p, named = parameters()
    m = number(flow_law(ca.SX(15.0), ca.SX(1200.0), ca.SX(2.0), named), p)
    w, q = 0.8, m / 2000.0
    assert 51.9655 * w**2 - 6.4336 * w * q - 137.7364 * q**2 == pytest.approx(15.0)
    assert number(flow_law(ca.SX(60.0), ca.SX(1200.0), ca.SX(2.0), named), p) == 0.0


@pytest.mark.parametrize("unit", UNITS)
def test_chiller_correlations_are_one_at_reference_conditions(unit: int) -> None:
    p, named = parameters()
    chiller = Chiller(unit, named)
    reference = [ca.SX(15.0), ca.SX(37.0)]
    assert number(chiller._biquadratic("capFunT", *reference), p) == pytest.approx(1.0, abs=0.01)
    assert number(chiller._biquadratic("EIRFunT", *reference), p) == pytest.approx(1.0, abs=0.02)


def test_chiller_meets_its_set_point_until_its_capacity_ends() -> None:
    p, named = parameters()
    chiller = Chiller(1, named)

    def run(m: float, on: float = 1.0) -> tuple[float, float]:
        args = [ca.SX(v) for v in (on, m, 293.15, 288.15, 303.15, 288.15)]
        heat, power = chiller.heat_and_power(*args)
        return number(heat, p), number(power, p)

    heat, power = run(100.0)
    assert heat == pytest.approx(100.0 * 4184.0 * 5.0)
    assert 4.0 < heat / power < 20.0
    capacity = number(named["chiller.Q_nominal"] * chiller._biquadratic("capFunT", ca.SX(15.0), ca.SX(30.0)), p)
    assert run(5000.0)[0] == pytest.approx(capacity)
    assert run(100.0, on=0.0) == (0.0, 0.0)


@settings(deadline=None, max_examples=150)
@given(
    entering=st.floats(276.0, 320.0), leaving=st.floats(274.0, 310.0), condenser=st.floats(275.0, 350.0), m=st.floats(0.0, 900.0),
    set_point=st.floats(276.2, 303.0), unit=st.sampled_from(list(UNITS)),
)  # fmt: skip
def test_chiller_obeys_the_second_law_and_its_motor(
    entering: float, leaving: float, condenser: float, m: float, set_point: float, unit: int
) -> None:
    p, named = parameters()
    args = [ca.SX(v) for v in (1.0, m, entering, leaving, condenser, set_point)]
    heat, power = (number(e, p) for e in Chiller(unit, named).heat_and_power(*args))
    assert 0.0 <= power <= 3.0 * 4027768.6 / 7.78832 * (1.0 + 1e-9)
    assert 0.0 <= heat <= m * 4184.0 * max(entering - set_point, 0.0) + 1e-6
    assert power * (1.0 + 1e-9) >= heat * (condenser / leaving - 1.0)


def cell_target(p: Parameters, m: float, fan: float, entering: float, leaving: float, wet_bulb: float) -> ca.SX:
    """Temperature that a tower cell's water tends to."""
    cell = Cell(p)
    approach = cell.approach(ca.SX(m), ca.SX(fan), ca.SX(wet_bulb))
    return cell.leaving_target(approach, ca.SX(entering), ca.SX(leaving), ca.SX(wet_bulb))


def test_tower_meets_its_rating() -> None:
    """Rating of the plant's cells: 9.5 degC wet bulb, 4 K approach, 6 K range at nominal flow and full fan speed."""
    p, named = parameters()
    wet_bulb = 282.65
    target = cell_target(named, 93.0, 1.0, wet_bulb + 10.0, wet_bulb + 4.0, wet_bulb)
    assert number(target, p) - wet_bulb == pytest.approx(4.0, abs=0.01)


def test_york_correlation_meets_its_published_rating() -> None:
    """EnergyPlus Engineering Reference: 25.6 degC wet bulb, 5.6 K range, equal flow ratios: 3.9 K approach."""
    p, named = parameters()
    c = [number(e, p) for e in Cell(named)._york(ca.SX(25.6), ca.SX(1.0))]
    assert c[0] + c[1] * 5.6 + c[2] * 5.6**2 == pytest.approx(3.9, abs=0.1)


@settings(deadline=None, max_examples=200)
@given(
    m=st.floats(0.0, 900.0), fan=st.floats(0.0, 1.0), entering=st.floats(274.2, 350.0), leaving=st.floats(274.2, 350.0),
    wet_bulb=st.floats(223.2, 318.0),
)  # fmt: skip
def test_tower_water_ends_between_entering_water_and_wet_bulb(
    m: float, fan: float, entering: float, leaving: float, wet_bulb: float
) -> None:
    p, named = parameters()
    target = number(cell_target(named, m, fan, entering, leaving, wet_bulb), p)
    assert min(entering, wet_bulb) - 1e-9 <= target <= max(entering, wet_bulb, 274.15) + 1e-9
    assert target >= min(entering, 274.15) - 1e-9


def test_fan_power_passes_its_table_rises_and_meets_recorded_points() -> None:
    p, named = parameters()
    cell = Cell(named)
    table = dict(zip((0.0, 0.6, 0.7, 0.8, 0.9, 1.0), (0.0, 0.17, 0.258, 0.369, 0.58, 1.0), strict=True))
    assert [number(cell.fan_power(ca.SX(s)), p) for s in table] == pytest.approx([55000.0 * f for f in table.values()])
    # Speed and relative power between the knots, as recorded in the reference's trajectories.
    for speed, power in ((0.64899, 0.2079), (0.75808, 0.31423), (0.85691, 0.46921), (0.95803, 0.81303)):
        assert number(cell.fan_power(ca.SX(speed)), p) / 55000.0 == pytest.approx(power, rel=1e-4)
    speeds = np.linspace(0.0, 1.0, 201)
    powers = [number(cell.fan_power(ca.SX(s)), p) for s in speeds]
    assert np.all(np.diff(powers) > 0.0)


@settings(deadline=None, max_examples=100)
@given(
    hot=st.floats(280.0, 310.0),
    cold=st.floats(275.0, 310.0),
    m_hot=st.floats(1e-9, 300.0),
    m_cold=st.floats(1e-9, 600.0),
)
def test_heat_exchanger_closes_its_energy_balance_within_the_second_law(
    hot: float, cold: float, m_hot: float, m_cold: float
) -> None:
    p, named = parameters()
    leaving = HeatExchanger(named).leaving(ca.SX(m_hot), ca.SX(m_cold), ca.SX(hot), ca.SX(cold))
    hot_out, cold_out = (number(e, p) for e in leaving)
    scale = max(m_hot, m_cold) * 300.0
    assert m_hot * (hot - hot_out) == pytest.approx(m_cold * (cold_out - cold), abs=1e-12 * scale)
    low, high = min(hot, cold) - 1e-9, max(hot, cold) + 1e-9
    assert low <= hot_out <= high
    assert low <= cold_out <= high
    effectiveness = max(abs(hot - hot_out), abs(cold_out - cold))
    assert effectiveness == pytest.approx(0.96 * abs(hot - cold), abs=1e-9)


def test_controller_opens_when_too_warm_and_does_not_wind_up() -> None:
    p, named = parameters()
    exchanger = HeatExchanger(named)

    state, water = ca.SX.sym("state"), ca.SX.sym("water")
    law = ca.Function("law", [state, water, p], list(exchanger.control(state, water, ca.SX(288.0))))

    def control(integral: float, measured: float) -> list[float]:
        return [float(e) for e in law(integral, measured, list(DEFAULTS.values()))]

    assert control(0.0, 289.0)[0] == pytest.approx(0.4)
    assert control(0.0, 287.0)[0] == 0.0
    integral = 0.0
    for _ in range(20000):  # far too warm for long: the integral must settle, not grow
        integral += 0.1 * control(integral, 293.0)[1]
    assert control(integral, 293.0)[1] == pytest.approx(0.0, abs=1e-6)
    assert control(integral, 285.0)[0] < 1.0


def test_three_way_valve_diverts_all_but_a_leak() -> None:
    p, named = parameters()
    exchanger = HeatExchanger(named)
    for opening, least, most in ((1.0, 0.999, 1.0), (0.0, 0.0, 0.001)):
        straight, bypass = (number(e, p) for e in exchanger.three_way(ca.SX(opening)))
        assert least <= straight / (straight + bypass) <= most
