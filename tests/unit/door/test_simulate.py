"""`trivium.simulate` agrees with FMPy to the last bit where that rounds no step, follows frames, and refuses what makes no sense."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import fmpy
import numpy as np
import pandas as pd
import pytest
from fmpy import fmi1

import trivium
from tests import own_fmus
from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.experiment.grid import make_grid


@pytest.fixture(autouse=True)
def status_of_fmi1(monkeypatch):
    """FMPy declares that two functions of FMI 1.0 return text; a status would be read as an address."""
    plain = fmi1.FMU1Slave.__init__

    def init(self, *arguments, **options):
        plain(self, *arguments, **options)
        for name in ("fmi1InitializeSlave", "fmi1DoStep"):
            self._functions[name].restype = ctypes.c_int

    monkeypatch.setattr(fmi1.FMU1Slave, "__init__", init)


def by_fmpy(path, stop, step, frame=None, kind="CoSimulation", **options):
    """Simulate with FMPy; return its rows at the points of the grid as a frame."""
    if frame is not None:
        kinds = {"f": np.float64, "i": np.int32, "b": np.bool_}
        types = [("time", np.float64), *((name, kinds[frame[name].dtype.kind]) for name in frame.columns[1:])]
        options["input"] = np.array([tuple(row) for row in frame.itertuples(index=False)], dtype=types)
    description = fmpy.read_model_description(str(path), validate=False)
    if description.fmiVersion == "1.0" and kind == "CoSimulation":  # FMPy does not read its capabilities
        description.coSimulation.canHandleVariableCommunicationStepSize = True
    options["model_description"] = description
    result = fmpy.simulate_fmu(
        str(path), validate=False, stop_time=stop, output_interval=step, fmi_type=kind, **options
    )
    columns = {}
    for name in result.dtype.names:
        values = result[name].reshape(len(result), -1)
        columns |= {name if values.shape[1] == 1 else f"{name}[{i + 1}]": values[:, i] for i in range(values.shape[1])}
    found = pd.DataFrame(columns).drop_duplicates("time", keep="last").set_index("time")
    return found.loc[[time for time in found.index if np.isclose(round(time / step) * step, time)]]


def assert_equal(frame, other):
    common = [name for name in frame.columns if name in other.columns]
    assert len(common) == len(other.columns)
    assert frame.index.tolist() == other.index.tolist()
    for name in common:
        assert frame[name].to_numpy().tolist() == other[name].to_numpy().tolist(), name


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
@pytest.mark.parametrize("name", ["linear", "plant", "overwrite", "ishigami"])
def test_co_simulation_is_that_of_fmpy_to_the_last_bit(own_fmu, name, version):
    path = own_fmu(name, version)
    assert_equal(trivium.simulate(path, stop_time=10, step=0.125), by_fmpy(path, 10, 0.125))


def test_steps_that_fmpy_rounds_differ_by_no_more(own_fmu):
    """FMPy takes the difference of two rounded times, trivium the step that was chosen."""
    path = own_fmu("linear", "2.0")
    frame, other = trivium.simulate(path, stop_time=10, step=0.1), by_fmpy(path, 10, 0.1)
    assert frame.index.tolist() == [k / 10 for k in range(101)]
    assert other.index.tolist() != frame.index.tolist()
    np.testing.assert_allclose(frame["x"], other["x"], rtol=1e-12)


def test_every_type_of_fmi3_is_recorded_as_by_fmpy(own_fmu):
    path = own_fmu("every", "3.0")
    frame = trivium.simulate(path, stop_time=10, step=0.125)
    assert frame.dtypes["out_Boolean"] == np.bool_
    assert frame.dtypes["out_Int64"] == np.int64
    assert_equal(frame, by_fmpy(path, 10, 0.125))


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
@pytest.mark.parametrize("step", [0.125, 0.75, 3.0])
def test_inputs_are_those_of_fmpy_to_the_last_bit(own_fmu, version, step):
    """Lines, a jump of all inputs in and between steps, switches and counts."""
    path = own_fmu("overwrite", version)
    frame = pd.DataFrame(
        {
            "time": [0.0, 2.125, 5.0, 5.0, 8.5],
            "power_u": [0.0, 30.0, 25.0, 70.0, 10.0],
            "power_activate": [False, True, True, False, True],
            "n": [1, 2, 2, 1, 3],
        }
    )
    stop = 21 * step if step == 0.125 else 4 * step
    assert_equal(trivium.simulate(path, stop_time=stop, step=step, inputs=frame), by_fmpy(path, stop, step, frame))


def test_the_shipped_fmus_are_simulated_as_by_fmpy(fuel_cycle, resources):
    assert_equal(trivium.simulate(fuel_cycle, stop_time=500, step=1), by_fmpy(fuel_cycle, 500, 1))
    plant = resources / "AlphaDataCenterCooling_FMU.fmu"
    ramp = pd.DataFrame({"time": [0.0, 3000.0], "Ffan_CT1_01": [0.0, 1.0], "Twb_outside": [283.15, 288.15]})
    frame = trivium.simulate(plant, stop_time=3000, step=300, inputs=ramp)
    assert_equal(frame, by_fmpy(plant, 3000, 300, ramp))
    assert frame["P_CTfans_sum"].iloc[-1] > 0


def test_the_defaults_are_those_that_the_fmu_proposes(fuel_cycle):
    """Start, stop and step; 24000 steps of 1 are more than 1000, so they are doubled."""
    frame = trivium.simulate(fuel_cycle)
    result = fmpy.simulate_fmu(str(fuel_cycle), validate=False)
    assert frame.index.tolist() == result["time"].tolist()
    assert frame["sds.inventory"].tolist() == result["sds.inventory"].tolist()


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_start_values_and_any_variable(own_fmu, version):
    path = own_fmu("linear", version)
    frame = trivium.simulate(
        path,
        stop_time=8,
        step=2,
        start_values={"tau": np.float32(4.0), "x": 3, "inverted": True},
        outputs=["der(x)", "x"],
    )
    assert list(frame.columns) == ["der(x)", "x"]
    exact = [own_fmus.state(time, start=3.0, tau=4.0) for time in frame.index]
    assert frame["x"].tolist() == pytest.approx(exact, rel=1e-3)
    assert frame["der(x)"].tolist() == pytest.approx([-x / 4.0 for x in exact], rel=1e-2)


def test_elements_of_an_array_are_set_together_or_alone(own_fmu):
    path = own_fmu("every", "3.0")
    together = trivium.simulate(path, stop_time=1, step=1, start_values={"A": [[1, 2, 3], [4, 5, 6]]})
    alone = trivium.simulate(
        path, stop_time=1, step=1, start_values={f"A[{i},{j}]": 3 * i + j - 3 for i in (1, 2) for j in (1, 2, 3)}
    )
    other = trivium.simulate(path, stop_time=1, step=1)
    assert together["w[1]"].tolist() == alone["w[1]"].tolist() != other["w[1]"].tolist()


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_model_exchange_agrees_with_the_solution(own_fmu, version):
    path = own_fmu("linear", version, "me")
    frame = trivium.simulate(path, stop_time=20, step=1, interface="me", tolerance=1e-8, inputs={"u": 5.0})
    assert frame["x"].tolist() == pytest.approx([own_fmus.state(t, 5.0) for t in frame.index], rel=1e-6)


def test_constants_series_and_frames_are_the_same_inputs(own_fmu):
    path = own_fmu("linear", "2.0")
    options = {"stop_time": 4, "step": 1}
    ways = [
        {"u": 5.0},
        {"time": [0, 9], "u": [5, 5]},
        pd.DataFrame({"time": [0.0], "u": [5.0]}),
        pd.DataFrame({"u": [5.0, 5.0]}, index=pd.Index([0, 4], name="time")),
        pd.DataFrame({"u": [5.0]}, index=[2.5]),
    ]
    frames = [trivium.simulate(path, inputs=way, **options) for way in ways]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


NAN = float("nan")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"start_values": [1]}, r"start_values must be a dictionary by name, as {\"g\": 9.8}, not \[1\]"),
        ({"start_values": {"taus": 2}}, "start_values: taus cannot be set in linear.* Did you mean tau?"),
        ({"start_values": {"tau": NAN}}, "nan for parameter tau. Value must be finite"),
        ({"start_values": {"tau": 0.01}}, r"within \[0.1, inf\] s, but is below the minimum"),
        ({"start_values": {"gain": 1.5}}, "between two integers"),
        ({"start_values": {"u": 1}, "inputs": {"u": 1}}, "u follows inputs"),
        ({"inputs": {"v": 1}}, "has no input v. Its inputs: u."),
        ({"inputs": {"u": NAN}}, "u is nan at 0 s"),
        ({"inputs": {"u": "much"}}, "values of u are no numbers"),
        ({"inputs": pd.DataFrame({"u": [1, 2]})}, 'add a column "time"'),
        ({"inputs": pd.DataFrame({"time": [1, 0], "u": [1, 2]})}, "0 s follows 1 s"),
        ({"inputs": pd.DataFrame({"time": [0, NAN], "u": [1, 2]})}, "time in row 1 is nan"),
        ({"inputs": pd.DataFrame({"time": [], "u": []})}, "inputs have no rows"),
        ({"inputs": {"time": [0, 1], "u": [1, 2, 3]}}, "u has 3 values for 2 times"),
        ({"inputs": [1, 2]}, "must be a pandas.DataFrame"),
        ({"outputs": ["z"]}, "outputs: z is no variable"),
        ({"outputs": ["echo"]}, "echo is a text"),
        ({"outputs": "x"}, r"must be a list of names: \['x'\]"),
        ({"stop_time": -1}, "stop_time -1 s must be after start_time 0 s"),
        ({"stop_time": NAN}, "nan for parameter stop_time"),
        ({"step": 0}, "step must be positive, not 0"),
        ({"step": -0.5}, "step must be positive"),
        ({"step": NAN}, "nan for parameter step"),
        ({"step": 1e-12}, "makes more than 100000000 steps"),
        ({"interface": "CoSimulation"}, 'interface must be "cs"'),
        ({"engine": "dymola"}, 'engine must be "fmpy"'),
        ({"tolerance": 0}, "tolerance must be positive"),
    ],
)
def test_a_slip_is_refused_in_a_sentence(own_fmu, options, sentence):
    with pytest.raises(InvalidValueError, match=sentence):
        trivium.simulate(own_fmu("linear", "2.0"), **{"stop_time": 10.0, "step": 1.0, **options})


def test_what_is_no_fmu_is_refused(folder, resources):
    with pytest.raises(ResourcesError, match=r"no model 'FuelCycel.fmu' in .*Did you mean FuelCycle.fmu\?"):
        trivium.simulate("FuelCycel.fmu")
    with pytest.raises(ResourcesError, match=r"folder of a test case.*trivium\.open"):
        trivium.simulate(resources)
    (folder / "text.fmu").write_text("no archive")
    with pytest.raises(ResourcesError, match="cannot be unpacked"):
        trivium.simulate("text.fmu")


def test_a_failure_says_when(trap_fmu):
    path = trap_fmu()
    with pytest.raises(ModelError, match=r"^At 2 s the FMU failed to step"):
        trivium.simulate(path, stop_time=5, step=1, inputs={"time": [0, 2, 2], "trap": [0, 0, 6]})


def test_an_fmu_may_end_the_simulation_itself(trap_fmu):
    inputs = {"time": [0, 2, 2], "trap": [0, 0, 10], "u": [280, 290, 290]}
    with pytest.warns(UserWarning, match=r"The result ends at 2 s: the FMU ended the simulation\."):
        frame = trivium.simulate(trap_fmu(), stop_time=5, step=1, inputs=inputs, outputs=["y"])
    until = {"time": [0, 2], "u": [280, 290]}
    pd.testing.assert_frame_equal(frame, trivium.simulate(trap_fmu(), stop_time=2, step=1, inputs=until, outputs=["y"]))


def test_the_last_step_ends_at_the_stop_where_steps_may_differ():
    grid = make_grid(0.0, 1.0, 0.3, [0.45, 0.6], divisible=True)
    assert grid.times == pytest.approx((0.0, 0.3, 0.45, 0.6, 0.9, 1.0))
    assert grid.recorded == (True, True, False, True, True, True)


def test_steps_of_one_length_must_divide_the_time():
    with pytest.raises(InvalidValueError, match="step 3 s must divide the time from 0 s to 10 s"):
        make_grid(0.0, 10.0, 3.0, [], divisible=False)
    assert make_grid(0.0, 0.3, 0.1, [0.15], divisible=False).times == (0.0, 0.1, 0.2, 0.3)


def test_two_threads_simulate_at_a_time(own_fmu):
    """A thread of its own is as good as the main one."""
    program = (
        "import sys, threading, trivium\n"
        "frames = []\n"
        "work = lambda: frames.append(trivium.simulate(sys.argv[1], stop_time=10, step=1))\n"
        "threads = [threading.Thread(target=work) for _ in range(2)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
        "print(len(frames), frames[0].equals(frames[1]))\n"
    )
    command = [sys.executable, "-c", program, str(own_fmu("linear", "2.0"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=dict(os.environ))
    assert done.stdout.split() == ["2", "True"], done.stderr
