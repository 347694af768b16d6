"""The required head: both ways to know the chillers' power, against the laws written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import INPUT_NAMES, OUTPUT_NAMES, head, linear_network
from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.plants.cooling.head import RequiredHead
from trivium.plants.cooling.surrogate import ChillerPowerModel, HeadModel, Network


def values(names, **given):
    array = np.zeros(len(names))
    for name, value in given.items():
        array[names.index(name)] = value
    return array


INPUTS = values(
    INPUT_NAMES, CHI02=1, CHI05=1, CHI05_CHW3=1, CHI05_CW3=1, U_CT1=1, U_CT2=1, Mchw=200, Tchw_r=293, Tchws_set_CHI=287
)
OUTPUTS = values(
    OUTPUT_NAMES, Pchi2=2e5, Pchi5=1e5, Tchws_CHI2=288, Tchws_CHI5=287, Tchws_HEX5=290, Tcwr_HEX5=299, Tcw_supply=296
)


@pytest.fixture
def head_model():
    return HeadModel(linear_network([2.0, 0.5, 0.25, 10.0], 1.0, 4))


def test_the_power_measured_before_gives_the_flow(head_model):
    required = RequiredHead(INPUT_NAMES, OUTPUT_NAMES, head_model, None)
    flow = (200 + 3e5 / (4200 * 6)) / 1000
    assert required.needs_a_step
    assert required(INPUTS, OUTPUTS, stepped=True) == pytest.approx(head(2, 1, 4, flow))
    assert required(INPUTS, OUTPUTS, stepped=False) == pytest.approx(head(2, 1, 4, 0.2))


def test_one_call_of_the_surrogate_gives_the_power_of_the_chillers_that_run(head_model):
    # power over load = 0.1 + 0.001 (leaving - 280) + 0.002 (entering - 280) + 0.01 for unit 2 + 0.05 for unit 5
    network = linear_network([0.0, 0.001, 0.002, 0.0, 0.01, 0.0, 0.0, 0.05, 0.0], 0.1 - 0.001 * 280 - 0.002 * 280, 9)
    limits = {name: getattr(network, name) for name in Network.__dataclass_fields__ if not name.startswith("_")}
    limits["input_maximum"] = limits["input_maximum"].copy()
    limits["input_maximum"][0] = 1e7  # the largest load that the model knows
    model = ChillerPowerModel(Network(**limits))
    calls = []

    class Counting:
        def predict(self, *arguments):
            calls.append(arguments)
            return model.predict(*arguments)

    required = RequiredHead(INPUT_NAMES, OUTPUT_NAMES, head_model, Counting())
    load2, load5 = 100 * 4186 * (293 - 288), 100 * 4186 * (290 - 287)
    power = load2 * (0.1 + 0.008 + 0.032 + 0.01) + load5 * (0.1 + 0.007 + 0.038 + 0.05)
    flow = (200 + power / (4200 * 6)) / 1000
    assert not required.needs_a_step
    for stepped in (False, True):
        assert required(INPUTS, OUTPUTS, stepped=stepped) == pytest.approx(head(2, 1, 4, flow))
    assert len(calls) == 2
    off = INPUTS.copy()
    off[[INPUT_NAMES.index(n) for n in ("CHI02", "CHI05")]] = 0
    assert required(off, OUTPUTS, stepped=True) == pytest.approx(head(0, 1, 4, 0.2))
    assert len(calls) == 2


def test_a_set_point_at_the_return_temperature_is_refused(head_model):
    required = RequiredHead(INPUT_NAMES, OUTPUT_NAMES, head_model, None)
    required.check(INPUTS)
    equal = INPUTS.copy()
    equal[INPUT_NAMES.index("Tchws_set_CHI")] = 293
    with pytest.raises(InvalidValueError, match="Tchws_set_CHI"):
        required.check(equal)


def test_an_answer_that_is_no_number_is_an_error():
    class Nonsense:
        def predict(self, *arguments):
            return float("nan")

    with pytest.raises(ModelError, match="nan"):
        RequiredHead(INPUT_NAMES, OUTPUT_NAMES, Nonsense(), None)(INPUTS, OUTPUTS, stepped=True)


@pytest.mark.parametrize("name", ["CHI03_CHW3", "Mchw", "Tcw_supply", "Pchi6"])
def test_a_plant_without_a_variable_is_refused(head_model, name):
    inputs, outputs = ([n for n in names if n != name] for names in (INPUT_NAMES, OUTPUT_NAMES))
    with pytest.raises(ResourcesError, match=name):
        RequiredHead(inputs, outputs, head_model, None)
