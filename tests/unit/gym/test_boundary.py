"""Boundary data along an episode, against the law that the small plant's data are made by."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trivium.errors import InvalidValueError
from trivium.gym.boundary import BLOCK, Boundary, Forecast


class Data:
    """A plant whose signal is the number of the data's row, a row every 300 s, up to a last one."""

    def __init__(self, last: int) -> None:
        self.last, self.time, self.asked = last, 0.0, 0
        self.variables = {"a": None}

    def results(self, names, start, final):
        assert start == final == self.time
        return {name: np.array([max(self.time / 300.0 - 1.0, 0.0)]) for name in names}

    def forecast(self, names, horizon, interval):
        self.asked += 1
        times = np.arange(self.time, min(self.time + horizon, 300.0 * self.last) + 1e-6, interval)
        return {"time": times, **{name: times // 300.0 for name in names}}


def along(boundary, plant, rows):
    for row in rows:
        plant.time = 300.0 * row
        boundary.move(plant.time)
        yield row


def test_now_and_ahead_over_many_blocks():
    plant = Data(10**6)
    boundary = Boundary(plant, ["a"], 300.0, 10**6, Forecast(["a"], 3600.0, 900.0), uncertain=False)
    boundary.move(0.0)
    for row in along(boundary, plant, range(2 * BLOCK + 5)):
        assert boundary.present() == {"a": row}
        assert boundary.ahead(["a"]).tolist() == [row + 3, row + 6, row + 9, row + 12]
    assert plant.asked == 3


def test_at_the_end_of_the_data_the_last_value_holds():
    plant = Data(5)
    boundary = Boundary(plant, ["a"], 300.0, 10**6, Forecast(["a"], 900.0, 300.0), uncertain=False)
    plant.time = 900.0
    boundary.move(900.0)
    assert boundary.ahead(["a"]).tolist() == [4, 5, 5]


def test_a_control_step_of_several_rows():
    plant = Data(1000)
    boundary = Boundary(plant, ["a"], 900.0, 10**6, Forecast(["a"], 1800.0, 1800.0), uncertain=False)
    plant.time = 600.0
    boundary.move(600.0)
    assert boundary.present() == {"a": 2}
    assert boundary.ahead(["a"]).tolist() == [8]
    plant.time = 1500.0
    boundary.move(1500.0)
    assert boundary.present() == {"a": 5}
    assert boundary.ahead(["a"]).tolist() == [11]


def test_an_uncertain_forecast_is_asked_at_every_step_and_the_present_is_measured():
    plant = Data(1000)
    boundary = Boundary(plant, ["a"], 300.0, 10**6, Forecast(["a"], 600.0, 300.0), uncertain=True)
    boundary.move(0.0)
    assert boundary.present() == {"a": 0.0}
    for row in along(boundary, plant, range(1, 10)):
        assert boundary.ahead(["a"]).tolist() == [row + 1, row + 2]
        assert boundary.present() == {"a": row - 1.0}
    assert plant.asked == 10


def test_a_new_episode_asks_for_what_is_not_known_yet():
    plant = Data(1000)
    boundary = Boundary(plant, ["a"], 900.0, 9, None, uncertain=False)
    for time, asked in ((0.0, 1), (8100.0, 1), (0.0, 1), (9000.0, 2), (300.0, 3), (150000.0, 4)):
        plant.time = time
        boundary.move(time)
        assert boundary.present() == {"a": time / 300.0}
        assert boundary.ahead([]).size == 0
        assert plant.asked == asked


def test_without_boundary_data_nothing_is_asked():
    boundary = Boundary(SimpleNamespace(), [], 300.0, 10**6, None, uncertain=False)
    boundary.move(0.0)
    assert boundary.present() == {}


@pytest.mark.parametrize(("horizon", "interval"), [(3600.0, 400.0), (3600.0, 100.0), (300.0, 600.0)])
def test_a_forecast_is_of_whole_control_steps(horizon, interval):
    with pytest.raises(InvalidValueError, match="multiple of the control step"):
        Boundary(Data(10), ["a"], 300.0, 10**6, Forecast(["a"], horizon, interval), uncertain=False)
