"""Faults as timed inputs of a scenario."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import action
from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.faults import Fault, disturbed, parse
from trivium.evaluation.scenario import Scenarios
from trivium.model.variable import Variable
from trivium.simulation.boundary import Disturbances

VARIABLES = {"k": Variable("k", minimum=0.3, maximum=1.0)}
GOOD = {"kind": "condition", "signal": "k", "start": 150.0, "end": 350.0, "size": 0.5}


def data(**options):
    """Health and a temperature by 100 s, from 0 to 500 s."""
    values = np.column_stack((np.ones(6), 290.0 + np.arange(6.0)))
    return Disturbances(("k", "T"), 0.0, 100.0, values, **options)


def test_a_condition_begins_and_ends_between_rows():
    faulty = disturbed(data(), [Fault("condition", "k", 150.0, 350.0, 0.5)])
    times = np.array([0.0, 149.0, 150.0, 349.0, 350.0, 499.0])
    assert faulty.column("k", times).tolist() == [1, 1, 0.5, 0.5, 1, 1]
    assert faulty.column("T", times).tolist() == data().column("T", times).tolist()
    assert list(faulty.split([100.0, 400.0])) == [150, 200, 300, 350, 400]
    assert faulty.end == data().end


def test_wear_goes_along_a_line_and_is_gone_at_the_end():
    faulty = disturbed(data(), [Fault("wear", "k", 100.0, 500.0, 0.6)])
    assert faulty.column("k", np.array([0.0, 100.0, 200.0, 300.0, 400.0, 500.0])) == pytest.approx(
        [1, 1, 0.9, 0.8, 0.7, 1]
    )


def test_the_later_fault_of_a_list_acts():
    faulty = disturbed(data(), [Fault("condition", "k", 0.0, 500.0, 0.5), Fault("condition", "k", 200.0, 300.0, 0.9)])
    assert faulty.column("k", np.array([100.0, 200.0, 300.0])).tolist() == [0.5, 0.9, 0.5]


def test_what_is_constant_jumps_where_other_data_follows_lines():
    faulty = disturbed(data(linear=True), [Fault("condition", "k", 150.0, 350.0, 0.5)])
    values = faulty.at([149.0, 150.0, 300.0, 349.0, 350.0], 360.0)
    assert values[:, 0].tolist() == [1, 0.5, 0.5, 0.5, 1]
    assert values[:, 1] == pytest.approx([291.49, 291.5, 293, 293.49, 293.5])


def test_without_faults_data_is_what_it_was():
    table = data()
    assert disturbed(table, []) is table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "bias"}, r"faults\[0\].kind is bias, but should be one of the following: \['condition', 'wear'\]"),
        ({"signal": "q"}, r"faults\[0\].signal is q, but should be a column of the boundary data. There are: k, T"),
        ({"signal": ["k"]}, r"faults\[0\].signal"),
        ({"start": "soon"}, r"faults\[0\].start is soon, but should be a finite number"),
        ({"end": 150.0}, r"faults\[0\].end is 150.0, but should be greater than start"),
        ({"size": 0.1}, r"faults\[0\].size is 0.1, but should be between 0.3 and 1, as k"),
        ({"size": float("nan")}, r"faults\[0\].size"),
        ({"size": True}, r"faults\[0\].size"),
        ({"colour": 1}, r"faults\[0\].colour is unknown"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(change, message):
    with pytest.raises(InvalidValueError, match=message) as refused:
        parse([{**GOOD, **change}], data(), VARIABLES)
    assert refused.value.field == "faults"


@pytest.mark.parametrize(
    ("value", "message"),
    [("all", "should be a list"), (3, "should be a list"), ([3], "should be an object"),
     ([{"kind": "wear"}], "signal is missing")],
)  # fmt: skip
def test_what_is_no_list_of_faults_is_refused(value, message):
    with pytest.raises(InvalidValueError, match=message):
        parse(value, data(), VARIABLES)


def test_a_signal_that_follows_lines_is_refused():
    with pytest.raises(InvalidValueError, match="boundary.interpolation to hold"):
        parse([{**GOOD, "signal": "T", "size": 280.0}], data(linear=True), {})


def test_a_test_case_without_boundary_data_has_no_faults():
    with pytest.raises(InvalidValueError, match="There are none"):
        parse([GOOD], None, VARIABLES)


def test_a_test_case_declares_faults():
    scenarios = Scenarios({"faults": [GOOD]}, data(), None, None, VARIABLES)
    assert scenarios.faults == (Fault(**GOOD),)
    with pytest.raises(ResourcesError, match=r"testcase.toml: .*faults\[0\].size"):
        Scenarios({"faults": [{**GOOD, "size": 2.0}]}, data(), None, None, VARIABLES)


def _wet_bulb(case, steps):
    for _ in range(steps):
        case.advance(action(1))
    return case.results(["Twb_outside"], -np.inf, np.inf)["Twb_outside"].tolist()


def test_faults_act_from_the_next_step_on_and_a_forecast_knows_nothing(small_case):
    case, step = small_case, small_case.step
    case.initialize(0.0)
    healthy = _wet_bulb(case, 6)
    case.initialize(0.0)
    fault = {"kind": "condition", "signal": "Twb_outside", "start": 2 * step, "end": 4 * step, "size": 281.5}
    ahead = case.forecast(["Twb_outside"], 5 * step, step)["Twb_outside"].tolist()
    changed = case.set_scenario(faults=[fault])
    assert changed["faults"] == case.scenario["faults"] == [fault]
    assert case.forecast(["Twb_outside"], 5 * step, step)["Twb_outside"].tolist() == ahead
    faulty = _wet_bulb(case, 6)
    differ = [k for k, (one, other) in enumerate(zip(healthy, faulty, strict=True)) if one != other]
    assert [faulty[k] for k in differ] == [281.5, 281.5]
    case.initialize(0.0)  # a scenario stays
    assert _wet_bulb(case, 6) == faulty
    case.initialize(0.0)
    case.set_scenario(faults=[])
    assert "faults" not in case.scenario
    assert _wet_bulb(case, 6) == healthy


def test_a_refused_fault_changes_nothing(small_case):
    before = small_case.scenario
    with pytest.raises(InvalidValueError):
        small_case.set_scenario(seed=1, faults=[{**GOOD, "signal": "none"}])
    assert small_case.scenario == before


def test_a_snapshot_and_a_twin_have_their_own_faults(small_case):
    case, step = small_case, small_case.step
    case.initialize(0.0)
    healthy = case.snapshot()
    fault = {"kind": "condition", "signal": "Twb_outside", "start": 0.0, "end": 9 * step, "size": 281.5}
    case.set_scenario(faults=[fault])
    faulty = case.snapshot()
    expected = _wet_bulb(case, 3)
    case.restore(healthy)
    assert "faults" not in case.scenario
    assert 281.5 not in _wet_bulb(case, 3)
    case.restore(faulty)
    assert case.scenario["faults"] == [fault]
    assert _wet_bulb(case, 3) == expected
    with case.twin() as twin:
        assert "faults" not in twin.scenario
        assert 281.5 not in _wet_bulb(twin, 3)
