"""What BOPTEST's routes ask of a test case: clamped actions, warm-up, forecast, the shapes of key figures and scenario."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import CONTROL_NAMES, OUTPUT_NAMES, ROWS, START, action, disturbance, temperature
from tests.unit.simulation.test_state import everything
from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.forecast import Repeated, forecast
from trivium.model.variable import Variable
from trivium.server import wording
from trivium.simulation.boundary import Disturbances
from trivium.simulation.inputs import Actions

DAY = 86400.0
NAMES = ["Twb_outside", "Mchw", "Tchw_r"]


@pytest.fixture
def pair():
    """An input and the switch that lets it overwrite, as BOPTEST's FMUs have them."""
    return Actions(
        [Variable("a_u", minimum=0.0, maximum=1.0), Variable("a_activate", kind="boolean", minimum=0.0, maximum=1.0),
         Variable("free"), Variable("low", minimum=-5.0)]
    )  # fmt: skip


BEFORE = np.array([0.25, 0.0, 7.0, 0.0])


@pytest.mark.parametrize(
    ("u", "controls", "said"),
    [
        ({}, [0.25, 0, 7, 0], ""),
        ({"a_u": None, "a_activate": None}, [0.25, 0, 7, 0], ""),
        ({"a_u": "0.5", "a_activate": "1"}, [0.5, 1, 7, 0], ""),
        ({"a_activate": True}, [0.25, 1, 7, 0], ""),
        ({"a_activate": "true"}, [0.25, 1, 7, 0], ""),
        ({"a_activate": "False"}, [0.25, 0, 7, 0], ""),
        ({"a_activate": 1.0}, [0.25, 1, 7, 0], ""),
        ({"a_u": 5}, [1, 0, 7, 0], "WARNING: value of 5.0 for a_u is above maximum of 1.0.  Using 1.0. ;"),
        ({"a_u": -5.5}, [0, 0, 7, 0], "WARNING: value of -5.5 for a_u is below minimum of 0.0.  Using 0.0. ;"),
        ({"free": 1e9, "low": -6}, [0.25, 0, 1e9, -5], "WARNING: value of -6.0 for low is below minimum of -5.0.  Using -5.0. ;"),
        ({"a_u": 5, "low": -6}, [1, 0, 7, -5], "WARNING: value of -6.0 for low is below minimum of -5.0.  Using -5.0. ;"
         "WARNING: value of 5.0 for a_u is above maximum of 1.0.  Using 1.0. ;"),
    ],
)  # fmt: skip
def test_clamped(pair, u, controls, said):
    got, warnings = pair.clamp(u, BEFORE)
    assert got.tolist() == controls
    assert "".join(map(wording._warning, reversed(warnings))) == said
    assert BEFORE.tolist() == [0.25, 0.0, 7.0, 0.0]


def test_between_two_positions_as_pyfmi_takes_it():
    actions = Actions(
        [Variable("valve", kind="boolean", minimum=0.0, maximum=1.0), Variable("n", kind="integer", maximum=6.0)]
    )
    controls, clamped = actions.clamp({"valve": 0.1, "n": 2.9}, np.zeros(2), cut=True)
    assert controls.tolist() == [1.0, 2.0]
    assert "".join(map(wording._warning, clamped)) == (
        "WARNING: value of 0.1 for valve is between two positions.  Using 1.0. ;"
        "WARNING: value of 2.9 for n is between two positions.  Using 2.0. ;"
    )
    assert actions.clamp({"valve": 0, "n": 7.5}, np.ones(2), cut=True) == (
        pytest.approx([0, 6]),
        [("n", 7.5, 6.0, False)],
    )
    for u in ({"valve": 0.1}, {"n": 2.9}):
        with pytest.raises(InvalidValueError, match="between two integers"):
            actions.clamp(u, np.zeros(2))


@pytest.mark.parametrize(
    ("u", "said"),
    [
        ({"b_u": 1}, "Unexpected input variable: b_u."),
        ({"b_u": None}, "Unexpected input variable: b_u."),
        ({"a_u": "x"}, "Invalid value x for input a_u. Value must be a float, integer, or string able to be converted to a "
         "float, but is <class 'str'>."),
        ({"a_u": float("nan")}, "Invalid value nan for input a_u. Value must be finite."),
        ({"a_u": "inf"}, "Invalid value inf for input a_u. Value must be finite."),
        ({"a_activate": 0.5}, "Invalid value 0.5 and/or type <class 'float'> for input a_activate. Input must be a boolean, "
         "float, integer, string, or unicode able to be converted to a 1 or 0 (or 'T[t]rue' or 'F[f]alse')."),
        ({"a_activate": "on"}, "Invalid value on and/or type <class 'str'> for input a_activate."),
        ({"a_activate": [1]}, "and/or type <class 'list'> for input a_activate."),
    ],
)  # fmt: skip
def test_refused(pair, u, said):
    with pytest.raises(InvalidValueError) as caught, wording.worded():
        pair.clamp(u, BEFORE)
    assert said in str(caught.value)


def test_a_step_in_the_form_of_boptest(small_case):
    advanced = small_case.advance({"Tchws_set_HEX": 400, "CHI03": None, "CHI04": "1"}, clamp=True)
    reply = wording.advanced(advanced, boptest=True)
    assert reply.message == "WARNING: value of 400.0 for Tchws_set_HEX is above maximum of 303.15.  Using 303.15. ;"
    assert list(reply.payload) == ["time", *OUTPUT_NAMES, *CONTROL_NAMES]
    assert (reply.payload["time"], reply.payload["Tchws_set_HEX"], reply.payload["CHI04"]) == (300.0, 303.15, 1.0)
    message = wording.advanced(small_case.advance({}, clamp=True), boptest=True).message
    assert message == "Advanced simulation successfully from 300.0s to 600.0s."


def test_the_last_step_is_cut_and_then_nothing_is_done(small_case):
    small_case.initialize(0, 900)
    small_case.set_step(600)
    small_case.advance({}, clamp=True)
    seen = small_case.look_ahead({}, clamp=True)
    reply = small_case.advance({}, clamp=True)
    assert reply == seen
    message = wording.advanced(reply, boptest=True).message
    assert message == "Advanced simulation successfully from 600.0s to 900.0s."
    end = everything(small_case)
    for method in (small_case.advance, small_case.look_ahead):
        reply = wording.advanced(method({}, clamp=True), boptest=True)
        assert reply == (200, "End of test case scenario time period reached.", {})
    with pytest.raises(InvalidValueError):
        small_case.advance({"nonsense": 1}, clamp=True)
    assert everything(small_case) == end


@pytest.mark.parametrize(("warmup", "simulated"), [(0, 300), (300, 300), (900, 900), (86400, 1800)])
def test_a_warm_up_is_simulated_with_the_actions_of_the_test_case(small_case, warmup, simulated):
    reply = small_case.initialize(1800, None, warmup)
    assert (
        wording.initialized(reply, boptest=True).message
        == f"Test simulation initialized successfully to 1800.0s with warmup period of {float(simulated)}s."
    )
    assert reply.time == 1800.0
    assert reply["Tchw_supply"] == pytest.approx(temperature(simulated), abs=1e-5)
    rows = small_case.results(["CHI02", "Twb_outside"], 0, 1e9)
    times = np.arange(1800 - simulated, 1800, 300)
    assert rows["time"].tolist() == (times + 300).tolist()
    assert rows["CHI02"].tolist() == [action(int(t) // 300)["CHI02"] for t in times]
    assert rows["Twb_outside"] == pytest.approx([disturbance(int(t) // 300)["Twb_outside"] for t in times])
    small_case.stepper.model.can_snapshot = False  # a replay goes through the warm-up too
    stored, first = small_case.state(), small_case.advance({})
    small_case.set_state(stored)
    assert small_case.advance({}) == first


def test_a_start_at_zero_in_the_form_of_boptest(small_case):
    reply = small_case.initialize(0, None, 0)
    assert (
        wording.initialized(reply, boptest=True).message
        == "Test simulation initialized successfully to 0.0s with warmup period of 0.0s."
    )
    assert (reply.time, reply["Tchw_supply"]) == (0.0, START)


@pytest.mark.parametrize("warmup", [-300, "x", float("inf"), True])
def test_a_bad_warm_up_changes_nothing(small_case, warmup):
    small_case.advance({})
    before = everything(small_case)
    with pytest.raises(InvalidValueError, match="parameter warmup_period"):
        small_case.initialize(900, None, warmup)
    assert everything(small_case) == before


def test_the_boundary_data_ahead(small_case):
    small_case.initialize(600)
    ahead = small_case.forecast(["Twb_outside", "Mchw"], 900, 300)
    assert ahead["time"].tolist() == [600.0, 900.0, 1200.0, 1500.0]
    assert ahead["Mchw"] == pytest.approx([disturbance(k)["Mchw"] for k in (2, 3, 4, 5)])
    assert list(ahead) == ["time", "Twb_outside", "Mchw"]


def test_what_is_told_ahead_is_what_comes(small_case):
    ahead = small_case.forecast(NAMES, 1200, 300)
    small_case.advance_many(steps=5)
    came = small_case.results(NAMES, 300, 1500)
    for name in NAMES:
        assert ahead[name].tolist() == came[name].tolist()


def test_between_its_times_the_data_holds(small_case):
    ahead = small_case.forecast(["Mchw"], 400, 100)
    assert ahead["time"].tolist() == [0.0, 100.0, 200.0, 300.0, 400.0]
    first, second = disturbance(0)["Mchw"], disturbance(1)["Mchw"]
    assert ahead["Mchw"] == pytest.approx([first, first, first, second, second])


def test_a_horizon_of_nothing_is_now_and_one_beyond_the_data_ends_with_it(small_case):
    assert small_case.forecast(["Mchw"], 0, 60)["time"].tolist() == [0.0]
    small_case.initialize(300 * (ROWS - 2))
    for horizon in (900, 1e300):
        ahead = small_case.forecast(["Mchw"], horizon, 300)
        assert ahead["time"].tolist() == [300.0 * (ROWS - 2), 300.0 * (ROWS - 1)]
        assert ahead["Mchw"][-1] == pytest.approx(disturbance(ROWS - 1)["Mchw"])
    small_case.initialize(300 * ROWS)
    assert small_case.forecast(["Mchw"], 900, 300)["time"].tolist() == []


@pytest.mark.parametrize(
    ("names", "horizon", "interval", "said"),
    [
        (["Mchw"], "x", 1, "Invalid value x for parameter horizon. Value must be a number"),
        (["Mchw"], float("nan"), 1, "parameter horizon. Value must be finite"),
        (["Mchw"], 1, None, "parameter interval. Value must be a number"),
        (["Mchw"], -1, 1, "Invalid value -1.0 for parameter horizon. Value must not be negative."),
        (["Mchw"], 1, 0, "Invalid value 0.0 for parameter interval. Value must be positive."),
        (["Mchw"], 86400, 1e-9, "more than 200000"),
        (["Mchw"], 86400, 5e-324, "more than 200000"),
        (["Mchw", "CHI01", "x"], 1, 1, "Invalid point name(s) ['CHI01', 'x'] in parameter point_names.  Check list of available"),
        (5, 1, 1, "point_names"),
        ([["Mchw"]], 1, 1, "point_names"),
    ],
)  # fmt: skip
def test_refused_forecasts(small_case, names, horizon, interval, said):
    with pytest.raises(InvalidValueError) as caught:
        small_case.forecast(names, horizon, interval)
    assert said in str(caught.value)


def test_points_of_a_forecast_have_metadata(small_case):
    points = wording.forecast_points(small_case.forecast_points).payload
    assert list(points) == NAMES
    assert points["Twb_outside"]["Unit"] == "K"
    assert all({"Unit", "Description"} <= set(entry) for entry in points.values())
    assert all(entry[key] is not None for entry in points.values() for key in entry)


def test_key_figures_and_scenario_have_the_shape_and_invent_nothing(small_case):
    kpis = small_case.kpis()
    assert {"ener_tot", "cost_tot", "tdis_tot", "time_rat"} < set(kpis)
    assert set(kpis.values()) == {None}
    nothing = dict.fromkeys(
        ("electricity_price", "time_period", "temperature_uncertainty", "solar_uncertainty", "seed")
    )
    assert small_case.scenario == nothing
    for given in ({}, {"time_period": None, "temperature_uncertainty": "none"}):
        assert wording.scenario_set(small_case.set_scenario(**given)) == (
            200,
            "Test case scenario was set successfully.",
            nothing,
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_period": "peak"}, "Scenario parameter time_period is peak, but should be one of the following: []."),
        ({"electricity_price": "dynamic"}, "Scenario parameter electricity_price is dynamic, but"),
        ({"temperature_uncertainty": "low"}, "Scenario parameter temperature_uncertainty is low"),
        ({"seed": 5}, "Scenario parameter seed is 5"),
        ({"nonsense": 5}, "Bad input for parameter nonsense. Unknown parameter."),
    ],
)
def test_a_scenario_that_is_not_defined_is_refused(small_case, given, said):
    before = everything(small_case)
    with pytest.raises(InvalidValueError) as caught:
        small_case.set_scenario(**given)
    assert said in str(caught.value)
    assert everything(small_case) == before


def test_a_forecast_beyond_the_data_says_so(small_case):
    small_case.initialize(300 * (ROWS - 3))
    for horizon, last in ((600, None), (750, None), (900, 300 * (ROWS - 1)), (1e9, 300 * (ROWS - 1))):
        ahead = small_case.forecast(["Mchw"], horizon, 300)
        message = wording.forecast(ahead, float(horizon), 300.0).message
        warning = (
            f" WARNING: the data ends before the horizon of {float(horizon)}s; the last value is that of {last}.0s."
        )
        expected = "" if last is None else warning
        assert message == f"Queried the forecast data successfully.{expected}"
    empty = wording.forecast({"time": np.empty(0), "Mchw": np.empty(0)}, 900.0, 300.0).message
    assert empty.endswith("WARNING: the data has ended.")


@pytest.mark.parametrize("linear", [False, True])
def test_forecasts_begin_the_data_anew_where_the_test_case_says_so(linear):
    rows = np.arange(0.0, 366 * DAY, DAY)
    table = Disturbances(("T",), 0.0, DAY, np.sin(rows / (365 * DAY) * 2 * np.pi)[:, np.newaxis], linear)
    year = Repeated(table, 365 * DAY)
    ahead = forecast([year], 364 * DAY, ["T"], 4 * DAY, DAY / 2)
    within = np.mod(ahead["time"], 365 * DAY)
    assert ahead["T"].tolist() == [table.at([time], time)[0, 0] for time in within.tolist()]
    late = forecast([year], 10 * 365 * DAY, ["T"], 2 * DAY, DAY)
    assert late["T"].tolist() == table.at([0.0, DAY, 2 * DAY], 365 * DAY)[:, 0].tolist()
    with pytest.raises(ResourcesError, match="boundary.period is"):
        Repeated(table, 400 * DAY)
