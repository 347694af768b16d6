"""The stepper where bringing a model back fails too, and resources that do not fit the model."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import FAILING, temperature
from trivium.errors import ModelError, ResourcesError
from trivium.model.contract import State
from trivium.simulation.boundary import Disturbances
from trivium.simulation.stepper import Stepper


def test_when_bringing_back_fails_the_next_request_tries_again(small_case, monkeypatch):
    small_case.advance({})
    small_case.advance({})
    model = small_case.stepper.model

    def broken(*_):
        raise ModelError("no state can be set today")

    with monkeypatch.context() as patch:
        patch.setattr(model, "_deserialize", broken)
        with pytest.raises(ModelError, match="today"):
            small_case.advance({FAILING: 1})
        assert model.state is State.FAILED
        # replay needs no saved state
        assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(900), abs=1e-5)
    assert small_case.time == 900


def test_when_replay_fails_too_the_clock_stays_and_initialize_helps(small_case, monkeypatch):
    small_case.advance({})
    model = small_case.stepper.model
    model.can_snapshot = False

    def broken(*_):
        raise ModelError("nothing works today")

    with monkeypatch.context() as patch:
        patch.setattr(model, "_step", broken)
        for _ in range(2):
            with pytest.raises(ModelError, match="could not be brought back to where it stood"):
                small_case.advance({})
        assert small_case.time == 300
    assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)
    with monkeypatch.context() as patch:
        patch.setattr(model, "_step", broken)
        with pytest.raises(ModelError):
            small_case.advance({})
    for start in (600, 0):
        assert small_case.initialize(start)
        assert small_case.advance({})["Tchw_supply"] < 290


def test_disturbances_that_the_model_does_not_know_are_refused(small_case):
    stepper = small_case.stepper
    foreign = Disturbances(("Wind",), 0.0, 300.0, np.zeros((2, 1)))
    with pytest.raises(ResourcesError, match="Wind"):
        Stepper(stepper.model, foreign, stepper.inputs.law, stepper.history)
