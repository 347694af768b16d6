"""Inputs that change within a step, against known solutions: the integral of a ramp."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import trivium
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.model.fmu.fmpy_me import FmpyExchangeModel
from trivium.session.local import open_testcase

#: 0 to 10 N in 2 s, then held; a jump to 4 N at 5 s and down to 0 at 7 s.
TABLE = "time,u\n0,0\n2,10\n5,10\n5,4\n7,0\n9,0\n"
MODELS = [("1.0", "cs"), ("2.0", "cs"), ("1.0", "me"), ("2.0", "me"), ("3.0", "me")]


def exact(time):
    """Return the integral of the table."""
    rows = [(0.0, 0.0), (2.0, 10.0), (5.0, 10.0), (5.0, 4.0), (7.0, 0.0), (9.0, 0.0)]
    total = 0.0
    for (t0, v0), (t1, v1) in itertools.pairwise(rows):
        end = min(time, t1)
        if end > t0:
            total += (end - t0) * (v0 + (v0 + (v1 - v0) * (end - t0) / (t1 - t0))) / 2
    return total


@pytest.fixture
def ramped(own_fmu, state_dir, tmp_path):
    """A test case whose input follows `TABLE` along lines."""
    cases = []

    def make(version, interface, table=TABLE, interpolation="linear"):
        folder = tmp_path / f"case-{len(cases)}"
        folder.mkdir()
        (folder / "integrator.fmu").symlink_to(own_fmu("integrator", version, interface))
        (folder / "inputs.csv").write_text(table)
        (folder / "testcase.toml").write_text(
            f'[boundary]\nfile = "inputs.csv"\ninterpolation = "{interpolation}"\n[fmu]\ninterface = "{interface}"\n'
            "[results]\ninterval = inf\n"
        )
        cases.append(open_testcase(folder, state_dir))
        return cases[-1]

    yield make
    for case in cases:
        case.close()


@pytest.mark.parametrize(("version", "interface"), MODELS)
@pytest.mark.parametrize("step", [0.5, 3.0])
def test_a_ramp_is_a_ramp(ramped, version, interface, step):
    case = ramped(version, interface)
    case.set_step(step)
    for k in range(int(9 / step)):
        reply = case.advance({})
        assert reply["x"] == pytest.approx(exact(reply.time), abs=1e-6), k
    rows = case.results(["u", "y", "x"])
    assert rows["x"] == pytest.approx([exact(time) for time in rows["time"]], abs=1e-6)
    assert rows["u"][-1] == rows["y"][-1] == 0.0


def test_an_fmu_that_cannot_holds_from_row_to_row(ramped):
    case = ramped("3.0", "cs")
    case.set_step(1.0)
    assert [case.advance({})["x"] for _ in range(2)] == [0.0, 5.0]


@pytest.mark.parametrize(("version", "interface"), MODELS)
def test_held_values_stay_held(ramped, version, interface):
    case = ramped(version, interface, interpolation="hold")
    case.set_step(1.0)
    assert [case.advance({})["x"] for _ in range(6)] == pytest.approx([0, 0, 10, 20, 30, 34])


@pytest.mark.parametrize(("version", "interface"), MODELS)
def test_a_ramp_is_restored(ramped, version, interface):
    case = ramped(version, interface)
    case.set_step(0.75)
    for _ in range(3):
        case.advance({})
    snapshot = case.snapshot()
    ahead = [case.advance({})["x"] for _ in range(5)]
    case.restore(snapshot)
    assert [case.advance({})["x"] for _ in range(5)] == ahead


@pytest.mark.parametrize(("version", "interface"), MODELS)
def test_a_step_that_fails_leaves_the_ramp_as_it_was(ramped, version, interface):
    case, undisturbed = ramped(version, interface), ramped(version, interface)
    for each in (case, undisturbed):
        each.set_step(1.0)
        each.advance({})
    with pytest.raises(trivium.errors.InvalidValueError):
        case.advance({"on": 2})
    model = case.stepper.model
    model.reset()
    model.state = type(model.state).FAILED
    assert case.advance({})["x"] == undisturbed.advance({})["x"]


@pytest.mark.parametrize("other", ["true", "1"])
def test_switches_hold_while_others_ramp(ramped, other):
    case = ramped("2.0", "cs", f"on;time;u\nfalse;0;0\n{other};1;5\nfalse;2;10\n{other};3;10\n")
    case.set_step(0.5)
    assert [case.advance({})["x"] for _ in range(6)] == pytest.approx([0, 0, 3.125, 7.5, 7.5, 7.5])


@pytest.mark.parametrize(("version", "interface"), MODELS)
def test_simulate_follows_lines_within_a_step(own_fmu, monkeypatch, state_dir, version, interface):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state_dir))
    table = pd.DataFrame({"time": [0, 2, 5, 5, 7, 9], "u": [0, 10, 10, 4, 0, 0]})
    frame = trivium.simulate(
        own_fmu("integrator", version, interface), stop_time=9, step=1.5, inputs=table, interface=interface,
        outputs=["x"],
    )  # fmt: skip
    assert frame["x"].to_numpy() == pytest.approx([exact(time) for time in frame.index], abs=1e-6)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_slopes_end_with_the_step(own_fmu, state_dir, version):
    """What was set for one step does not act in the next."""
    model = FmpyModel(read_fmu(own_fmu("integrator", version), state_dir / "fmu"))
    names = [v.name for v in model.outputs]
    inputs, slopes = np.array([0.0, 1.0]), np.array([2.0, 0.0])
    model.initialize(0.0, inputs)
    assert dict(zip(names, model.step(1.0, inputs, 1.0, slopes), strict=True)) == {"x": 1.0, "y": 2.0}
    assert dict(zip(names, model.step(1.0, inputs, 2.0), strict=True)) == {"x": 1.0, "y": 0.0}
    model.close()


def test_a_solver_does_not_look_beyond_a_bend(own_fmu, state_dir):
    """CVODE steps past the end of a step; where an input bends there, it must not go on from what it found beyond."""
    model = FmpyExchangeModel(read_fmu(own_fmu("integrator", "2.0"), state_dir / "fmu", "me"))
    one = np.array([0.0, 1.0])
    model.initialize(0.0, one)
    total, time, u = 0.0, 0.0, 0.0
    for slope in (1.0, 1.0, -3.0, 0.0, 0.0, 2.0, 2.0, 0.0):
        outputs = model.step(1.0, np.array([u, 1.0]), time + 1.0, np.array([slope, 0.0]))
        total += u + slope / 2
        u, time = u + slope, time + 1.0
        assert outputs[0] == pytest.approx(total, abs=1e-6)
    model.close()
