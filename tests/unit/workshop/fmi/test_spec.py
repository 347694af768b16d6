"""A model that does not fit together is refused where it is made."""

import dataclasses
import math

import pytest

pytest.importorskip("casadi", reason="CasADi carries the equations")

import casadi as ca

from tests.unit.workshop.fmi import plants
from workshop.fmi.spec import Variable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "empty"),
        ({"name": " x"}, "padded"),
        ({"start": math.nan}, "start of x"),
        ({"max": math.inf}, "max of x"),
        ({"min": 1.0}, "below its minimum"),
        ({"max": -1.0}, "above its maximum"),
        ({"nominal": 0.0}, "nominal of x"),
    ],
)
def test_variables_that_no_fmu_can_carry(arguments, message):
    with pytest.raises(ValueError, match=message):
        Variable(**{"name": "x", "description": "", "unit": "1", "start": 0.0, **arguments})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "no identifier"}, "not a C identifier"),
        ({"states": ()}, "at least one stiff state"),
        ({"filter_input": (0,)}, "filter_input has 1 entries for 2"),
        ({"filter_input": (0, 3)}, "does not exist"),
        ({"outputs": (Variable("valve", "", "1", 0.0), Variable("flow", "", "1", 0.0))}, "used twice: .*valve"),
        ({"outputs": ()}, "out must return one vector of size 0"),
        ({"parameters": ()}, "filter_tau takes arguments"),
    ],
)
def test_models_whose_parts_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(plants.tanks(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pulses": plants.tanks().out}, "pulses takes arguments"),
        ({"pulses": plants.pulsed().start}, "pulses takes arguments"),
    ],
)
def test_pulses_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(plants.pulsed(), **changes)


def test_pulses_and_filters_exclude_each_other():
    p = ca.SX.sym("p", 3)
    with pytest.raises(ValueError, match="neither inputs nor filters"):
        dataclasses.replace(plants.tanks(), pulses=ca.Function("pulses", [p], [p]))


def test_filters_are_named_by_their_input():
    assert plants.tanks().filter_names == ("filter.valve", "filter.valve_2")
