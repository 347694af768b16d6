"""The cooling plant in the simulation: which models it recognizes, and the bounds of its inputs against what was
recorded and published."""

from __future__ import annotations

import contextlib
import csv
import zipfile

import pytest

from tests.own_fmus import state
from trivium.model.variable import Variable
from trivium.plants.cooling.plant import PLANT
from trivium.session.local import open_testcase
from trivium.simulation.plant import plant_of

#: Smallest and largest values in the published data of AlphaDataCenterCooling: disturbances of 348 days, trajectories.
RECORDED = {
    "U_CT1": (0, 1),
    "Twb_outside": (269.56, 303.22),
    "Tchws_set_CHI": (285.170715, 289.135702),
    "Tchws_set_HEX": (284.662075, 289.111146),
    "Ffan_CT6_02": (0, 0.998432),
    "CDWP03_rpm": (0, 1369.826001),
    "CHWP06_rpm": (0, 1344.44072),
    "Mchw": (65.719497, 454.486475),
    "Tchw_r": (288.37, 295.36),
    "CHI04": (0, 1),
    "CHI01_CW3": (0, 1),
    "CHI06_CHW4": (0, 1),
    "CDWP06_ONOFF": (0, 1),
    "CHWP01_ONOFF": (0, 1),
    "Head_required": (-15.557543, 33.262196),
    "CWP_activatedNumber": (1, 3),
    "CWP_speedInput": (762.059149, 1369.826001),
}


def test_open_bounds_are_filled_so_that_all_recorded_values_keep_them():
    for variable in PLANT.bounded([Variable(name) for name in RECORDED]):
        low, high = RECORDED[variable.name]
        assert variable.minimum <= low
        assert variable.maximum >= high


def test_every_input_of_the_plant_has_a_pattern():
    from workshop.cooling_plant.variables import INPUTS

    filled = PLANT.bounded([Variable(v.name) for v in INPUTS])
    assert all(v.minimum is not None and v.maximum is not None for v in filled)


def test_what_is_declared_is_kept():
    declared = [Variable("CHI01", minimum=0.0, maximum=2.0), Variable("Mchw", minimum=5.0), Variable("x")]
    filled = PLANT.bounded(declared)
    assert [(v.minimum, v.maximum) for v in filled] == [(0, 2), (5, 1800), (None, None)]


def test_our_fmu_declares_bounds_that_all_recorded_values_keep(small_case):
    inputs = {v.name: v for v in small_case.stepper.model.inputs}
    for name, (low, high) in RECORDED.items():
        assert inputs[name].minimum <= low, name
        assert inputs[name].maximum >= high, name


def test_the_reference_keeps_them_too(reference_resources, tmp_path):
    from trivium.model.fmu.description import read_fmu
    from trivium.model.fmu.fmpy_ import FmpyModel

    model = FmpyModel(read_fmu(reference_resources / "AlphaDataCenterCooling_FMU.fmu", tmp_path))
    plant = plant_of({v.name for v in model.inputs}, {v.name for v in model.outputs})
    assert plant is PLANT
    inputs = {v.name: v for v in plant.bounded(model.inputs)}
    assert len(inputs) == 104
    assert all(v.minimum is not None and v.maximum is not None for v in inputs.values())
    with (reference_resources / "Initialization_observation0.csv").open() as file:
        row = next(csv.DictReader(file))
    for name in set(row) & set(inputs):
        assert inputs[name].minimum <= float(row[name]) <= inputs[name].maximum


@pytest.mark.parametrize("name", ["CHI07x", "XCHI01", "CDWP01_rpm2", "U_CT"])
def test_other_names_match_no_pattern(name):
    (variable,) = PLANT.bounded([Variable(name)])
    assert variable.minimum is None


def test_an_input_of_another_model_keeps_its_own_bounds_whatever_its_name(own_fmu, tmp_path):
    """A temperature in degrees Celsius that is called as one of the cooling plant is not refused below 273.15."""
    renamed = tmp_path / "renamed.fmu"
    with zipfile.ZipFile(own_fmu("linear", "2.0")) as source, zipfile.ZipFile(renamed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "modelDescription.xml":
                assert content.count(b'name="u"') == 1
                content = content.replace(b'name="u"', b'name="Tchw_r"')
            target.writestr(name, content)
    with contextlib.closing(open_testcase(renamed, tmp_path / "state")) as case:
        inputs = case.inputs
        assert (inputs["Tchw_r"].minimum, inputs["Tchw_r"].maximum) == (None, None)
        assert case.advance({"Tchw_r": 12.0})["x"] == pytest.approx(state(0.5, 12.0), rel=1e-4)
