"""Faults of sensors and actuators between a controller and the plant."""

from __future__ import annotations

import copy

import pytest

from trivium.control.instruments import Instruments
from trivium.evaluation.faults import Fault

LOOPS = {"T": "TSet"}


def test_a_bias_is_seen_and_moves_the_loop_the_other_way():
    instruments = Instruments([Fault("bias", "T", 100.0, 200.0, 2.0)], LOOPS)
    assert instruments.sensed(99.0, {"T": 280.0})["T"] == 280.0
    assert instruments.acting(100.0, {"TSet": 280.0, "y": 1.0}) == {"TSet": 278.0, "y": 1.0}
    # the loop holds the real value at 278: the sensor shows the set point, and the command is seen as it was given
    assert instruments.sensed(150.0, {"T": 278.0, "TSet": 278.0}) == {"T": 280.0, "TSet": 280.0, "y": 1.0}
    assert instruments.acting(200.0, {}) == {"TSet": 280.0, "y": 1.0}
    assert instruments.sensed(200.0, {"T": 280.0})["T"] == 280.0


def test_a_drift_grows():
    instruments = Instruments([Fault("drift", "T", 100.0, 200.0, -4.0)], LOOPS)
    assert [instruments.sensed(time, {"T": 280.0})["T"] for time in (100.0, 150.0, 199.0)] == pytest.approx(
        [280.0, 278.0, 276.04]
    )
    assert instruments.acting(150.0, {"TSet": 280.0})["TSet"] == 282.0


def test_a_frozen_sensor_shows_what_it_showed_even_after_a_copy():
    instruments = Instruments([Fault("freeze", "T", 100.0, 200.0)], LOOPS)
    shown = [instruments.sensed(time, {"T": time})["T"] for time in (50.0, 100.0, 150.0)]
    assert shown == [50.0, 100.0, 100.0]
    assert copy.deepcopy(instruments).sensed(160.0, {"T": 1.0})["T"] == 100.0
    assert instruments.acting(150.0, {"TSet": 280.0})["TSet"] == 280.0
    assert instruments.sensed(200.0, {"T": 7.0})["T"] == 7.0


def test_a_stuck_valve_stands_whatever_is_commanded():
    instruments = Instruments([Fault("stuck", "y", 100.0, 200.0, 0.3)])
    assert instruments.acting(50.0, {"y": 1.0})["y"] == 1.0
    assert instruments.acting(100.0, {"y": 1.0})["y"] == 0.3
    assert instruments.acting(150.0, {})["y"] == 0.3
    assert instruments.sensed(150.0, {"y": 0.3})["y"] == 1.0


def test_a_healed_actuator_goes_where_it_was_last_commanded():
    instruments = Instruments([Fault("stuck", "y", 100.0, 200.0, 0.3)])
    instruments.acting(100.0, {"y": 1.0})
    assert instruments.acting(200.0, {})["y"] == 1.0


def test_healthy_instruments_change_nothing():
    values = {"T": 280.0}
    assert Instruments().sensed(0.0, values) is values
    assert Instruments().acting(0.0, {"y": 1.0}) == {"y": 1.0}
