"""Test cases that are an FMU alone, or an FMU and a table of inputs, against fmpy.simulate_fmu and known solutions."""

from __future__ import annotations

import fmpy
import numpy as np
import pytest

from tests.own_fmus import state
from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.server import wording
from trivium.session.local import open_testcase

TABLE = "time,u\n0,0\n1,2\n2.5,-1\n4,3\n20,0\n"


@pytest.fixture(scope="module", params=["2.0", "3.0"])
def linear_fmu(request, own_fmu):
    return own_fmu("linear", request.param)


@pytest.fixture
def plain(linear_fmu, state_dir):
    case = open_testcase(linear_fmu, state_dir)
    yield case
    case.close()


@pytest.fixture
def driven(linear_fmu, state_dir, tmp_path):
    """A test case whose input follows `TABLE`."""
    cases = []

    def make(interpolation, toml="", table=TABLE):
        folder = tmp_path / f"case-{len(cases)}"
        folder.mkdir()
        (folder / "linear.fmu").symlink_to(linear_fmu)
        (folder / "inputs.csv").write_text(table)
        (folder / "testcase.toml").write_text(
            f'{toml}[boundary]\nfile = "inputs.csv"\ninterpolation = "{interpolation}"\n'
        )
        cases.append(open_testcase(folder, state_dir))
        return cases[-1]

    yield make
    for case in cases:
        case.close()


def simulated(fmu, stop, step, start=0.0, inputs=None, **start_values):
    """What FMPy's own loop gives."""
    names = ["x", "y"]
    return fmpy.simulate_fmu(
        str(fmu), fmi_type="CoSimulation", start_time=start, stop_time=stop, output_interval=step, input=inputs,
        start_values=start_values, output=names, relative_tolerance=1e-9, set_stop_time=False,
    )  # fmt: skip


def standing(case):
    return case.time, case.step, case._end, case.history_rows().tobytes()


def test_it_begins_with_the_outputs_of_its_initialization(plain):
    assert plain.name == plain._parts[0].fmu.stem
    assert plain.step == 0.5  # what the FMU proposes
    assert list(plain.inputs) == ["u"]
    assert not plain.forecast_points
    reply = plain.initialize(0)
    assert wording.initialized(reply).message == "Simulation initialized successfully to 0s."
    assert reply == {"x": 1.0, "y": 2.0, "tenfold": 20.0, "high": 0.0, "u": 0.0, "echo": "cooling"}
    assert plain.advance_many().columns["x"] == pytest.approx([state(0.5)])


def test_it_begins_anywhere_and_steps_as_it_is_told(plain, linear_fmu):
    reply = plain.initialize(12.25, 13)
    assert (wording.initialized(reply).message, plain.time) == ("Simulation initialized successfully to 12.25s.", 12.25)
    assert reply["x"] == 1.0
    plain.set_step(0.25)
    seen = [plain.advance({"u": 3})["x"] for _ in range(3)]
    inputs = np.array([(12.25, 3.0)], dtype=[("time", float), ("u", float)])
    assert seen == pytest.approx(simulated(linear_fmu, 13.0, 0.25, 12.25, inputs)["x"][1:], abs=1e-12)
    with pytest.raises(InvalidValueError, match="from 13.0s by a step of 0.25s: the simulation ends at 13.0s"):
        plain.advance({})


def test_ten_thousand_steps_of_a_hundredth_end_where_they_should(plain, linear_fmu):
    plain.set_step(0.01)
    reply = plain.advance_many(steps=10_000, point_names=["x"])
    assert wording.steps(reply).message == "Advanced simulation successfully from 0.0s to 100.0s in 10000 steps."
    columns = reply.columns
    assert columns["time"].tolist() == [k / 100 for k in range(1, 10_001)]
    assert plain.stepper.model.time == 100.0
    assert columns["x"][-1] == pytest.approx(simulated(linear_fmu, 100.0, 0.01)["x"][-1], rel=1e-9)
    for _ in range(7):
        plain.advance({})
    assert plain.time == 100.07


@pytest.mark.parametrize(
    ("start", "final"), [(0.57, 0.6), (57 * 0.01, 60 * 0.01), (sum([0.01] * 57), sum([0.01] * 60))]
)
def test_windows_hold_both_ends_in_spite_of_rounding(plain, start, final):
    plain.set_step(0.01)
    plain.advance_many(steps=100)
    assert plain.results(["x"], start, final)["time"].tolist() == [0.57, 0.58, 0.59, 0.6]


def test_parameters_and_start_values(plain, linear_fmu):
    found = wording.parameters(plain.parameters).payload
    assert found["tau"] == {
        "Unit": "s", "Description": "", "Minimum": 0.1, "Maximum": None, "Start": 10.0, "Type": "real",
        "Tunable": False,
    }  # fmt: skip
    assert {name: (entry["Start"], entry["Type"]) for name, entry in found.items() if name != "tau"} == {
        "x": (1.0, "real"), "gain": (2.0, "integer"), "inverted": (0.0, "boolean"), "label": ("cooling", "text")
    }  # fmt: skip
    chosen = {"x": "3.5", "tau": 4, "gain": 5, "inverted": True, "label": "heating"}
    reply = plain.initialize(0, start_values=chosen)
    assert (reply["y"], reply["echo"]) == (-17.5, "heating")
    reference = simulated(linear_fmu, 5.0, 0.5, x=3.5, tau=4.0, gain=5, inverted=True)
    seen = [plain.advance({}) for _ in range(10)]
    assert [payload["y"] for payload in seen] == pytest.approx(reference["y"][1:], rel=1e-12)
    assert {payload["echo"] for payload in seen} == {"heating"}
    assert plain.initialize(0)["y"] == 2.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1], "start_values must be a dictionary by name"),
        ({"nonsense": 1}, "Unexpected name nonsense in parameter start_values"),
        ({"u": "x"}, "parameter u. Value must be a float"),
        ({"tau": 0.05}, "parameter tau. Value must be within .* below the minimum 0.1"),
        ({"tau": "x"}, "parameter tau. Value must be a float"),
        ({"gain": 2.5}, "parameter gain"),
        ({"gain": True}, "parameter gain"),
        ({"inverted": 2}, r"parameter inverted. Value must be within \[0.0, 1.0\]"),
        ({"gain": 101}, r"parameter gain. Value must be within .*, 100.0\]"),
        ({"label": 5}, "parameter label. Value must be a string"),
    ],
)
def test_start_values_that_are_refused(plain, given, said):
    plain.advance({"u": 2})
    before = standing(plain)
    with pytest.raises(InvalidValueError, match=said), wording.worded():
        plain.initialize(0, start_values=given)
    assert standing(plain) == before


@pytest.mark.parametrize("can_snapshot", [True, False])
def test_start_values_come_back_with_a_state(plain, linear_fmu, state_dir, can_snapshot):
    plain.stepper.model.can_snapshot = can_snapshot
    plain.initialize(1.5, start_values={"gain": 7, "label": "kept", "x": 2})
    plain.advance({"u": 3})
    stored, rows = plain.state(), plain.history_rows()
    expected = plain.advance({"u": 3})
    other = open_testcase(linear_fmu, state_dir)
    other.stepper.model.can_snapshot = can_snapshot
    for case in (plain, other):
        case.initialize(0)
        case.set_state(stored, rows)
        assert case.look_ahead({}) == expected
        assert case.advance({}) == expected
    assert expected["echo"] == "kept"
    other.close()


def test_a_failed_step_leaves_start_values_and_initial_state(plain, monkeypatch):
    plain.stepper.model.can_snapshot = False  # so that going back is to simulate again
    plain.initialize(0, start_values={"gain": 7, "x": 2})
    plain.advance({"u": 3})
    before, step = standing(plain), plain.stepper.model._step

    def failing(time, duration, inputs):
        if inputs[0] == 9:
            raise ModelError("told to")
        return step(time, duration, inputs)

    monkeypatch.setattr(plain.stepper.model, "_step", failing)
    with pytest.raises(ModelError, match="told to"):
        plain.advance({"u": 9})
    assert standing(plain) == before
    x = state(0.5, 3.0, start=state(0.5, 3.0, start=2.0))
    assert plain.advance({})["y"] == pytest.approx(7 * x)


@pytest.mark.parametrize("kind", [0, 4])
def test_a_start_that_was_made_before_is_restored_with_its_values(plain, kind):
    expected = {}
    for k in range(4):
        for gain in (2, 7):
            reply = plain.initialize(8, warmup_period=kind, start_values={"gain": gain})
            seen = reply, plain.advance({"u": 1}), plain.history_rows().tobytes()
            assert expected.setdefault(gain, seen) == seen, k
    assert expected[2][1]["y"] != expected[7][1]["y"]
    assert plain._starts.warm.served > 0


def test_a_warm_up_is_simulated_with_the_inputs_start_values(plain):
    reply = plain.initialize(8.75, warmup_period=3.25)
    assert (
        wording.initialized(reply, boptest=True).message
        == "Test simulation initialized successfully to 8.75s with warmup period of 3.25s."
    )
    assert (reply.time, reply["x"]) == (8.75, pytest.approx(state(3.25)))
    assert plain.results(["x"], 0, 9)["time"].tolist() == [5.75, 6.25, 6.75, 7.25, 7.75, 8.25, 8.75]
    assert plain.initialize(2, warmup_period=50)["x"] == pytest.approx(state(2.0))  # never before 0


@pytest.mark.parametrize("step", [0.5, 1.5, 0.3, 7])
def test_inputs_follow_a_table_and_hold(driven, linear_fmu, step):
    case = driven("hold", f"step = {step}\n")
    assert list(case.inputs) == []
    assert list(case.forecast_points) == ["u"]
    steps = int(19 // step)
    x = case.advance_many(steps=steps, point_names=["x"]).columns["x"][-1]
    expected, now = 1.0, 0.0
    for until, u in ((1.0, 0.0), (2.5, 2.0), (4.0, -1.0), (20.0, 3.0)):  # the solution, piece by piece
        length = max(min(until, steps * step) - now, 0.0)
        expected, now = state(length, u, start=expected), now + length
    assert x == pytest.approx(expected, rel=1e-9)


def test_inputs_follow_a_table_and_are_interpolated(driven, linear_fmu):
    case = driven("linear", "step = 0.25\n")
    columns = case.advance_many(steps=72, point_names=["x", "u"]).columns
    table = np.genfromtxt(TABLE.splitlines(), delimiter=",", names=True)
    reference = simulated(linear_fmu, 18.0, 0.25, inputs=table)
    assert columns["x"] == pytest.approx(reference["x"][1:], abs=1e-12)
    assert columns["u"] == pytest.approx(np.interp(columns["time"] - 0.25, table["time"], table["u"]))
    ahead = case.forecast(["u"], 2, 0.5)
    assert ahead["u"] == pytest.approx(np.interp(ahead["time"], table["time"], table["u"]))


def test_a_table_ends(driven):
    held, interpolated = driven("hold"), driven("linear")
    for case, end in ((held, 36.0), (interpolated, 20.0)):
        case.set_step(10)
        for _ in range(int(end // 10)):
            case.advance({})
        before = standing(case)
        with pytest.raises(InvalidValueError, match=f"the data covers 0.0s to {end}s"):
            case.advance({})
        assert standing(case) == before


def test_a_table_that_begins_late(driven):
    case = driven("hold", table="time,u\n100,1\n200,2\n")
    assert (case.time, case.step) == (100.0, 0.5)
    with pytest.raises(InvalidValueError, match="the data covers 100.0s to 300.0s"):
        case.initialize(50)
    assert (
        wording.advanced(case.advance({}), boptest=False).message
        == "Advanced simulation successfully from 100.0s to 100.5s."
    )


@pytest.mark.parametrize("warmup", [1e-9, 1e-30, 0.4999999999])
def test_a_warm_up_shorter_than_a_step(plain, warmup):
    reply = plain.initialize(1.0, warmup_period=warmup)
    assert (reply.time, reply["x"]) == (1.0, pytest.approx(state(warmup)))


def test_a_warm_up_that_would_begin_before_zero_is_cut(plain):
    reply = plain.initialize(2.0, warmup_period=86400)
    assert (reply.time, reply.warmup, reply["x"]) == (2.0, 2.0, pytest.approx(state(2.0)))


def test_a_table_of_what_is_no_input(driven):
    with pytest.raises(ResourcesError, match=r"inputs.csv has no column of an input of linear; it has: wind"):
        driven("hold", table="time,wind\n0,1\n1,2\n")


def test_columns_of_a_table_that_are_no_inputs_are_reported(driven, caplog):
    case = driven("hold", table="wind;time;u;U\n3;0;1;0\n4;1;2;0\n")
    case.advance({})
    assert case.results(["u"])["u"].tolist() == [1.0, 1.0]
    assert (
        "inputs.csv has columns that are no inputs of linear and are ignored: wind, U. Did you mean u?" in caplog.text
    )


def test_a_first_observation_needs_boundary_data(linear_fmu, state_dir, tmp_path):
    (tmp_path / "linear.fmu").symlink_to(linear_fmu)
    (tmp_path / "Initialization_observation0.csv").write_text("time,x\n0,1\n")
    (tmp_path / "testcase.toml").write_text('[files]\nhead = ""\nversion = ""\ndisturbances = ""\n')
    with pytest.raises(ResourcesError, match="need boundary data with a row every interval"):
        open_testcase(tmp_path, state_dir)


def test_the_first_steps_up_to_a_failure_cost_no_more_than_all_or_none(plain, monkeypatch):
    """Blocks of steps are one transaction: the history is written to a few times only."""
    writes, append = [], plain.stepper.history.append
    monkeypatch.setattr(plain.stepper.history, "append", lambda rows: (writes.append(len(rows)), append(rows)))
    plain.advance_many(steps=1000, atomic=False)
    assert sum(writes) == 1000
    assert len(writes) < 20
