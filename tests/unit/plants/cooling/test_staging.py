"""Stages and speeds that do not hunt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium.plants.cooling.staging import Stage, settle


def test_stage_goes_up_at_once_and_down_after_its_dwell() -> None:
    stage = Stage(up=100.0, down=80.0, maximum=6, dwell=3)
    assert stage.start(150.0) == 2
    assert stage.update(450.0) == 5
    assert [stage.update(10.0) for _ in range(7)] == [5, 5, 4, 4, 4, 3, 3]


def test_stage_holds_between_its_thresholds() -> None:
    stage = Stage(up=100.0, down=80.0, dwell=1)
    stage.start(150.0)
    assert [stage.update(demand) for demand in (100.0, 81.0, 99.0, 200.0)] == [2, 2, 2, 2]
    assert stage.update(80.0) == 1
    assert [stage.update(demand) for demand in (100.0, 100.1)] == [1, 2]


@given(st.lists(st.floats(0.0, 1000.0), min_size=1, max_size=200), st.floats(10.0, 200.0), st.floats(0.1, 0.95))
def test_stage_never_overloads_units_that_it_could_relieve(demands: list[float], up: float, share: float) -> None:
    stage = Stage(up, share * up, maximum=6)
    for demand in demands:
        count = stage.update(demand)
        assert 1 <= count <= 6
        assert demand <= count * up * (1 + 1e-12) or count == 6


def test_held_stage_gives_nothing_up_for_its_dwell() -> None:
    stage = Stage(up=100.0, down=80.0, dwell=3)
    stage.start(250.0)
    stage.hold()
    assert [stage.update(10.0) for _ in range(3)] == [3, 3, 2]
    stage.hold()
    assert stage.update(500.0) == 5


def test_noise_within_the_band_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    stage = Stage(up=100.0, down=80.0, dwell=1)
    stage.start(190.0)
    assert {stage.update(demand) for demand in rng.uniform(161.0, 199.0, 500)} == {2}


@pytest.mark.parametrize(("up", "down"), [(1.0, 1.0), (1.0, 2.0), (1.0, 0.0)])
def test_thresholds_must_leave_a_band(up: float, down: float) -> None:
    with pytest.raises(ValueError, match="between"):
        Stage(up, down)


def test_settle_follows_in_steps_and_only_outside_its_band() -> None:
    assert settle(900.0, 914.0, 10.0, 15.0) == 900.0
    assert settle(900.0, 916.0, 10.0, 15.0) == 920.0
    assert settle(0.0, 883.0, 10.0, 15.0) == 880.0
