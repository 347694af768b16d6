"""Model Exchange is as accurate as its tolerance says, against SciPy's solution of the same equations."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from trivium.errors import ModelError
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmu_model import EXCHANGE_TOLERANCE, Solving
from trivium.model.fmu.registry import adapter

VERSIONS = ["1.0", "2.0", "3.0"]
#: Engine, solver, and how much the error may exceed the tolerance: LSODAR starts anew in every step.
SOLVERS = [("fmpy", None, 30), ("assimulo", "Radau5ODE", 3), ("assimulo", "CVode", 30), ("assimulo", "LSODAR", 3000)]


@pytest.fixture
def make(own_fmu, tmp_path):
    models = []

    def made(name, version, engine="fmpy", tolerance=1e-6, solver=None):
        description = read_fmu(own_fmu(name, version, "me"), tmp_path, "me")
        models.append(adapter(engine, description)(description, Solving(tolerance, solver=solver)))
        return models[-1]

    yield made
    for model in models:
        model.close()


def stepped(model, steps, step, inputs=()):
    """Values of each output at the end of each step."""
    model.initialize(0.0, np.array(inputs, dtype=float))
    rows = [model.step(step, np.array(inputs, dtype=float)) for _ in range(steps)]
    return dict(zip([v.name for v in model.outputs], np.array(rows).T, strict=True))


#: Every two seconds, over the fast change at 81.6 s.
TIMES = 2.0 * np.arange(1, 51)


@functools.cache
def oscillation():
    """Van der Pol's oscillator with mu = 100 at `TIMES`."""
    done = solve_ivp(
        lambda _, y: [y[1], 100.0 * (1.0 - y[0] ** 2) * y[1] - y[0]],
        (0.0, TIMES[-1]), [2.0, 0.0], method="Radau", t_eval=TIMES, rtol=1e-11, atol=1e-12,
    )  # fmt: skip
    return done.y[0]


def thermostat(times):
    """Temperature and number of switches, an event at a time."""
    temperature, heating, switches, time, changes = 20.0, 0, 0, 0.0, 0
    found, temperatures, counts = iter(times), [], []
    wanted = next(found)
    while True:
        outside = 0.0 if changes % 2 else 10.0

        def slope(_, y, outside=outside, heating=heating):
            return (outside - y) / 10.0 + 3.0 * heating

        def limit(_, y, heating=heating):
            return y[0] - (21.0 if heating else 19.0)

        limit.terminal, limit.direction = True, 1 if heating else -1
        change = 7.0 * (changes + 1)
        done = solve_ivp(slope, (time, change), [temperature], events=limit, dense_output=True, rtol=1e-11, atol=1e-12)
        while wanted < done.t[-1] - 1e-9:
            temperatures.append(done.sol(wanted)[0])
            counts.append(switches)
            try:
                wanted = next(found)
            except StopIteration:
                return np.array(temperatures), np.array(counts)
        time, temperature = done.t[-1], done.y[0, -1]
        if done.t_events[0].size:
            heating, switches = 1 - heating, switches + 1
        else:
            changes += 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("engine", "solver", "factor"), SOLVERS)
def test_stiff_equations(make, version, engine, solver, factor):
    outputs = stepped(make("oscillator", version, engine, solver=solver), len(TIMES), 2.0)
    assert np.median(np.abs(outputs["x"] - oscillation())) < factor * 1e-6


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("engine", "solver", "factor"), SOLVERS)
def test_state_events_and_time_events(make, version, engine, solver, factor):
    times = 0.3 * np.arange(1, 101)
    temperature, switches = thermostat(times)
    assert switches[-1] > 15
    outputs = stepped(make("thermostat", version, engine, solver=solver), len(times), 0.3)
    assert np.median(np.abs(outputs["T"] - temperature)) < 20 * factor * 1e-6  # T is about 20
    assert np.array_equal(outputs["switched"], switches)


@pytest.mark.parametrize("step", [0.05, 0.4, 3.0])
@pytest.mark.parametrize("version", VERSIONS)
def test_an_fmu_without_states_counts_its_events(make, version, step):
    steps = round(12.0 / step)
    outputs = stepped(make("counter", version), steps, step, [0.5])
    times = step * np.arange(1, steps + 1)
    assert outputs["seconds"].tolist() == [math.floor(time + 1e-9) for time in times]
    assert outputs["crossings"].tolist() == [math.floor(time + 0.1 / math.pi) for time in times]
    assert outputs["y"] == pytest.approx(10.0 * outputs["seconds"] + np.sin(math.pi * times + 0.1), abs=1e-12)


def test_assimulo_leaves_an_fmu_without_states_to_fmpy(make):
    with pytest.raises(ModelError, match="counter has no continuous states; the engine fmpy runs it"):
        make("counter", "2.0", "assimulo")


def test_a_smaller_tolerance_is_a_smaller_error(make):
    errors = [
        np.median(np.abs(stepped(make("oscillator", "2.0", tolerance=tolerance), 50, 2.0)["x"] - oscillation()))
        for tolerance in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > 5 * errors[1] > 25 * errors[2]


def test_the_length_of_steps_hardly_matters(make):
    """The solver goes on over the ends of steps: there are as many evaluations, and as large an error."""
    many, few = make("oscillator", "2.0"), make("oscillator", "2.0")
    short, long, exact = stepped(many, 1000, 0.1)["x"][99::100], stepped(few, 10, 10.0)["x"], oscillation()[4::5]
    assert np.abs(short - exact).max() < 1e-3
    assert np.abs(long - exact).max() < 1e-3
    assert many._work < 1.2 * few._work


@pytest.mark.parametrize("solver", ["Radau5ODE", "CVode", "LSODAR"])
@pytest.mark.parametrize("name", ["oscillator", "thermostat"])
def test_a_snapshot_goes_on_bit_by_bit(make, name, solver):
    model, other = make(name, "2.0", "assimulo", solver=solver), make(name, "2.0", "assimulo", solver=solver)
    none = np.empty(0)
    model.initialize(0.0, none)
    for _ in range(7):
        model.step(0.9, none)
    snapshot = model.snapshot()
    ahead = [model.step(0.9, none) for _ in range(5)]
    other.restore(snapshot)
    assert np.array_equal(ahead, [other.step(0.9, none) for _ in range(5)])


def test_the_tolerance_is_what_the_fmu_recommends_else_one_that_suits_a_solver(own_fmu, tmp_path):
    description = read_fmu(own_fmu("oscillator", "2.0", "me"), tmp_path)
    kind = adapter("fmpy", description)
    assert kind(description).tolerance == description.experiment.tolerance == 1e-9
    from dataclasses import replace

    silent = replace(description, experiment=replace(description.experiment, tolerance=None))
    assert kind(silent).tolerance == EXCHANGE_TOLERANCE == 1e-6


def test_an_unknown_solver_is_refused(make):
    with pytest.raises(ModelError, match=r"fmu\.solver must be one of Radau5ODE, CVode, LSODAR"):
        make("oscillator", "2.0", "assimulo", solver="Radau6")
