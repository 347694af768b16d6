"""Model exchange and directional derivatives."""

import warnings

import fmpy
import numpy as np
import pytest
from fmpy.fmi1 import FMICallException

from tests.unit.workshop.fmi.plants import N_TANKS


def test_cvode_agrees_with_co_simulation(fmus, instances):
    """FMPy's CVODE on the model exchange side, over a change of the inputs."""
    built = fmus("tanks")
    start = {"valve": 0.3, "heat": 4e5, "mass": 120.0, "T_in": 310.0}
    signals = np.array(
        [(0.0, 0.3, 310.0), (600.0, 0.3, 310.0), (600.0, 0.8, 295.0), (1200.0, 0.8, 295.0)],
        dtype=[("time", float), ("valve", float), ("T_in", float)],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = fmpy.simulate_fmu(
            str(built.folder), fmi_type="ModelExchange", solver="CVode", stop_time=1200.0, relative_tolerance=1e-9,
            start_values=start, input=signals, output_interval=300.0, output=["T_out", "flow", "tank[3].T"],
        )  # fmt: skip
    fmu = instances("tanks").begin(1e-9, start)
    rows = {row["time"]: row for row in result}
    for _ in range(4):
        if fmu.time == 600.0:
            fmu.set(valve=0.8, T_in=295.0)
        fmu.step(300.0)
        row = rows[fmu.time]
        found = fmu.get("T_out", "flow", "tank[3].T")
        assert found == pytest.approx([row["T_out"], row["flow"], row["tank[3].T"]], rel=1e-6), fmu.time


def exchange(model_exchange):
    fmu = model_exchange("tanks").begin(values={"valve": 0.4, "heat": 2e5})
    fmu.fmu.newDiscreteStates()
    fmu.fmu.enterContinuousTimeMode()
    return fmu


def states_of(fmu):
    """Names of states in the order of the model description's derivatives."""
    description = fmu.built.description
    return [unknown.variable.derivative.name for unknown in description.derivatives]


def test_states_and_derivatives(model_exchange):
    fmu = exchange(model_exchange)
    names = states_of(fmu)
    n = len(names)
    assert n == 4 + N_TANKS + 1
    x, dx = np.zeros(n), np.zeros(n)
    pointer = np.ctypeslib.as_ctypes
    fmu.fmu.getContinuousStates(pointer(x), n)
    assert x.tolist() == fmu.get(*names)
    new = x + np.linspace(0.1, 0.4, n)
    fmu.fmu.setContinuousStates(pointer(new), n)
    fmu.fmu.getDerivatives(pointer(dx), n)
    assert dx.tolist() == fmu.get(*[f"der({name})" for name in names])
    s = dict(zip(names, new, strict=True))
    flow = 10.0 * 50.0 ** (s["filter.valve.s2"] - 1.0) + 0.1 * s["filter.valve_2.s2"]
    expected = flow / 200.0 * (s["tank[4].T"] - s["tank[5].T"])
    assert fmu.get("der(tank[5].T)", "flow") == pytest.approx([expected, flow], rel=1e-12)
    assert fmu.get("der(filter.valve.s1)") == pytest.approx([(0.4 - s["filter.valve.s1"]) / 15.0])
    assert fmu.get("der(filter.valve_2.s2)") == pytest.approx(
        [(s["filter.valve_2.s1"] - s["filter.valve_2.s2"]) / 30.0]
    )
    bad = new.copy()
    bad[7] = np.nan
    with pytest.raises(FMICallException):
        fmu.fmu.setContinuousStates(pointer(bad), n)
    assert names[7] in fmu.messages[-1]
    assert fmu.get(*names) == new.tolist()


def test_directional_derivatives_against_central_differences(model_exchange):
    fmu = exchange(model_exchange)
    names = states_of(fmu)
    rng = np.random.default_rng(7)
    x = np.array(fmu.get(*names)) + rng.uniform(0.0, 0.3, len(names))
    x[8] = 325.0  # beyond the kink
    pointer = np.ctypeslib.as_ctypes
    fmu.fmu.setContinuousStates(pointer(x), len(x))
    knowns = [*names, "valve", "T_in", "heat"]
    unknowns = [*(f"der({name})" for name in names), "T_out", "flow"]
    vr = fmu.built.vr

    def move(name, by):
        if name in names:
            moved = x.copy()
            moved[names.index(name)] += by
            fmu.fmu.setContinuousStates(pointer(moved), len(x))
        else:
            fmu.set(**{name: {"valve": 0.4, "T_in": 290.0, "heat": 2e5}[name] + by})

    for name in knowns:
        step = 10.0 if name == "heat" else 1e-4
        found = fmu.fmu.getDirectionalDerivative([vr[u] for u in unknowns], [vr[name]], [1.0])
        move(name, step)
        above = np.array(fmu.get(*unknowns))
        move(name, -step)
        below = np.array(fmu.get(*unknowns))
        move(name, 0.0)
        assert found == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-9), name

    seeds = rng.normal(size=len(knowns))
    one_by_one = [fmu.fmu.getDirectionalDerivative([vr[u] for u in unknowns], [vr[k]], [1.0]) for k in knowns]
    together = fmu.fmu.getDirectionalDerivative([vr[u] for u in unknowns], [vr[k] for k in knowns], seeds.tolist())
    assert together == pytest.approx(seeds @ np.array(one_by_one), rel=1e-9, abs=1e-12)
    for known in ("mass", "T_out"):
        with pytest.raises(FMICallException):
            fmu.fmu.getDirectionalDerivative([vr["T_out"]], [vr[known]], [1.0])
        assert known in fmu.messages[-1]


def test_directional_derivatives_during_initialization(instances):
    """There the states follow from the inputs: tanks start at the inlet's temperature, filters at the valve."""
    fmu = instances("tanks")
    fmu.fmu.setupExperiment()
    fmu.fmu.enterInitializationMode()
    vr = fmu.built.vr
    unknowns = ["T_out", "flow", "tank[2].T", "filter.valve.s2", "der(tank[1].T)"]

    def values(**inputs):
        fmu.set(**inputs)
        return np.array(fmu.get(*unknowns))

    for name, at, step in (("T_in", 290.0, 1e-3), ("valve", 0.5, 1e-5)):
        found = fmu.fmu.getDirectionalDerivative([vr[u] for u in unknowns], [vr[name]], [1.0])
        expected = (values(**{name: at + step}) - values(**{name: at - step})) / (2 * step)
        fmu.set(**{name: at})
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)
    with pytest.raises(FMICallException):
        fmu.fmu.getDirectionalDerivative([vr["T_out"]], [vr["sensor.T"]], [1.0])
