"""One solver goes on across steps and snapshots, and every snapshot is exact."""

from __future__ import annotations

import numpy as np
import pytest

from tests.contract.model_contract import inputs
from tests.optional import needs_engine
from tests.own_fmus import state
from trivium.errors import ModelError
from trivium.model.fmu import exchange
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.registry import adapter


@pytest.fixture(params=["fmpy", "pyfmi", "assimulo"])
def make(request, tmp_path):
    needs_engine(request.param)
    models = []

    def another(fmu):
        description = read_fmu(fmu, tmp_path, "me")
        models.append(adapter(request.param, description)(description))
        return models[-1]

    yield another
    for model in models:
        model.close()


@pytest.fixture
def plant(make, small_resources):
    return make(small_resources / "AlphaDataCenterCooling_FMU.fmu")


def started_anew(model, monkeypatch):
    """Times at which the solver of a model starts anew."""
    times = []
    solve = type(model)._solve

    def watched(self, time, end):
        if self._fresh:
            times.append(time)
        return solve(self, time, end)

    monkeypatch.setattr(type(model), "_solve", watched)
    return times


def test_the_solver_goes_on_while_inputs_stay(plant, monkeypatch):
    times = started_anew(plant, monkeypatch)
    plant.initialize(0.0, inputs())
    for _ in range(25):
        plant.step(300.0, inputs())
    assert times == [0.0]
    for _ in range(25):
        plant.step(300.0, inputs(Mchw=200.0))
    assert times == [0.0, 7500.0], "only where the input changed"
    solver = plant._solver
    plant.initialize(0.0, inputs())
    plant.step(300.0, inputs())
    assert plant._solver is solver, "a solver is made once"


def test_a_restore_never_takes_long(plant, monkeypatch):
    """After so much work, or so many steps, the solver starts anew for the sake of snapshots."""
    monkeypatch.setattr(exchange, "MAX_SINCE", 20)
    times = started_anew(plant, monkeypatch)
    plant.initialize(0.0, inputs())
    for _ in range(42):
        plant.step(300.0, inputs())
    assert times == [0.0, 6000.0, 12000.0]
    monkeypatch.setattr(exchange, "MAX_WORK", 0)
    for _ in range(3):
        plant.step(300.0, inputs())
    assert times[3:] == [12900.0, 13200.0]


@pytest.mark.parametrize("limits", [{}, {"MAX_SINCE": 7}, {"MAX_WORK": 30}])
def test_every_snapshot_on_the_way_is_exact_and_changes_nothing(make, own_fmu, monkeypatch, limits):
    for name, value in limits.items():
        monkeypatch.setattr(exchange, name, value)
    fmu = own_fmu("linear", "2.0")
    model, other = make(fmu), make(fmu)
    u = [0.0] * 4 + [1.0] * 5 + [0.5, 0.2] + [0.0] * 12
    start = {"tau": 7.0}
    model.initialize(0.0, np.array([u[0]]), start)
    outputs = [model.step(0.7, np.array([value])) for value in u]
    model.initialize(0.0, np.array([u[0]]), start)
    snapshots = []
    for value, expected in zip(u, outputs, strict=True):
        assert np.array_equal(model.step(0.7, np.array([value])), expected)
        snapshots.append(model.snapshot())
    for k, snapshot in enumerate(snapshots):
        other.restore(snapshot)
        assert np.array_equal(other.read(), outputs[k])
        assert other.snapshot() == snapshot, "a snapshot of what was restored is the same"
        for value, expected in zip(u[k + 1 :], outputs[k + 1 :], strict=True):
            assert np.array_equal(other.step(0.7, np.array([value])), expected)


def test_the_solution_stays_what_it_is(make, own_fmu):
    model = make(own_fmu("linear", "2.0"))
    model.initialize(0.0, np.zeros(1))
    for k in range(1, 60):
        assert model.step(0.3, np.zeros(1))[0] == pytest.approx(state(0.3 * k), abs=1e-6)


def test_an_fmu_that_promises_a_state_and_refuses_it_can_be_stepped(make, own_fmu, monkeypatch):
    model = make(own_fmu("linear", "2.0"))

    def refuse():
        raise ModelError("no state today")

    monkeypatch.setattr(model, "_get_state", refuse)
    model.initialize(0.0, np.zeros(1))
    assert model.step(2.0, np.zeros(1))[0] == pytest.approx(state(2.0), abs=1e-6)
    with pytest.raises(ModelError, match="no state today"):
        model.snapshot()
