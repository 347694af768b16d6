"""Units against the SI Brochure's table of derived units."""

import math

import pytest

from workshop.fmi.units import parse_unit


@pytest.mark.parametrize(
    ("name", "exponents", "factor"),
    [
        ("1", {}, 1.0),
        ("K", {"K": 1}, 1.0),
        ("1/min", {"s": -1}, 1 / 60),
        ("m3/s", {"m": 3, "s": -1}, 1.0),
        ("kg/s", {"kg": 1, "s": -1}, 1.0),
        ("J/(kg.K)", {"m": 2, "s": -2, "K": -1}, 1.0),
        ("W/(m2.K)", {"kg": 1, "s": -3, "K": -1}, 1.0),
        ("kPa", {"kg": 1, "m": -1, "s": -2}, 1000.0),
        ("Pa/(m3/s)", {"kg": 1, "m": -4, "s": -1}, 1.0),
        ("(kg/s)/s", {"kg": 1, "s": -2}, 1.0),
        ("deg", {"rad": 1}, math.pi / 180),
        ("%", {}, 0.01),
    ],
)
def test_units_in_base_units(name, exponents, factor):
    unit = parse_unit(name)
    assert unit.exponents == exponents
    assert unit.factor == pytest.approx(factor)
    assert unit.offset == 0.0


def test_celsius_has_an_offset():
    assert parse_unit("degC").offset == 273.15


@pytest.mark.parametrize("name", ["", "parsec", "kg/", "kg//s", "(kg", "kg)", "kg s", "kg/(s", "2m"])
def test_what_is_no_unit_is_refused(name):
    with pytest.raises(ValueError, match="unit"):
        parse_unit(name)
