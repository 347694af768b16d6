"""Bounds and boxes."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.errors import InvalidValueError
from trivium.gym.spaces import Vector, bounds_of
from trivium.model.variable import Variable

POINTS = {
    "P_Chillers_sum": Variable("", "W", "", 0.0, 5e7),
    "Tchw_supply": Variable("", "K", "", None, None),
    "open": Variable("", "1", "", None, 1.0),
    "U_CT1": Variable("", "1", "", 0.0, 1.0),
}


def test_the_narrower_of_plant_and_fmu_holds():
    low, high = bounds_of(POINTS, ["P_Chillers_sum", "Tchw_supply", "U_CT1"], {})
    assert low == [0.0, 273.15, 0.0]
    assert 6 * 4.03e6 / 7.788 < high[0] < 5e7  # all at nominal load, and less than what the FMU declares
    assert high[1:] == [348.15, 1.0]


def test_given_bounds_take_their_place():
    assert bounds_of(POINTS, ["Tchw_supply", "open"], {"Tchw_supply": (280, 290), "open": (-1, 2)}) == (
        [280.0, -1.0],
        [290.0, 2.0],
    )


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("nonsense", {}, "There is no point nonsense"),
        ("open", {}, "no finite bounds"),
        ("U_CT1", {"U_CT1": (1.0, 1.0)}, "no finite bounds"),
        ("U_CT1", {"U_CT1": (0.0, np.inf)}, "no finite bounds"),
        ("U_CT1", {"U_CT1": (np.nan, 1.0)}, "no finite bounds"),
    ],
)
def test_nothing_is_infinite(name, given, message):
    with pytest.raises(InvalidValueError, match=message) as caught:
        bounds_of(POINTS, [name], given)
    assert caught.value.field == name


def test_a_normalised_box():
    vector = Vector(["a", "b"], [0.0, 270.0], [10.0, 290.0], normalise=True)
    assert (vector.space.low == -1.0).all()
    assert (vector.space.high == 1.0).all()
    assert vector.encode(np.array([5.0, 290.0])).tolist() == [0.0, 1.0]
    assert vector.encode(np.array([-3.0, 1000.0])).tolist() == [-1.0, 1.0]
    assert vector.decode(np.array([-1.0, 0.5], dtype=np.float32)).tolist() == [0.0, 285.0]


def test_an_action_that_is_no_number_is_refused():
    vector = Vector(["a", "b"], [0.0, 270.0], [10.0, 290.0], normalise=True)
    with pytest.raises(InvalidValueError, match="b is no number"):
        vector.decode(np.array([0.0, np.nan], dtype=np.float32))


def test_a_box_in_units():
    vector = Vector(["a"], [276.15], [303.15], normalise=False)
    assert vector.space.contains(vector.encode(np.array([1e6])))
    # the bounds lie beside their float32: below for this one, and what is decoded must be within
    assert float(vector.space.low[0]) < 276.15 == vector.decode(vector.space.low)[0]
    assert vector.decode(vector.space.high)[0] == pytest.approx(303.15)


@pytest.mark.parametrize("normalise", [True, False])
def test_whatever_is_encoded_is_in_the_box(normalise):
    random = np.random.default_rng(1)
    low = random.normal(0, 1e3, 50)
    vector = Vector([str(i) for i in range(50)], low, low + random.uniform(0.1, 1e6, 50), normalise=normalise)
    for _ in range(200):
        assert vector.space.contains(vector.encode(random.normal(0, 1e6, 50)))
