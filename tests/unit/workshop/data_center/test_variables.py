"""The names, units and bounds that docs/data-center.md promises are those of the model."""

from __future__ import annotations

import pytest

from tests.server import ROOT
from workshop.data_center.parameters import PARAMETERS
from workshop.data_center.variables import COMMANDS, CONDITIONS, DISTURBANCES, INTEGERS, OUTPUTS, STATES
from workshop.fmi.units import parse_unit

PAGE = (ROOT / "docs" / "data-center.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", [*COMMANDS, *DISTURBANCES, *CONDITIONS], ids=lambda variable: variable.name)
def test_each_input_is_documented_with_unit_bounds_and_start(variable):
    kind = " whole number;" if variable.name in INTEGERS else ""
    bounds = f"{variable.min:g} to {variable.max:g}"
    row = f"| `{variable.name}` | {variable.unit} |{kind} {bounds} | {variable.start:g} | {variable.description} |"
    assert row in PAGE.splitlines()


@pytest.mark.parametrize("variable", OUTPUTS, ids=lambda variable: variable.name)
def test_each_output_is_documented_with_unit(variable):
    assert f"| `{variable.name}` | {variable.unit} | {variable.description} |" in PAGE.splitlines()


@pytest.mark.parametrize("variable", PARAMETERS, ids=lambda variable: variable.name)
def test_each_parameter_is_documented_with_unit_and_value(variable):
    row = f"| `{variable.name}` | {variable.unit} | {variable.start:g} | {variable.description} |"
    assert row in PAGE.splitlines()


def test_the_page_documents_nothing_else():
    rows = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(v.name for v in (*COMMANDS, *DISTURBANCES, *CONDITIONS, *OUTPUTS, *PARAMETERS))


def test_all_units_are_understood():
    for variable in (*COMMANDS, *DISTURBANCES, *CONDITIONS, *OUTPUTS, *STATES, *PARAMETERS):
        parse_unit(variable.unit)
