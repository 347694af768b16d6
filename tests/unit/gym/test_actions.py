"""From actions to inputs: by name, and by stages."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.errors import InvalidValueError
from trivium.gym.actions import InputActions, make_actions
from trivium.model.variable import Variable
from trivium.plants.cooling.rules import INPUTS

INPUT_POINTS = {name: Variable("", "1", "", 0.0, 1600.0 if name.endswith(("rpm", "Input")) else 6.0) for name in INPUTS}
INPUT_POINTS |= {f"Tchws_set_{of}": Variable("", "K", "", 276.15, 303.15) for of in ("CHI", "HEX")}
OPEN = [{"2", "3"}, {"3", "4"}, {"1", "4"}]  # valves of a train: free cooling, partial, chiller


class Refusing:
    """A plant that only says what it does not take; some inputs want whole numbers."""

    def __init__(self, points, whole=()):
        self.points, self.whole, self.stepped = points, whole, False

    @property
    def inputs(self):
        return self.points

    def look_ahead(self, u, *, clamp):
        for name, value in u.items():
            if name not in self.points:
                raise InvalidValueError("unknown", name)
            if name in self.whole and value % 1:
                raise InvalidValueError("no half", name)
        self.stepped = True


PLANT = Refusing(INPUT_POINTS)


def values(**changes):
    known = {"Tchw_supply": 287.15, "Tcw_supply": 290.0, "P_Chillers_sum": 0.0}
    known |= {f"H_CDWP{i}": 0.0 for i in range(1, 7)}
    known |= {f"Tlvg_CT{i}_0{cell}": 290.0 for i in range(1, 7) for cell in (1, 2)}
    return known | changes


BOUNDARY = {"Twb_outside": 285.0, "Mchw": 160.0, "Tchw_r": 292.5}


def staged(*, flat=False):
    actions = make_actions("staging-flat" if flat else "staging", PLANT, {}, normalise=True)
    actions.reset(values(), BOUNDARY)
    return actions


def order(mode=2, trains=2, towers=3, condenser=2, chilled=4, set_points=(0.0, 0.0)):
    return {
        "stages": np.array([mode, trains - 1, towers - 1, condenser - 1, chilled - 1]),
        "set_points": np.array(set_points, dtype=np.float32),
    }


def trains_of(inputs):
    """The open valves of each train that has any, on both sides."""
    found = {}
    for i in range(1, 7):
        sides = [{k for k in "1234" if inputs[f"CHI0{i}_{side}{k}"] == 1.0} for side in ("CW", "CHW")]
        assert sides[0] == sides[1]
        if sides[0]:
            found[i] = sides[0]
    return found


def test_inputs_by_name():
    actions = InputActions(
        INPUT_POINTS, ["U_CT1", "Tchws_set_CHI"], {"Tchws_set_CHI": (280.0, 290.0)}, (), normalise=True
    )
    decoded = actions.decode(np.array([1.0, -0.5], dtype=np.float32), {}, {})
    assert decoded == {"U_CT1": 6.0, "Tchws_set_CHI": 282.5}


def test_whole_numbers_are_rounded():
    points = {"n": Variable("", "1", "", 0.0, 3.0), "x": Variable("", "1", "", 0.0, 3.0)}
    actions = InputActions(points, ["n", "x"], {}, ["n"], normalise=True)
    for told, expected in ((-1.0, 0.0), (-0.4, 1.0), (0.4, 2.0), (1.0, 3.0)):
        decoded = actions.decode(np.array([told, 0.0], dtype=np.float32), {}, {})
        assert decoded == {"n": expected, "x": 1.5}


def test_inputs_that_take_whole_numbers_are_found_out():
    bounds = {"n": (0.0, 3.0), "on": (0.0, 1.0), "x": (0.0, 3.0), "narrow": (0.0, 0.4)}
    plant = Refusing({name: Variable("", "1", "", *ends) for name, ends in bounds.items()}, whole=("on", "n"))
    actions = make_actions("all", plant, {}, normalise=True)
    decoded = actions.decode(np.full(4, 0.2, dtype=np.float32), {}, {})
    assert decoded == pytest.approx({"n": 2.0, "on": 1.0, "x": 1.8, "narrow": 0.24})
    assert not plant.stepped


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_orders_are_obeyed(mode, count):
    actions = staged()
    for _ in range(30):  # what leaves stays until its successor's valves are open
        inputs = actions.decode(order(mode, count, count, count, count), values(), BOUNDARY)
    assert set(inputs) == set(INPUTS)
    trains = trains_of(inputs)
    assert len(trains) == count
    assert all(valves == OPEN[mode] for valves in trains.values())
    assert sum(inputs[f"CHI0{i}"] for i in range(1, 7)) == (0 if mode == 0 else count)
    assert sum(inputs[f"U_CT{i}"] for i in range(1, 7)) == count
    for pump in ("CDWP", "CHWP"):
        assert sum(inputs[f"{pump}0{i}_ONOFF"] for i in range(1, 7)) == count
    assert inputs["CWP_activatedNumber"] == count


def test_the_set_points():
    actions = staged()
    low = actions.decode(order(set_points=(-1.0, -1.0)), values(), BOUNDARY)
    assert low["Tchws_set_CHI"] == low["Tchws_set_HEX"] == 283.15
    assert actions.decode(order(set_points=(1.0, 0.0)), values(), BOUNDARY)["Tchws_set_CHI"] == 291.15


def fans_after(approach):
    actions = staged()
    for _ in range(
        40
    ):  # condenser water 5 K above the wet bulb: too warm for a small approach, too cold for a large one
        inputs = actions.decode(
            order(set_points=(0.0, approach)), values(Tcw_supply=293.0), {**BOUNDARY, "Twb_outside": 288.0}
        )
    return sum(value for name, value in inputs.items() if name.startswith("Ffan"))


def test_the_fans_follow_the_approach():
    assert fans_after(-1.0) > fans_after(1.0) == 0.0


def test_a_flat_action_says_the_same():
    chosen = [2, 1, 2, 0, 5]
    shares = [(one + 0.5) / most * 2.0 - 1.0 for one, most in zip(chosen, (3, 6, 6, 6, 6), strict=True)]
    flat, tree = staged(flat=True), staged()
    for k in range(20):
        set_points = [0.3 - 0.01 * k, -0.2]
        action = np.array([*shares, *set_points], dtype=np.float32)
        told = {"stages": np.array(chosen), "set_points": action[-2:]}
        assert flat.decode(action, values(), BOUNDARY) == tree.decode(told, values(), BOUNDARY)


@pytest.mark.parametrize("flat", [False, True])
def test_every_action_stays_within_the_plants_bounds(flat):
    actions = staged(flat=flat)
    actions.space.seed(5)
    for _ in range(500):
        for name, value in actions.decode(actions.space.sample(), values(), BOUNDARY).items():
            assert INPUT_POINTS[name].minimum <= value <= INPUT_POINTS[name].maximum, name


@pytest.mark.parametrize("end", [-1.0, 1.0])
def test_the_ends_of_the_box_are_actions_too(end):
    actions = staged(flat=True)
    inputs = actions.decode(np.full(7, end, dtype=np.float32), values(), BOUNDARY)
    assert len(trains_of(inputs)) >= 1


def test_what_is_no_way_to_act_is_refused():
    with pytest.raises(InvalidValueError, match="must be all, staging"):
        make_actions("everything", PLANT, {}, normalise=True)
    with pytest.raises(InvalidValueError, match="There is no point nonsense"):
        make_actions(["nonsense"], PLANT, {}, normalise=True)
    with pytest.raises(InvalidValueError, match="has no input U_CT1"):
        make_actions("staging", Refusing({"heat": Variable("", "W", "", 0.0, 1.0)}), {}, normalise=True)
