"""The integrator against analytic and SciPy solutions."""

import math

import numpy as np
import pytest
from fmpy.fmi1 import FMICallException
from scipy.integrate import solve_ivp

from tests.unit.workshop.fmi.plants import N_TANKS, RATES


def linear_exact(t, start, target):
    """Analytic response of the linear model to a step of its input.

    Both filter stages lag by tau = 20 s: v = target + (start - target) (1 + t / tau) exp(-t / tau), and
    x' = -r (x - v), x(0) = start, is solved by variation of constants.
    """
    lag, jump = 1.0 / 20.0, start - target
    result = []
    for rate in RATES:
        d = rate - lag
        forced = rate * ((1.0 / d - lag / d**2) + lag * t / d) * math.exp(-lag * t)
        transient = (1.0 - rate * (1.0 / d - lag / d**2)) * math.exp(-rate * t)
        result.append(target + jump * (forced + transient))
    return result


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-6, 1e-8])
def test_linear_model_follows_the_analytic_solution(instances, tolerance):
    fmu = instances("linear").begin(tolerance)
    assert fmu.get("x0", "x1", "x2") == [0.25] * 3
    fmu.set(position=1.0)
    for length in (0.001, 0.4, 7.0, 30.0, 100.0, 300.0):
        fmu.step(length)
        found = fmu.get("x0", "x1", "x2", "y")
        exact = linear_exact(fmu.time, 0.25, 1.0)
        assert found[:3] == pytest.approx(exact, abs=10 * tolerance), fmu.time
        assert found[3] == pytest.approx(sum(found[:3]), rel=1e-14)


def test_filters_are_exact_and_end_on_their_input(instances):
    fmu = instances("linear").begin()
    fmu.set(position=1.0)
    for length in (0.3, 11.0, 40.0):
        fmu.step(length)
        decay = math.exp(-fmu.time / 20.0)
        s1, s2 = 1.0 - 0.75 * decay, 1.0 - 0.75 * decay * (1.0 + fmu.time / 20.0)
        assert fmu.get("filter.position.s1", "filter.position.s2") == pytest.approx([s1, s2], rel=1e-13)
    fmu.step(2000.0)
    assert fmu.get("filter.position.s1", "filter.position.s2") == [1.0, 1.0]


def test_error_falls_with_the_order_of_the_method(instances):
    """Each hundredth of the tolerance buys at least a tenth of the error."""
    errors = []
    for tolerance in (1e-5, 1e-7, 1e-9):
        fmu = instances("linear").begin(tolerance)
        fmu.set(position=1.0)
        fmu.step(25.0)
        errors.append(max(np.abs(np.subtract(fmu.get("x0", "x1", "x2"), linear_exact(25.0, 0.25, 1.0)))))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-8


def test_van_der_pol_against_scipy(instances):
    eps = 1e-5
    fmu = instances("van_der_pol").begin(1e-8, {"eps": eps})
    exact = solve_ivp(
        lambda _, y: [y[1], ((1 - y[0] ** 2) * y[1] - y[0]) / eps],
        (0, 2),
        [2.0, 0.0],
        method="Radau",
        rtol=1e-11,
        atol=1e-11,
        t_eval=[0.5, 1.0, 1.5, 2.0],
    )
    for y in exact.y.T:
        fmu.step(0.5)
        assert fmu.get("y1", "y2") == pytest.approx(y, rel=1e-4, abs=1e-5)


def test_robertson_against_a_published_value_and_scipy(instances):
    """The value at 40 s is that of Hairer and Wanner's test set; later, steps have grown by orders of magnitude."""
    fmu = instances("robertson").begin(1e-8)
    fmu.step(40.0)
    assert fmu.get("a", "b", "c") == pytest.approx([0.7158270688, 9.185534765e-6, 0.2841637457], rel=1e-6)
    fmu.step(4e6 - 40.0)

    def rates(_, y):
        slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return [back - slow, slow - back - fast, fast]

    exact = solve_ivp(rates, (0, 4e6), [1.0, 0.0, 0.0], method="Radau", rtol=1e-10, atol=1e-16).y[:, -1]
    assert fmu.get("a", "b", "c") == pytest.approx(exact, rel=1e-5)
    assert sum(fmu.get("a", "b", "c")) == pytest.approx(1.0, abs=1e-10)


def tank_rates(t, x, valve, T_in, heat, mass=200.0, tau_sensor=1.0, tau_valve=15.0, valve0=0.5):  # noqa: N803
    """Write the tanks' equations out again, in plain NumPy."""
    v = [valve + (valve0 - valve) * (1 + t / tau) * math.exp(-t / tau) for tau in (tau_valve, 2 * tau_valve)]
    flow = 10.0 * 50.0 ** (v[0] - 1.0) + 0.1 * v[1]
    tanks = x[:N_TANKS]
    upstream = np.concatenate([[T_in], tanks[:-1]])
    rates = flow / mass * (upstream - tanks) - 1e-3 * np.maximum(0.0, tanks - 320.0)
    rates[0] += heat / (4186.0 * mass)
    return np.append(rates, (tanks[-1] - x[-1]) / tau_sensor)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-6])
def test_tanks_against_scipy(instances, tolerance):
    inputs = {"valve": 0.9, "T_in": 305.0, "heat": 9e5}
    fmu = instances("tanks").begin(tolerance)
    fmu.set(**inputs)
    exact = solve_ivp(
        tank_rates,
        (0, 900),
        [290.0] * (N_TANKS + 1),
        args=tuple(inputs.values()),
        method="Radau",
        rtol=1e-10,
        atol=1e-9,
        t_eval=[300.0, 600.0, 900.0],
    )
    names = [f"tank[{i + 1}].T" for i in range(N_TANKS)] + ["sensor.T"]
    for x in exact.y.T:
        fmu.step(300.0)
        assert np.abs(np.subtract(fmu.get(*names), x)).max() < 1000 * tolerance
    assert exact.y.max() > 320.0, "the kink must have been passed"


def test_parameters_take_effect(instances):
    fmu = instances("tanks").begin(1e-6, {"mass": 80.0, "tau_sensor": 30.0, "tau_valve": 40.0, "valve": 0.2})
    assert fmu.get("mass", "filter.valve.s1") == [80.0, 0.2]
    fmu.set(valve=0.7)
    fmu.step(240.0)
    x = solve_ivp(
        tank_rates, (0, 240), [290.0] * (N_TANKS + 1), args=(0.7, 290.0, 1e5, 80.0, 30.0, 40.0, 0.2), method="Radau",
        rtol=1e-10, atol=1e-9,
    ).y[:, -1]  # fmt: skip
    assert fmu.get("tank[1].T", "sensor.T") == pytest.approx([x[0], x[-1]], abs=1e-3)


def test_result_does_not_depend_on_how_the_time_is_divided(instances):
    results = []
    for lengths in ([600.0], [300.0] * 2, [0.7, 59.3, 240.0, 1e-6, 300.0 - 1e-6], [10.0] * 60):
        fmu = instances("tanks").begin(1e-8)
        fmu.set(valve=0.8, heat=5e5)
        for length in lengths:
            fmu.step(length)
        results.append(fmu.get("tank[12].T", "T_out", "flow"))
    for result in results[1:]:
        assert result == pytest.approx(results[0], rel=1e-7)


def test_reading_outputs_changes_nothing(instances):
    quiet, curious = instances("tanks").begin(), instances("tanks").begin()
    for k in range(6):
        for fmu in (quiet, curious):
            fmu.set(valve=0.3 + 0.1 * (k % 3), heat=1e5 * k)
        curious.get(*curious.built.vr)
        for fmu in (quiet, curious):
            fmu.step(300.0)
        curious.get(*curious.built.vr)
    names = list(quiet.built.vr)
    assert quiet.get(*names) == curious.get(*names)


def test_two_instances_do_not_share_anything(instances):
    one, two = instances("tanks").begin(), instances("tanks").begin()
    alone = instances("tanks").begin()
    one.set(valve=1.0, heat=1e6)
    for _ in range(3):
        one.step(300.0)
        two.step(100.0)
        alone.step(100.0)
    assert two.get(*two.built.vr) == alone.get(*alone.built.vr)
    assert one.get("T_out") != two.get("T_out")


@pytest.mark.parametrize(("target", "time"), [(0.25, 0.75), (3.0, 1.0)])
def test_kinks_are_passed(instances, target, time):
    """The level moves at the controller's limit, -1 or 2 a second, until it is there."""
    fmu = instances("kinked").begin(1e-6)
    fmu.set(target=target)
    fmu.step(0.9 * time)
    assert fmu.get("level")[0] == pytest.approx(1.0 + 0.9 * (target - 1.0), abs=1e-5)
    fmu.step(time)
    assert fmu.get("level")[0] == pytest.approx(target, abs=1e-5)


def test_a_sliding_mode_is_an_error_by_name_not_an_endless_loop(instances):
    fmu = instances("sliding").begin(1e-6)
    fmu.step(0.4)
    with pytest.raises(FMICallException):
        fmu.step(1.0)
    assert "integrator steps" in fmu.messages[-1]
    assert "torn" in fmu.messages[-1]


@pytest.mark.parametrize("length", [1e-9, 1e-3, 1e6, 1e12, 1e300])
def test_any_length_of_a_step(instances, length):
    fmu = instances("linear").begin(1e-8)
    fmu.set(position=1.0)
    fmu.step(length)
    expected = linear_exact(length, 0.25, 1.0) if length < 1e6 else [1.0] * 3
    assert fmu.get("x0", "x1", "x2") == pytest.approx(expected, abs=1e-7)


def test_steady_state_stays(instances):
    fmu = instances("linear").begin()
    for _ in range(1000):
        fmu.step(300.0)
    assert fmu.get("x0", "x1", "x2") == [0.25] * 3
