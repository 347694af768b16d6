"""The drawing of the data centre: its files have what the view colours and labels."""

import xml.etree.ElementTree as ElementTree

import pytest

import trivium
from tests.drawings import applied
from trivium.plants.data_center.plant import COMMANDS, PLANT

FILES = {"wide": PLANT.schematic.wide, "narrow": PLANT.schematic.narrow}


@pytest.fixture(scope="module")
def reading():
    """A reading of the shipped test case after an hour of the commands that it starts with."""
    with trivium.open("data_center") as case:
        case.initialize(200 * 86400.0)
        outputs = case.advance(steps=12)
        inputs = {name: case.inputs[name].start for name in COMMANDS}
        return {**inputs, **case.boundary(), **outputs}


def ids(drawing):
    return [element.attrib["id"] for element in drawing.iter() if "id" in element.attrib]


@pytest.mark.parametrize("name", FILES)
def test_the_files_have_an_element_for_every_figure_and_state_and_no_other(reading, name):
    seen = PLANT.schematic.view({point: reading[point] for point in PLANT.schematic.points})
    drawn = ids(ElementTree.parse(FILES[name]).getroot())
    assert len(drawn) == len({*drawn})
    every = {*seen.figures, *seen.states, *seen.deviations, *PLANT.schematic.units}
    assert {*drawn} - {"to-cw", "to-chw"} == every


@pytest.mark.parametrize("name", FILES)
def test_a_reading_is_drawn(reading, name):
    drawing = applied(FILES[name], name, PLANT.schematic.view(reading))
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"12.0 °C", "3 × 85 %"} <= {*texts}
    assert texts.count("off") == 1  # the fourth chiller
    assert "3 of 4 chillers on, 4 of 4 tower cells in service" in drawing.attrib["aria-label"]


def test_states_follow_the_reading(reading):
    off = {"yChi1": 0.0, "nTow": 1.0, "yFanTow": 0.0, "nPumChiWat": 0.0, "mChiWat_flow": 0.0, "mTan_flow": 0.0}
    states = PLANT.schematic.view({**reading, **off}).states
    assert (states["chiller-1"], states["chiller-2"], states["chiller-4"]) == ("off", "on", "off")
    assert (states["cell-1"], states["cell-1-fan"], states["cell-2"]) == ("on", "still", "off")
    assert (states["chilled-pumps"], states["chilled-loop"], states["condenser-loop"]) == ("off", "still", "flows")


def test_refused_work_is_shown(reading):
    tiles = PLANT.schematic.view({**reading, "PItUns": 5e5}).tiles
    assert tiles[0][2] == "500 kW refused"


def test_units_have_points_and_inputs_of_the_shipped_case():
    with trivium.open("data_center") as case:
        known = {*case.variables}
        inputs = {*case.inputs}
    for unit in PLANT.schematic.units.values():
        assert {*unit.points} <= known
        assert {*unit.inputs} <= inputs
