"""The deviations that docs/plant.md warns of; the formula is computed anew from the published coefficients."""

import pytest

from workshop.cooling_plant import deviations


def test_colder_condenser_water_costs_more_below_26_degrees():
    cold, cool, mild = (deviations.chiller(3e6, 14.0, condenser)[1] for condenser in (16.0, 21.0, 26.0))
    assert cold > cool > mild


def test_the_power_of_a_chiller_is_that_of_the_published_formula():
    e, c = 14.0, 26.0
    capacity = 6.188 + 0.07529 * e - 0.003966 * e**2 - 0.3122 * c + 0.003876 * c**2 + 0.001477 * e * c
    ratio = -0.4547 + 0.113 * e + 0.0003629 * e**2 + 0.02494 * c + 0.0009723 * c**2 - 0.004625 * e * c
    load = 3e6 / (capacity * 4027768.572212281)
    part = 0.6778244 - 0.01674571 * c - 1.0699e-5 * c**2 + 0.2261951 * load - 0.01572357 * load**2
    part += 0.01714268 * c * load + 0.1072291 * load**3
    heat, power = deviations.chiller(3e6, e, c)
    assert heat == pytest.approx(3e6)
    # 0.80: what the unit takes of the formula's power below 27 degC
    assert power == pytest.approx(0.80 * capacity * 4027768.572212281 / 7.78832 * ratio * part, rel=1e-6)


def test_a_slow_fan_draws_power_and_cools_nothing():
    assert deviations.approach(0.3, 20.0, 4.0) == deviations.approach(0.0, 20.0, 4.0)
    assert deviations.fan_power(0.3) > 3000.0
    assert deviations.approach(0.6, 20.0, 4.0) < 4.0
