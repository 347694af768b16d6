"""A kept Jacobian as a preconditioner: few are made, and what is simulated does not depend on its age."""

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
    assert plant._solver.krylov.made < changes / 2
    temperatures = [names.index(name) for name in ("Tchw_supply", "Tcw_supply", "Tcw_returnPipe")]
    assert np.abs(got - expected[:, : got.shape[1]])[:, temperatures].max() < 0.05


def test_the_age_of_the_jacobian_is_no_error(plant, recorded):
    """Far below the tolerance of 1e-4, in terms of the largest value of an output."""
    inputs, _, names = recorded
    kept = run(plant, inputs)

    def forget():
        plant._solver.krylov.kept = None

    made_anew = run(plant, inputs, forget)
    temperature = names.index("Tchw_supply")
    assert np.abs(kept - made_anew)[:, temperature].max() < 0.005
    assert plant._solver.krylov.made >= len(inputs)


@pytest.mark.parametrize(("n_states", "krylov"), [(219, True), (2, False)])
def test_few_states_are_left_to_cvode(n_states, krylov, resources, small_resources, state_dir):
    folder = resources if krylov else small_resources
    description = read_fmu(Resources.load(folder).fmu, state_dir / "fmu", "me")
    assert description.n_states == n_states
    model = FmpyExchangeModel(description)
    model.initialize(0.0, np.array([v.start or 0.0 for v in model.inputs]))
    model.step(1.0, np.array([v.start or 0.0 for v in model.inputs]))
    assert (model._solver.krylov is not None) is krylov
    model.close()


def test_a_snapshot_takes_the_jacobian_along(plant, recorded):
    inputs, _, _ = recorded
    run(plant, inputs[:10])
    snapshot = plant.snapshot()
    on = [plant.step(300.0, row) for row in inputs[10:]]
    plant.initialize(0.0, inputs[-1])  # other states, another Jacobian
    plant.step(300.0, inputs[-1])
    plant.restore(snapshot)
    made = plant._solver.krylov.made
    again = [plant.step(300.0, row) for row in inputs[10:]]
    assert np.array_equal(on, again)
    assert plant._solver.krylov.made - made < len(inputs[10:]) / 2


def test_an_initialization_begins_without_one(plant, recorded):
    inputs, _, _ = recorded
    first = run(plant, inputs[:5])
    assert np.array_equal(first, run(plant, inputs[:5]))
