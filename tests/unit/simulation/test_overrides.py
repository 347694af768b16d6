"""Inputs that are set by hand, over the small plant, whose solution is known."""

from __future__ import annotations

import pytest

from tests.small_plant import SET_POINT, START, temperature
from trivium.errors import InvalidValueError
from trivium.session.local import open_testcase

SET = "Tchws_set_HEX"


def recorded(case, name=SET):
    return case.results([name], 0, 1e9)[name].tolist()


def test_what_is_set_by_hand_acts_whatever_is_sent_and_what_was_sent_comes_back(small_case):
    small_case.advance({SET: 285.0})
    before = small_case.override({SET: 280.0})
    assert before[SET].value == 280.0
    assert (before[SET].until, before[SET].since) == (None, 300.0)
    acted = small_case.advance({SET: 284.0})
    assert acted[SET] == 280.0
    at_300 = temperature(300, 285.0)
    assert acted["Tchw_supply"] == pytest.approx(temperature(300, 280.0, at_300), abs=1e-5)
    assert small_case.observation()[SET] == 280.0
    assert small_case.release([SET]) == {}
    assert small_case.advance()[SET] == 284.0  # what the client gave last
    assert recorded(small_case)[1:] == [285.0, 280.0, 284.0]


def test_it_acts_in_steps_that_begin_before_its_end(small_case):
    small_case.override({SET: 280.0}, until=700)
    done = small_case.advance_many(4, action={SET: 285.0}, point_names=[SET])
    assert done.columns[SET].tolist() == [280.0, 280.0, 280.0, 285.0]
    assert small_case.overrides == {}


def test_all_ways_of_simulating_know_it(small_case):
    small_case.override({SET: 280.0, "CHI01": 0}, until=600)
    ahead = small_case.look_ahead({SET: 285.0})
    many = small_case.look_ahead_many(3, point_names=[SET, "Tchw_supply"])
    rehearsed = small_case.rehearse(lambda observed, _: {SET: observed[SET]}, 3)
    columns = small_case.stepper.history.columns
    acted = small_case.advance({SET: 285.0})
    assert ahead == acted
    assert ahead["Pchi1"] == 0.0
    assert many.columns[SET].tolist() == [280.0, 280.0, SET_POINT]
    assert rehearsed[1:, columns.index(SET)].tolist() == [280.0, 280.0, 280.0]  # the policy sees what acted
    assert many.columns["Tchw_supply"][0] == acted["Tchw_supply"]


@pytest.mark.parametrize(
    ("inputs", "until", "field", "reason"),
    [
        ({SET: 1.0}, None, SET, r"within \[.*\] K"),
        ({"CHI01": 1.5}, None, "CHI01", "above the maximum 1"),
        ({"Tchws_set_HEx": 280.0}, None, "Tchws_set_HEx", f"Did you mean {SET}"),
        ({SET: "warm"}, None, SET, "able to be converted"),
        ({SET: 280.0}, 0.0, "until", "greater than the clock"),
        ({SET: 280.0}, float("nan"), "until", "finite"),
    ],
)
def test_what_is_refused_changes_nothing(small_case, inputs, until, field, reason):
    before = small_case.override({"CHI01": 0})
    with pytest.raises(InvalidValueError, match=reason) as refused:
        small_case.override({"CHI02": 1, **inputs}, until)
    assert refused.value.field == field
    assert small_case.overrides == before


def test_release_names_what_is_not_set(small_case):
    small_case.override({SET: 280.0, "CHI01": 0})
    with pytest.raises(InvalidValueError, match=f"{SET}, CHI01"):
        small_case.release(["CHI02"])
    assert [*small_case.override({"CHI01": None})] == [SET]
    assert small_case.release() == {}


def test_snapshots_and_states_have_it(small_case, small_resources, state_dir):
    small_case.override({SET: 280.0}, until=1e6)
    small_case.advance({SET: 285.0})
    snapshot, ahead = small_case.snapshot(), small_case.look_ahead()
    small_case.release()
    small_case.advance()
    small_case.restore(snapshot)
    assert small_case.overrides[SET].value == 280.0
    other = open_testcase(small_resources, state_dir)
    try:
        other.restore(snapshot)
        assert other.overrides == small_case.overrides
        assert other.observation()[SET] == 280.0
        assert other.look_ahead() == ahead
        other.release()
        assert other.advance()[SET] == 285.0
    finally:
        other.close()


def test_an_initialization_keeps_those_without_an_end(small_case):
    small_case.override({SET: 280.0})
    small_case.override({"CHI01": 0}, until=9000)
    small_case.initialize(0)
    assert [*small_case.overrides] == [SET]
    assert small_case.observation()["Tchw_supply"] == START
    assert small_case.advance()["Tchw_supply"] == pytest.approx(temperature(300, 280.0), abs=1e-5)
