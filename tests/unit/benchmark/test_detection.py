"""The baseline that detects faults, on days of an arithmetic plant."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.benchmark import detection
from trivium.benchmark.detection import RELATIONS, Day, Detector, markdown

STEPS = 96


def day(seed, jump=0.0, quantity="pressure"):
    """A day of noise and of a pump curve; a quantity is off from noon on."""
    random = np.random.default_rng(seed)
    names = {name for target, drivers in RELATIONS.values() for name in (target, *drivers)}
    quantities = {name: random.uniform(0.0, 1.0, STEPS) for name in sorted(names)}
    flow, speed = quantities["chilled_flow"], quantities["chilled_speed"]
    plant = random.normal(0.0, 0.1)  # each plant differs
    quantities["pressure"] = speed**2 - flow**2 + plant + random.normal(0.0, 0.02, STEPS)
    for target, _ in RELATIONS.values():
        if target not in ("pressure", "economizer_flow", "condenser_flow"):
            quantities[target] = random.normal(0.0, 0.02, STEPS)
    labels = np.zeros(STEPS, int)
    if jump:
        labels[48:] = 4
        quantities[quantity] = quantities[quantity] + jump * (np.arange(STEPS) >= 48)
    return Day(quantities, labels, "worn_chilled_water_pumps" if jump else "none")


@pytest.fixture(scope="module")
def detector():
    return Detector([day(k) for k in range(40)], [day(100 + k) for k in range(40)], 900.0)


def test_a_lasting_deviation_raises_the_alarm_of_its_relation(detector):
    alarms = [detector.alarm(day(1000 + seed, jump=-0.1)) for seed in range(10)]
    assert None not in alarms
    assert sum(step >= 48 and relation == "chilled water pumps" for step, relation in filter(None, alarms)) >= 8


def test_healthy_days_seldom_raise_an_alarm(detector):
    alarms = sum(detector.alarm(day(2000 + seed)) is not None for seed in range(40))
    assert alarms <= 40 * 2 * len(RELATIONS) / 41  # a new day is above the largest of 40 sums one time in 41


def test_what_is_not_defined_raises_no_alarm(detector):
    odd = day(1)
    odd.quantities["pressure"][:] = np.nan
    assert detector.alarm(odd) is None


def test_rates_count_alarms_after_the_beginning_only(detector):
    days = [day(3000 + seed, jump=-0.1) for seed in range(5)]
    early = day(4000, jump=-0.1)
    early.quantities["pressure"][30:48] += 1.0
    rates = detection._rates("worn_chilled_water_pumps", [*days, early], detector, 0.25)
    assert (rates["days"], rates["detected"], rates["relation"]) == (6, 5, "chilled water pumps")
    assert 0 < rates["hours"] < 12
    none = detection._rates("fouled_tower", days, detector, 0.25)
    table = markdown([rates, none])
    assert "| `worn_chilled_water_pumps` | 6 | 83% |" in table
    assert "| `fouled_tower` | 0 | - | - | - |" in table
