"""Kept Jacobians: fewer are made, and what is simulated stays within the tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_me import FmpyExchangeModel
from trivium.model.fmu.fmu_model import Solving
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources


@pytest.fixture(scope="module")
def recorded(resources, state_dir):
    """Inputs and outputs of the plant over two hours of its baseline, by co-simulation."""
    case = open_testcase(resources, state_dir)
    case.initialize(900000, None, 7200)
    rows, n = case.history_rows(), len(case.stepper.model.inputs)
    names = [variable.name for variable in case.stepper.model.outputs]
    case.close()
    return rows[:, 1 : 1 + n], rows[:, 1 + n :], names


@pytest.fixture
def plant(resources, state_dir):
    fmu = read_fmu(Resources.load(resources).fmu, state_dir / "fmu", "me")
    plant = FmpyExchangeModel(fmu, Solving(tolerance=1e-4))
    yield plant
    plant.close()


def run(plant, inputs, each=lambda: None):
    plant.initialize(892800.0, inputs[0])
    outputs = []
    for row in inputs:
        outputs.append(plant.step(300.0, row))
        each()
    return np.array(outputs)


def test_one_jacobian_serves_many_steps(plant, recorded):
    inputs, expected, names = recorded
    changes = int((np.diff(inputs, axis=0) != 0).any(axis=1).sum())
    assert changes > 15  # the solver starts anew at nearly every step
    got = run(plant, inputs)
    assert plant._solver.newton.made < changes / 2
    temperatures = [names.index(name) for name in ("Tchw_supply", "Tcw_supply", "Tcw_returnPipe")]
    assert np.abs(got - expected)[:, temperatures].max() < 0.05


def test_with_and_without_keeping_them_the_same_is_simulated(plant, recorded):
    inputs, _, names = recorded
    kept = run(plant, inputs)

    def forget():
        plant._solver.newton.kept = None

    made_anew = run(plant, inputs, forget)
    temperature = names.index("Tchw_supply")
    assert np.abs(kept - made_anew)[:, temperature].max() < 0.02
    assert plant._solver.newton.made >= len(inputs)


def test_a_snapshot_takes_the_jacobian_along(plant, recorded):
    inputs, _, _ = recorded
    run(plant, inputs[:10])
    snapshot = plant.snapshot()
    on = [plant.step(300.0, row) for row in inputs[10:]]
    plant.initialize(0.0, inputs[-1])  # other states, another Jacobian
    plant.step(300.0, inputs[-1])
    plant.restore(snapshot)
    made = plant._solver.newton.made
    again = [plant.step(300.0, row) for row in inputs[10:]]
    assert np.array_equal(on, again)
    assert plant._solver.newton.made - made < len(inputs[10:]) / 2


def test_an_initialization_begins_without_one(plant, recorded):
    inputs, _, _ = recorded
    first = run(plant, inputs[:5])
    assert np.array_equal(first, run(plant, inputs[:5]))


def test_linear_systems_are_solved_by_lapack(plant, recorded, monkeypatch):
    """Otherwise the operations of SUNDIALS were not found, and it would only be slower."""
    run(plant, recorded[0][:1])
    newton, calls = plant._solver.newton, []
    factorize = newton._factorize
    monkeypatch.setattr(newton, "_factorize", lambda matrix: calls.append(1) or factorize(matrix))
    plant.step(300.0, recorded[0][-1])
    assert calls
