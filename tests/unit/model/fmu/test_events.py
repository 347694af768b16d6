"""State and time events of Model Exchange, on a ball whose bounces are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.optional import needs_engine
from tests.trap_fmu import pack
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmu_model import Solving
from trivium.model.fmu.registry import adapter

G, BACK = 9.81, 0.8
DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName="ball" guid="ball" numberOfEventIndicators="1">
<ModelExchange modelIdentifier="ball" canGetAndSetFMUstate="true" canSerializeFMUstate="true"/>
<ModelVariables>
<ScalarVariable name="g" valueReference="0" causality="input" variability="continuous"><Real start="9.81"/></ScalarVariable>
<ScalarVariable name="h" valueReference="1" causality="output" variability="continuous" initial="exact"><Real start="1"/></ScalarVariable>
<ScalarVariable name="v" valueReference="2" causality="output" variability="continuous" initial="exact"><Real start="0"/></ScalarVariable>
<ScalarVariable name="bounces" valueReference="3" causality="output" variability="discrete"><Real/></ScalarVariable>
<ScalarVariable name="seconds" valueReference="4" causality="output" variability="discrete"><Real/></ScalarVariable>
<ScalarVariable name="der(h)" valueReference="5" causality="local" variability="continuous"><Real derivative="2"/></ScalarVariable>
<ScalarVariable name="der(v)" valueReference="6" causality="local" variability="continuous"><Real derivative="3"/></ScalarVariable>
</ModelVariables>
<ModelStructure>
<Outputs><Unknown index="2"/><Unknown index="3"/><Unknown index="4"/><Unknown index="5"/></Outputs>
<Derivatives><Unknown index="6"/><Unknown index="7"/></Derivatives>
<InitialUnknowns><Unknown index="4"/><Unknown index="5"/><Unknown index="6"/><Unknown index="7"/></InitialUnknowns>
</ModelStructure>
</fmiModelDescription>
"""


def ball(time):
    """Height, velocity and number of bounces after a time."""
    at, up, bounces = math.sqrt(2 / G), math.sqrt(2 * G) * BACK, 1
    if time < at:
        return 1 - G * time**2 / 2, -G * time, 0
    while time >= at + 2 * up / G:
        at, up, bounces = at + 2 * up / G, up * BACK, bounces + 1
    return up * (time - at) - G * (time - at) ** 2 / 2, up - G * (time - at), bounces


@pytest.fixture(scope="session")
def ball_fmu(tmp_path_factory):
    pytest.importorskip("ziglang", reason="ziglang compiles the FMU")
    return pack(tmp_path_factory.mktemp("ball") / "ball.fmu", "ball", "linux64", DESCRIPTION, "ball.c", {})


@pytest.fixture(params=["fmpy", "pyfmi", "assimulo"])
def model(request, ball_fmu, tmp_path):
    needs_engine(request.param)
    description = read_fmu(ball_fmu, tmp_path)
    assert (description.interface, description.n_states, description.n_indicators) == ("me", 2, 1)
    model = adapter(request.param, description)(description, Solving(tolerance=1e-9))
    yield model
    model.close()


@pytest.mark.parametrize("step", [0.05, 0.4, 2.6])
def test_bounces_and_seconds(model, step):
    g = np.array([G])
    model.initialize(0.0, g)
    for k in range(1, round(2.6 / step) + 1):
        height, velocity, bounces, seconds = model.step(step, g)
        assert (bounces, seconds) == (ball(k * step)[2], math.floor(k * step + 1e-9))
        assert (height, velocity) == pytest.approx(ball(k * step)[:2], abs=1e-4)


def test_a_snapshot_between_two_events(model):
    g = np.array([G])
    model.initialize(0.0, g)
    model.step(0.7, g)
    snapshot = model.snapshot()
    ahead = [model.step(0.35, g) for _ in range(4)]
    model.restore(snapshot)
    assert np.array_equal(ahead, [model.step(0.35, g) for _ in range(4)])
    assert ahead[-1][2:].tolist() == [ball(2.1)[2], 2.0]


def test_an_input_that_changes_in_flight(model):
    model.initialize(0.0, np.array([G]))
    model.step(0.2, np.array([G]))
    height, velocity, bounces, _ = model.step(0.2, np.array([0.0]))
    assert (height, velocity, bounces) == pytest.approx((1 - G * 0.02 - G * 0.2 * 0.2, -G * 0.2, 0), abs=1e-6)
