"""Models with pulsed sources: integrator, description, refusals. The fuel cycle's tests have more."""

import math

import pytest
from fmpy.fmi1 import FMICallException

TAU, FLOW = 4.0, 3.0


def level(time, period=2.0, width=0.25):
    """Level of the tank: exact from edge to edge."""
    x, now = 1.0, 0.0
    while now < time:
        cycle = math.floor(now / period + 1e-9) * period
        off = cycle + width * period
        on = now < off - 1e-9
        until = min(time, off if on else cycle + period)
        target = FLOW * TAU if on else 0.0
        x = target + (x - target) * math.exp(-(until - now) / TAU)
        now = until
    return x


@pytest.mark.parametrize(("period", "width"), [(2.0, 0.25), (0.7, 0.9), (0.3, 1.0), (5.0, 0.0), (40.0, 0.5)])
@pytest.mark.parametrize("length", [0.05, 0.37, 1.0, 11.0])
def test_the_level_follows_the_exact_solution(instances, period, width, length):
    fmu = instances("pulsed").begin(values={"period": period, "width": width})
    while fmu.time < 30.0:
        fmu.step(length)
        assert fmu.get("y")[0] == pytest.approx(level(fmu.time, period, width), rel=1e-7)


def test_steps_end_on_edges_and_are_no_longer_than_told(instances):
    """The count of integrator steps: 0.5 h on and 1.5 h off a cycle, in steps of at most 0.4 h."""
    fmu = instances("pulsed").begin(values={"step": 0.4, "tau": 1e-3 * 400.0})
    fmu.step(20.0)

    # a stretch of 0.5 h takes 2 steps and one of 1.5 h takes 4: Runge-Kutta's own factor for each
    def factor(z):
        return 1.0 + z + z**2 / 2.0 + z**3 / 6.0 + z**4 / 24.0

    x, target = 1.0, FLOW * 0.4
    for _ in range(10):
        x = target + (x - target) * factor(-0.25 / 0.4) ** 2
        x *= factor(-0.375 / 0.4) ** 4
    assert fmu.get("y")[0] == pytest.approx(x, rel=1e-12)


def test_outputs_at_an_edge_are_those_after_it(instances):
    fmu = instances("pulsed").begin()
    found = [fmu.get("pumping")[0]]
    for _ in range(8):
        fmu.step(0.5)
        found += fmu.get("pumping")
    assert found == [FLOW, 0.0, 0.0, 0.0] * 2 + [FLOW]


def test_directional_derivatives_and_rates(instances):
    fmu = instances("pulsed").begin()
    vr = fmu.built.vr
    fmu.step(0.25)
    assert fmu.get("der(level)")[0] == pytest.approx(FLOW - fmu.get("y")[0] / TAU)
    fmu.step(0.75)
    assert fmu.get("der(level)")[0] == pytest.approx(-fmu.get("y")[0] / TAU)
    assert fmu.fmu.getDirectionalDerivative([vr["der(level)"], vr["y"]], [vr["level"]], [1.0]) == [-1.0 / TAU, 1.0]


def test_a_restored_run_is_bit_exact(instances):
    fmu, other = instances("pulsed").begin(values={"period": 0.7}), instances("pulsed").begin()
    fmu.step(1.3)
    data = fmu.snapshot()
    other.restore(data)
    other.time = fmu.time
    for length in (0.1, 3.0, 0.77):
        fmu.step(length)
        other.step(length)
        assert fmu.get(*fmu.built.vr) == other.get(*fmu.built.vr)


@pytest.mark.parametrize(
    ("values", "length", "message"),
    [
        ({"period": 0.0}, 1.0, "pulse train is impossible: period 0, on for 0"),
        ({"width": 1.5}, 1.0, "on for 3"),
        ({"step": 0.0}, 1.0, "integrator step 0"),
        ({"step": 1e-3}, 2000.0, "more than 1000000 integrator steps"),
        ({"tau": 0.0}, 1.0, "not finite"),
    ],
)
def test_steps_that_are_refused(instances, values, length, message):
    fmu = instances("pulsed")
    with pytest.raises(FMICallException):
        fmu.begin(values=values).step(length)
    assert any(message in text for text in fmu.messages), fmu.messages


def test_time_counts_in_the_unit_of_the_model_and_there_is_no_model_exchange(fmus):
    built = fmus("pulsed")
    variables = {v.name: v for v in built.description.modelVariables}
    assert variables["der(level)"].unit == "m/h"
    assert built.description.modelExchange is None
    assert built.description.coSimulation is not None
