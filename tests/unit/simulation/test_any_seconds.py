"""A test case with an observation and initialization actions begins and steps at any second, under held data."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.small_plant import ROWS, action, disturbance, head, temperature
from trivium.door.testcase import TestCase
from trivium.errors import InvalidValueError
from trivium.evaluation.testcase import Evaluation
from trivium.server import wording
from trivium.session.local import open_testcase


def test_a_step_of_any_length_reads_the_data_where_its_rows_are(small_case):
    small_case.set_step(200)
    inputs = {"CHI01": 0, "U_CT1": 1, "CHI04_CW3": 1, "Tchws_set_CHI": 285.0}
    messages = [wording.advanced(small_case.advance(inputs), boptest=True).message for _ in range(4)]
    assert messages[3] == "Advanced simulation successfully from 600.0s to 800.0s."
    points = small_case.results(["Tcw_supply", "P_CDWPs_sum", "Tchw_supply"], 1, 900)
    assert points["time"].tolist() == [200.0, 300.0, 400.0, 600.0, 800.0]
    rows = [0, 0, 1, 1, 2]
    assert points["Tcw_supply"] == pytest.approx([disturbance(i)["Twb_outside"] for i in rows])
    assert points["P_CDWPs_sum"] == pytest.approx(
        [1000 * head(0, 1, 2, disturbance(i)["Mchw"] / 1000) for i in rows], rel=1e-9
    )
    assert points["Tchw_supply"] == pytest.approx([temperature(t) for t in points["time"]], abs=1e-5)
    assert small_case.boundary() == disturbance(2)


@pytest.mark.parametrize(
    ("start", "warmup", "times"),
    [
        (1000.0, 100.0, [900.0, 1000.0]),  # an interval of the actions at least
        (1000.0, 650.0, [600.0, 900.0, 1000.0]),
        (1000.0, 0.0, [900.0, 1000.0]),
        (900.0, 500.0, [600.0, 900.0]),
        (123.5, 0.0, [123.5]),
        (299.0, 1e9, [299.0]),
        (0.25, 0.0, [0.25]),
    ],
)
def test_a_start_at_any_second_takes_the_actions_that_hold(small_case, start, warmup, times):
    reply = small_case.initialize(start, None, warmup)
    simulated = min(max(warmup, 300.0), start)
    assert (reply.time, reply.warmup) == (start, simulated)
    assert reply["Tchw_supply"] == pytest.approx(temperature(simulated), abs=1e-5)
    rows = small_case.results(["CHI02", "Twb_outside"])
    assert rows["time"].tolist() == times
    began = [start - simulated, *times[:-1]]
    assert rows["CHI02"].tolist() == [action(int(t // 300))["CHI02"] for t in began]
    assert rows["Twb_outside"] == pytest.approx([disturbance(int(t // 300))["Twb_outside"] for t in began])
    small_case.set_step(7)
    small_case.advance({})
    first = small_case.history_rows()
    for _ in range(3):  # also where the state of then is restored
        small_case.initialize(start, None, warmup)
        small_case.advance({})
        assert small_case.history_rows().tobytes() == first.tobytes()


@pytest.mark.parametrize("start", [300.0 * ROWS + 1, 300.0 * (ROWS + 1) - 1])
def test_beyond_the_actions_there_is_no_start(small_case, start):
    with pytest.raises(InvalidValueError, match="No boundary data for|No initialization action"):
        small_case.initialize(start, None, 0)


def test_without_actions_only_zero_is_a_start_at_any_second_too(small_resources, state_dir, tmp_path):
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    (folder / "Initialization_actions.csv").unlink()
    case = open_testcase(folder, state_dir)
    try:
        with pytest.raises(InvalidValueError, match=r"Invalid value 12.5 for parameter start_time\. This test case"):
            case.initialize(12.5)
    finally:
        case.close()


def test_the_last_step_ends_with_the_data_or_the_end(small_case):
    small_case.initialize(1000, 1111, 0)
    small_case.set_step(100)
    assert small_case.advance({}, clamp=True).time == 1100.0
    assert small_case.advance({}, clamp=True).time == 1111.0
    assert small_case.advance({}, clamp=True) == {}
    small_case.initialize(300.0 * ROWS - 50)
    with pytest.raises(InvalidValueError, match=f"the data covers 0.0s to {300.0 * ROWS}s"):
        small_case.advance({})
    small_case.set_step(50)
    assert small_case.advance({}).time == 300.0 * ROWS


def test_the_reference_takes_multiples_of_the_interval(small_resources, state_dir):
    with TestCase(small_resources, state_dir) as case:
        for start, end in ((100, None), (0, 301), (600, 1000)):
            with pytest.raises(InvalidValueError, match=r"Value must be  0 or a multiple of 300 \."):
                case.initialize(start, end)
        for step in (100, 299.9):
            with pytest.raises(InvalidValueError, match="parameter step. Value must be a multiple of 300"):
                case.set_step(step)
        assert case.initialize(100, None, 50).payload["time"] == 100.0  # as BOPTEST's route


def test_a_forecast_that_is_believed_has_its_rows_where_the_data_has_them(resources, state_dir):
    case = open_testcase(resources, state_dir)
    try:
        case.set_scenario(temperature_uncertainty="high", seed=3)
        case.initialize(864_100)
        case.set_step(200)
        evaluation: Evaluation = case.evaluation
        believed, real = evaluation.believed(case.time, case.time + 1000), case.stepper.disturbances
        assert believed.times.tolist() == [864_100.0, 864_300.0, 864_600.0, 864_900.0, 865_200.0]
        ahead = case.forecast(["Twb_outside", "Mchw"], 1000, 100)
        for time, wet, flow in zip(ahead["time"], ahead["Twb_outside"], ahead["Mchw"], strict=True):
            row = believed.row(float(time))
            assert row["Mchw"] == flow == real.row(float(time))["Mchw"]
            assert row["Twb_outside"] == pytest.approx(wet, abs=0.5)
            assert row["Twb_outside"] != real.row(float(time))["Twb_outside"]
        assert np.array_equal(case.rehearse(lambda observation, boundary: {}, 5)[:, 0], [
            864_100, 864_300, 864_500, 864_600, 864_700, 864_900, 865_100
        ])  # fmt: skip
    finally:
        case.close()
