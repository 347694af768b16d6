"""Drawings of plants: SVG files that readings colour and label."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.cooling_reading import all_off, opened
from trivium.dashboard import schematic
from trivium.plants.cooling.plant import PLANT
from trivium.simulation.plant import View

SVG = "{http://www.w3.org/2000/svg}"
FILES = {"wide": PLANT.schematic.wide, "narrow": PLANT.schematic.narrow}


@pytest.fixture
def values():
    return all_off()


def drawn(values, name):
    return ElementTree.fromstring(schematic.draw(FILES[name], name, PLANT.schematic.view(values)))


def ids(drawing):
    return [element.attrib["id"] for element in drawing.iter() if "id" in element.attrib]


@pytest.mark.parametrize("name", FILES)
def test_drawing(values, name):
    values |= {"U_CT1": 1.0, "Tchw_supply": 287.15, "CHWP02_ONOFF": 1.0, "CHWP02_rpm": 905.0}
    opened(values, 2, (1, 4))
    values |= {"CHI02": 1.0, "Pchi2": 301_400.0}
    drawing = drawn(values, name)
    texts = [element.text for element in drawing.iter(f"{SVG}text")]
    assert {"14.0 °C", "905", "301 kW"} <= {*texts}
    # 5 towers, 11 pumps, 5 chillers and 6 exchangers are off; so are the modes of 5 trains
    assert texts.count("off") == 5 + 11 + 5 + 6 + 5
    assert "1 of 6 trains in service (chiller), 1 of 6 towers" in drawing.attrib["aria-label"]
    assert drawing.attrib["role"] == "img"
    assert len(ids(drawing)) == len({*ids(drawing)})


def test_states_are_classes(values):
    values |= {"U_CT1": 1.0, "Ffan_CT1_02": 0.6, "CHWP02_ONOFF": 1.0}
    kinds = {element.get("id"): element.get("class", "").split() for element in drawn(values, "wide").iter()}
    assert (kinds["wide-tower-1"], kinds["wide-tower-2"]) == (["on"], ["off"])
    assert (kinds["wide-tower-1-fan-1"], kinds["wide-tower-1-fan-2"]) == (["fan", "still"], ["fan", "turns"])
    assert (kinds["wide-chilled-loop"], kinds["wide-condenser-loop"]) == (["flows"], ["still"])


def test_both_drawings_can_stand_on_one_page(values):
    wide, narrow = ({*ids(drawn(values, name))} for name in FILES)
    assert not wide & narrow


@pytest.mark.parametrize("name", FILES)
def test_the_files_have_an_element_for_every_figure_and_state(values, name):
    seen = PLANT.schematic.view(values)
    assert {*seen.figures, *seen.states} <= {*ids(ElementTree.parse(FILES[name]).getroot())}


def test_a_drawing_that_an_editor_saved(tmp_path):
    """Inkscape writes spans into texts, and elements and attributes of its own; scripts are left out."""
    file = tmp_path / "plant.svg"
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape">'
        "<style>text { fill: red }</style><script>alert(1)</script><inkscape:view/>"
        '<g id="pump" class="unit off" inkscape:label="Pump" onclick="alert(1)"><text id="speed"><tspan x="1">1</tspan>'
        "<tspan>2</tspan></text></g></svg>"
    )
    view = View("A pump & no more.", {"speed": (290.15, "K")}, {"pump": "on"})
    assert schematic.draw(file, "a", view) == (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="A pump &amp; no more."><g id="a-pump" '
        'class="unit on"><text id="a-speed"><tspan x="1">17.0 °C</tspan></text></g></svg>'
    )
