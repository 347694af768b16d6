"""The test case over the small plant, whose solution is known."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.small_plant import (
    CONTROL_NAMES,
    FAILING,
    OUTPUT_NAMES,
    ROWS,
    SET_POINT,
    START,
    disturbance,
    head,
    temperature,
    write_actions_npz,
)
from trivium.errors import InvalidValueError, ModelError, StorageError
from trivium.server import wording
from trivium.session.local import open_testcase


def standing(case):
    """All that a refused or failed request must leave alone."""
    return (
        case.time,
        case.step,
        case.stepper.model.time,
        {name: values.tolist() for name, values in case.results(["Tchw_supply", "CHI01"], 0, 1e9).items()},
    )


def test_a_new_case_stands_at_zero_as_after_initialize(small_case):
    new = small_case.advance({})
    small_case.initialize(0)
    assert small_case.advance({}) == new
    assert wording.advanced(new, boptest=False).message == "Advanced simulation successfully from 0.0s to 300.0s."


def test_initialize_at_zero_answers_the_first_observation(small_case):
    status, message, payload = wording.initialized(small_case.initialize(0))
    assert (status, message) == (200, "Simulation initialized successfully to 0s.")
    assert list(payload) == OUTPUT_NAMES + CONTROL_NAMES
    assert payload["Tchw_supply"] == START
    assert payload["CHI01"] == 1.0


def test_steps_follow_the_analytic_solution(small_case):
    for k in range(1, 6):
        payload = small_case.advance({})
        assert payload["Tchw_supply"] == pytest.approx(temperature(300 * k), abs=1e-5)


def test_initialize_at_zero_resets_clock_state_inputs_and_history(small_case):
    first = small_case.advance({})
    for _ in range(3):
        small_case.advance({"Tchws_set_HEX": 280.0, "CHI03": 1})
    small_case.initialize(0)
    assert small_case.time == 0.0
    assert small_case.results(["CHI03"], 0, 1e9)["time"].tolist() == [0.0]
    assert small_case.advance({}) == first


def test_each_sub_step_of_a_long_step_reads_the_disturbances_and_the_head_anew(small_case):
    small_case.set_step(900)
    reply = small_case.advance({"CHI01": 0, "U_CT1": 1, "CHI04_CW3": 1, "Tchws_set_CHI": 285.0})
    assert wording.advanced(reply, boptest=False).message == "Advanced simulation successfully from 0.0s to 900.0s."
    points = small_case.results(["Tcw_supply", "P_CDWPs_sum", "Head_required"], 300, 900)
    assert points["time"].tolist() == [300.0, 600.0, 900.0]
    assert points["Tcw_supply"] == pytest.approx([disturbance(i)["Twb_outside"] for i in range(3)])
    heads = [head(0, 1, 2, disturbance(i)["Mchw"] / 1000) for i in range(3)]
    assert points["Head_required"] == pytest.approx(heads, rel=1e-9)
    assert points["P_CDWPs_sum"] == pytest.approx(1000 * np.array(heads), rel=1e-9)
    assert reply["Tchw_supply"] == pytest.approx(temperature(900), abs=1e-5)


def test_the_measured_power_of_the_previous_sub_step_gives_the_flow_and_none_before_the_first(small_case):
    small_case.set_step(600)
    small_case.advance({"CHI01": 1, "CHI02": 1, "Tchws_set_CHI": 285.0})
    heads = small_case.results(["Head_required"], 300, 600)["Head_required"]
    row = disturbance(1)
    flow = (row["Mchw"] + 2e5 / (4200 * (row["Tchw_r"] - 285.0))) / 1000
    assert heads == pytest.approx([head(2, 0, 0, disturbance(0)["Mchw"] / 1000), head(2, 0, 0, flow)], rel=1e-9)


def test_what_is_left_out_or_none_keeps_its_value(small_case):
    small_case.advance({"CHI03": 1, "Tchws_set_HEX": "285.5"})
    payload = small_case.advance({"CHI03": None, "CHI04": 1.0})
    assert (payload["CHI03"], payload["CHI04"], payload["Tchws_set_HEX"]) == (1.0, 1.0, 285.5)


def test_initialize_later_simulates_the_interval_before_with_its_action(small_case):
    status, message, payload = wording.initialized(small_case.initialize(900, 1800))
    assert (status, message) == (200, "Simulation initialized successfully to 900.0s with warmup period of 300s.")
    assert payload["Tchw_supply"] == pytest.approx(temperature(300), abs=1e-5)
    assert payload["Tcw_supply"] == pytest.approx(disturbance(2)["Twb_outside"])
    assert payload["CHI02"] == 0.0
    assert small_case.initialize(600)["CHI02"] == 1.0
    assert small_case.results([], 0, 1e9)["time"].tolist() == [600.0]
    assert (
        wording.advanced(small_case.advance({}), boptest=False).message
        == "Advanced simulation successfully from 600.0s to 900.0s."
    )


def test_both_forms_of_actions_start_alike(small_case, small_resources, state_dir, tmp_path):
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    (folder / "Initialization_actions.csv").unlink()
    write_actions_npz(folder / "Initialization_actions.npz")
    compact = open_testcase(folder, state_dir)
    for start in (300, 600, 300 * ROWS):
        assert compact.initialize(start) == small_case.initialize(start)
    compact.close()


def test_without_actions_only_zero_is_a_start(small_resources, state_dir, tmp_path):
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    (folder / "Initialization_actions.csv").unlink()
    case = open_testcase(folder, state_dir)
    before = standing(case)
    with pytest.raises(InvalidValueError, match="start_time"):
        case.initialize(300)
    assert standing(case) == before
    assert case.initialize(0)
    case.close()


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("x", None, "Invalid value x for parameter start_time. Value must be a number, but is <class 'str'>."),
        (True, None, "Invalid value True for parameter start_time. .* but is <class 'bool'>."),
        (None, None, "parameter start_time"),
        (float("nan"), None, "Invalid value nan for parameter start_time. Value must be finite."),
        (float("inf"), None, "Invalid value inf for parameter start_time. Value must be finite."),
        (-300, None, "Invalid value -300.0 for parameter start_time. Value must not be negative."),
        (600, 300, "Invalid value 300.0 for parameter end_time. Value must be greater than start_time."),
        (600, 600, "end_time"),
        (0, 0, "end_time"),
        (0, 30099600, "Invalid value 30099600.0 for parameter end_time. Value must be less than or equal 30099300"),
        (300 * (ROWS + 1), None, "No boundary data for|No initialization action"),
        (30099300, None, "end_time"),
    ],
)  # fmt: skip
def test_a_refused_initialize_changes_nothing(small_case, start, end, said):
    small_case.set_step(600)
    small_case.advance({"CHI02": 1})
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match=said):
        small_case.initialize(start, end)
    assert standing(small_case) == before
    assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(1200), abs=1e-5)


@pytest.mark.parametrize(
    ("u", "said"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"Mchw": 100.0}, "Mchw"),
        ({"Head_required": 10.0}, "Head_required"),
        ({"CHI01": "on"}, "Invalid value on for parameter CHI01. .* but is <class 'str'>."),
        ({"Tchws_set_HEX": True}, "Invalid value True for parameter Tchws_set_HEX. .* but is <class 'bool'>."),
        ({"CHI01": [1]}, "CHI01"),
        ({"CHI01": {}}, "CHI01"),
        ({"CHI01": float("nan")}, "CHI01. Value must be finite"),
        ({"CHI01": "-inf"}, "CHI01. Value must be finite"),
        ({"CHI01": 10**400}, "CHI01"),
        ({"CHI01": 1.5}, r"Invalid value 1.5 for parameter CHI01. .*above the maximum 1.0"),
        ({"Tchws_set_HEX": 12.0}, r"Invalid value 12.0 for parameter Tchws_set_HEX. .* K, but is below the minimum 2"),
        ({"Tchws_set_CHI": disturbance(1)["Tchw_r"]}, "Tchws_set_CHI. Value must not equal"),
        ({"CHI01": 0, "CHI02": None, "CHI03": "x"}, "CHI03"),
    ],
)
def test_a_refused_advance_changes_nothing(small_case, u, said):
    small_case.advance({})
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match=said):
        small_case.advance(u)
    assert standing(small_case) == before
    payload = small_case.advance({})
    assert (payload["CHI01"], payload["CHI02"]) == (1.0, 0.0)
    assert payload["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)


def test_a_set_point_that_a_later_sub_step_cannot_have_is_refused_before_the_first(small_case):
    small_case.set_step(900)
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match="Tchws_set_CHI"):
        small_case.advance({"Tchws_set_CHI": disturbance(2)["Tchw_r"]})
    assert standing(small_case) == before


@pytest.mark.parametrize("step", [0, "0", -300, "x", True, None, [300], float("nan"), "inf"])
def test_a_refused_step_changes_nothing(small_case, step):
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match="parameter step"):
        small_case.set_step(step)
    assert standing(small_case) == before


def test_a_step_is_set(small_case):
    assert wording.step(small_case.step) == (200, "Queried the control step successfully.", 300)
    assert wording.step_set(small_case.set_step(600.0)) == (200, "Control step set successfully.", {"step": 600})
    assert small_case.step == 600


def test_the_clock_never_passes_the_end(small_case):
    small_case.initialize(0, 900)
    small_case.set_step(600)
    small_case.advance({})
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match=r"the simulation ends at 900.0s"):
        small_case.advance({})
    assert standing(small_case) == before
    small_case.set_step(300)
    assert (
        wording.advanced(small_case.advance({}), boptest=False).message
        == "Advanced simulation successfully from 600.0s to 900.0s."
    )
    with pytest.raises(InvalidValueError, match=r"900.0s"):
        small_case.advance({})


def test_a_step_past_the_data_is_refused(small_case):
    small_case.initialize(300 * (ROWS - 1))
    assert small_case.advance({})
    before = standing(small_case)
    with pytest.raises(InvalidValueError, match=f"the data covers 0.0s to {300.0 * ROWS}s"):
        small_case.advance({})
    assert standing(small_case) == before


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize("step", [300, 900])
def test_a_failed_step_leaves_everything_as_it_was_and_the_next_goes_on(small_case, after, step):
    for _ in range(after):
        small_case.advance({})
    small_case.set_step(step)
    before = standing(small_case)
    for _ in range(2):  # also a second time in a row
        with pytest.raises(ModelError, match="The FMU says: .*"):
            small_case.advance({FAILING: 1, "CHI05": 1})
        assert standing(small_case) == before
    payload = small_case.advance({})
    assert payload["Tchw_supply"] == pytest.approx(temperature(300 * after + step), abs=1e-5)
    assert (payload[FAILING], payload["CHI05"]) == (0.0, 0.0)


def test_a_late_sub_step_that_fails_takes_the_earlier_ones_back(small_case):
    small_case.set_step(900)
    small_case.advance({})
    before = standing(small_case)
    step = small_case.stepper.model.step
    calls = []

    def third_fails(duration, inputs, end):
        calls.append(duration)
        return step(duration, np.full_like(inputs, np.nan) if len(calls) == 3 else inputs, end)

    small_case.stepper.model.step = third_fails
    with pytest.raises(ModelError):
        small_case.advance({})
    del small_case.stepper.model.step
    assert len(calls) == 3
    assert standing(small_case) == before
    assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(1800), abs=1e-5)


def test_a_failed_warm_up_leaves_everything_as_it_was(small_case, monkeypatch):
    small_case.advance({})
    before = standing(small_case)
    bad = {**dict.fromkeys(CONTROL_NAMES, 0.0), "Tchws_set_HEX": SET_POINT, "Tchws_set_CHI": 285.0, FAILING: 1.0}
    monkeypatch.setattr(small_case._parts[1], "at", lambda time: bad)
    with pytest.raises(ModelError):
        small_case.initialize(900)
    assert standing(small_case) == before
    assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)


def test_an_fmu_that_cannot_save_its_state_is_brought_back_by_replay(small_case):
    small_case.stepper.model.can_snapshot = False
    for start in (0, 600):
        small_case.initialize(start)
        warm = 300 if start else 0
        for k in range(1, 4):
            small_case.advance({"Tchws_set_HEX": 286.0})
            before = standing(small_case)
            with pytest.raises(ModelError):
                small_case.advance({FAILING: 1})
            assert standing(small_case) == before
            assert before[3]["Tchw_supply"][-1] == pytest.approx(temperature(300 * k + warm), abs=1e-5)


def test_a_full_disk_leaves_everything_as_it_was(small_case, monkeypatch):
    small_case.advance({})
    before = standing(small_case)

    def full(descriptor, data, offset):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.pwrite", full)
        with pytest.raises(StorageError, match="No space left"):
            small_case.advance({"CHI02": 1})
        with pytest.raises(StorageError, match="No space left"):
            small_case.initialize(0)
        with pytest.raises(StorageError, match="No space left"):
            small_case.initialize(600)
    assert standing(small_case) == before
    assert small_case.advance({})["Tchw_supply"] == pytest.approx(temperature(600), abs=1e-5)


def test_results_have_exact_windows_in_time_order_and_each_name_once(small_case):
    for _ in range(4):
        small_case.advance({})
    names = ["Tchw_supply", "CHI01", "Tchw_supply", "time"]
    status, message, payload = wording.results(names, small_case.results(names, 300, 900))
    assert (status, message) == (200, f"Queried results data successfully for point names {names}.")
    assert list(payload) == ["Tchw_supply", "CHI01", "time"]
    assert payload["time"].tolist() == [300.0, 600.0, 900.0]
    assert payload["Tchw_supply"] == pytest.approx([temperature(t) for t in (300, 600, 900)], abs=1e-5)
    assert small_case.results(["CHI01"], 301, 899)["time"].tolist() == [600.0]
    assert small_case.results(["CHI01"], 301, 599)["time"].tolist() == []
    assert small_case.results(["CHI01"], 5000, 6000)["CHI01"].tolist() == []
    assert small_case.results(["CHI01"], 0, 1e9)["time"].tolist() == [0.0, 300.0, 600.0, 900.0, 1200.0]


@pytest.mark.parametrize(
    ("names", "start", "final", "said"),
    [
        (["nonsense"], 0, 1, "Invalid point name nonsense in parameter point_names. Check lists of available inputs"),
        ([1], 0, 1, "point_names"),
        (5, 0, 1, "point_names"),
        (["CHI01"], "x", 1, "start_time"),
        (["CHI01"], 0, float("nan"), "final_time"),
        (["CHI01"], 2, 1, "Invalid value 1.0 for parameter final_time. Value must not be less than start_time."),
    ],
)
def test_refused_results(small_case, names, start, final, said):
    with pytest.raises(InvalidValueError, match=said), wording.worded():
        small_case.results(names, start, final)


def test_metadata(small_case):
    inputs = wording.inputs(small_case.inputs).payload
    assert list(inputs) == CONTROL_NAMES
    assert all(
        set(entry) == {"Unit", "Description", "Minimum", "Maximum"}
        and entry["Description"]
        and entry["Minimum"] < entry["Maximum"]
        for entry in inputs.values()
    )
    assert inputs["Tchws_set_HEX"]["Unit"] == "K"
    assert list(small_case.measurements) == OUTPUT_NAMES
    assert wording.version(small_case.version).payload == {"version": "0.1.0-test"}
    assert wording.name(small_case.name).payload == {"name": "AlphaDataCenterCooling_Gym"}
