"""Many control steps in one request, looking ahead, warm starts: the numbers of single steps, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import CONTROL_NAMES, FAILING, OUTPUT_NAMES
from tests.unit.simulation.test_state import ACTIONS, everything
from trivium.errors import InvalidValueError, ModelError
from trivium.server import wording
from trivium.session.local import open_testcase


@pytest.fixture
def default_case(resources, state_dir):
    case = open_testcase(resources, state_dir)
    yield case
    case.close()


@pytest.fixture(params=["small_case", "default_case"])
def case(request):
    return request.getfixturevalue(request.param)


def singly(case, actions):
    """Payloads of one request an action."""
    return [case.advance(action) for action in actions]


def of_columns(reply):
    columns = reply.columns
    return [{name: column[k] for name, column in columns.items() if name != "time"} for k in range(reply.steps)]


def by_column(actions):
    return {name: [action[name] for action in actions] for name in actions[0]}


@pytest.mark.parametrize("step", [300, 900])
@pytest.mark.parametrize("shape", [list, by_column])
@pytest.mark.parametrize("atomic", [True, False])
def test_a_trajectory_gives_what_single_steps_give(case, step, shape, atomic):
    case.initialize(900)
    case.set_step(step)
    expected, after = singly(case, ACTIONS), everything(case)
    case.initialize(900)
    reply = case.advance_many(trajectory=shape(ACTIONS), atomic=atomic)
    end = 900.0 + 8 * step
    assert wording.steps(reply).message == f"Advanced simulation successfully from 900.0s to {end}s in 8 steps."
    assert (reply.steps, reply.error) == (8, None)
    assert reply.columns["time"].tolist() == [900.0 + step * k for k in range(1, 9)]
    assert of_columns(reply) == expected
    assert list(reply.columns) == ["time", *expected[0]]
    assert everything(case) == after


def test_one_action_is_held(case):
    case.initialize(0)
    case.advance(ACTIONS[3])
    expected = singly(case, [{}] * 5)[-1]
    case.initialize(0)
    reply = case.advance_many(6, action=ACTIONS[3], point_names=["Tchw_supply", "time", "Tchw_supply"])
    assert list(reply.columns) == ["time", "Tchw_supply"]
    assert reply.columns["Tchw_supply"][-1] == expected["Tchw_supply"]


def test_without_anything_it_is_one_step(small_case):
    reply = small_case.advance_many()
    assert reply.columns["time"].tolist() == [300.0]
    assert [*reply.columns] == ["time", *OUTPUT_NAMES, *CONTROL_NAMES]


def test_what_a_step_leaves_out_is_kept_and_the_last_action_is_held(small_case):
    actions = [{"CHI03": 1, "CHI04": "1"}, {"CHI03": None}, {"CHI04": 0.0, "Tchws_set_HEX": 285}]
    expected = [(u["CHI03"], u["CHI04"], u["Tchws_set_HEX"]) for u in singly(small_case, [*actions, {}, {}])]
    small_case.initialize(0)
    reply = small_case.advance_many(trajectory=actions, steps=5)
    columns = reply.columns
    names = ("CHI03", "CHI04", "Tchws_set_HEX")
    assert list(zip(*(columns[name].tolist() for name in names), strict=True)) == expected
    assert expected[-1] == (1.0, 0.0, 285.0)


def test_all_or_none(small_case):
    small_case.advance({"CHI03": 1})
    before = everything(small_case)
    actions = [{"CHI02": 1}, {"CHI04": 1}, {FAILING: 1}, {}]
    with pytest.raises(ModelError, match="failed to step"):
        small_case.advance_many(trajectory=actions)
    assert everything(small_case) == before


def test_up_to_the_first_failure(small_case):
    actions = [{"CHI02": 1}, {"CHI04": 1}, {FAILING: 1}, {}]
    expected = singly(small_case, actions[:2])
    after = everything(small_case)
    small_case.initialize(0)
    reply = small_case.advance_many(trajectory=actions, atomic=False)
    assert wording.steps(reply).message == "Advanced simulation from 0.0s to 600.0s; step 3 of 4 failed."
    assert of_columns(reply) == expected
    error = wording.steps(reply).payload["error"]
    assert (error["step"], error["status"]) == (3, 500)
    assert "the FMU failed to step" in error["message"]
    assert everything(small_case) == after
    with pytest.raises(ModelError):  # nothing was done: the error itself
        small_case.advance_many(trajectory=actions[2:], atomic=False)
    assert everything(small_case) == after


def test_the_end(small_case):
    small_case.initialize(0, 1200)
    before = everything(small_case)
    with pytest.raises(InvalidValueError, match=r"from 0.0s by a step of 1500.0s: the simulation ends at 1200.0s"):
        small_case.advance_many(steps=5)
    assert everything(small_case) == before
    reply = small_case.look_ahead_many(steps=5, atomic=False)
    assert (reply.steps, reply.requested) == (4, 5)
    assert everything(small_case) == before
    done = small_case.advance_many(steps=5, atomic=False)
    assert wording.steps(done).payload["error"] == wording.steps(reply).payload["error"] is not None
    assert small_case.time == 1200.0


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"steps": 0}, "parameter steps. Value must be a whole number of at least 1"),
        ({"steps": 1.5}, "parameter steps"),
        ({"steps": "x"}, "parameter steps. Value must be a number"),
        ({"steps": 1e12}, "parameter steps. Value must be from 1 to 100331"),
        ({"steps": 1, "trajectory": [{}, {}]}, "Value must be from 2 to"),
        ({"trajectory": []}, "parameter trajectory. It must hold at least one step"),
        ({"trajectory": {}}, "parameter trajectory. It must hold at least one step"),
        ({"trajectory": 5}, "parameter trajectory. It must be a list"),
        ({"trajectory": "CHI01"}, "parameter trajectory"),
        ({"trajectory": [{}, 5]}, "step 2 is <class 'int'>"),
        ({"trajectory": {"CHI01": 1}}, "parameter trajectory"),
        ({"trajectory": {"CHI01": [1, 0], "CHI02": [1]}}, "lists of one length"),
        (
            {"trajectory": [{"CHI01": 1}, {"CHI01": 2}]},
            "Step 2 of the trajectory: Invalid value 2.0 for parameter CHI01",
        ),
        ({"trajectory": [{"CHI01": 1}, {"CHI01": [1]}]}, "Step 2 of the trajectory: .*<class 'list'>"),
        (
            {"trajectory": {"CHI01": [1, float("nan")]}},
            "Step 2 of the trajectory: Invalid value nan for parameter CHI01",
        ),
        ({"trajectory": {"CHI01": [10**400]}}, "Step 1 of the trajectory: Invalid value 1000"),
        ({"trajectory": {"nonsense": [1]}}, "Step 1 of the trajectory: Unexpected input variable: nonsense."),
        ({"action": {"CHI01": 7}}, "Invalid value 7.0 for parameter CHI01"),
        ({"action": [1]}, "action must be a dictionary by name"),
        ({"point_names": ["nonsense"]}, "Invalid point name nonsense"),
        ({"point_names": [1]}, "point_names"),
        ({"atomic": "no"}, "parameter atomic. Value must be true or false"),
        ({"steps": 2, "action": {"Tchws_set_CHI": 292.005}}, "Tchws_set_CHI. Value must not equal"),
    ],
)
@pytest.mark.parametrize("method", ["advance_many", "look_ahead_many"])
def test_a_refused_request_changes_nothing(small_case, request_, said, method):
    small_case.advance({})
    before = everything(small_case)
    with pytest.raises(InvalidValueError, match=said), wording.worded():
        getattr(small_case, method)(**request_)
    assert everything(small_case) == before


def test_the_fast_and_the_slow_way_through_a_trajectory_agree(small_case):
    rng = np.random.default_rng(0)
    rows = [
        {"CHI01": float(rng.integers(2)), "Tchws_set_HEX": 280 + 10 * rng.random(), "U_CT3": int(rng.integers(2))}
        for _ in range(20)
    ]
    texts = [{name: str(value) for name, value in row.items()} for row in rows]
    before = np.arange(float(len(CONTROL_NAMES)))
    fast, slow = (small_case.actions.trajectory(given, before) for given in (rows, texts))
    assert np.array_equal(fast, slow)
    assert small_case.actions._all_good(texts, before) is None
    for given in (rows, by_column(rows)):
        assert np.array_equal(small_case.actions._all_good(given, before), slow)
    assert small_case._planned(None, None, None, None, True)[0].tolist() == [small_case._controls.tolist()]


@pytest.mark.parametrize("steps_before", [0, 2])
def test_looking_ahead_tells_what_comes_and_leaves_no_trace(case, steps_before):
    case.set_step(600)
    singly(case, ACTIONS[:steps_before])
    before, stored = everything(case), case.state()
    seen = case.look_ahead(ACTIONS[5])
    many = case.look_ahead_many(trajectory=ACTIONS[5:])
    assert everything(case) == before
    assert case.state() == stored
    assert case.advance(ACTIONS[5]) == seen
    case.set_state(stored)
    assert case.advance_many(trajectory=ACTIONS[5:]).time == many.time
    case.set_state(stored)
    assert singly(case, ACTIONS[5:]) == of_columns(many)


def test_looking_ahead_with_a_plant_that_cannot_be_saved(small_case):
    singly(small_case, ACTIONS[:2])
    small_case.stepper.model.can_snapshot = False
    before = everything(small_case)
    seen = small_case.look_ahead(ACTIONS[5])
    assert everything(small_case) == before
    assert small_case.advance(ACTIONS[5]) == seen


def test_looking_ahead_into_a_failure(small_case):
    small_case.advance({})
    before = everything(small_case)
    with pytest.raises(ModelError):
        small_case.look_ahead({FAILING: 1})
    assert everything(small_case) == before
    assert (
        wording.advanced(small_case.advance({}), boptest=False).message
        == "Advanced simulation successfully from 300.0s to 600.0s."
    )


@pytest.mark.parametrize("warmup", [0, 300, 3600])
def test_a_warm_start_gives_the_numbers_of_a_cold_one(case, resources, small_resources, state_dir, warmup):
    folder = small_resources if len(case.stepper.disturbances.values) == 400 else resources
    starts = [7200, 10800, 7200, 7200, 10800, 3600, 7200]
    for k, start in enumerate(starts):
        cold = open_testcase(folder, state_dir)
        expected = cold.initialize(start, 36000, warmup), singly(cold, ACTIONS), everything(cold)
        cold.close()
        assert (case.initialize(start, 36000, warmup), singly(case, ACTIONS), everything(case)) == expected, k
    assert case._starts.warm.served == 4


def test_a_plant_that_comes_back_inexactly_is_started_anew(trap_resources, state_dir):
    folder = trap_resources(restore="inexact")
    cold, warm = (open_testcase(folder, state_dir) for _ in range(2))
    expected = cold.initialize(900), singly(cold, ACTIONS)
    cold.close()
    for _ in range(4):
        assert (warm.initialize(900), singly(warm, ACTIONS)) == expected
    assert warm._starts.warm.served == 0
    warm.close()


def test_what_is_kept_of_starts_is_bounded(small_case, monkeypatch):
    monkeypatch.setattr("trivium.simulation.warm.KEPT", 40_000)
    for start in range(300, 9000, 300):
        small_case.initialize(start)
    kept = small_case._starts.warm._starts
    assert 0 < len(kept) < 20
    assert sum(start.size for start in kept.values()) <= 40_000
